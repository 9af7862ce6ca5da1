/** Asks the passphrase of who is signed in when something has to be signed: opened by `ensureUnlocked` of api/signer. */
import { Button, Modal, PasswordInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState, useSyncExternalStore } from 'react';
import { asFailure, type Failure } from '../api/problem.ts';
import { invalidate } from '../api/queries.ts';
import { session } from '../api/session.ts';
import { signer, unlockAsk } from '../api/signer.ts';
import { ErrorPanel } from '../ui/States.tsx';
import { LockedCallout, useSignInLock } from './SignInLock.tsx';
import { waitWords } from './sign_in_words.ts';

export function UnlockDialog() {
  const why = useSyncExternalStore(unlockAsk.subscribe, unlockAsk.get);
  if (why === undefined) return null;
  return <Ask key={why} why={why} />;
}

function Ask({ why }: { why: string }) {
  const client = useQueryClient();
  const [passphrase, setPassphrase] = useState('');
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const { left, note } = useSignInLock();
  const locked = left > 0;
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    // The dialog stands inside others in React's tree: their forms are not meant.
    event.stopPropagation();
    if (passphrase === '' || busy || locked) return;
    setBusy(true);
    setFailure(undefined);
    try {
      await signer.unlock(passphrase);
      unlockAsk.done(true);
    } catch (error) {
      const refused = asFailure(error);
      setFailure(refused);
      // A wrong guess is one of the recorded attempts.
      void invalidate(client, 'signIns');
      note(refused);
      setPassphrase('');
      setBusy(false);
    }
  };
  const wrong = failure?.code === 'sign_in_failed';
  return (
    <Modal
      opened
      onClose={() => unlockAsk.done(false)}
      title="Your passphrase"
      size={420}
      zIndex={400}
      centered
    >
      <form onSubmit={event => void submit(event)} className="stack" noValidate>
        <p className="modal-lead">
          {why} Your signing key opens in this page only, and stays open for ten minutes after its last use.
        </p>
        <input
          type="hidden"
          name="username"
          autoComplete="username"
          value={session.person() ?? ''}
          readOnly
        />
        <PasswordInput
          label={`Passphrase of ${session.person() ?? ''}`}
          size="sm"
          data-autofocus
          autoComplete="current-password"
          value={passphrase}
          onChange={event => setPassphrase(event.currentTarget.value)}
          error={wrong && 'This is not your passphrase. Try again.'}
        />
        <LockedCallout
          failure={failure}
          left={left}
          meanwhile="Your name is locked for a while, and the attempts are recorded. What you see stays open."
        />
        {failure !== undefined && !wrong && failure.code !== 'sign_in_locked' && (
          <ErrorPanel error={failure} />
        )}
        <div className="modal-actions">
          <Button variant="default" onClick={() => unlockAsk.done(false)}>
            Cancel
          </Button>
          <Button type="submit" loading={busy} disabled={passphrase === '' || locked}>
            {locked ? `Try again in ${waitWords(left)}` : 'Unlock'}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
