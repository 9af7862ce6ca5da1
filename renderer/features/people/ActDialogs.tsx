/** What an admin signs about a person: that a key is theirs, a change of roles, that they left; and the reset that precedes a new key. */
import { Button, Checkbox, Modal, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import type { PersonView, SessionView } from '../../../core/api/views.ts';
import type { PersonAct } from '../../../core/proof/person.ts';
import { asFailure, type Failure } from '../../api/problem.ts';
import { invalidate, useCall } from '../../api/queries.ts';
import { ErrorPanel } from '../../ui/States.tsx';
import { Fingerprint } from './Fingerprint.tsx';
import { AliasField, InviteLink } from './InviteDialog.tsx';
import {
  aliasesFault,
  nameFault,
  readAliases,
  rolesFault,
  rolesInWords,
  sortedRoles,
} from './people_view.ts';
import { RoleFields } from './RoleFields.tsx';
import { signPerson } from './signing.ts';

type Given = { me: SessionView; person: PersonView; close: () => void };

/** Signs, tells, closes. What it throws is shown in the dialog, which stays while the passphrase is asked over it. */
function useAct({ me, close }: Given) {
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const act = async (what: PersonAct, after: PersonView, why: string, done: string) => {
    setBusy(true);
    setFailure(undefined);
    try {
      const signed = await signPerson(me, what, after, why);
      if (signed !== undefined) {
        notifications.show({ title: done, message: 'Signed with your key, and recorded.' });
        close();
        await invalidate(client, 'people', 'whoAmI', 'delegations', 'signIns');
      }
    } catch (error) {
      setFailure(asFailure(error));
    }
    setBusy(false);
  };
  return { act, busy, failure };
}

function Foot({ close, children }: { close: () => void; children: ReactNode }) {
  return (
    <div className="modal-actions">
      <Button variant="default" onClick={close}>
        Cancel
      </Button>
      {children}
    </div>
  );
}

/** The enrolment or reset of a key that was made: signed once its words were compared. */
export function SignKeyDialog(given: Given) {
  const { person, close } = given;
  const { act, busy, failure } = useAct(given);
  const [same, setSame] = useState(false);
  const reset = person.state === 'active';
  return (
    <Modal
      opened
      onClose={close}
      closeOnEscape={!busy}
      title={`Is this the key of ${person.name}?`}
      size={560}
    >
      <p className="modal-lead">
        Ask {person.name}, side by side or on the phone, to read you the eight words on their page. A link can
        fall into other hands; these words cannot be copied by whoever made another key.
      </p>
      {person.key_id !== undefined && <Fingerprint keyId={person.key_id} />}
      <p className="mute">
        {reset
          ? 'Your signature ends the old key and puts this one in force. What was signed before stays valid.'
          : `Your signature puts this key in force. Roles: ${rolesInWords(person.roles)}.`}
      </p>
      <Checkbox
        size="xs"
        data-autofocus
        checked={same}
        onChange={event => setSame(event.currentTarget.checked)}
        label={`${person.name} has read me the same eight words`}
      />
      {failure !== undefined && <ErrorPanel error={failure} />}
      <Foot close={close}>
        <Button
          loading={busy}
          disabled={!same}
          onClick={() =>
            void act(
              reset ? 'reset' : 'enrol',
              person,
              `To sign the key of ${person.name}.`,
              `${person.name} can sign in`,
            )
          }
        >
          Sign the key
        </Button>
      </Foot>
    </Modal>
  );
}

export function ChangeDialog(given: Given & { lastAdmin: boolean }) {
  const { me, person, close, lastAdmin } = given;
  const { act, busy, failure } = useAct(given);
  const [name, setName] = useState(person.name);
  const [roles, setRoles] = useState<string[]>(person.roles);
  const [aliases, setAliases] = useState(person.aliases.join(', '));
  const [tried, setTried] = useState(false);
  const acts = readAliases(aliases);
  const losesAdmin = lastAdmin && !roles.includes('admin');
  const fault = nameFault(name) ?? rolesFault(roles) ?? aliasesFault(acts);
  const rolesChange = sortedRoles(roles).join() !== sortedRoles(person.roles).join();
  const same =
    !rolesChange && name.trim() === person.name && acts.join() === [...person.aliases].sort().join();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (fault !== undefined || losesAdmin || same) return;
    void act(
      'change',
      { ...person, name: name.trim(), roles, aliases: acts },
      `To sign the change of ${person.name}.`,
      `${name.trim()} is changed`,
    );
  };
  return (
    <Modal opened onClose={close} closeOnEscape={!busy} title={`Change ${person.name}`} size={560}>
      <form onSubmit={submit} className="stack" noValidate>
        <TextInput
          label="Name"
          data-autofocus
          maxLength={256}
          value={name}
          onChange={event => setName(event.currentTarget.value)}
          error={tried && nameFault(name)}
        />
        <RoleFields value={roles} onChange={setRoles} tried={tried} />
        <AliasField value={aliases} onChange={setAliases} error={tried && aliasesFault(acts)} />
        {losesAdmin && (
          <div className="callout tone-ask">
            <strong>The last admin keeps the role</strong>
            <p>Give another person the role Admin first: without one nobody could be enrolled any more.</p>
          </div>
        )}
        {rolesChange && !losesAdmin && (
          <p className="mute">
            {person.id === me.person?.id
              ? 'Your own session ends with a change of your roles: you sign in again.'
              : `Their session ends with a change of roles: ${person.name} signs in again.`}
          </p>
        )}
        {failure !== undefined && <ErrorPanel error={failure} />}
        <Foot close={close}>
          <Button type="submit" loading={busy} disabled={same || losesAdmin}>
            Sign the change
          </Button>
        </Foot>
      </form>
    </Modal>
  );
}

