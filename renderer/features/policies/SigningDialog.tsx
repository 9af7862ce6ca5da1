/** A dialog whose button signs and records: it stays while that lasts, and says why it was refused. */
import { Button, Modal, Textarea } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { asFailure, type Failure } from '../../api/problem.ts';
import { ErrorPanel } from '../../ui/States.tsx';

export function SigningDialog({
  title,
  message,
  submit,
  enabled,
  act,
  close,
  children,
}: {
  title: string;
  /** The words that are signed with it; absent where there are none to write. */
  message:
    | { label: string; description?: string; value: string; onChange: (value: string) => void }
    | undefined;
  /** False when the reader did not unlock the key. Throws what the collector refuses. */
  submit: () => Promise<boolean>;
  enabled: boolean;
  /** What the button says. */
  act: string;
  close: () => void;
  children: ReactNode;
}) {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const send = async (event: FormEvent) => {
    event.preventDefault();
    if (busy || !enabled) return;
    setBusy(true);
    setFailure(undefined);
    try {
      if (await submit()) return;
    } catch (error) {
      setFailure(asFailure(error));
    }
    setBusy(false);
  };
  return (
    <Modal opened onClose={() => !busy && close()} closeOnEscape={!busy} title={title} size={520}>
      <form onSubmit={event => void send(event)} className="stack">
        {children}
        {message !== undefined && (
          <Textarea
            label={message.label}
            description={message.description}
            value={message.value}
            onChange={event => message.onChange(event.currentTarget.value)}
            autosize
            minRows={2}
            maxRows={6}
            maxLength={500}
            data-autofocus
          />
        )}
        {failure !== undefined && <ErrorPanel error={failure} />}
        <div className="modal-actions">
          <span className="mute grow" role="status">
            {busy ? 'Recording…' : ''}
          </span>
          <Button variant="default" onClick={close} disabled={busy}>
            Cancel
          </Button>
          <Button type="submit" loading={busy} disabled={!enabled}>
            {act}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
