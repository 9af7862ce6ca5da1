/** Every argument of a call with its whole value: nothing is cut. Against an earlier call, what differs is said by sign and word. */

import { buildArguments } from './approval_view.ts';
import { type ArgumentDiff, buildArgumentDiff } from './argument_diff.ts';

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

const words = { changed: 'changed', added: 'new', removed: 'gone', same: '' } as const;

export function ArgumentDiffList({ payload, before }: { payload: unknown; before: unknown }) {
  const rows = buildArgumentDiff(payload, before);
  if (rows.length === 0) return <p className="mute">No arguments.</p>;
  return (
    <dl className="arguments">
      {rows.map(row => (
        <div
          key={`${row.change}${row.name}`}
          className={row.block ? 'argument block' : 'argument'}
          data-change={row.change}
        >
          <dt title={row.name}>
            {row.label}
            {row.change !== 'same' && <span className="argument-change">{words[row.change]}</span>}
          </dt>
          <DiffValue row={row} />
        </div>
      ))}
    </dl>
  );
}

function DiffValue({ row }: { row: ArgumentDiff }) {
  if (row.change === 'removed') {
    return (
      <dd>
        <del>{row.text === '' ? 'empty' : row.text}</del>
      </dd>
    );
  }
  if (row.lines !== undefined) {
    return (
      <dd>
        {row.lines.map((line, i) => (
          <span
            // biome-ignore lint/suspicious/noArrayIndexKey: the lines of one comparison do not move
            key={i}
            className="argument-line"
            data-sign={line.sign === ' ' ? undefined : line.sign}
          >
            <span aria-hidden>{line.sign} </span>
            {line.sign !== ' ' && (
              <span className="visually-hidden">{line.sign === '+' ? 'now: ' : 'before: '}</span>
            )}
            {line.text}
          </span>
        ))}
      </dd>
    );
  }
  return (
    <dd>
      {row.text === '' ? <i className="mute">empty</i> : row.text}
      {row.was !== undefined && (
        <span className="argument-was">was {row.was === '' ? 'empty' : row.was}</span>
      )}
    </dd>
  );
}
