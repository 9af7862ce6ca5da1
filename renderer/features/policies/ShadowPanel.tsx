/** A candidate evaluated beside the policy in force: how often it would have said something else, and where. */
import { Button } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import type { EnvironmentView } from '../../../core/api/policy_views.ts';
import { useMay } from '../../api/me.ts';
import { invalidate, useAsk, useCall } from '../../api/queries.ts';
import { DecisionBadge } from '../../ui/Decision.tsx';
import { stateOfDecision } from '../../ui/decisions.ts';
import { countOf, formatCount } from '../../ui/numbers.ts';
import { ErrorPanel } from '../../ui/States.tsx';
import { Time } from '../../ui/Time.tsx';
import { shadowCells } from './sets_view.ts';

export function ShadowView({
  place,
  nameOf,
  openRun,
}: {
  place: EnvironmentView;
  nameOf: (hash: string) => string;
  openRun: (run: string, seq: number) => void;
}) {
  const client = useQueryClient();
  const end = useCall('clearCandidate');
  const mayEnd = useMay('clearCandidate');
  const differences = useAsk(
    'shadowDifferences',
    { params: { environment: place.name }, query: { limit: 50 } },
    { every: 3_000, keep: true },
  );
  const { candidate } = place;
  if (candidate === undefined) return null;
  const counts = differences.data ?? candidate;
  const changed = shadowCells(candidate).filter(cell => cell.from !== cell.to);
  return (
    <section className="policy-shadow" aria-label={`Shadow in ${place.name}`}>
      <p>
        <b>In shadow:</b> {nameOf(candidate.hash)}, since <Time at={candidate.since} short />. Never enforced.
      </p>
      <p role="status">
        <b className="policy-figure">{formatCount(counts.differing)}</b> of{' '}
        {countOf(counts.compared, 'decision')} would have been different
        {counts.dropped > 0 && `; ${formatCount(counts.dropped)} not compared, its queue was full`}
      </p>
      {changed.map(cell => (
        <p key={`${cell.from}${cell.to}`} className="policy-shadow-cell">
          <DecisionBadge state={stateOfDecision(cell.from) ?? ''} /> →{' '}
          <DecisionBadge state={stateOfDecision(cell.to) ?? ''} /> <b>{formatCount(cell.count)}</b>
        </p>
      ))}
      {differences.isError && <ErrorPanel error={differences.error} />}
      <ul className="policy-decisions" aria-label="Decisions that differ">
        {(differences.data?.items ?? []).map(row => (
          <li key={row.decision_id}>
            <button type="button" className="policy-link mono" onClick={() => openRun(row.run_id, row.seq)}>
              {row.action} #{formatCount(row.seq)}
            </button>{' '}
            <span className="mute">
              {row.app_id}, <Time at={row.at} short />
            </span>{' '}
            <DecisionBadge state={stateOfDecision(row.active) ?? ''} /> →{' '}
            <DecisionBadge state={stateOfDecision(row.candidate) ?? ''} />
            {row.reasons.length > 0 && <span className="mute"> {row.reasons.join(', ')}</span>}
          </li>
        ))}
      </ul>
      {mayEnd && (
        <Button
          size="compact-xs"
          variant="default"
          loading={end.isPending}
          onClick={() =>
            end.mutate(
              { params: { environment: place.name } },
              { onSuccess: () => invalidate(client, 'policyEnvironments', 'policySets') },
            )
          }
        >
          End the shadow run
        </Button>
      )}
      {end.isError && <ErrorPanel error={end.error} />}
    </section>
  );
}
