/** Approvals: calls that wait for a person, one open beside the list, and what was answered. By mouse and by keyboard. */
import { Button, SegmentedControl } from '@mantine/core';
import { IconUserCheck } from '@tabler/icons-react';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import type { ApprovalView } from '../../../core/api/views.ts';
import { useAsk, useStatus } from '../../api/queries.ts';
import { useKeys } from '../../shell/shortcuts.ts';
import { DecisionBadge } from '../../ui/Decision.tsx';
import { countOf } from '../../ui/numbers.ts';
import { PageHeader } from '../../ui/Page.tsx';
import { EmptyState, ErrorPanel, Waiting } from '../../ui/States.tsx';
import { Ago, Time, useNow } from '../../ui/Time.tsx';
import { formatLeft } from '../../ui/times.ts';
import { LoadSamples } from '../settings/LoadSamples.tsx';
import { AnswerDialog, type Verdict } from './AnswerDialog.tsx';
import { ApprovalDetail } from './ApprovalDetail.tsx';
import { buildQueue, canAnswer, neighbour, type QueueRow } from './approval_view.ts';
import type { ApprovalsSearch } from './approvals_search.ts';
import { RiskMark } from './RiskMark.tsx';
import './approvals.css';

const PAGE = 200;

export function ApprovalsScreen() {
  const { show, id } = useSearch({ from: '/approvals' });
  const navigate = useNavigate({ from: '/approvals' });
  const waiting = useStatus().data?.ledger?.waiting_approvals ?? 0;
  const [shown, setShown] = useState(PAGE);
  const list = useAsk(
    'approvals',
    { query: { status: show === 'answered' ? 'answered' : 'waiting', limit: Math.min(1_000, shown) } },
    { every: 2_000, keep: true },
  );
  const now = useNow();
  const items = list.data?.items ?? [];
  const chosenId = id ?? items[0]?.id;
  const inList = items.find(item => item.id === chosenId);
  // Opened by link, or answered meanwhile: it is no longer in this list, and still shown.
  const alone = useAsk(
    'approval',
    { params: { id: chosenId ?? '' }, query: {} },
    { enabled: chosenId !== undefined && list.isSuccess && inList === undefined, every: 2_000 },
  );
  const chosen = inList ?? (alone.data?.id === chosenId ? alone.data : undefined);
  const [asking, setAsking] = useState<{ verdict: Verdict; item: ApprovalView; openedAt: string }>();
  const openedAt = useOpenedAt(chosen?.id);
  const detail = useRef<HTMLElement>(null);
  const go = (next: ApprovalsSearch, replace = true) => void navigate({ search: next, replace });
  const step = (by: 1 | -1) => {
    const next = neighbour(
      items.map(item => item.id),
      chosenId,
      by,
    );
    if (next === undefined) return;
    go({ ...(show === undefined ? {} : { show }), id: next });
    document.querySelector(`[data-approval="${CSS.escape(next)}"]`)?.scrollIntoView({ block: 'nearest' });
  };
  const ask = (verdict: Verdict) => {
    if (chosen === undefined || !canAnswer(chosen, Date.now())) return;
    // Into the address, so that what was answered stays on the screen when it leaves the queue.
    go({ ...(show === undefined ? {} : { show }), id: chosen.id });
    setAsking({ verdict, item: chosen, openedAt });
  };
  useKeys({
    j: () => step(1),
    k: () => step(-1),
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    a: () => ask('approve'),
    r: () => ask('deny'),
  });

  const rows = buildQueue(items, now);
  const empty = list.isSuccess && items.length === 0 && chosen === undefined;
  return (
    <>
      <PageHeader
        title="Approvals"
        aside={
          list.isSuccess && (
            <span className="mute" role="status">
              {show === 'answered'
                ? `${countOf(list.data.total, 'answer')}`
                : `${countOf(list.data.total, 'call')} waiting`}
            </span>
          )
        }
        actions={
          <SegmentedControl
            size="xs"
            aria-label="Which approvals"
            value={show ?? 'waiting'}
            onChange={value => go(value === 'answered' ? { show: 'answered' } : {}, false)}
            data={[
              { value: 'waiting', label: waiting > 0 ? `Waiting ${waiting}` : 'Waiting' },
              { value: 'answered', label: 'Answered' },
            ]}
          />
        }
      />
      {list.isError && !list.data && <ErrorPanel error={list.error} retry={() => void list.refetch()} />}
      {list.isLoading && <Waiting label="Loading approvals" />}
      {empty && (show === 'answered' ? <NothingAnswered /> : <NothingWaits />)}
      {list.data && !empty && (
        <div className="approvals">
          <section className="queue" aria-label={show === 'answered' ? 'Answered' : 'Waiting'}>
            {rows.length === 0 && <p className="queue-none mute">Nothing else waits.</p>}
            {rows.map(row => (
              <Row
                key={row.id}
                row={row}
                now={now}
                chosen={row.id === chosenId}
                open={() => {
                  go({ ...(show === undefined ? {} : { show }), id: row.id });
                  if (row.id === chosenId) detail.current?.focus();
                }}
              />
            ))}
            {list.data.total > items.length && (
              <Button
                variant="subtle"
                className="queue-more"
                disabled={shown >= 1_000}
                onClick={() => setShown(shown + PAGE)}
              >
                {shown >= 1_000
                  ? `${countOf(list.data.total - items.length, 'older answer')}: find them in Traces`
                  : `Show more: ${countOf(list.data.total - items.length, 'more', 'more')}`}
              </Button>
            )}
            <p className="queue-keys mute">
              <kbd>j</kbd> <kbd>k</kbd> next, previous
              {show !== 'answered' && (
                <>
                  {' '}
                  · <kbd>a</kbd> approve · <kbd>r</kbd> refuse
                </>
              )}
            </p>
          </section>
          <section className="approval" ref={detail} tabIndex={-1} aria-label="The call">
            {alone.isError && <ErrorPanel error={alone.error} />}
            {chosen !== undefined && <ApprovalDetail key={chosen.id} item={chosen} now={now} ask={ask} />}
          </section>
        </div>
      )}
      {asking !== undefined && (
        <AnswerDialog
          verdict={asking.verdict}
          item={asking.item}
          openedAt={asking.openedAt}
          close={() => setAsking(undefined)}
        />
      )}
    </>
  );
}

