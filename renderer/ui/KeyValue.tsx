/** Names and values in two columns. Absent values are left out, never shown as a dash. */
import { Fragment, type ReactNode } from 'react';

export type KeyValueRow = { name: string; value: ReactNode };

export function KeyValue({ rows, wide }: { rows: (KeyValueRow | undefined | false)[]; wide?: boolean }) {
  return (
    <dl className={wide ? 'kv wide' : 'kv'}>
      {rows.map(row =>
        row ? (
          <Fragment key={row.name}>
            <dt>{row.name}</dt>
            <dd>{row.value}</dd>
          </Fragment>
        ) : null,
      )}
    </dl>
  );
}
