/** Pages that stand alone, without the rail: signed out, locked, refused, not reachable, and the splash. */
import { Button, PasswordInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, type ReactNode, useState } from 'react';
import type { StatusView } from '../../core/api/views.ts';
import { signOut } from '../api/person_session.ts';
import { useCall } from '../api/queries.ts';
import type { Why } from '../api/session.ts';
import { CodeBlock } from '../ui/Copy.tsx';
import { Backticks, ErrorPanel } from '../ui/States.tsx';

export function Standing({ title, wide, children }: { title: string; wide?: boolean; children: ReactNode }) {
  return (
    <main className="standing">
      <div className={wide ? 'standing-card wide' : 'standing-card'}>
        <img src="/favicon.svg" width={40} height={40} alt="" />
        <h1>{title}</h1>
        {children}
      </div>
    </main>
  );
}

const signedOut: Record<Why, { title: string; text: string }> = {
  never: {
    title: 'Open the app with a fresh link',
    text: 'This page has no sign-in yet. The app is opened by a link that works once and signs you in.',
  },
  ended: {
    title: 'Your sign-in has ended',
    text: 'The collector was started again, or this sign-in became too old. Nothing is lost: recording goes on without this page.',
  },
  signed_out: {
    title: 'You are signed out',
    text: 'Recording goes on without this page.',
  },
  key_made: {
    title: 'Nobody is enrolled here',
    text: 'Your key was made, but this ledger has no people now.',
  },
  by_name: {
    title: 'Open the app with a fresh link',
    text: 'This page needs a sign-in by name, but nobody is enrolled here now.',
  },
  link_used: {
    title: 'This link no longer works',
    text: 'A link signs in once, within a minute of being printed. This one was used or is too old.',
  },
  unreachable: {
    title: 'The collector does not answer',
    text: 'Nothing answers at this address, so nobody could sign in.',
  },
};

export function SignedOut({ why }: { why: Why }) {
  const { title, text } = signedOut[why];
  return (
    <Standing title={title}>
      <p>{text}</p>
      <p>Run this where Audit TrailMix is installed. It opens the app, or prints a link that does:</p>
      <CodeBlock code="trailmix start" what="command" />
      <p className="mute">In a clone of the project:</p>
      <CodeBlock code="npm start" what="command" />
    </Standing>
  );
}

export function Away({ retry }: { retry: () => void }) {
  return (
    <Standing title="The collector does not answer">
      <p>Nothing answers at this address. Your records are safe on disk; this page only shows them.</p>
      <CodeBlock code="trailmix start" what="command" />
      <p className="mute">This page tries again every two seconds.</p>
      <Button variant="default" onClick={retry}>
        Try now
      </Button>
    </Standing>
  );
}

/** Signed in by name, with roles that only qualify for approvals or with none that is known. */
export function NoRole() {
  return (
    <Standing title="Your roles open nothing here">
      <p>
        You are signed in, but none of your roles may read this ledger. Ask an admin for one of Admin, Policy
        author, Approver, Analyst or Auditor.
      </p>
      <Button variant="default" onClick={() => void signOut()}>
        Sign out
      </Button>
    </Standing>
  );
}

/** `keyMissing`: where the key file should be; without it the recovery phrase is the way in. */
export function Unlock({ keyMissing }: { keyMissing: string | undefined }) {
  const [secret, setSecret] = useState('');
  const client = useQueryClient();
  const navigate = useNavigate();
  const unlock = useCall('unlock');
  const lost = keyMissing !== undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    unlock.mutate(
      { input: { passphrase: secret } },
      {
        onSuccess: async () => {
          setSecret('');
          // Where the lost key file is replaced: without that the next start is locked again.
          if (lost) await navigate({ to: '/settings', search: { tab: 'custody' } });
          await client.invalidateQueries();
        },
        // Of 24 words perhaps one is wrong: they stay, hidden, to be mended.
        onError: () => lost || setSecret(''),
      },
    );
  };
  return (
    <Standing title={lost ? 'The key file is missing' : 'The vault is locked'}>
      {lost ? (
        <>
          <p>Your records are encrypted, and the file that opens them is not where it was:</p>
          <p>
            <code className="mono wrap">{keyMissing}</code>
          </p>
          <p>
            Put it back and start the app again, or unlock with the recovery phrase: the 24 words you wrote
            down at the first start. Nothing is recorded until then.
          </p>
        </>
      ) : (
        <p>Your records are encrypted. The passphrase opens them; nothing is recorded until then.</p>
      )}
      <form onSubmit={submit} className="stack">
        <PasswordInput
          label={lost ? 'Recovery phrase' : 'Passphrase'}
          size="sm"
          value={secret}
          onChange={event => setSecret(event.currentTarget.value)}
          autoComplete={lost ? 'off' : 'current-password'}
          autoFocus
          required
        />
        <Button type="submit" loading={unlock.isPending} disabled={secret === ''}>
          Unlock
        </Button>
      </form>
      {unlock.isError && <ErrorPanel error={unlock.error} />}
      {!lost && (
        <p className="mute">Forgotten? The 24 words of the recovery phrase open it too: type them here.</p>
      )}
    </Standing>
  );
}

export function Refused({ refused }: { refused: NonNullable<StatusView['refused']> }) {
  return (
    <Standing title="The ledger was refused">
      <p>
        The collector looked at the database and would not open it. Nothing was changed, and nothing is being
        recorded.
      </p>
      <div className="callout tone-deny">
        <strong>{refused.message}</strong>
        <p>
          <Backticks text={refused.next} />
        </p>
        <p className="error-code mono">{refused.code}</p>
      </div>
      <p className="mute">Look closer without changing anything:</p>
      <CodeBlock code="trailmix doctor" what="command" />
    </Standing>
  );
}
