/** The queue as a virtual list: its height stands for all that match; rows are loaded as they come into sight. */
import { Button } from '@mantine/core';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef } from 'react';
import { DecisionBadge } from '../../ui/Decision.tsx';
import { Ago, Time } from '../../ui/Time.tsx';
import { formatLeft } from '../../ui/times.ts';
import type { QueueRow } from './approval_view.ts';
import { RiskMark } from './RiskMark.tsx';

const ROW = 96;

export function QueueList(props: {
  label: string;
  rows: QueueRow[];
  total: number;
  now: number;
  chosen: string | undefined;
  /** The chosen row takes the focus when this changes. */
  focus: number;
  choose: (id: string) => void;
  open: (id: string) => void;
  loadMore: () => void;
  onTop: (atTop: boolean) => void;
  changed: boolean;
  refresh: () => void;
  stale: boolean;
}) {
  const { rows, total, now, chosen, focus, loadMore } = props;
  const scroller = useRef<HTMLElement>(null);
  const virtual = useVirtualizer({
    count: Math.max(total, rows.length),
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 8,
  });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (last >= rows.length - 20) loadMore();
  }, [last, rows.length, loadMore]);
  const at = chosen === undefined ? -1 : rows.findIndex(row => row.id === chosen);
  // biome-ignore lint/correctness/useExhaustiveDependencies: moves with the reader's steps only
  useEffect(() => {
    if (focus === 0 || at < 0) return;
    virtual.scrollToIndex(at);
    const frame = requestAnimationFrame(() =>
      scroller.current
        ?.querySelector<HTMLElement>(`[data-approval="${CSS.escape(chosen ?? '')}"]`)
        ?.focus({ preventScroll: true }),
    );
    return () => cancelAnimationFrame(frame);
  }, [focus]);
  return (
    <div className={props.stale ? 'queue stale' : 'queue'}>
      {props.changed && (
        <Button className="queue-changed" size="compact-sm" onClick={props.refresh}>
          The queue has changed: show it anew
        </Button>
      )}
      <section
        ref={scroller}
        className="queue-scroll"
        aria-label={props.label}
        onScroll={event => props.onTop(event.currentTarget.scrollTop < ROW)}
      >
        {rows.length === 0 && <p className="queue-none mute">Nothing else waits.</p>}
        <ul className="queue-rows" style={{ height: virtual.getTotalSize() }}>
          {items.map(item => {
            const row = rows[item.index];
            return (
              <li
                key={row?.id ?? item.key}
                style={{ transform: `translateY(${item.start}px)`, height: ROW }}
                aria-setsize={total}
                aria-posinset={item.index + 1}
              >
                {row === undefined ? (
                  <span className="queue-loading">
                    <span className="visually-hidden">Loading</span>
                  </span>
                ) : (
                  <Row
                    row={row}
                    now={now}
                    chosen={row.id === chosen}
                    press={() => (row.id === chosen ? props.open(row.id) : props.choose(row.id))}
                  />
                )}
              </li>
            );
          })}
        </ul>
      </section>
    </div>
  );
}

function Row({
  row,
  now,
  chosen,
  press,
}: {
  row: QueueRow;
  now: number;
  chosen: boolean;
  press: () => void;
}) {
  const waits = row.state === 'waiting';
  return (
    <button
      type="button"
      className="queue-row"
      data-approval={row.id}
      aria-current={chosen || undefined}
      onClick={press}
    >
      <span className="queue-line">
        <b>{row.action}</b>
        <RiskMark risk={row.risk} />
      </span>
      <span className="queue-gist">{row.gist || 'no arguments'}</span>
      <span className="queue-line mute">
        <span className="queue-who">{row.who}</span>
        {waits ? (
          <span className={row.urgent ? 'queue-left urgent' : 'queue-left'}>
            {formatLeft(row.expiresAt, now)} left
          </span>
        ) : (
          <DecisionBadge state={row.state} />
        )}
      </span>
      <span className="queue-line mute">
        <span className="queue-who">
          {waits ? (
            row.why || (
              <>
                since <Time at={row.askedAt} short precision="minute" />
              </>
            )
          ) : (
            <>
              asked <Ago at={row.askedAt} />
            </>
          )}
        </span>
        {row.progress !== '' && <span className="queue-progress">{row.progress} approved</span>}
      </span>
    </button>
  );
}
