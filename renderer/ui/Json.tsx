/** JSON to read: coloured, foldable, copyable; long documents open in steps and say how much is still closed. */
import { Button } from '@mantine/core';
import { IconChevronDown, IconChevronRight } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import { CopyButton } from './Copy.tsx';
import { buildJsonLines, type JsonLine } from './json_lines.ts';
import { countOf } from './numbers.ts';

const STEP = 400;

export function JsonView({ value, what = 'JSON' }: { value: unknown; what?: string }) {
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const [shown, setShown] = useState(STEP);
  const lines = useMemo(() => buildJsonLines(value, folded), [value, folded]);
  const toggle = (path: string) => {
    const next = new Set(folded);
    if (!next.delete(path)) next.add(path);
    setFolded(next);
  };
  const hidden = lines.length - shown;
  return (
    <div className="json code-block">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
      <section className="json-lines mono" tabIndex={0} aria-label={what}>
        {lines.slice(0, shown).map(line => (
          <Line key={line.id} line={line} toggle={toggle} />
        ))}
      </section>
      {hidden > 0 && (
        <Button variant="subtle" size="compact-xs" onClick={() => setShown(shown + STEP * 5)}>
          Show more: {countOf(hidden, 'line')} below
        </Button>
      )}
      <CopyButton text={JSON.stringify(value, null, 2) ?? ''} what={what} />
    </div>
  );
}

function Line({ line, toggle }: { line: JsonLine; toggle: (path: string) => void }) {
  const Chevron = line.folded ? IconChevronRight : IconChevronDown;
  return (
    <div className="json-line" style={{ paddingLeft: 16 + line.depth * 14 }}>
      {line.foldable && (
        <button
          type="button"
          className="json-fold"
          aria-expanded={!line.folded}
          aria-label={`${line.folded ? 'Open' : 'Fold'} ${line.key ?? 'value'}`}
          style={{ left: line.depth * 14 }}
          onClick={() => toggle(line.path)}
        >
          <Chevron size={12} />
        </button>
      )}
      {line.key !== undefined && (
        <>
          <span className="json-key">{JSON.stringify(line.key)}</span>
          {': '}
        </>
      )}
      <span className={`json-${line.kind}`}>{line.text}</span>
      {line.comma && ','}
      {line.folded && (
        <span className="mute"> {countOf(line.count, line.kind === 'array' ? 'item' : 'member')}</span>
      )}
    </div>
  );
}
