/**
 * The one place where an approval is given or refused. Rules: asked once more before it is sent, and nothing is
 * shown as done before the ledger has answered.
 */
import { Button, Modal, Textarea } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { sha256 } from '@noble/hashes/sha2.js';
import { useQueryClient } from '@tanstack/react-query';
import type { FormEvent } from 'react';
import { useState } from 'react';
import type { ApprovalView } from '../../../core/api/views.ts';
import { invalidate, useCall } from '../../api/queries.ts';
import { ErrorPanel } from '../../ui/States.tsx';
import { ArgumentList } from './ArgumentList.tsx';
import { gistOf, shownDigest } from './approval_view.ts';

export type Verdict = 'approve' | 'deny';

export function AnswerDialog({
  verdict,
  item,
  openedAt,
  close,
}: {
  verdict: Verdict;
  item: ApprovalView;
  openedAt: string;
  close: () => void;
}) {
  const client = useQueryClient();
  const answer = useCall('answerApproval');
  const [comment, setComment] = useState('');
  const approve = verdict === 'approve';
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (answer.isPending) return;
    answer.mutate(
      {
        params: { id: item.id },
        input: {
          verdict,
          shown_digest: shownDigest(sha256, item),
          opened_at: openedAt,
          ...(comment.trim() === '' ? {} : { comment: comment.trim() }),
        },
      },
      {
        onSuccess: () => {
          notifications.show({
            title: approve ? 'Approved and recorded' : 'Refused and recorded',
            message: `${item.action}: ${gistOf(item.payload)}`,
          });
          close();
        },
        onSettled: () => invalidate(client, 'approvals', 'approval', 'status', 'overview', 'trace'),
      },
    );
  };
  return (
    <Modal
      opened
      onClose={() => !answer.isPending && close()}
      title={approve ? `Approve ${item.action}?` : `Refuse ${item.action}?`}
      size={520}
    >
      <form onSubmit={submit} className="stack">
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
        <section className="answer-call" tabIndex={0} aria-label="Arguments of the call">
          <ArgumentList payload={item.payload} />
        </section>
        <p className="mute answer-note">
          {item.actor_id} in {item.app_id}
        </p>
        <Textarea
          label={approve ? 'Comment (optional)' : 'Why (optional, the program and the record get it)'}
          data-autofocus
          autosize
          minRows={2}
          maxRows={8}
          maxLength={2_000}
          value={comment}
          onChange={event => setComment(event.currentTarget.value)}
          onKeyDown={event => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) submit(event);
          }}
        />
        <p className="mute answer-note">
          This cannot be taken back once the program has used it. It is recorded under your name, as unsigned:
          identity is not shown until people are enrolled.
        </p>
        {answer.isError && <ErrorPanel error={answer.error} />}
        <div className="answer-actions">
          <span className="mute" role="status">
            {answer.isPending ? 'Recording…' : ''}
          </span>
          <Button variant="default" onClick={close} disabled={answer.isPending}>
            Cancel
          </Button>
          <Button type="submit" loading={answer.isPending} {...(approve ? {} : { color: 'red' })}>
            {approve ? 'Approve this call' : 'Refuse this call'}
          </Button>
        </div>
        <p className="mute answer-keys">
          <kbd>Ctrl</kbd> <kbd>Enter</kbd> sends, <kbd>Esc</kbd> cancels
        </p>
      </form>
    </Modal>
  );
}
