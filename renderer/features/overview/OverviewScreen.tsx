/** Overview, for someone who isn't an engineer: what needs you, what was decided, exceptions first. */
import { Button, SegmentedControl } from '@mantine/core';
import {
  IconAlertTriangle,
  IconChevronRight,
  IconCircleCheck,
  IconLayoutDashboard,
} from '@tabler/icons-react';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useMay } from '../../api/me.ts';
import { useAsk, useStatus } from '../../api/queries.ts';
import { DecisionBadge } from '../../ui/Decision.tsx';
import { formatCount } from '../../ui/numbers.ts';
import { PageBody, PageHeader, Section } from '../../ui/Page.tsx';
import { EmptyState, ErrorPanel, Waiting } from '../../ui/States.tsx';
import { Ago } from '../../ui/Time.tsx';
import { LoadSamples } from '../settings/LoadSamples.tsx';
import { Snippets } from '../settings/Snippets.tsx';
import { DecisionChart } from './DecisionChart.tsx';
import { DEFAULT_DAYS, windows } from './overview_search.ts';
import {
  buildHeadline,
  buildNeedsYou,
  buildNotes,
  decided,
  exceptionState,
  type NeedsYou,
  type Overview,
} from './overview_view.ts';
import './overview.css';

export function OverviewScreen() {
  const { days = DEFAULT_DAYS } = useSearch({ from: '/overview' });
  const navigate = useNavigate({ from: '/overview' });
  const overview = useAsk('overview', { query: { days } }, { every: 10_000, keep: true });
  const status = useStatus().data;
  // Whether anything was ever recorded decides between teaching and an empty window.
  const runs = useAsk('traces', { query: { limit: 1 } }, { every: 10_000 });
  const label = windows.find(window => window.days === days)?.label.toLowerCase() ?? `${days} days`;
  const data = overview.data;
  const untouched = runs.data?.total === 0;
  return (
    <>
      <PageHeader
        title="Overview"
        actions={
          !untouched && (
            <SegmentedControl
              size="xs"
              aria-label="Window"
              value={String(days)}
              onChange={value =>
                void navigate({ search: Number(value) === DEFAULT_DAYS ? {} : { days: Number(value) } })
              }
              data={windows.map(window => ({ value: String(window.days), label: window.label }))}
            />
          )
        }
      />
      {overview.isError && data === undefined && (
        <ErrorPanel error={overview.error} retry={() => void overview.refetch()} />
      )}
      {data === undefined && overview.isLoading && <Waiting label="Counting" />}
      {data !== undefined && untouched && <Untouched endpoint={status?.address.url ?? location.origin} />}
      {data !== undefined && !untouched && (
        <PageBody wide>
          <div className="overview">
            <NeedsYouNow needs={buildNeedsYou(data, status)} />
            <p className="overview-headline">{buildHeadline(data, label)}</p>
            <Tiles overview={data} waiting={status?.ledger?.waiting_approvals} />
            <Section
              title="Decisions over time"
              lead="What the policy answered when a program asked whether a call may run."
            >
              {decided(data) ? (
                <DecisionChart overview={data} days={days} />
              ) : (
                <p className="mute">No call was put to the policy in this window.</p>
              )}
            </Section>
            <div className="overview-pair">
              <Exceptions overview={data} />
              <Apps overview={data} />
            </div>
            <Notes overview={data} />
          </div>
        </PageBody>
      )}
    </>
  );
}

function NeedsYouNow({ needs }: { needs: NeedsYou[] }) {
  if (needs.length === 0) {
    return (
      <div className="needs calm">
        <IconCircleCheck size={18} className="ink-allow" aria-hidden />
        <b>Nothing needs you now.</b>
      </div>
    );
  }
  return (
    <section aria-label="Needs you now" className="needs-list">
      {needs.map(need => (
        <div key={need.id} className={`needs tone-${need.tone}`}>
          <IconAlertTriangle size={18} aria-hidden />
          <div className="grow">
            <b>{need.title}</b>
            <p>{need.text}</p>
          </div>
          {need.id === 'waiting' && <Go to="/approvals">Open approvals</Go>}
          {need.id === 'failed' && (
            <Button
              renderRoot={props => <Link to="/traces" search={{ decision: 'failed' }} {...props} />}
              variant="default"
            >
              Show them
            </Button>
          )}
          {need.id === 'fault' && <Go to="/settings">Back it up</Go>}
        </div>
      ))}
    </section>
  );
}

