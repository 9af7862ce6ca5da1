/** The decisions behind one cell of the flip table; each with its run, and the rules that fired when it was made again. */
import { Button } from '@mantine/core';
import { useState } from 'react';
import type { ImpactView, PolicyWord } from '../../../core/api/policy_views.ts';
import { useAsk } from '../../api/queries.ts';
import { DecisionBadge } from '../../ui/Decision.tsx';
import { stateOfDecision } from '../../ui/decisions.ts';
import { countOf, formatCount } from '../../ui/numbers.ts';
import { ErrorPanel, Waiting } from '../../ui/States.tsx';
import { Time } from '../../ui/Time.tsx';
import { reasonsOfResult, wordsOf } from './words.ts';

export function FlipCellDecisions({
  job,
  from,
  to,
  toPlace,
  openRun,
  pick,
}: {
  job: ImpactView;
  from: PolicyWord;
  to: PolicyWord;
  toPlace: (path: string, row: number) => void;
  openRun: (run: string, seq: number) => void;
  pick: (decision: string) => void;
}) {
  const [cursor, setCursor] = useState<string>();
  const [open, setOpen] = useState<string>();
  const found = useAsk(
    'impactDecisions',
    { params: { id: job.id }, query: { from, to, limit: 50, ...(cursor === undefined ? {} : { cursor }) } },
    { keep: true },
  );
  const cell = job.cells.find(one => one.from === from && one.to === to);
  return (
    <section className="policy-cell" aria-label={`${wordsOf[from]} to ${wordsOf[to]}`}>
      <p>
        <DecisionBadge state={stateOfDecision(from) ?? ''} /> →{' '}
        <DecisionBadge state={stateOfDecision(to) ?? ''} />, {countOf(cell?.decisions ?? 0, 'decision')} in{' '}
        {countOf(cell?.runs ?? 0, 'run')}
      </p>
      {found.isError && <ErrorPanel error={found.error} />}
      {found.data === undefined && !found.isError && <Waiting label="Loading decisions" />}
      <ul className="policy-decisions">
        {(found.data?.items ?? []).map(row => (
          <li key={row.decision_id}>
            <div className="row">
              <button
                type="button"
                className="policy-link mono"
                aria-expanded={open === row.decision_id}
                onClick={() => setOpen(open === row.decision_id ? undefined : row.decision_id)}
              >
                {row.action}
              </button>
              <span className="mute grow">
                {row.app_id}, <Time at={row.at} short />
              </span>
              <button type="button" className="policy-link" onClick={() => openRun(row.run_id, row.seq)}>
                #{formatCount(row.seq)}
                <span className="visually-hidden">, open its run</span>
              </button>
            </div>
            {open === row.decision_id && (
              <Rerun job={job.id} decision={row.decision_id} toPlace={toPlace} pick={pick} />
            )}
          </li>
        ))}
      </ul>
      {found.data?.next !== undefined && (
        <Button size="compact-xs" variant="default" onClick={() => setCursor(found.data?.next)}>
          Older
        </Button>
      )}
    </section>
  );
}

function Rerun({
  job,
  decision,
  toPlace,
  pick,
}: {
  job: string;
  decision: string;
  toPlace: (path: string, row: number) => void;
  pick: (decision: string) => void;
}) {
  const found = useAsk('explainImpact', { params: { id: job, decision } }, { fresh: 600_000 });
  if (found.isError) return <ErrorPanel error={found.error} />;
  if (found.data === undefined) return <Waiting label="Deciding it again" />;
  return (
    <div className="policy-rerun">
      <p>{reasonsOfResult(found.data.result).join(', ')}</p>
      <p className="mute policy-small">From deciding it again now, with OPA’s trace:</p>
      <ul>
        {ownFirst(found.data.fired).map(rule => (
          <li key={`${rule.path}${rule.row}${rule.rule}`}>
            <button type="button" className="policy-link mono" onClick={() => toPlace(rule.path, rule.row)}>
              {rule.path}:{rule.row}
            </button>{' '}
            <code className="mono">{rule.head}</code>
          </li>
        ))}
      </ul>
      <Button size="compact-xs" variant="default" onClick={() => pick(decision)}>
        Use its input
      </Button>
    </div>
  );
}

/** The author's rules before the file that merges them, which always fires. */
const ownFirst = <T extends { path: string }>(fired: readonly T[]): T[] => [
  ...fired.filter(rule => rule.path !== 'decision.rego'),
  ...fired.filter(rule => rule.path === 'decision.rego'),
];
