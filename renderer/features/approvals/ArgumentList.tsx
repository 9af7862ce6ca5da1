/** Every argument of a call with its whole value: nothing is cut. */
import { buildArguments } from './approval_view.ts';

export function ArgumentList({ payload }: { payload: unknown }) {
  const rows = buildArguments(payload);
  if (rows.length === 0) return <p className="mute">No arguments.</p>;
  return (
    <dl className="arguments">
      {rows.map(row => (
        <div key={row.name} className={row.block ? 'argument block' : 'argument'}>
          <dt title={row.name}>{row.label}</dt>
          <dd>{row.text === '' ? <i className="mute">empty</i> : row.text}</dd>
        </div>
      ))}
    </dl>
  );
}
