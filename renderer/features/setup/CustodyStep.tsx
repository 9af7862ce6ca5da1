/** Step 1: who you are, what the first app is called, and where the key of the records is kept. */
import { Button, PasswordInput, TextInput } from '@mantine/core';
import { IconCheck, IconMinus } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import type { OutputOf } from '../../../core/api/operations.ts';
import { useCall } from '../../api/queries.ts';
import { ErrorPanel } from '../../ui/States.tsx';
import { desktop } from '../evidence/desktop.ts';
import { appIdFault } from '../settings/snippets.ts';
import { buildCustodyOptions, type CustodyKind, type CustodyOption, passphraseFault } from './setup_steps.ts';

export function CustodyStep({
  onAsk,
  onMade,
}: {
  /** True when the request goes out, false when it was refused. */
  onAsk: (asked: boolean) => void;
  onMade: (made: OutputOf<'setup'> & { person: string }) => void;
}) {
  const options = buildCustodyOptions(desktop() !== undefined);
  const [person, setPerson] = useState('');
  const [appId, setAppId] = useState('my-agent');
  const [kind, setKind] = useState<CustodyKind>(options[0]!.kind);
  const [passphrase, setPassphrase] = useState('');
  const [again, setAgain] = useState('');
  const [tried, setTried] = useState(false);
  const setup = useCall('setup');
  const faults = {
    person: person.trim() === '' ? 'Your name stands beside your approvals.' : undefined,
    app: appIdFault(appId),
    passphrase: kind === 'passphrase' ? passphraseFault(passphrase, again) : undefined,
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (faults.person ?? faults.app ?? faults.passphrase) return;
    onAsk(true);
    setup.mutate(
      {
        input: {
          custody: kind,
          person: person.trim(),
          app_id: appId,
          ...(kind === 'passphrase' ? { passphrase } : {}),
        },
      },
      {
        onSuccess: answer => onMade({ ...answer, person: person.trim() }),
        onError: () => onAsk(false),
      },
    );
  };
  return (
    <form onSubmit={submit} noValidate>
      <h1>Set up your ledger</h1>
      <p className="setup-lead">It stays on this computer, encrypted. Nothing is sent anywhere.</p>
      <div className="setup-fields">
        <TextInput
          label="Your name"
          size="sm"
          autoFocus
          autoComplete="name"
          maxLength={256}
          value={person}
          onChange={event => setPerson(event.currentTarget.value)}
          error={tried && faults.person}
        />
        <TextInput
          label="First app to record"
          size="sm"
          spellCheck={false}
          autoComplete="off"
          value={appId}
          onChange={event => setAppId(event.currentTarget.value)}
          error={(tried || appId !== 'my-agent') && faults.app}
        />
      </div>
      <fieldset className="custody">
        <legend>Who keeps the key to your records?</legend>
        {options.map(option => (
          <Option
            key={option.kind}
            option={option}
            chosen={kind === option.kind}
            choose={() => setKind(option.kind)}
          />
        ))}
      </fieldset>
      {kind === 'passphrase' && (
        <div className="setup-fields">
          <PasswordInput
            label="Passphrase"
            size="sm"
            autoComplete="new-password"
            value={passphrase}
            onChange={event => setPassphrase(event.currentTarget.value)}
            error={tried && faults.passphrase}
          />
          <PasswordInput
            label="The same again"
            size="sm"
            autoComplete="new-password"
            value={again}
            onChange={event => setAgain(event.currentTarget.value)}
          />
        </div>
      )}
      {setup.isError && <ErrorPanel error={setup.error} />}
      <footer className="setup-foot">
        <p className="mute">
          Either way, whoever holds the key could rewrite recent history unseen, until you have given a pack
          to someone. You can change this later.
        </p>
        <Button type="submit" size="sm" loading={setup.isPending}>
          Create the ledger
        </Button>
      </footer>
    </form>
  );
}

function Option({ option, chosen, choose }: { option: CustodyOption; chosen: boolean; choose: () => void }) {
  return (
    <label className="custody-option" data-chosen={chosen || undefined}>
      <input
        type="radio"
        name="custody"
        value={option.kind}
        checked={chosen}
        onChange={choose}
        aria-label={option.title}
        aria-describedby={`custody-${option.kind}`}
      />
      <span className="custody-title">
        {option.title}
        {option.mark !== undefined && <span className="custody-mark">{option.mark}</span>}
      </span>
      <span className="custody-lead">{option.lead}</span>
      <span className="custody-points" id={`custody-${option.kind}`}>
        <span className="custody-group">Protects against</span>
        {option.protects.map(text => (
          <span key={text} className="custody-point">
            <IconCheck size={13} className="ink-allow" aria-hidden /> {text}
          </span>
        ))}
        <span className="custody-group">Does not protect against</span>
        {option.exposes.map(text => (
          <span key={text} className="custody-point">
            <IconMinus size={13} aria-hidden /> {text}
          </span>
        ))}
      </span>
    </label>
  );
}
