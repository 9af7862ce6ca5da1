/** One approval in full: the exact call, why a person was asked, what led to it, and the two buttons. */
import { Button } from '@mantine/core';
import { IconCheck, IconX } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { ApprovalView } from '../../../core/api/views.ts';
import { useAsk } from '../../api/queries.ts';
import { Hash } from '../../ui/Copy.tsx';
import { DecisionBadge } from '../../ui/Decision.tsx';
import { JsonView } from '../../ui/Json.tsx';
import { KeyValue } from '../../ui/KeyValue.tsx';
import { countOf } from '../../ui/numbers.ts';
import { Section } from '../../ui/Page.tsx';
import { ErrorPanel } from '../../ui/States.tsx';
import { Time } from '../../ui/Time.tsx';
import { formatLeft } from '../../ui/times.ts';
import type { Verdict } from './AnswerDialog.tsx';
import { ArgumentList } from './ArgumentList.tsx';
import { buildFate, buildSessionSoFar, canAnswer, stateOf } from './approval_view.ts';
import { RiskMark } from './RiskMark.tsx';

export function ApprovalDetail({
  item,
  now,
  ask,
}: {
  item: ApprovalView;
  now: number;
  ask: (verdict: Verdict) => void;
}) {
  const open = canAnswer(item, now);
  const fate = buildFate(item);
  return (
    <>
      <div className="approval-body">
        <div className="approval-head">
          <h2>{item.action}</h2>
          <RiskMark risk={item.risk} long />
          <span className="grow" />
          {open ? (
            <span className="approval-left" role="timer" aria-label="Time left">
              {formatLeft(item.expires_at, now)} left
            </span>
          ) : (
            <DecisionBadge state={stateOf(item, now)} filled />
          )}
        </div>
        <p className="approval-lead">
          <b>{item.actor_id}</b> in <b>{item.app_id}</b> {open ? 'wants' : 'wanted'} to run this.{' '}
          {open ? (
            <>
              It waits since <Time at={item.asked_at} short /> and runs only if you approve it.
            </>
          ) : (
            <>
              Asked <Time at={item.asked_at} short />.
            </>
          )}
        </p>
        {fate !== undefined && (
          <div
            className={`callout tone-${item.status === 'denied' ? 'deny' : item.status === 'expired' ? 'plain' : 'allow'}`}
          >
            <strong>{fate}</strong>
            {item.answered_at !== undefined && (
              <p>
                Answered <Time at={item.answered_at} />
                {item.signed_in === 'none' && ', recorded without a signature'}.
              </p>
            )}
            {item.comment !== undefined && <p>“{item.comment}”</p>}
          </div>
        )}
        <Arguments payload={item.payload} />
        <Section title="Why you are asked" level={3}>
          {item.reasons.length === 0 ? (
            <p className="mute">The policy gave no reason.</p>
          ) : (
            <ul className="reasons">
              {item.reasons.map(reason => (
                <li key={reason}>{reason}</li>
              ))}
            </ul>
          )}
          <p className="mute approval-policy">
            Policy version {item.policy.version} <Hash value={item.policy.hash} what="policy hash" />
          </p>
        </Section>
        {item.context !== undefined && (
          <Section title="Context given by the program" level={3}>
            <JsonView value={item.context} what="context" />
          </Section>
        )}
        <SessionSoFar item={item} />
        <Section title="Reference" level={3}>
          <KeyValue
            rows={[
              { name: 'Approval', value: <Hash value={item.id} what="approval id" /> },
              {
                name: 'Decision',
                value: (
                  <Link to="/traces/$run" params={{ run: item.run_id }} search={{ seq: item.decision_seq }}>
                    Event #{item.decision_seq.toLocaleString('en')}
                  </Link>
                ),
              },
              { name: 'Session', value: <code className="mono wrap">{item.session_id}</code> },
              { name: open ? 'Expires' : 'Expired or would have', value: <Time at={item.expires_at} /> },
            ]}
          />
        </Section>
      </div>
      {open && (
        <footer className="approval-foot">
          <p className="mute">
            Recorded under your name, as unsigned: identity is not shown until people are enrolled.
          </p>
          <Button
            variant="default"
            leftSection={<IconX size={15} aria-hidden />}
            rightSection={<kbd aria-hidden>r</kbd>}
            onClick={() => ask('deny')}
          >
            Refuse
          </Button>
          <Button
            leftSection={<IconCheck size={15} aria-hidden />}
            rightSection={<kbd aria-hidden>a</kbd>}
            onClick={() => ask('approve')}
          >
            Approve
          </Button>
        </footer>
      )}
    </>
  );
}

function Arguments({ payload }: { payload: unknown }) {
  const [raw, setRaw] = useState(false);
  return (
    <Section
      title="With exactly these arguments"
      level={3}
      actions={
        <Button variant="subtle" size="compact-xs" aria-pressed={raw} onClick={() => setRaw(!raw)}>
          {raw ? 'Readable' : 'As JSON'}
        </Button>
      }
    >
      {raw ? <JsonView value={payload} what="arguments" /> : <ArgumentList payload={payload} />}
    </Section>
  );
}

function SessionSoFar({ item }: { item: ApprovalView }) {
  const run = useAsk(
    'trace',
    { params: { id: item.run_id }, query: {} },
    { every: item.status === 'waiting' ? 5_000 : false, keep: true },
  );
  const soFar = run.data === undefined ? undefined : buildSessionSoFar(run.data.spans, item.decision_seq);
  return (
    <Section
      title="This session so far"
      level={3}
      actions={
        <Link
          to="/traces/$run"
          params={{ run: item.run_id }}
          search={{ seq: item.decision_seq }}
          className="small-link"
        >
          Open the run
        </Link>
      }
    >
      {run.isError && <ErrorPanel error={run.error} />}
      {soFar !== undefined && soFar.steps.length === 0 && (
        <p className="mute">Nothing was recorded in this session before the question.</p>
      )}
      {soFar !== undefined && soFar.earlier > 0 && (
        <p className="mute">{countOf(soFar.earlier, 'earlier event')}, then:</p>
      )}
      {soFar !== undefined && (
        <ol className="so-far">
          {soFar.steps.map(step => (
            <li key={step.seq}>
              <i className={`kind-dot kind-${step.kind}`} aria-hidden />
              <Link to="/traces/$run" params={{ run: item.run_id }} search={{ seq: step.seq }}>
                {step.name}
              </Link>
              <DecisionBadge state={step.state === 'waiting' ? 'asked' : step.state} />
            </li>
          ))}
        </ol>
      )}
    </Section>
  );
}
