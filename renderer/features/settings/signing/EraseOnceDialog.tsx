/** Erasing what one app received before a day, once: how much it is, why, and the app's name again. Signed, once people are enrolled. */
import { Button, Modal, Textarea, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { invalidate, useAsk } from '../../../api/queries.ts';
import { countOf } from '../../../ui/numbers.ts';
import { ErrorPanel } from '../../../ui/States.tsx';
import { useZone } from '../../../ui/Time.tsx';
import { formatTime } from '../../../ui/times.ts';
import { AFTER_ERASURE, eraseOlder, useSigned } from '../../evidence/erasing.ts';
import { AppField, PreviewLine } from './retention_fields.tsx';

export function EraseOnceDialog({ close }: { close: () => void }) {
  const client = useQueryClient();
  const zone = useZone();
  const erase = useSigned(eraseOlder);
  const [app, setApp] = useState('');
  const [day, setDay] = useState('');
  const [reason, setReason] = useState('');
  const [again, setAgain] = useState('');
  const before = /^\d{4}-\d\d-\d\d$/.test(day) ? `${day}T00:00:00Z` : undefined;
  const preview = useAsk(
    'previewErasure',
    { input: { app_id: app.trim(), before: before ?? '' } },
    { enabled: app.trim() !== '' && before !== undefined },
  );
  const bodies = preview.data?.bodies ?? 0;
  const ready = before !== undefined && bodies > 0 && reason.trim() !== '' && again.trim() === app.trim();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!ready) return;
    erase.mutate(
      { app_id: app.trim(), before, reason: reason.trim() },
      {
        onSuccess: async done => {
          if (done === undefined) return;
          const { erased, blobs } = done;
          notifications.show({
            title: `${countOf(erased, 'body', 'bodies')} erased`,
            message: `With ${countOf(blobs, 'large value')}. The erasure is recorded with your reason.`,
          });
          close();
          await invalidate(client, ...AFTER_ERASURE);
        },
      },
    );
  };
  return (
    <Modal opened onClose={close} closeOnEscape={!erase.isPending} title="Erase bodies of an app" size={560}>
      <form onSubmit={submit} className="stack" noValidate>
        <AppField value={app} change={setApp} />
        <TextInput
          type="date"
          label="Received before (UTC)"
          {...(before === undefined ? {} : { description: `That is ${formatTime(before, zone, 'minute')}` })}
          inputWrapperOrder={['label', 'input', 'description', 'error']}
          value={day}
          onChange={event => setDay(event.currentTarget.value)}
        />
        <PreviewLine preview={preview.data} error={preview.error} />
        <Textarea
          label="Reason"
          description="Recorded for good, so name no personal data."
          maxLength={1024}
          autosize
          minRows={2}
          value={reason}
          onChange={event => setReason(event.currentTarget.value)}
        />
        <TextInput
          label={`To be sure, type the app’s name again${app.trim() === '' ? '' : `: ${app.trim()}`}`}
          autoComplete="off"
          spellCheck={false}
          value={again}
          onChange={event => setAgain(event.currentTarget.value)}
        />
        {erase.isError && <ErrorPanel error={erase.error} />}
        <div className="modal-actions">
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" color="red" loading={erase.isPending} disabled={!ready}>
            Erase for good
          </Button>
        </div>
      </form>
    </Modal>
  );
}
