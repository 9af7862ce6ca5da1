/**
 * One approval at the right of the queue. Who may answer opens it first: from then on the question is rendered from the collector's own
 * object alone, and that is what is signed. Who may not sees everything, and no button. While nobody is enrolled: unsigned, and said so.
 */
import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { sha256 } from '@noble/hashes/sha2.js';
import { IconCheck, IconEye, IconX } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import type { PersonView, SessionView } from '../../../core/api/views.ts';
import { call } from '../../api/client.ts';
import { mayDo } from '../../api/may.ts';
import { invalidate, useAsk } from '../../api/queries.ts';
import { useKeys } from '../../shell/shortcuts.ts';
import { countOf } from '../../ui/numbers.ts';
import { ErrorPanel, Waiting } from '../../ui/States.tsx';
import { useNow } from '../../ui/Time.tsx';
import { roleWord } from '../people/people_view.ts';
import { AnswerDialog, type Given } from './AnswerDialog.tsx';
import { ApprovalDetail } from './ApprovalDetail.tsx';
import { canAnswer, gistOf, shownDigest } from './approval_view.ts';
import { RefusedPanel } from './RefusedPanel.tsx';
import { refusalOf } from './refusals.ts';
import { asShown, capacitiesOf, holdLeft, type Verdict } from './review.ts';
import { sendAnswer, useReading, useReview } from './useReview.ts';

const ALONE =
  'Four-eyes and signatures are not in force: this is recorded under your name, as unsigned. Identity is not shown until people are enrolled.';
const SIGNED = 'Signed with your key and recorded. It cannot be taken back once the program has used it.';
const NO_FOUR_EYES =
  'Signed with your key and recorded. Four-eyes is not in force: you are the only approver, so your answer is enough.';

