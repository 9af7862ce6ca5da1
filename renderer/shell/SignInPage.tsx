/** Sign-in by name and passphrase, once people are enrolled. The address stays, so that one goes on where one was. */
import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { signInByName } from '../api/person_session.ts';
import { asFailure, type Failure } from '../api/problem.ts';
import { useAsk } from '../api/queries.ts';
import type { Why } from '../api/session.ts';
import { ErrorPanel, Waiting } from '../ui/States.tsx';
import { LockedCallout, useSignInLock } from './SignInLock.tsx';
import { Away, SignedOut, Standing } from './Standing.tsx';
import { signInWords, waitWords } from './sign_in_words.ts';
import { wishedTenant } from './tenant_wish.ts';

/** Where nobody is signed in: the form once people are enrolled, else how to get a link. */
export function Door({ why, person }: { why: Why; person: string | undefined }) {
  const state = useAsk('signInState', {}, { fresh: 0, every: 5_000 });
  if (state.data?.enrolled) {
    const { several, tenants } = state.data;
    return <SignInPage why={why} person={person} several={several} home={tenants[0] ?? ''} />;
  }
  if (state.isPending) return <Waiting label="Opening" />;
  if (state.isError && why === 'by_name') return <Away retry={() => void state.refetch()} />;
  return <SignedOut why={why} />;
}

/** `several`: the tenant is asked for, too; `home` is where one is when nothing is said. */
function SignInPage({
  why,
  person,
  several,
  home,
}: {
  why: Why;
  person: string | undefined;
  several: boolean;
  home: string;
}) {
  const client = useQueryClient();
  const [name, setName] = useState(person ?? '');
  const [passphrase, setPassphrase] = useState('');
  const [tenant, setTenant] = useState(() => wishedTenant.take(home));
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const { left, note } = useSignInLock();
  const field = useRef<HTMLInputElement>(null);
  const locked = left > 0;
  const { title, text } = signInWords(why);
  useEffect(() => {
    document.title = 'Sign in · Audit TrailMix';
  }, []);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy || locked || name.trim() === '' || passphrase === '') return;
    setBusy(true);
    setFailure(undefined);
    try {
      // What was read in one tenant is not shown in another.
      client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'signInState' });
      const there = several ? tenant.trim().toLowerCase() : undefined;
      await signInByName(name.trim().toLowerCase(), passphrase, there);
      await client.invalidateQueries();
    } catch (error) {
      const refused = asFailure(error);
      setFailure(refused);
      setPassphrase('');
      setBusy(false);
      note(refused);
      field.current?.focus();
    }
  };
  const wrong = failure?.code === 'sign_in_failed';
  return (
    <Standing title={title}>
      <p>{text}</p>
      <form onSubmit={event => void submit(event)} className="stack" noValidate>
        {several && (
          <TextInput
            label="Tenant"
            size="sm"
            autoComplete="organization"
            autoCapitalize="none"
            spellCheck={false}
            maxLength={64}
            value={tenant}
            onChange={event => setTenant(event.currentTarget.value)}
          />
        )}
        <TextInput
          label="Sign-in name"
          size="sm"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={64}
          autoFocus={person === undefined}
          value={name}
          onChange={event => setName(event.currentTarget.value)}
        />
        <PasswordInput
          ref={field}
          label="Passphrase"
          size="sm"
          autoComplete="current-password"
          autoFocus={person !== undefined}
          value={passphrase}
          onChange={event => {
            setPassphrase(event.currentTarget.value);
            setFailure(undefined);
          }}
          error={
            wrong &&
            (several
              ? 'The tenant, the name or the passphrase is wrong.'
              : 'The name or the passphrase is wrong.')
          }
        />
        <Button type="submit" loading={busy} disabled={locked || name.trim() === '' || passphrase === ''}>
          {locked ? `Try again in ${waitWords(left)}` : 'Sign in'}
        </Button>
      </form>
      <LockedCallout
        failure={failure}
        left={left}
        meanwhile="This name is locked for a while, and the attempts are recorded. Wait, then try again."
      />
      {failure !== undefined && !wrong && failure.code !== 'sign_in_locked' && <ErrorPanel error={failure} />}
      <p className="mute">
        Forgotten? Any admin of this ledger can reset your sign-in: you make a new key, and what you have
        signed stays valid.
      </p>
    </Standing>
  );
}
