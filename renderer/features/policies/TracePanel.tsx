/** The steps of the last evaluation, foldable, by mouse and by keyboard (a tree of the ARIA kind). */
import { Button } from '@mantine/core';
import { useEffect, useMemo, useRef, useState } from 'react';
import { countOf } from '../../ui/numbers.ts';
import { ErrorPanel } from '../../ui/States.tsx';
import { buildTraceTree, opWords, type TraceRow, traceRows } from './trace_tree.ts';
import type { Trial } from './useEvaluation.ts';

export function TracePanel({
  trial,
  mayTry,
  toPlace,
}: {
  trial: Trial;
  mayTry: boolean;
  toPlace: (path: string, row: number) => void;
}) {
  const { value, running, failure } = trial.evaluation;
  const roots = useMemo(() => buildTraceTree(value?.trace ?? []), [value]);
  const [folded, setFolded] = useState<ReadonlySet<number>>(new Set());
  const [at, setAt] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const moved = useRef(false);
  const rows = useMemo(() => traceRows(roots, folded), [roots, folded]);
  useEffect(() => {
    if (moved.current) list.current?.querySelector<HTMLElement>('[tabindex="0"]')?.focus();
  });
  const fold = (row: TraceRow, to?: boolean) =>
    setFolded(held => {
      const next = new Set(held);
      if (to ?? row.open) next.add(row.node.id);
      else next.delete(row.node.id);
      return next;
    });
  const onKey = (event: React.KeyboardEvent) => {
    const row = rows[at];
    const keys: Record<string, () => void> = {
      ArrowDown: () => setAt(n => Math.min(n + 1, rows.length - 1)),
      ArrowUp: () => setAt(n => Math.max(n - 1, 0)),
      ArrowRight: () => row !== undefined && fold(row, false),
      ArrowLeft: () => row !== undefined && fold(row, true),
      Home: () => setAt(0),
      End: () => setAt(rows.length - 1),
      Enter: () => row?.node.step.path !== undefined && toPlace(row.node.step.path, row.node.step.row ?? 1),
    };
    const act = keys[event.key];
    if (act === undefined) return;
    event.preventDefault();
    moved.current = event.key !== 'Enter';
    act();
  };
  const shown = value?.traced ? rows.slice(0, 2_000) : [];
  return (
    <div className="policy-panel">
      <div className="policy-panel-head">
        <span className="grow" role="status">
          {running ? (
            'Evaluating…'
          ) : value?.traced ? (
            `${countOf(value.trace.length, 'step')} for ${value.query}`
          ) : (
            <span className="mute">No trace yet.</span>
          )}
          {value?.trace_cut && <span className="mute"> Cut: there are more.</span>}
          {rows.length > shown.length && value?.traced && (
            <span className="mute"> The first 2,000 rows are shown; fold some.</span>
          )}
        </span>
        {value?.traced && (
          <>
            <Button
              size="compact-xs"
              variant="default"
              onClick={() => setFolded(new Set(allWithChildren(roots)))}
            >
              Fold all
            </Button>
            <Button size="compact-xs" variant="default" onClick={() => setFolded(new Set())}>
              Unfold all
            </Button>
          </>
        )}
        {mayTry && (
          <Button
            size="compact-xs"
            variant="default"
            disabled={running}
            onClick={() => void trial.evaluate(value?.query, true)}
          >
            Trace the evaluation
          </Button>
        )}
      </div>
      {failure !== undefined && <ErrorPanel error={failure} />}
      {shown.length > 0 && (
        <div
          role="tree"
          aria-label="Steps of the evaluation"
          ref={list}
          onKeyDown={onKey}
          className="policy-trace"
        >
          {shown.map((row, n) => {
            const { step, children } = row.node;
            return (
              <div
                key={row.node.id}
                role="treeitem"
                aria-level={row.depth + 1}
                {...(children.length > 0 ? { 'aria-expanded': row.open } : {})}
                aria-selected={n === at}
                tabIndex={n === Math.min(at, shown.length - 1) ? 0 : -1}
                className="policy-step"
                style={{ paddingLeft: 8 + row.depth * 14 }}
                onClick={() => {
                  setAt(n);
                  if (children.length > 0) fold(row);
                  else if (step.path !== undefined) toPlace(step.path, step.row ?? 1);
                }}
                onKeyDown={() => undefined}
              >
                <span className="policy-fold" aria-hidden>
                  {children.length === 0 ? '' : row.open ? '▾' : '▸'}
                </span>
                <span
                  className={
                    step.op === 'Fail'
                      ? 'tone-deny policy-word'
                      : step.op === 'Exit'
                        ? 'tone-allow policy-word'
                        : 'mute'
                  }
                >
                  {opWords[step.op] ?? step.op}
                </span>{' '}
                <span className="mono">{step.message ?? step.node}</span>
                {step.path !== undefined && step.row !== undefined && (
                  <span className="mute mono">
                    {' '}
                    {step.path}:{step.row}
                  </span>
                )}
              </div>
            );
          })}
        </div>
      )}
    </div>
  );
}

function allWithChildren(roots: ReturnType<typeof buildTraceTree>): number[] {
  return roots.flatMap(node =>
    node.children.length > 0 ? [node.id, ...allWithChildren(node.children)] : [],
  );
}
