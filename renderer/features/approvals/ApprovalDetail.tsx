/** One approval in full: the exact call, why a person was asked, what led to it, who answered. What is given as `item` is what stands here. */
import { Button, SegmentedControl } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { type RefObject, useState } from 'react';
import type { OutputOf } from '../../../core/api/operations.ts';
import type { ApprovalView, PersonView } from '../../../core/api/views.ts';
import { Hash } from '../../ui/Copy.tsx';
import { DecisionBadge } from '../../ui/Decision.tsx';
import { JsonView } from '../../ui/Json.tsx';
import { KeyValue } from '../../ui/KeyValue.tsx';
import { Section } from '../../ui/Page.tsx';
import { Time } from '../../ui/Time.tsx';
import { formatLeft } from '../../ui/times.ts';
import { Answers, Remarks, SessionSoFar } from './ApprovalSections.tsx';
import { ArgumentDiffList, ArgumentList } from './ArgumentList.tsx';
import {
  buildFate,
  buildMissing,
  canAnswer,
  listOf,
  progressOf,
  stateOf,
  whoCanSign,
} from './approval_view.ts';
import { buildArgumentDiff, diffInWords } from './argument_diff.ts';
import { RiskMark } from './RiskMark.tsx';

type Detail = OutputOf<'approvalDetail'>;

export function ApprovalDetail({
  item,
  rules,
  detail,
  now,
  me,
  people,
  sealed,
  mayComment,
  commentField,
}: {
  item: ApprovalView;
  rules: readonly string[] | undefined;
  detail: Detail;
  now: number;
  me: string | undefined;
  people: readonly PersonView[];
  /** The arguments stay closed until the review is opened. */
  sealed: boolean;
  mayComment: boolean;
  commentField: RefObject<HTMLTextAreaElement | null>;
}) {
  const open = canAnswer(item, now);
  const fate = buildFate(item);
  const nameOf = (id: string) => people.find(person => person.id === id)?.name ?? id;
  const missing = buildMissing(item, detail.still_needed, [
    ...(me !== undefined && detail.may.answer ? ['you'] : []),
    ...whoCanSign(item, people, me).map(person => person.name),
  ]);
  const progress = progressOf(item);
  return (
    <>
      <div className="approval-head">
        <h2>{item.action}</h2>
        <RiskMark risk={item.risk} long />
        {open && progress !== '' && <span className="chip">{progress} approved</span>}
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
            It waits since <Time at={item.asked_at} short />. {missing}
          </>
        ) : (
          <>
            Asked <Time at={item.asked_at} short />.
          </>
        )}
      </p>
      {fate !== undefined && (
        <div
          className={`callout tone-${item.status === 'denied' ? 'deny' : item.status === 'expired' || item.status === 'cancelled' ? 'plain' : item.outcome === 'error' ? 'fail' : 'allow'}`}
        >
          <strong>{fate}</strong>
          {item.four_eyes === false && (item.answers ?? []).length > 0 && (
            <p>
              {item.signed_in === 'none'
                ? 'Unsigned, and four-eyes was not in force: one answer was enough.'
                : 'Four-eyes was not in force: one answer was enough.'}
            </p>
          )}
        </div>
      )}
      {sealed ? (
        <div className="approval-sealed">
          <b>Open it to see all of the arguments.</b>
          <p className="mute">
            Opening is recorded. What you see then is what you sign, and the time to read it begins.
          </p>
        </div>
      ) : (
        <Arguments payload={item.payload} previous={detail.previous} nameOf={nameOf} />
      )}
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
          {rules !== undefined && rules.length > 0 && (
            <>
              {rules.map(rule => (
                <code className="mono" key={rule}>
                  {rule}
                </code>
              ))}{' '}
              in{' '}
            </>
          )}
          <Link to="/policies" search={{ set: item.policy.hash }}>
            Policy version {item.policy.version}
          </Link>{' '}
          <Hash value={item.policy.hash} what="policy hash" />{' '}
          <Link
            to="/traces/$run"
            params={{ run: item.run_id }}
            search={{ seq: item.decision_seq, tab: 'policy' }}
          >
            How it was decided
          </Link>
        </p>
      </Section>
      {!sealed && item.context !== undefined && (
        <Section title="Context given by the program" level={3}>
          <JsonView value={item.context} what="context" />
        </Section>
      )}
      <Answers item={item} nameOf={nameOf} />
      <SessionSoFar item={item} session={detail.session} />
      <Remarks id={item.id} detail={detail} nameOf={nameOf} may={mayComment} field={commentField} />
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
            item.required !== undefined && {
              name: 'Asks for',
              value: `${item.required.k === 1 ? 'one person' : `${item.required.k} people`} with the role ${listOf(item.required.roles.length === 0 ? ['approver'] : item.required.roles, 'or')}`,
            },
            { name: 'Session', value: <code className="mono wrap">{item.session_id}</code> },
            { name: open ? 'Expires' : 'Expired or would have', value: <Time at={item.expires_at} /> },
          ]}
        />
      </Section>
    </>
  );
}

function Arguments({
  payload,
  previous,
  nameOf,
}: {
  payload: unknown;
  previous: Detail['previous'];
  nameOf: (id: string) => string;
}) {
  const [view, setView] = useState<'plain' | 'diff' | 'json'>(previous === undefined ? 'plain' : 'diff');
  const shown = view === 'diff' && previous === undefined ? 'plain' : view;
  return (
    <Section
      title="With exactly these arguments"
      level={3}
      actions={
        previous === undefined ? (
          <Button
            variant="subtle"
            size="compact-xs"
            aria-pressed={shown === 'json'}
            onClick={() => setView(shown === 'json' ? 'plain' : 'json')}
          >
            {shown === 'json' ? 'Readable' : 'As JSON'}
          </Button>
        ) : (
          <SegmentedControl
            size="xs"
            aria-label="How the arguments are shown"
            value={shown}
            onChange={value => setView(value as typeof view)}
            data={[
              { value: 'diff', label: 'Compared' },
              { value: 'plain', label: 'Alone' },
              { value: 'json', label: 'JSON' },
            ]}
          />
        )
      }
    >
      {previous !== undefined && shown === 'diff' && (
        <p className="mute approval-compared">
          Against the last approved call of this kind, <Time at={previous.at} short precision="minute" />
          {previous.by.length > 0 && `, by ${listOf(previous.by.map(nameOf))}`}:{' '}
          {diffInWords(buildArgumentDiff(payload, previous.payload))}.{' '}
          <Link to="/approvals" search={{ show: 'answered', id: previous.id }}>
            Look at it
          </Link>
        </p>
      )}
      {shown === 'json' ? (
        <JsonView value={payload} what="arguments" />
      ) : shown === 'diff' ? (
        <ArgumentDiffList payload={payload} before={previous?.payload} />
      ) : (
        <ArgumentList payload={payload} />
      )}
    </Section>
  );
}
