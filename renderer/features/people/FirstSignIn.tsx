/** The first person of a ledger makes their own sign-in: name, sign-in name, passphrase. Their key signs their own enrolment. */
import { Button, TextInput } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { useMe } from '../../api/me.ts';
import { enrolFirst } from '../../api/person_session.ts';
import { asFailure, type Failure } from '../../api/problem.ts';
import { ErrorPanel } from '../../ui/States.tsx';
import { passphraseFault } from '../setup/setup_steps.ts';
import { noPassphrase, PassphraseFields } from './PassphraseFields.tsx';
import { FIRST_ROLES, nameFault, personIdFault, suggestPersonId } from './people_view.ts';
import { statementTime } from './statements.ts';

/** `foot` stands beside the button; `onDone` runs when the person is enrolled and signed in. */
export function FirstSignIn({
  person,
  foot,
  onDone,
}: {
  person: string;
  foot?: ReactNode;
  onDone: () => void;
}) {
  const place = useMe();
  const [name, setName] = useState(person);
  const [typedId, setTypedId] = useState<string>();
  const [secret, setSecret] = useState(noPassphrase);
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const personId = typedId ?? suggestPersonId(name);
  const faults = {
    name: nameFault(name),
    id: personIdFault(personId),
    secret: passphraseFault(secret.passphrase, secret.again),
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    const ledger = place.data?.ledger_id;
    const tenant = place.data?.tenant_id;
    if (faults.name ?? faults.id ?? faults.secret) return;
    if (ledger === undefined || tenant === undefined) return void place.refetch();
    setBusy(true);
    setFailure(undefined);
    try {
      await enrolFirst(
        {
          act: 'enrol',
          aliases: [],
          at: statementTime(Date.now()),
          by: personId,
          ledger_id: ledger,
          name: name.trim(),
          person_id: personId,
          roles: [...FIRST_ROLES],
          tenant_id: tenant,
        },
        secret.passphrase,
      );
      setSecret(noPassphrase);
      onDone();
    } catch (error) {
      setFailure(asFailure(error));
      setBusy(false);
    }
  };
  return (
    <form onSubmit={event => void submit(event)} className="stack people-first-form" noValidate>
      <div className="people-fields">
        <TextInput
          label="Your name"
          size="sm"
          autoComplete="name"
          maxLength={256}
          value={name}
          onChange={event => setName(event.currentTarget.value)}
          error={tried && faults.name}
        />
        <TextInput
          label="Sign-in name"
          size="sm"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={64}
          value={personId}
          onChange={event => setTypedId(event.currentTarget.value)}
          error={(tried || typedId !== undefined) && faults.id}
        />
      </div>
      <PassphraseFields value={secret} onChange={setSecret} own={[name, personId]} tried={tried} />
      {failure !== undefined && <ErrorPanel error={failure} />}
      {place.isError && <ErrorPanel error={place.error} retry={() => void place.refetch()} />}
      <footer className="setup-foot">
        {foot}
        <Button type="submit" size="sm" loading={busy}>
          Make my sign-in
        </Button>
      </footer>
    </form>
  );
}
