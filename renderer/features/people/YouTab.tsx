/** Settings > Your sign-in: who you are here, your passphrase, your delegations, your sign-ins. */
import { Button, PasswordInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import type { SessionView } from '../../../core/api/views.ts';
import { mayDo } from '../../api/may.ts';
import { useMe } from '../../api/me.ts';
import { changePassphrase, signOut } from '../../api/person_session.ts';
import { asFailure, type Failure } from '../../api/problem.ts';
import { useAsk } from '../../api/queries.ts';
import { signer, useSigner } from '../../api/signer.ts';
import { KeyValue } from '../../ui/KeyValue.tsx';
import { Section } from '../../ui/Page.tsx';
import { ErrorPanel, Waiting } from '../../ui/States.tsx';
import { Time } from '../../ui/Time.tsx';
import { passphraseFault } from '../setup/setup_steps.ts';
import { DelegateDialog, DelegationList } from './Delegations.tsx';
import { Fingerprint } from './Fingerprint.tsx';
import { noPassphrase, PassphraseFields } from './PassphraseFields.tsx';
import { rolesInWords } from './people_view.ts';
import { SignIns } from './SignIns.tsx';
import './people.css';

export function YouTab() {
  const me = useMe();
  if (me.isError) return <ErrorPanel error={me.error} retry={() => void me.refetch()} />;
  if (me.data?.person === undefined) return <Waiting label="Loading" />;
  const { person } = me.data;
  return (
    <div className="settings-page">
      <Who me={me.data} />
      <Passphrase own={[person.name, person.id]} />
      <Delegations me={me.data} />
      <Section title="Your sign-ins" lead="Each is a record in the ledger, wrong attempts too.">
        <SignIns person={person.id} />
      </Section>
    </div>
  );
}

function Who({ me }: { me: SessionView }) {
  const { unlocked } = useSigner();
  const { person } = me;
  if (person === undefined) return null;
  return (
    <Section title={person.name}>
      <KeyValue
        wide
        rows={[
          { name: 'Sign-in name', value: <code className="mono">{person.id}</code> },
          { name: 'Roles', value: rolesInWords(me.roles) },
          person.aliases.length > 0 && { name: 'Also acts as', value: person.aliases.join(', ') },
          {
            name: 'Session',
            value: (
              <>
                ends <Time at={me.expires_at} precision="minute" /> unless you do something, and after 12
                hours in any case
              </>
            ),
          },
          {
            name: 'Signing key',
            value: unlocked
              ? 'open in this page, until ten minutes after its last use'
              : 'locked: your passphrase is asked for when you sign',
          },
        ]}
      />
      {person.key_id !== undefined && <Fingerprint keyId={person.key_id} />}
      <div className="people-actions">
        {unlocked && (
          <Button variant="default" onClick={() => signer.lock()}>
            Lock the key
          </Button>
        )}
        <Button variant="default" onClick={() => void signOut()}>
          Sign out
        </Button>
      </div>
    </Section>
  );
}

function Passphrase({ own }: { own: string[] }) {
  const [current, setCurrent] = useState('');
  const [secret, setSecret] = useState(noPassphrase);
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (current === '' || passphraseFault(secret.passphrase, secret.again) !== undefined || busy) return;
    setBusy(true);
    setFailure(undefined);
    try {
      await changePassphrase(current, secret.passphrase);
      notifications.show({
        title: 'Passphrase changed',
        message: 'Your key is the same; it is wrapped by the new passphrase from now on.',
      });
      setCurrent('');
      setSecret(noPassphrase);
      setTried(false);
    } catch (error) {
      setFailure(asFailure(error));
    }
    setBusy(false);
  };
  const wrong = failure?.code === 'sign_in_failed';
  return (
    <Section
      title="Change your passphrase"
      lead="Your signing key stays the same; only what opens it changes."
    >
      <form onSubmit={event => void submit(event)} className="stack people-secret" noValidate>
        <PasswordInput
          label="Passphrase now"
          size="sm"
          autoComplete="current-password"
          value={current}
          onChange={event => {
            setCurrent(event.currentTarget.value);
            setFailure(undefined);
          }}
          error={wrong ? 'This is not your passphrase.' : tried && current === '' && 'Type it first.'}
        />
        <PassphraseFields
          label="New passphrase"
          value={secret}
          onChange={setSecret}
          own={own}
          tried={tried}
        />
        {failure !== undefined && !wrong && <ErrorPanel error={failure} />}
        <div>
          <Button type="submit" variant="default" loading={busy}>
            Change it
          </Button>
        </div>
      </form>
    </Section>
  );
}

function Delegations({ me }: { me: SessionView }) {
  const people = useAsk('people', { query: { limit: 1000 } });
  const search = useSearch({ from: '/settings' });
  const navigate = useNavigate({ from: '/settings' });
  const may = mayDo(me, 'delegate');
  const open = (on: boolean) => void navigate({ search: { tab: 'you', ...(on ? { delegate: true } : {}) } });
  if (me.person === undefined) return null;
  const items = people.data?.items ?? [];
  return (
    <Section
      title="Delegation and out of office"
      lead="Who answers approvals in your place while you are away, and for whom you answer. Every delegation has an end."
      actions={
        may && (
          <Button variant="default" onClick={() => open(true)}>
            Delegate
          </Button>
        )
      }
    >
      <DelegationList me={me} person={me.person.id} people={items} />
      {search.delegate === true && may && people.data !== undefined && (
        <DelegateDialog me={me} people={items} close={() => open(false)} />
      )}
    </Section>
  );
}
