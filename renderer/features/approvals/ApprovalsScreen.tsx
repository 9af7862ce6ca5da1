/** Approvals: calls that wait for a person, one beside the list, what was answered, and how. By mouse and by keyboard. */
import { Button, SegmentedControl } from '@mantine/core';
import { IconUserCheck } from '@tabler/icons-react';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { mayDo } from '../../api/may.ts';
import { useMe } from '../../api/me.ts';
import { useAsk, useStatus } from '../../api/queries.ts';
import { useKeys } from '../../shell/shortcuts.ts';
import { countOf, formatCount } from '../../ui/numbers.ts';
import { PageHeader } from '../../ui/Page.tsx';
import { EmptyState, ErrorPanel, Waiting } from '../../ui/States.tsx';
import { useNow } from '../../ui/Time.tsx';
import { LoadSamples } from '../settings/LoadSamples.tsx';
import { ApprovalPane } from './ApprovalPane.tsx';
import { buildQueue, neighbour } from './approval_view.ts';
import { type ApprovalList, type ApprovalsSearch, isFiltered } from './approvals_search.ts';
import { QueueFilters } from './QueueFilters.tsx';
import { QueueList } from './QueueList.tsx';
import { ReviewReport } from './ReviewReport.tsx';
import { useQueue } from './useQueue.ts';
import './approvals.css';

const labels: Record<ApprovalList, string> = {
  waiting: 'Waiting',
  answered: 'Answered',
  mine: 'My answers',
  report: 'Reviews',
};

export function ApprovalsScreen() {
  const search = useSearch({ from: '/approvals' });
  const { show, id } = search;
  const list: ApprovalList = show ?? 'waiting';
  const navigate = useNavigate({ from: '/approvals' });
  const me = useMe().data;
  const waiting = useStatus().data?.ledger?.waiting_approvals ?? 0;
  const people = useAsk(
    'people',
    { query: { limit: 500 } },
    { enabled: me?.person !== undefined, fresh: 30_000 },
  ).data?.items;
  const [atTop, setAtTop] = useState(true);
  const { query, items, total, changed, refresh, loadMore } = useQueue(search, atTop);
  const now = useNow();
  const [focus, setFocus] = useState(0);
  const [openWish, setOpenWish] = useState(0);
  const pane = useRef<HTMLElement>(null);
  const chosen = id ?? items[0]?.id;
  const go = (next: ApprovalsSearch, replace = true) => void navigate({ search: next, replace });
  const change = (next: Partial<ApprovalsSearch>) => {
    const kept = { ...search, id: undefined, ...next };
    go(Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined)));
  };
  const choose = (next: string) => go({ ...search, id: next });
  const step = (by: 1 | -1) => {
    const ids = items.map(item => item.id);
    const next = neighbour(ids, chosen, by);
    if (next === undefined) return;
    if (ids.at(-1) === chosen) loadMore();
    choose(next);
    setFocus(focus + 1);
  };
  useKeys({
    j: () => step(1),
    k: () => step(-1),
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
  });

  const filtered = isFiltered(search);
  const shown = (['waiting', 'answered', 'mine', 'report'] as const).filter(
    one => (one !== 'mine' || mayDo(me, 'answerApproval')) && (one !== 'report' || mayDo(me, 'reviewReport')),
  );
  const empty = query.isSuccess && total === 0;
  return (
    <>
      <PageHeader
        title="Approvals"
        aside={
          list !== 'report' &&
          query.isSuccess && (
            <span className="mute" role="status">
              {list === 'waiting' ? `${countOf(total, 'call')} waiting` : countOf(total, 'answer')}
              {filtered && ' that match'}
            </span>
          )
        }
        actions={
          <SegmentedControl
            size="xs"
            aria-label="Which approvals"
            value={list}
            onChange={value => go(value === 'waiting' ? {} : { show: value as 'answered' }, false)}
            data={shown.map(value => ({
              value,
              label: value === 'waiting' && waiting > 0 ? `Waiting ${formatCount(waiting)}` : labels[value],
            }))}
          />
        }
      />
      {list === 'report' ? (
        <ReviewReport
          days={search.days ?? 30}
          choose={days => go(days === 30 ? { show: 'report' } : { show: 'report', days: days as 7 })}
        />
      ) : (
        <>
          {(!empty || filtered) && (
            <QueueFilters
              search={search}
              change={change}
              clear={() => go(show === undefined ? {} : { show })}
              me={me}
              people={people ?? []}
              actions={[...new Set(items.map(item => item.action))].sort()}
            />
          )}
          {query.isError && !query.data && (
            <ErrorPanel error={query.error} retry={() => void query.refetch()} />
          )}
          {query.isLoading && <Waiting label="Loading approvals" />}
          {empty && id === undefined && (
            <Nothing list={list} filtered={filtered} clear={() => go(show === undefined ? {} : { show })} />
          )}
          {query.data && (!empty || id !== undefined) && (
            <div className="approvals">
              <div className="queue-side">
                <QueueList
                  label={labels[list]}
                  rows={buildQueue(items, now)}
                  total={total}
                  now={now}
                  chosen={chosen}
                  focus={focus}
                  choose={choose}
                  open={next => {
                    choose(next);
                    pane.current?.focus();
                    setOpenWish(openWish + 1);
                  }}
                  loadMore={loadMore}
                  onTop={setAtTop}
                  changed={changed}
                  refresh={() => void refresh()}
                  stale={query.isPlaceholderData}
                />
                <p className="queue-keys mute">
                  <kbd>j</kbd> <kbd>k</kbd> next, previous
                  {list === 'waiting' && mayDo(me, 'answerApproval') && (
                    <>
                      {' '}
                      {me?.alone === false && (
                        <>
                          · <kbd>o</kbd> open{' '}
                        </>
                      )}
                      · <kbd>a</kbd> approve · <kbd>d</kbd> refuse
                    </>
                  )}
                  {mayDo(me, 'commentApproval') && (
                    <>
                      {' '}
                      · <kbd>c</kbd> comment
                    </>
                  )}{' '}
                  · <kbd>/</kbd> filter
                </p>
              </div>
              <section className="approval" ref={pane} tabIndex={-1} aria-label="The call">
                {chosen !== undefined && (
                  <ApprovalPane
                    key={chosen}
                    id={chosen}
                    me={me}
                    people={people ?? []}
                    openWish={openWish}
                    keep={() => id !== chosen && choose(chosen)}
                  />
                )}
              </section>
            </div>
          )}
        </>
      )}
    </>
  );
}

function Nothing({ list, filtered, clear }: { list: ApprovalList; filtered: boolean; clear: () => void }) {
  if (filtered) {
    return (
      <div className="page-body">
        <EmptyState title="No approval matches">
          <p>Take something out of the filters, or clear them.</p>
          <Button variant="default" onClick={clear}>
            Clear the filters
          </Button>
        </EmptyState>
      </div>
    );
  }
  const icon = <IconUserCheck size={34} stroke={1.4} />;
  if (list !== 'waiting') {
    return (
      <div className="page-body">
        <EmptyState
          icon={icon}
          title={list === 'mine' ? 'You have not answered anything yet' : 'Nothing was answered yet'}
        >
          <p>Approved, refused and expired calls are listed here, with who answered and what came of them.</p>
        </EmptyState>
      </div>
    );
  }
  return (
    <div className="page-body">
      <EmptyState icon={icon} title="Nothing waits for you" actions={<LoadSamples />}>
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
