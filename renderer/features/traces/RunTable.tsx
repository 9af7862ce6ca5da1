/**
 * The table of runs: a grid with virtual rows. Its height stands for all that match, loaded or not; rows are loaded
 * as they come into sight. One tab stop; arrows move, Enter opens.
 */
import { Button } from '@mantine/core';
import { IconArrowDown, IconArrowUp } from '@tabler/icons-react';
import { useTable } from '@tanstack/react-table';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, useEffect, useMemo, useRef } from 'react';
import type { TraceSummary } from '../../../core/api/views.ts';
import { columns, features, looks } from './traces_columns.tsx';
import type { SortState } from './traces_view.ts';

const ROW = 30;

export function RunTable(props: {
  rows: TraceSummary[];
  total: number;
  hidden: string[];
  sort: SortState;
  onSort: (sort: SortState) => void;
  chosen: string | undefined;
  onChoose: (run: string) => void;
  open: (run: string) => void;
  loadMore: () => void;
  loading: boolean;
  onTop: (atTop: boolean) => void;
  newer: boolean;
  refresh: () => void;
  stale: boolean;
}) {
  const { rows, total, hidden, sort, chosen, loadMore } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const columnVisibility = useMemo(() => Object.fromEntries(hidden.map(id => [id, false])), [hidden]);
  const table = useTable({
    features,
    columns,
    data: rows,
    getRowId: row => row.run_id,
    state: { columnVisibility },
  });
  const shown = table.getVisibleLeafColumns();
  const template = shown.map(column => looks[column.id]?.width ?? '1fr').join(' ');
  const tableRows = table.getRowModel().rows;
  const virtual = useVirtualizer({
    count: total,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 12,
  });
  const items = virtual.getVirtualItems();
  const lastWanted = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (lastWanted >= rows.length - 20) loadMore();
  }, [lastWanted, rows.length, loadMore]);

  const at = chosen === undefined ? -1 : rows.findIndex(row => row.run_id === chosen);
  const go = (index: number) => {
    const next = Math.min(Math.max(index, 0), rows.length - 1);
    const run = rows[next];
    if (run === undefined) return;
    props.onChoose(run.run_id);
    virtual.scrollToIndex(next);
  };
  const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? ROW * 10) / ROW) - 2);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target !== scroller.current) return;
    const moves: Record<string, () => void> = {
      ArrowDown: () => go(at + 1),
      ArrowUp: () => go(at - 1),
      PageDown: () => go(at + page),
      PageUp: () => go(at - page),
      Home: () => go(0),
      End: () => go(rows.length - 1),
      Enter: () => {
        if (chosen !== undefined) props.open(chosen);
      },
    };
    const move = moves[event.key];
    if (move === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    move();
  };

  return (
    <div className={props.stale ? 'runs stale' : 'runs'}>
      {props.newer && (
        <Button
          className="runs-newer"
          size="compact-sm"
          leftSection={<IconArrowUp size={14} />}
          onClick={() => {
            scroller.current?.scrollTo({ top: 0 });
            props.refresh();
          }}
        >
          Newer events have arrived
        </Button>
      )}
      {/* biome-ignore lint/a11y/useSemanticElements: virtual rows need divs */}
      <div
        ref={scroller}
        className="runs-scroll"
        role="grid"
        aria-label="Runs"
        aria-rowcount={total + 1}
        aria-colcount={shown.length}
        aria-activedescendant={at >= 0 ? `run-${chosen}` : undefined}
        tabIndex={0}
        onKeyDown={onKeyDown}
        onScroll={event => props.onTop(event.currentTarget.scrollTop < ROW)}
      >
        {/* biome-ignore lint/a11y/useSemanticElements: as above */}
        {/* biome-ignore lint/a11y/useFocusableInteractive: the grid is the one tab stop */}
        <div className="runs-head" role="row" aria-rowindex={1} style={{ gridTemplateColumns: template }}>
          {shown.map(column => {
            const look = looks[column.id];
            const sorted = look?.sort !== undefined && look.sort === sort.id;
            const label = String(column.columnDef.header);
            return (
              // biome-ignore lint/a11y/useSemanticElements: as above
              // biome-ignore lint/a11y/useFocusableInteractive: as above
              <div
                key={column.id}
                role="columnheader"
                className={look?.end ? 'end' : ''}
                aria-sort={
                  sorted ? (sort.desc ? 'descending' : 'ascending') : look?.sort ? 'none' : undefined
                }
              >
                {look?.sort === undefined ? (
                  label
                ) : (
                  <button
                    type="button"
                    className={sorted ? 'sorter on' : 'sorter'}
                    onClick={() =>
                      props.onSort({ id: look.sort as string, desc: sorted ? !sort.desc : true })
                    }
                  >
                    {label}
                    {sorted &&
                      (sort.desc ? (
                        <IconArrowDown size={12} aria-hidden />
                      ) : (
                        <IconArrowUp size={12} aria-hidden />
                      ))}
                  </button>
                )}
              </div>
            );
          })}
        </div>
        {/* biome-ignore lint/a11y/useSemanticElements: as above */}
        <div role="rowgroup" className="runs-body" style={{ height: virtual.getTotalSize() }}>
          {items.map(item => {
            const row = tableRows[item.index];
            if (row === undefined) {
              return (
                <div
                  key={item.key}
                  className="run loading"
                  aria-hidden
                  style={{ transform: `translateY(${item.start}px)`, height: ROW }}
                >
                  <span />
                </div>
              );
            }
            const run = row.original;
            return (
              // biome-ignore lint/a11y/useSemanticElements: as above
              // biome-ignore lint/a11y/useFocusableInteractive: as above
              // biome-ignore lint/a11y/useKeyWithClickEvents: keys are on the grid
              <div
                key={row.id}
                id={`run-${run.run_id}`}
                role="row"
                aria-rowindex={item.index + 2}
                aria-selected={run.run_id === chosen}
                className="run"
                style={{
                  transform: `translateY(${item.start}px)`,
                  height: ROW,
                  gridTemplateColumns: template,
                }}
                onClick={event => {
                  if (event.target instanceof Element && event.target.closest('a')) return;
                  props.open(run.run_id);
                }}
              >
                {row.getVisibleCells().map(cell => (
                  // biome-ignore lint/a11y/useSemanticElements: as above
                  // biome-ignore lint/a11y/useFocusableInteractive: as above
                  <div key={cell.id} role="gridcell" className={looks[cell.column.id]?.end ? 'end' : ''}>
                    <table.FlexRender cell={cell} />
                  </div>
                ))}
              </div>
            );
          })}
        </div>
      </div>
      {props.loading && (
        <span className="visually-hidden" role="status">
          Loading more runs
        </span>
      )}
    </div>
  );
}
