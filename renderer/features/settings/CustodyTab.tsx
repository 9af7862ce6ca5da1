/** Settings > Custody and backup: who keeps the key and what that is worth, a passphrase, a backup to save. */
import { Button, PasswordInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconCheck, IconDownload, IconMinus } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { send } from '../../api/client.ts';
import { useMay } from '../../api/me.ts';
import { invalidate, useCall, useStatus } from '../../api/queries.ts';
import { CodeBlock } from '../../ui/Copy.tsx';
import { formatCount } from '../../ui/numbers.ts';
import { Section } from '../../ui/Page.tsx';
import { ErrorPanel, Waiting } from '../../ui/States.tsx';
import { passphraseFault } from '../setup/setup_steps.ts';
import { saveResponse } from './save_file.ts';

export function CustodyTab() {
  const status = useStatus().data;
  const mayChange = useMay('changePassphrase');
  const mayBackUp = useMay('backup');
  const custody = status?.custody;
  if (status === undefined || custody === undefined) return <Waiting />;
  const exported = status.ledger?.exported;
  return (
    <div className="settings-page">
      {status.key_missing !== undefined && (
        <div className="callout tone-ask" role="status">
          <strong>The key file is missing</strong>
          <p>
            It should be at <code className="mono wrap">{status.key_missing.file}</code>. The recovery phrase
            opened the vault this time; the next start will ask for it again. Put the file back from its copy,
            or move to a passphrase below.
          </p>
        </div>
      )}
      <Section title={`Key: ${custody.label}`} lead="Your records are encrypted. This is who can open them.">
        <div className="custody-lists">
          <Points title="What it protects" points={custody.protects} good />
          <Points title="What it does not protect against" points={custody.does_not_protect} />
        </div>
        <p className="mute">
          {exported === undefined
            ? 'No evidence pack was exported yet. Give one to someone, and history up to it cannot be rewritten unseen.'
            : `An evidence pack up to record #${formatCount(exported.size - 1)} was exported. In someone else’s hands it makes a rewritten history visible; newer records are in no pack.`}
        </p>
      </Section>
      {mayChange && <Passphrase has={custody.kind === 'passphrase'} />}
      {mayBackUp && <Backup />}
    </div>
  );
}

function Points({ title, points, good }: { title: string; points: string[]; good?: boolean }) {
  return (
    <div>
      <h3>{title}</h3>
      <ul>
        {points.length === 0 && <li className="mute">Nothing.</li>}
        {points.map(point => (
          <li key={point}>
            {good ? (
              <IconCheck size={14} className="ink-allow" aria-hidden />
            ) : (
              <IconMinus size={14} aria-hidden />
            )}
            <span>{point}.</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Passphrase({ has }: { has: boolean }) {
  const client = useQueryClient();
  const change = useCall('changePassphrase');
  const [current, setCurrent] = useState('');
  const [passphrase, setPassphrase] = useState('');
  const [again, setAgain] = useState('');
  const [tried, setTried] = useState(false);
  const fault = passphraseFault(passphrase, again);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (fault !== undefined) return;
    change.mutate(
      { input: { passphrase, ...(has ? { current } : {}) } },
      {
        onSuccess: () => {
          notifications.show({
            title: has ? 'Passphrase changed' : 'The vault now opens by this passphrase',
            message: 'From the next start on it is asked for. The recovery phrase stays the same.',
          });
          setCurrent('');
          setPassphrase('');
          setAgain('');
          setTried(false);
          void invalidate(client, 'status');
        },
      },
    );
  };
  return (
    <Section
      title={has ? 'Change the passphrase' : 'Move to a passphrase'}
      lead={
        has
          ? 'The old one stops working at once.'
          : 'The vault then opens by a passphrase that is typed at each start, and no longer by what opens it now.'
      }
    >
      <form className="settings-form" onSubmit={submit} noValidate>
        {has && (
          <PasswordInput
            label="Passphrase now"
            autoComplete="current-password"
            value={current}
            onChange={event => setCurrent(event.currentTarget.value)}
          />
        )}
        <PasswordInput
          label="New passphrase"
          autoComplete="new-password"
          value={passphrase}
          onChange={event => setPassphrase(event.currentTarget.value)}
          error={tried && fault}
        />
        <PasswordInput
          label="The same again"
          autoComplete="new-password"
          value={again}
          onChange={event => setAgain(event.currentTarget.value)}
        />
        <Button type="submit" variant="default" loading={change.isPending} className="settings-submit">
          {has ? 'Change it' : 'Use a passphrase'}
        </Button>
      </form>
      {change.isError && <ErrorPanel error={change.error} />}
    </Section>
  );
}

function Backup() {
  const [state, setState] = useState<{ busy: boolean; error?: unknown; saved?: string }>({ busy: false });
  const save = async () => {
    setState({ busy: true });
    try {
      const saved = await saveResponse(
        await send('backup', {}, { accept: 'application/octet-stream' }),
        'trailmix.backup',
      );
      setState({ busy: false, saved });
    } catch (error) {
      setState({ busy: false, error });
    }
  };
  return (
    <Section
      title="Backup"
      lead="One encrypted file with the whole ledger, made while it runs. Only the recovery phrase opens it: the words you wrote down at the first start."
    >
      <Button
        variant="default"
        leftSection={<IconDownload size={15} aria-hidden />}
        loading={state.busy}
        onClick={() => void save()}
      >
        Save a backup
      </Button>
      <span className="settings-status mute" role="status">
        {state.busy ? 'Making the backup…' : state.saved === undefined ? '' : `Saved as ${state.saved}.`}
      </span>
      {state.error !== undefined && <ErrorPanel error={state.error} />}
      <p className="mute">
        To put it back, into another folder. A restore is recorded, and every later pack shows it:
      </p>
      <CodeBlock code="trailmix restore FILE --data NEW_FOLDER --accept-head" what="command" />
    </Section>
  );
}
