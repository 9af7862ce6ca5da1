/** Columns of the list of runs. `sort` is the collector's name for the order; a column without it can't be sorted. */

import { Link } from '@tanstack/react-router';
import { columnVisibilityFeature, createColumnHelper, tableFeatures } from '@tanstack/react-table';
import type { TraceSummary } from '../../../core/api/views.ts';
import { DecisionBadge } from '../../ui/Decision.tsx';
import { formatCost, formatCount } from '../../ui/numbers.ts';
import { Chip } from '../../ui/Page.tsx';
import { Duration, Time } from '../../ui/Time.tsx';
import { buildDecisionCounts, runTitle } from './run_summary.ts';

export const features = tableFeatures({ columnVisibilityFeature });
const helper = createColumnHelper<typeof features, TraceSummary>();

export type ColumnLook = { width: string; sort?: string; end?: boolean; optional?: boolean };
/** Widths, order names and alignment by column id. */
export const looks: Record<string, ColumnLook> = {
  last: { width: '152px', sort: 'last_seq' },
  title: { width: 'minmax(200px, 1fr)', sort: 'title' },
  decisions: { width: '168px', sort: 'decisions' },
  risk: { width: '92px', sort: 'risk', optional: true },
  app: { width: '124px', sort: 'app_id', optional: true },
  session: { width: '124px', sort: 'session_id', optional: true },
  duration: { width: '80px', sort: 'duration_us', end: true },
  events: { width: '64px', sort: 'events', end: true },
  tokens: { width: '76px', sort: 'tokens', end: true, optional: true },
  cost: { width: '72px', sort: 'cost', end: true, optional: true },
};

export const columns = helper.columns([
  helper.accessor('last_ts', {
    id: 'last',
    header: 'Last event',
    cell: info => <Time at={info.getValue()} short />,
  }),
  helper.accessor(row => runTitle(row), {
    id: 'title',
    header: 'Run',
    cell: info => {
      const run = info.row.original;
      return (
        <>
          <Link
            to="/traces/$run"
            params={{ run: run.run_id }}
            tabIndex={-1}
            className="run-title"
            title={info.getValue()}
          >
            {info.getValue()}
          </Link>
          {run.status === 'error' && <span className="run-error">error</span>}
          {run.sample && <Chip title="Comes with the app; times and costs are made up">sample</Chip>}
          {run.unverified && (
            <Chip title="Sent without an API key: nobody vouches for who sent it">unverified</Chip>
          )}
        </>
      );
    },
  }),
  helper.display({
    id: 'decisions',
    header: 'Decisions',
    cell: info => <Decisions run={info.row.original} />,
  }),
  helper.accessor('risk', { header: 'Risk', cell: info => <Risk risk={info.getValue()} /> }),
  helper.accessor('app_id', { id: 'app', header: 'App' }),
  helper.accessor('session_id', {
    id: 'session',
    header: 'Session',
    cell: info => (
      <span className="mono mute" title={info.getValue()}>
        {info.getValue()}
      </span>
    ),
  }),
  helper.accessor('duration_us', {
    id: 'duration',
    header: 'Took',
    cell: info => <Duration us={info.getValue()} />,
  }),
  helper.accessor('events', { header: 'Events', cell: info => formatCount(info.getValue()) }),
  helper.accessor('tokens', {
    header: 'Tokens',
    cell: info => (info.getValue() > 0 ? formatCount(info.getValue()) : ''),
  }),
  helper.accessor('cost', { header: 'Cost', cell: info => formatCost(info.getValue()) }),
]);

function Decisions({ run }: { run: TraceSummary }) {
  return (
    <span className="run-decisions">
      {buildDecisionCounts(run).map(part => (
        <span key={part.state} title={part.word} className="run-decision">
          <DecisionBadge
            state={part.state}
            word={part.state === 'waiting' ? part.word : String(part.count)}
          />
          {part.state !== 'waiting' && <span className="visually-hidden">{part.word}</span>}
        </span>
      ))}
    </span>
  );
}

export function Risk({ risk }: { risk: string | undefined }) {
  if (risk === undefined || risk === '') return null;
  return (
    <span className="risk" data-risk={risk}>
      <span className="risk-pips" aria-hidden>
        <i />
        <i />
        <i />
        <i />
      </span>
      {risk}
    </span>
  );
}