/** Give it the approval's id as its key. `openWish` grows when the reader wants this one opened. */
export function ApprovalPane({
  id,
  me,
  people,
  openWish,
  keep,
}: {
  id: string;
  me: SessionView | undefined;
  people: readonly PersonView[];
  openWish: number;
  /** Into the address, so that what is answered stays on the screen when it leaves the queue. */
  keep: () => void;
}) {
  const client = useQueryClient();
  const asked = useAsk('approvalDetail', { params: { id } }, { every: 2_000 });
  const { review, open: begin } = useReview(id);
  const open = () => {
    keep();
    begin();
  };
  useNow(500);
  const [asking, setAsking] = useState<Verdict>();
  const [wish, setWish] = useState<'deny'>();
  const [openedAt] = useState(() => new Date().toISOString());
  const body = useRef<HTMLDivElement>(null);
  const commentField = useRef<HTMLTextAreaElement>(null);
  const reading = useReading(body, review.state === 'open');

  const detail = asked.data;
  const alone = me?.alone === true;
  const opened = review.state === 'open' ? review : undefined;
  const held = detail?.approval;
  const item = held === undefined ? undefined : opened === undefined ? held : asShown(held, opened.shown);
  // Read now, not at the last tick: what was opened meanwhile may be ready already.
  const here = Date.now() + (opened?.offset ?? 0);
  const running = item !== undefined && (canAnswer(item, here) || item.status === 'approved');
  const may = detail?.may;
  const capacities =
    may === undefined || alone
      ? []
      : capacitiesOf(may, who => people.find(one => one.id === who)?.name ?? who, roleWord);
  const mayAnswer = mayDo(me, 'answerApproval') && running;
  const mayApprove = mayAnswer && may?.answer === true && item?.status === 'waiting';
  const mayDeny =
    mayAnswer && (mayApprove || capacities.length > 0 || (alone && item?.status === 'approved'));
  const hold = opened === undefined ? 0 : holdLeft(opened.opened.not_before, here);
  const ready = mayApprove && (alone || (opened !== undefined && hold === 0));

  const ask = (verdict: Verdict) => {
    keep();
    if (verdict === 'approve') {
      if (mayApprove && !alone && opened === undefined) open();
      else if (ready) setAsking('approve');
    } else if (mayDeny) {
      if (alone || opened !== undefined) setAsking('deny');
      else {
        setWish('deny');
        open();
      }
    }
  };
  useEffect(() => {
    if (wish === undefined || review.state !== 'open') return;
    setWish(undefined);
    setAsking(wish);
  }, [wish, review.state]);
  const wished = useRef(openWish);
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each wish
  useEffect(() => {
    if (wished.current === openWish || may === undefined) return;
    wished.current = openWish;
    if (mayApprove && !alone && opened === undefined) open();
  }, [openWish, may === undefined]);
  useKeys({
    o: () => mayApprove && !alone && opened === undefined && open(),
    a: () => ask('approve'),
    d: () => ask('deny'),
    r: () => ask('deny'),
    c: () => commentField.current?.focus(),
  });

  if (asked.isError && detail === undefined) return <ErrorPanel error={asked.error} />;
  if (detail === undefined || item === undefined || me === undefined) {
    return <Waiting label="Loading the approval" />;
  }

  const send = async (verdict: Verdict, given: Given): Promise<boolean> => {
    const answered = alone
      ? await call('answerApproval', {
          params: { id },
          input: {
            verdict,
            shown_digest: shownDigest(sha256, item),
            opened_at: openedAt,
            ...(given.comment === '' ? {} : { comment: given.comment }),
          },
        })
      : opened === undefined || given.capacity === undefined || me.person === undefined
        ? undefined
        : await sendAnswer({
            id,
            opened: opened.opened,
            shown: opened.shown,
            offset: opened.offset,
            verdict,
            person: me.person.id,
            capacity: given.capacity,
            comment: given.comment,
            challengeAnswer: given.challengeAnswer,
            client: reading(),
          });
    if (answered === undefined) return false;
    const how = alone ? 'recorded' : 'signed and recorded';
    notifications.show({
      title: `${verdict === 'approve' ? 'Approved' : 'Refused'}, ${how}`,
      message: alone ? `${item.action}: ${gistOf(item.payload)}` : item.action,
    });
    return true;
  };
  const settled = () =>
    void invalidate(client, 'approvals', 'approvalDetail', 'approval', 'status', 'overview', 'trace');
  const sealed = mayApprove && !alone && opened === undefined;
  const why = may?.code === undefined || !running ? undefined : refusalOf(may.code);
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
      <div className="approval-body" ref={body} tabIndex={0}>
        {review.state === 'refused' && <RefusedPanel failure={review.failure} again={open} />}
        <ApprovalDetail
          item={item}
          rules={opened?.shown.rules}
          detail={detail}
          now={here}
          me={me.person?.id}
          people={people}
          sealed={sealed}
          mayComment={mayDo(me, 'commentApproval')}
          commentField={commentField}
        />
      </div>
      {(mayApprove || mayDeny) && (
        <footer className="approval-foot">
          <p className="mute">
            {alone ? (
              ALONE
            ) : mayApprove ? (
              <Hold sealed={sealed} hold={hold} fourEyes={me.four_eyes} />
            ) : (
              'You have approved it. Until it is used, you can still refuse it.'
            )}
          </p>
          {mayDeny && (
            <Button
              variant="default"
              leftSection={<IconX size={15} aria-hidden />}
              rightSection={<kbd aria-hidden>d</kbd>}
              onClick={() => ask('deny')}
            >
              {mayApprove ? 'Refuse' : 'Refuse after all'}
            </Button>
          )}
          {sealed && (
            <Button
              leftSection={<IconEye size={15} aria-hidden />}
              rightSection={<kbd aria-hidden>o</kbd>}
              loading={review.state === 'opening'}
              onClick={open}
            >
              Open for review
            </Button>
          )}
          {mayApprove && !sealed && (
            <Button
              leftSection={<IconCheck size={15} aria-hidden />}
              rightSection={hold > 0 ? undefined : <kbd aria-hidden>a</kbd>}
              disabled={!ready}
              onClick={() => ask('approve')}
            >
              {hold > 0 ? `Approve in ${hold} s` : 'Approve'}
            </Button>
          )}
        </footer>
      )}
      {running && !mayApprove && !mayDeny && (
        <footer className="approval-foot">
          <p className="mute">
            {mayDo(me, 'answerApproval') && why !== undefined
              ? `${why.title}. ${why.todo}`
              : 'You see everything here; answering takes the role Approver.'}
          </p>
        </footer>
      )}
      {asking !== undefined && (
        <AnswerDialog
          verdict={asking}
          item={item}
          challenge={opened?.opened.challenge}
          capacities={capacities}
          note={
            alone
              ? `${ALONE} It cannot be taken back once the program has used it.`
              : me.four_eyes
                ? SIGNED
                : NO_FOUR_EYES
          }
          send={async given => {
            try {
              return await send(asking, given);
            } finally {
              settled();
            }
          }}
          again={() => {
            setAsking(undefined);
            open();
          }}
          close={() => setAsking(undefined)}
        />
      )}
    </>
  );
}

/** From when it may be approved. The countdown is not read out each second; that it is over is. */
function Hold({ sealed, hold, fourEyes }: { sealed: boolean; hold: number; fourEyes: boolean }) {
  return (
    <>
      {sealed
        ? 'Nothing is signed by opening it.'
        : hold > 0
          ? `Read it first: it can be approved in ${countOf(hold, 'second')}. Refusing is possible at any time.`
          : fourEyes
            ? 'What you see above is what you sign.'
            : 'What you see above is what you sign. Four-eyes is not in force: you are the only approver.'}
      <span className="visually-hidden" role="status">
        {!sealed && hold === 0 ? 'It can be approved now.' : ''}
      </span>
    </>
  );
}
