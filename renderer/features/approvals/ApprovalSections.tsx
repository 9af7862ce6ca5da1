/** The parts of one approval beside the question itself: answers, what led to it, remarks, who looked. */
import { Button, Textarea } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type FormEvent, type RefObject, useState } from 'react';
import type { OutputOf } from '../../../core/api/operations.ts';
import type { ApprovalView } from '../../../core/api/views.ts';
import { invalidate, useCall } from '../../api/queries.ts';
import { DecisionBadge } from '../../ui/Decision.tsx';
import { stateOfDecision } from '../../ui/decisions.ts';
import { countOf, formatCount } from '../../ui/numbers.ts';
import { Section } from '../../ui/Page.tsx';
import { ErrorPanel } from '../../ui/States.tsx';
import { Ago, Time } from '../../ui/Time.tsx';
import { roleWord } from '../people/people_view.ts';
import { secondsInWords } from './report_view.ts';

type Detail = OutputOf<'approvalDetail'>;
type Names = (id: string) => string;

const signedWords = {
  page: 'signed with their own key',
  collector: 'signed with their own key, in a terminal',
  none: 'recorded without a signature',
} as const;

export function Answers({ item, nameOf }: { item: ApprovalView; nameOf: Names }) {
  const answers = item.answers ?? [];
  if (answers.length === 0) return null;
  return (
    <Section title={answers.length === 1 ? 'The answer' : 'The answers'} level={3}>
      <ul className="approval-answers">
        {answers.map(answer => (
          <li key={answer.seq ?? answer.at}>
            <DecisionBadge state={answer.verdict === 'approve' ? 'approved' : 'refused'} />
            <div className="grow">
              <b>{answer.name ?? nameOf(answer.by)}</b>
              {answer.role !== undefined && <> as {roleWord(answer.role)}</>}
              {answer.on_behalf_of !== undefined && <> on behalf of {nameOf(answer.on_behalf_of)}</>}
              {answer.seconds !== undefined && <> after {secondsInWords(answer.seconds)} of reading time</>},{' '}
              <Time at={answer.at} short />, {signedWords[answer.signed_in]}.
              {answer.comment !== undefined && <p className="approval-quote">“{answer.comment}”</p>}
            </div>
            {answer.seq !== undefined && (
              <span className="approval-record">
                <Link to="/events/$seq" params={{ seq: String(answer.seq) }}>
                  Event #{formatCount(answer.seq)}
                </Link>
                <Link
                  to="/traces/$run"
                  params={{ run: item.run_id }}
                  search={{ seq: answer.seq, tab: 'proof' }}
                >
                  Proof
                </Link>
              </span>
            )}
          </li>
        ))}
      </ul>
    </Section>
  );
}

const STEPS = 8;

/** What a record about a gated call says, by its event_type; other steps are named by what they did. */
const stepWords: Record<string, string> = {
  'decision.recorded': 'the policy was asked',
  'approval.asked': 'waits for people',
  'approval.opened': 'was opened for review',
  'approval.answered': 'was answered',
  'approval.challenge_failed': 'a question was answered wrongly',
  'approval.commented': 'was commented',
  'approval.expired': 'nobody answered in time',
  'approval.cancelled': 'was taken back by the program',
  'intent.recorded': 'was let through',
  'outcome.recorded': 'said what came of it',
};

/** As recorded, or as it stands now: a question put to people is not open any more for who looks back. */
function stateOfStep(decision = ''): string {
  const state = stateOfDecision(decision) ?? decision;
  return state === 'waiting' ? 'asked' : state;
}

export function SessionSoFar({ item, session }: { item: ApprovalView; session: Detail['session'] }) {
  const [all, setAll] = useState(false);
  const steps = all ? session.items : session.items.slice(-STEPS);
  const earlier = session.more + session.items.length - steps.length;
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
      {steps.length === 0 && (
        <p className="mute">Nothing was recorded in this session before the question.</p>
      )}
      {earlier > 0 && (
        <p className="mute">
          {countOf(earlier, 'earlier event')}, then:{' '}
          {!all && session.items.length > STEPS && (
            <Button variant="subtle" size="compact-xs" onClick={() => setAll(true)}>
              Show {session.items.length - STEPS} of them
            </Button>
          )}
        </p>
      )}
      <ol className="so-far">
        {steps.map(step => (
          <li key={step.seq}>
            <i className={`kind-dot kind-${step.kind}`} aria-hidden />
            <Link to="/traces/$run" params={{ run: item.run_id }} search={{ seq: step.seq }}>
              {step.name || step.kind}
            </Link>
            {stepWords[step.type] !== undefined && <span className="mute">{stepWords[step.type]}</span>}
            <DecisionBadge state={stateOfStep(step.decision)} />
            {step.status === 'error' && <DecisionBadge state="failed" />}
          </li>
        ))}
      </ol>
    </Section>
  );
}

export function Remarks({
  id,
  detail,
  nameOf,
  may,
  field,
}: {
  id: string;
  detail: Detail;
  nameOf: Names;
  may: boolean;
  field: RefObject<HTMLTextAreaElement | null>;
}) {
  const client = useQueryClient();
  const remark = useCall('commentApproval');
  const [text, setText] = useState('');
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (text.trim() === '' || remark.isPending) return;
    remark.mutate(
      { params: { id }, input: { text: text.trim() } },
      {
        onSuccess: () => {
          setText('');
          field.current?.blur();
          return invalidate(client, 'approvalDetail');
        },
      },
    );
  };
  const { comments, opened } = detail;
  if (!may && comments.length === 0 && opened.length === 0) return null;
  return (
    <Section title="Comments" level={3}>
      {comments.length > 0 && (
        <ul className="approval-comments">
          {comments.map(comment => (
            <li key={comment.seq}>
              <b>{nameOf(comment.by)}</b> <Ago at={comment.at} />
              <p>{comment.text}</p>
            </li>
          ))}
        </ul>
      )}
      {opened.length > 0 && (
        <p className="mute approval-opened">
          {opened.slice(-8).map((one, i) => (
            <span key={one.seq}>
              {i > 0 && ', '}
              {nameOf(one.by)} opened it <Ago at={one.at} />
            </span>
          ))}
          .
        </p>
      )}
      {may && (
        <form className="approval-comment" onSubmit={send}>
          <Textarea
            ref={field}
            size="xs"
            aria-label="Comment, without answering"
            placeholder="A remark for the others; it answers nothing, and is recorded"
            autosize
            minRows={1}
            maxRows={6}
            maxLength={2_000}
            value={text}
            onChange={event => setText(event.currentTarget.value)}
            onKeyDown={event => {
              if (event.key === 'Escape') field.current?.blur();
              if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) send(event);
            }}
          />
          <Button
            type="submit"
            variant="default"
            size="xs"
            loading={remark.isPending}
            disabled={text.trim() === ''}
          >
            Comment
          </Button>
        </form>
      )}
      {remark.isError && <ErrorPanel error={remark.error} />}
    </Section>
  );
}
