/**
 * The one place where an approval is given or refused. Rules: asked once more before it is sent, nothing is shown as done before the
 * ledger has answered, and what stands here is what was shown.
 */
import { Button, Modal, Select, Textarea, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import type { Challenge } from '../../../core/api/approval_operations.ts';
import type { ApprovalView } from '../../../core/api/views.ts';
import { asFailure, type Failure } from '../../api/problem.ts';
import { ArgumentList } from './ArgumentList.tsx';
import { RefusedPanel } from './RefusedPanel.tsx';
import type { Capacity, Verdict } from './review.ts';

export type Given = { comment: string; challengeAnswer: string; capacity: Capacity | undefined };

export function AnswerDialog({
  verdict,
  item,
  challenge,
  capacities,
  note,
  send,
  again,
  close,
}: {
  verdict: Verdict;
  /** As it was shown. */
  item: ApprovalView;
  challenge: Challenge | undefined;
  /** Empty while nobody is enrolled. */
  capacities: readonly Capacity[];
  note: string;
  /** False when the reader did not unlock the key. Throws what the collector refuses. */
  send: (given: Given) => Promise<boolean>;
  again: () => void;
  close: () => void;
}) {
  const [comment, setComment] = useState('');
  const [typed, setTyped] = useState('');
  const [as, setAs] = useState(capacities[0]?.id);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const approve = verdict === 'approve';
  const asked = approve && challenge !== undefined && challenge.kind !== 'confirm' ? challenge : undefined;
  // A question is answered by who has read: the arguments do not stand beside it.
  const hidden = asked?.kind === 'question';
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy || (asked !== undefined && typed.trim() === '')) return;
    setBusy(true);
    setFailure(undefined);
    try {
      const capacity = capacities.find(one => one.id === as);
      if (await send({ comment: comment.trim(), challengeAnswer: typed.trim(), capacity })) return close();
    } catch (error) {
      setFailure(asFailure(error));
      setTyped('');
    }
    setBusy(false);
  };
  const sendByKey = (event: React.KeyboardEvent) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void submit(event);
  };
  return (
    <Modal
      opened
      onClose={() => !busy && close()}
      title={approve ? `Approve ${item.action}?` : `Refuse ${item.action}?`}
      size={520}
      {...(hidden ? { overlayProps: { blur: 8, backgroundOpacity: 0.6 } } : {})}
    >
      <form onSubmit={event => void submit(event)} className="stack" onKeyDown={sendByKey}>
        {hidden ? (
          <p className="answer-note mute">
            Answer from what you have read. To look again, close this with <kbd>Esc</kbd>.
          </p>
        ) : (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
          <section className="answer-call" tabIndex={0} aria-label="Arguments of the call">
            <ArgumentList payload={item.payload} />
          </section>
        )}
        <p className="mute answer-note">
          {item.actor_id} in {item.app_id}
        </p>
        {asked !== undefined && (
          <TextInput
            label={asked.prompt ?? 'Answer the question'}
            description={
              asked.kind === 'retype'
                ? 'As it stands in the call. Spaces and thousands separators do not matter.'
                : 'A question about this call. Spaces and thousands separators do not matter.'
            }
            data-autofocus
            autoComplete="off"
            maxLength={2_000}
            value={typed}
            onChange={event => setTyped(event.currentTarget.value)}
          />
        )}
        {(capacities.length > 1 || capacities[0]?.behalf !== undefined) && (
          <Select
            label="You answer as"
            description={
              capacities.find(one => one.id === as)?.behalf === undefined
                ? undefined
                : 'By a delegation: recorded under your name and signed with your key.'
            }
            data={capacities.map(one => ({ value: one.id, label: one.label }))}
            value={as ?? null}
            allowDeselect={false}
            onChange={value => value !== null && setAs(value)}
          />
        )}
        <Textarea
          label={approve ? 'Comment (optional)' : 'Why (optional, the program and the record get it)'}
          {...(asked === undefined ? { 'data-autofocus': true } : {})}
          autosize
          minRows={2}
          maxRows={8}
          maxLength={2_000}
          value={comment}
          onChange={event => setComment(event.currentTarget.value)}
        />
        <p className="mute answer-note">{note}</p>
        {failure !== undefined && <RefusedPanel failure={failure} again={again} />}
        <div className="answer-actions">
          <span className="mute" role="status">
            {busy ? 'Recording…' : ''}
          </span>
          <Button variant="default" onClick={close} disabled={busy}>
            Cancel
          </Button>
          <Button
            type="submit"
            loading={busy}
            disabled={asked !== undefined && typed.trim() === ''}
            {...(approve ? {} : { color: 'red' })}
          >
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
