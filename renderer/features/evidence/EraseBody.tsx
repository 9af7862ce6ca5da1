/** Erasing the body of one event for good, from its own panel: the reason, then a second look. */
import { Button, Checkbox, Modal, Textarea } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { RecordView } from '../../../core/api/views.ts';
import { LEDGER_APP } from '../../../core/proof/record.ts';
import { useMay } from '../../api/me.ts';
import { invalidate } from '../../api/queries.ts';
import { formatCount } from '../../ui/numbers.ts';
import { ErrorPanel } from '../../ui/States.tsx';
import { AFTER_ERASURE, eraseEvent, useSigned } from './erasing.ts';

/** A body is there as long as its record says where it came from. */
const hasBody = (record: RecordView): boolean => (record as { source?: unknown }).source !== undefined;

export function EraseBody({ record }: { record: RecordView }) {
  const mayErase = useMay('erase');
  const [open, setOpen] = useState(false);
  if (!mayErase || record.app_id === LEDGER_APP || !hasBody(record)) return null;
  return (
    <>
      <Button variant="subtle" color="red" size="compact-sm" onClick={() => setOpen(true)}>
        Erase what this event says…
      </Button>
      {open && <EraseDialog record={record} close={() => setOpen(false)} />}
    </>
  );
}

function EraseDialog({ record, close }: { record: RecordView; close: () => void }) {
  const client = useQueryClient();
  const erase = useSigned(eraseEvent);
  const [reason, setReason] = useState('');
  const [sure, setSure] = useState(false);
  const number = `#${formatCount(record.seq)}`;
  return (
    <Modal
      opened
      onClose={close}
      closeOnEscape={!erase.isPending}
      title={`Erase what event ${number} says?`}
      size={520}
    >
      <div className="stack">
        <p className="modal-lead">
          Its body goes for good: input, output, arguments, and large values that nothing else names. Its
          place in the chain, its hash and its proofs stay, and packs say that the body was erased. Packs and
          backups that were made before still hold it.
        </p>
        <Textarea
          label="Reason"
          description="Recorded for good, with your name. Name no personal data."
          data-autofocus
          maxLength={1024}
          autosize
          minRows={2}
          value={reason}
          onChange={event => setReason(event.currentTarget.value)}
        />
        <Checkbox
          size="xs"
          checked={sure}
          onChange={event => setSure(event.currentTarget.checked)}
          label={`I have looked again: it is event ${number} of ${record.app_id} that must go`}
        />
        {erase.isError && <ErrorPanel error={erase.error} />}
        <div className="modal-actions">
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button
            color="red"
            loading={erase.isPending}
            disabled={!sure || reason.trim() === ''}
            onClick={() =>
              erase.mutate(
                { seq: record.seq, hash_self: record.hash_self, reason: reason.trim() },
                {
                  onSuccess: async done => {
                    if (done === undefined) return;
                    notifications.show({
                      title: `Event ${number} says nothing any more`,
                      message: `The erasure is recorded as #${formatCount(done.records[0] ?? 0)}.`,
                    });
                    close();
                    await invalidate(client, ...AFTER_ERASURE);
                  },
                },
              )
            }
          >
            Erase for good
          </Button>
        </div>
      </div>
    </Modal>
  );
}