/** When this approval was first put on the screen, as the answer will say. */
function useOpenedAt(id: string | undefined): string {
  const [at, setAt] = useState(() => new Date().toISOString());
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new approval on the screen is a new opening
  useEffect(() => setAt(new Date().toISOString()), [id]);
  return at;
}

function Row({ row, now, chosen, open }: { row: QueueRow; now: number; chosen: boolean; open: () => void }) {
  const waits = row.state === 'waiting';
  return (
    <button
      type="button"
      className="queue-row"
      data-approval={row.id}
      aria-current={chosen || undefined}
      onClick={open}
    >
      <span className="queue-line">
        <b>{row.action}</b>
        <RiskMark risk={row.risk} />
      </span>
      <span className="queue-gist">{row.gist}</span>
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
      <span className="queue-line mute queue-when">
        {waits ? (
          <>
            waiting since <Time at={row.askedAt} short precision="minute" />
          </>
        ) : (
          <>
            asked <Ago at={row.askedAt} />
          </>
        )}
      </span>
    </button>
  );
}

function NothingWaits() {
  return (
    <div className="page-body">
      <EmptyState
        icon={<IconUserCheck size={34} stroke={1.4} />}
        title="Nothing waits for you"
        actions={<LoadSamples />}
      >
        <p>
          When a policy wants a person to agree, the call stops here: you see exactly what it would do, and it
          runs only if you approve it in time. The shipped policy asks about wires above 10,000 and high-risk
          refunds.
        </p>
        <p>
          Gate a function with <code className="mono">policyCheck</code>, as{' '}
          <Link to="/settings" search={{ tab: 'connect' }}>
            Settings shows
          </Link>
          , or look at a sample.
        </p>
      </EmptyState>
    </div>
  );
}

function NothingAnswered() {
  return (
    <div className="page-body">
      <EmptyState icon={<IconUserCheck size={34} stroke={1.4} />} title="Nothing was answered yet">
        <p>Approved, refused and expired calls are listed here, with who answered and what came of them.</p>
      </EmptyState>
    </div>
  );
}
