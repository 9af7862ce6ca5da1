/** A new rule: which app, how many days, and what that would take now. Signed by who sets it, once people are enrolled. */
import { Button, Modal, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { invalidate, useAsk } from '../../../api/queries.ts';
import { ErrorPanel } from '../../../ui/States.tsx';
import { AFTER_ERASURE, setRules, useSigned } from '../../evidence/erasing.ts';
import { AppField, PreviewLine } from './retention_fields.tsx';
import { daysOf, keptFor } from './retention_view.ts';

export function RetentionRuleDialog({
  days: held,
  close,
}: {
  days: Record<string, number>;
  close: () => void;
}) {
  const client = useQueryClient();
  const change = useSigned(setRules);
  const [app, setApp] = useState('');
  const [text, setText] = useState('180');
  const [tried, setTried] = useState(false);
  const read = daysOf(text);
  const days = 'days' in read ? read.days : undefined;
  const preview = useAsk(
    'previewErasure',
    { input: { app_id: app.trim(), days: days ?? 0 } },
    { enabled: app.trim() !== '' && days !== undefined },
  );
  const unknown = preview.error?.code === 'app_unknown';
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (app.trim() === '' || days === undefined) return;
    change.mutate(
      { ...held, [app.trim()]: days },
      {
        onSuccess: async done => {
          if (done === undefined) return;
          notifications.show({
            title: `Bodies of ${app.trim()} are kept ${keptFor(days)}`,
            message: 'What is older is erased within 15 minutes, and each time is recorded.',
          });
          close();
          await invalidate(client, ...AFTER_ERASURE);
        },
      },
    );
  };
  return (
    <Modal opened onClose={close} closeOnEscape={!change.isPending} title="Add a retention rule" size={520}>
      <form onSubmit={submit} className="stack" noValidate>
        <AppField value={app} change={setApp} error={tried && app.trim() === '' && 'Which app?'} />
        <TextInput
          label="Days that bodies are kept"
          inputMode="numeric"
          maxLength={5}
          value={text}
          onChange={event => setText(event.currentTarget.value)}
          error={(tried || text !== '') && 'fault' in read && read.fault}
        />
        {unknown ? (
          <p className="mute">This app has recorded nothing yet. The rule holds once it does.</p>
        ) : (
          <PreviewLine preview={preview.data} error={preview.error} />
        )}
        <p className="mute">
          What is erased does not come back. Records of keys, people and the ledger stay.
        </p>
        {change.isError && <ErrorPanel error={change.error} />}
        <div className="modal-actions">
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" loading={change.isPending}>
            Set the rule
          </Button>
        </div>
      </form>
    </Modal>
  );
}