/** A forgotten passphrase, or a key that others may have: a link for a new key. The old key counts until the new one is signed. */
export function ResetDialog({ person, close }: Omit<Given, 'me'>) {
  const client = useQueryClient();
  const invite = useCall('invitePerson');
  if (invite.data !== undefined) return <InviteLink made={invite.data} name={person.name} close={close} />;
  return (
    <Modal opened onClose={close} title={`Reset the sign-in of ${person.name}?`} size={480}>
      <p className="modal-lead">
        {person.name} makes a new key and passphrase by a one-time link, reads you its words, and you sign it.
        Until then the old ones go on working. What they have signed stays valid.
      </p>
      {invite.isError && <ErrorPanel error={invite.error} />}
      <Foot close={close}>
        <Button
          data-autofocus
          loading={invite.isPending}
          onClick={() =>
            invite.mutate(
              { input: { person_id: person.id, reset: true } },
              { onSuccess: () => invalidate(client, 'people') },
            )
          }
        >
          Make the link
        </Button>
      </Foot>
    </Modal>
  );
}

export function LeaveDialog(given: Given) {
  const { person, close } = given;
  const { act, busy, failure } = useAct(given);
  return (
    <Modal opened onClose={close} closeOnEscape={!busy} title={`${person.name} has left?`} size={480}>
      <p className="modal-lead">
        Their key ends now and for good, their session too, and delegations from and to them. What they have
        signed stays valid. The sign-in name <b className="mono">{person.id}</b> is never given again.
      </p>
      {failure !== undefined && <ErrorPanel error={failure} />}
      <Foot close={close}>
        <Button
          color="red"
          loading={busy}
          onClick={() =>
            void act('leave', person, `To sign that ${person.name} has left.`, `${person.name} has left`)
          }
        >
          Sign that they left
        </Button>
      </Foot>
    </Modal>
  );
}

export function WithdrawDialog({ person, close }: Omit<Given, 'me'>) {
  const client = useQueryClient();
  const withdraw = useCall('withdrawInvite');
  const made = person.possession !== undefined;
  return (
    <Modal opened onClose={close} title={made ? 'Drop this key?' : 'Withdraw the link?'} size={440}>
      <p className="modal-lead">
        {made
          ? `The key that ${person.name} made is dropped before anyone has signed it. You can make a new link.`
          : `The link for ${person.name} stops working at once. You can make a new one.`}
      </p>
      {withdraw.isError && <ErrorPanel error={withdraw.error} />}
      <Foot close={close}>
        <Button
          color="red"
          loading={withdraw.isPending}
          onClick={() =>
            withdraw.mutate(
              { params: { id: person.id } },
              {
                onSuccess: () => {
                  close();
                  void invalidate(client, 'people');
                },
              },
            )
          }
        >
          {made ? 'Drop the key' : 'Withdraw'}
        </Button>
      </Foot>
    </Modal>
  );
}
