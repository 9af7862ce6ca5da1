/** What an invitation opens: who invites, to what; the key is made here; then its words are read to the admin, who signs. */
import { Button } from '@mantine/core';
import { type FormEvent, useEffect, useState } from 'react';
import { acceptInvite } from '../../api/person_session.ts';
import { asFailure, type Failure } from '../../api/problem.ts';
import { useAsk } from '../../api/queries.ts';
import { type Invitation, invitation, session } from '../../api/session.ts';
import { Standing } from '../../shell/Standing.tsx';
import { wishedTenant } from '../../shell/tenant_wish.ts';
import { ErrorPanel, Waiting } from '../../ui/States.tsx';
import { Time } from '../../ui/Time.tsx';
import { passphraseFault } from '../setup/setup_steps.ts';
import { Fingerprint } from './Fingerprint.tsx';
import { noPassphrase, PassphraseFields } from './PassphraseFields.tsx';
import { isSystemRole, roleWord, sortedRoles, systemRoles } from './people_view.ts';
import './people.css';

export function InvitePage({ invitation: given }: { invitation: Invitation }) {
  useEffect(() => {
    document.title = 'Invitation · Audit TrailMix';
  }, []);
  return given.made === undefined ? <Open token={given.token} /> : <Made made={given.made} />;
}

function Open({ token }: { token: string }) {
  const look = useAsk('lookAtInvite', { input: { token } }, { fresh: 60_000 });
  const [secret, setSecret] = useState(noPassphrase);
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  if (look.isError) {
    return (
      <Standing title="This invitation does not work">
        <ErrorPanel
          error={look.error}
          {...(look.error.repeatable ? { retry: () => void look.refetch() } : {})}
        />
        <p className="mute">An invitation works once, for 72 hours, until a newer one is made.</p>
        <Leave />
      </Standing>
    );
  }
  if (look.data === undefined) return <Waiting label="Opening the invitation" />;
  const invited = look.data;
  const by = invited.invited_by_name ?? 'The recovery phrase of the vault';
  const fault = passphraseFault(secret.passphrase, secret.again);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (fault !== undefined || busy) return;
    setBusy(true);
    setFailure(undefined);
    try {
      const { keyId, enrolled, watch } = await acceptInvite(token, invited, secret.passphrase);
      const { person_id, name } = invited;
      wishedTenant.set(invited.tenant_id);
      invitation.made({ person_id, name, invited_by: by, enrolled, key_id: keyId, watch });
    } catch (error) {
      setFailure(asFailure(error));
      setBusy(false);
    }
  };
  return (
    <Standing title={invited.reset ? `A new sign-in for ${invited.name}` : `Welcome, ${invited.name}`} wide>
      <p>
        {invited.reset
          ? `${by} has reset your sign-in. You make a new key and a new passphrase; what you have signed before stays valid.`
          : `${by} invites you to this ledger of what AI agents do and who allowed it. You sign in as `}
        {!invited.reset && (
          <>
            <b className="mono">{invited.person_id}</b>.
          </>
        )}
      </p>
      <ul className="invite-roles" aria-label="Your roles">
        {sortedRoles(invited.roles).map(role => (
          <li key={role}>
            <b>{roleWord(role)}</b>{' '}
            <span className="mute">
              {isSystemRole(role) ? systemRoles[role].may : 'counts for approvals that ask for it'}
            </span>
          </li>
        ))}
      </ul>
      {session.token() !== undefined && (
        <div className="callout tone-ask">
          <strong>Is this your browser?</strong>
          <p>
            Somebody is signed in here{session.person() === undefined ? '' : ` as ${session.person()}`}. Only{' '}
            {invited.name} may choose the passphrase: open the link where they sit.
          </p>
        </div>
      )}
      <form onSubmit={event => void submit(event)} className="stack" noValidate>
        <p className="mute">
          Choose a passphrase. Your signing key is made in this page and wrapped by it: nobody else can sign
          as you, and nobody can tell you the passphrase again.
        </p>
        <PassphraseFields
          value={secret}
          onChange={setSecret}
          own={[invited.name, invited.person_id]}
          tried={tried}
        />
        {failure !== undefined && <ErrorPanel error={failure} />}
        <div className="invite-actions">
          <Leave />
          <Button type="submit" loading={busy}>
            Make my key
          </Button>
        </div>
      </form>
      <p className="mute">
        The link works once, until <Time at={invited.expires_at} short precision="minute" />.
      </p>
    </Standing>
  );
}

function Made({ made }: { made: NonNullable<Invitation['made']> }) {
  const { person_id, key_id, watch } = made;
  const asked = useAsk(
    'acceptedInvite',
    { input: { person_id, key_id, watch } },
    { fresh: 0, every: made.enrolled ? false : 3_000 },
  );
  const state = asked.data?.state;
  const toSignIn = () => {
    session.meet(person_id);
    invitation.leave();
  };
  if (made.enrolled) {
    return (
      <Standing title="Your new key counts from now on">
        <p>The recovery phrase of the vault stands in for an admin’s signature, and every pack shows that.</p>
        <Button onClick={toSignIn}>Sign in</Button>
      </Standing>
    );
  }
  if (state === 'signed') {
    return (
      <Standing title="Your key is signed">
        <p role="status">
          {made.name}, an admin has compared the words and signed that the key is yours. You can sign in now.
        </p>
        <Button onClick={toSignIn} autoFocus>
          Sign in
        </Button>
      </Standing>
    );
  }
  return (
    <Standing title="Your key is made" wide>
      <p>
        Read these words to <b>{made.invited_by}</b>, side by side or on the phone. When they see the same
        words, they sign that this key is yours; then you can sign in.
      </p>
      <Fingerprint keyId={key_id} />
      <div role="status">
        {state === 'over' ? (
          <div className="callout tone-deny">
            <strong>This key was taken back</strong>
            <p>An admin withdrew it or made a newer invitation. Ask {made.invited_by} for a new link.</p>
          </div>
        ) : (
          <div className="callout tone-ask">
            <strong>Waiting for {made.invited_by}</strong>
            <p>Until an admin has signed, you cannot sign in. This page says so when it is done.</p>
          </div>
        )}
      </div>
      <div className="invite-actions">
        <Leave word="Leave this page" />
      </div>
    </Standing>
  );
}

function Leave({ word = 'Not for me' }: { word?: string }) {
  return (
    <Button variant="default" onClick={() => invitation.leave()}>
      {word}
    </Button>
  );
}