function Go({ to, children }: { to: '/approvals' | '/settings'; children: ReactNode }) {
  return (
    <Button
      renderRoot={props => <Link to={to} search={to === '/settings' ? { tab: 'custody' } : {}} {...props} />}
      variant="default"
      rightSection={<IconChevronRight size={14} aria-hidden />}
    >
      {children}
    </Button>
  );
}

function Tiles({ overview, waiting }: { overview: Overview; waiting: number | undefined }) {
  const { decisions, approvals } = overview;
  return (
    <ul className="tiles">
      <Tile figure={decisions.allow} state="allowed" note="ran on the policy’s word" />
      <Tile
        figure={decisions.approve}
        state="asked"
        note={`${formatCount(approvals.approved)} approved, ${formatCount(approvals.denied)} refused, ${formatCount(approvals.expired)} expired, ${formatCount(waiting ?? approvals.waiting)} waiting`}
      />
      <Tile figure={decisions.deny} state="denied" note="stopped by the policy itself" />
      <Tile figure={decisions.failed} state="failed" note="policy could not answer: denied" />
    </ul>
  );
}

function Tile({ figure, state, note }: { figure: number; state: string; note: string }) {
  return (
    <li className="tile">
      <DecisionBadge state={state} />
      <span className="tile-figure">{formatCount(figure)}</span>
      <span className="mute">{note}</span>
    </li>
  );
}

function Exceptions({ overview }: { overview: Overview }) {
  return (
    <Section title="Exceptions first" lead="The latest calls that did not simply run.">
      {overview.latest_exceptions.length === 0 ? (
        <p className="mute">Every call simply ran.</p>
      ) : (
        <ul className="exceptions">
          {overview.latest_exceptions.map(row => (
            <li key={row.seq}>
              <Link to="/traces/$run" params={{ run: row.run_id }} search={{ seq: row.seq }}>
                <span className="exception-line">
                  <b>{row.name || `event #${formatCount(row.seq)}`}</b>
                  <span className="mute">{row.app_id}</span>
                  <span className="grow" />
                  <DecisionBadge state={exceptionState(row.state)} />
                </span>
                <span className="exception-line mute">
                  <span className="exception-why">{row.reasons.join('; ') || 'no reason was recorded'}</span>
                  <Ago at={row.at} />
                </span>
              </Link>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

function Apps({ overview }: { overview: Overview }) {
  return (
    <Section title="By app" lead="Everything received in this window.">
      <table className="table overview-apps">
        <thead>
          <tr>
            <th scope="col">App</th>
            <th scope="col" className="num">
              Runs
            </th>
            <th scope="col" className="num">
              Events
            </th>
            <th scope="col" className="num">
              Last seen
            </th>
          </tr>
        </thead>
        <tbody>
          {overview.by_app.map(row => (
            <tr key={row.app_id}>
              <td>
                <Link to="/traces" search={{ app: row.app_id }}>
                  {row.app_id}
                </Link>
                {row.app_id.startsWith('otlp:') && <span className="mute"> unverified</span>}
              </td>
              <td className="num">{formatCount(row.runs)}</td>
              <td className="num">{formatCount(row.events)}</td>
              <td className="num nowrap">
                <Ago at={row.last_at} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {overview.by_app.length === 0 && <p className="mute">No app sent anything in this window.</p>}
    </Section>
  );
}

function Notes({ overview }: { overview: Overview }) {
  const notes = buildNotes(overview);
  return (
    <footer className="overview-notes mute">
      {notes.map(note => (
        <p key={note}>{note}</p>
      ))}
      <p>
        Figures are counted from recorded events by the time they were received; sample runs are among them
        and marked in Traces. They show what was recorded, not what was never sent.
      </p>
    </footer>
  );
}

function Untouched({ endpoint }: { endpoint: string }) {
  const mayLoad = useMay('loadSamples');
  const mayKey = useMay('createKey');
  return (
    <div className="page-body">
      <EmptyState
        icon={<IconLayoutDashboard size={34} stroke={1.4} />}
        title="Nothing is recorded yet"
        actions={<LoadSamples primary />}
      >
        <p>
          Connect a program and its runs show up here by themselves
          {mayLoad && ', or load the sample runs to look around first'}. Keys are made{' '}
          {mayKey ? (
            <>
              in{' '}
              <Link to="/settings" search={{ tab: 'keys' }}>
                Settings
              </Link>
            </>
          ) : (
            'by an admin'
          )}
          .
        </p>
        <Snippets endpoint={endpoint} appId="my-agent" />
      </EmptyState>
    </div>
  );
}
