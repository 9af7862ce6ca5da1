/**
 * The review of one approval: opened once at the collector, checked, answered with a signature. What the browser notices while it is
 * looked at goes along, marked as such.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { useQueryClient } from '@tanstack/react-query';
import { type RefObject, useEffect, useRef, useState } from 'react';
import type { ApprovalView } from '../../../core/api/views.ts';
import { approvalMessage } from '../../../core/proof/binding.ts';
import { call } from '../../api/client.ts';
import { asFailure, type Failure, refusal } from '../../api/problem.ts';
import { invalidate } from '../../api/queries.ts';
import { ensureUnlocked, signer } from '../../api/signer.ts';
import {
  buildStatement,
  type Capacity,
  type ClientFacts,
  checkShown,
  clockOffset,
  type Opened,
  type Shown,
  type Verdict,
} from './review.ts';

export type Review =
  | { state: 'closed' }
  | { state: 'opening' }
  /** `offset`: milliseconds from this computer's clock to the collector's. */
  | { state: 'open'; opened: Opened; shown: Shown; offset: number }
  | { state: 'refused'; failure: Failure };

/** One per approval: give the component that uses it the approval's id as its key. */
export function useReview(id: string): { review: Review; open: () => void } {
  const client = useQueryClient();
  const [review, setReview] = useState<Review>({ state: 'closed' });
  const busy = useRef(false);
  const open = async () => {
    if (busy.current) return;
    busy.current = true;
    setReview({ state: 'opening' });
    try {
      const opened = await call('openApproval', { params: { id } });
      const shown = checkShown(sha256, opened, id);
      setReview(
        shown === undefined
          ? { state: 'refused', failure: refusal('shown_mismatch') }
          : // What came took its time: the page is never earlier than the collector.
            { state: 'open', opened, shown, offset: clockOffset(opened.now, Date.now()) },
      );
      void invalidate(client, 'approvalDetail');
    } catch (error) {
      setReview({ state: 'refused', failure: asFailure(error) });
    }
    busy.current = false;
  };
  return { review, open: () => void open() };
}

/** Sends a signed answer. Undefined when the reader did not unlock the key; throws what the collector refuses. */
export async function sendAnswer(given: {
  id: string;
  opened: Opened;
  shown: Shown;
  offset: number;
  verdict: Verdict;
  person: string;
  capacity: Capacity;
  comment: string;
  challengeAnswer: string;
  client: ClientFacts;
}): Promise<ApprovalView | undefined> {
  const { id, opened, shown, offset, verdict, comment, challengeAnswer } = given;
  if (!(await ensureUnlocked('To sign your answer.'))) return undefined;
  // Once more, just before it is signed: what was rendered is what is signed.
  if (checkShown(sha256, opened, id) === undefined) throw refusal('shown_mismatch');
  const statement = buildStatement({
    opened,
    shown,
    verdict,
    person: given.person,
    keyId: signer.keyId(),
    capacity: given.capacity,
    comment,
    client: given.client,
    now: Date.now() + offset,
  });
  return call('answerApproval', {
    params: { id },
    input: {
      verdict,
      ...(comment === '' ? {} : { comment }),
      review_id: opened.review_id,
      ...(verdict === 'approve' && challengeAnswer !== '' ? { challenge_answer: challengeAnswer } : {}),
      statement,
      signature: await signer.sign(approvalMessage(statement)),
    },
  });
}

/** Seconds with the page in front of the reader, and whether the end of the text came into sight. */
export function useReading(body: RefObject<HTMLElement | null>, active: boolean): () => ClientFacts {
  const facts = useRef<ClientFacts>({ focused_seconds: 0, scrolled_to_end: false });
  useEffect(() => {
    if (!active) return;
    const look = () => {
      const element = body.current;
      if (element === null) return;
      const left = element.scrollHeight - element.scrollTop - element.clientHeight;
      if (left < 24) facts.current.scrolled_to_end = true;
    };
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible' && document.hasFocus()) facts.current.focused_seconds++;
      look();
    }, 1_000);
    const element = body.current;
    element?.addEventListener('scroll', look, { passive: true });
    look();
    return () => {
      clearInterval(timer);
      element?.removeEventListener('scroll', look);
    };
  }, [body, active]);
  return () => ({ ...facts.current });
}
