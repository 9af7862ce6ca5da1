/** An admin invites: who, as what; then the one-time link, to be given by a way that reaches that person alone. */
import { Button, Modal, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import type { OutputOf } from '../../../core/api/operations.ts';
import type { PersonView } from '../../../core/api/views.ts';
import { invalidate, useCall } from '../../api/queries.ts';
import { CodeBlock } from '../../ui/Copy.tsx';
import { ErrorPanel } from '../../ui/States.tsx';
import { Time } from '../../ui/Time.tsx';
import {
  aliasesFault,
  nameFault,
  personIdFault,
  readAliases,
  rolesFault,
  suggestPersonId,
} from './people_view.ts';
import { RoleFields } from './RoleFields.tsx';

/** `again`: a person who was invited and has not made a key: the same form, and a new link. */
export function InviteDialog({ again, close }: { again?: PersonView | undefined; close: () => void }) {
  const client = useQueryClient();
  const invite = useCall('invitePerson');
  const [name, setName] = useState(again?.name ?? '');
  const [typedId, setTypedId] = useState(again?.id);
  const [roles, setRoles] = useState<string[]>(again?.roles ?? ['approver']);
  const [aliases, setAliases] = useState(again?.aliases.join(', ') ?? '');
  const [tried, setTried] = useState(false);
  const personId = typedId ?? suggestPersonId(name);
  const acts = readAliases(aliases);
  const faults = {
    name: nameFault(name),
    id: personIdFault(personId),
    roles: rolesFault(roles),
    aliases: aliasesFault(acts),
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (faults.name ?? faults.id ?? faults.roles ?? faults.aliases) return;
    invite.mutate(
      { input: { person_id: personId, name: name.trim(), roles, aliases: acts } },
      { onSuccess: () => invalidate(client, 'people') },
    );
  };
  if (invite.data !== undefined) return <InviteLink made={invite.data} name={name.trim()} close={close} />;
  return (
    <Modal
      opened
      onClose={close}
      title={again === undefined ? 'Invite a person' : `A new link for ${again.name}`}
      size={560}
    >
      <form onSubmit={submit} className="stack" noValidate>
        <div className="people-fields">
          <TextInput
            label="Name"
            data-autofocus
            autoComplete="off"
            maxLength={256}
            value={name}
            onChange={event => setName(event.currentTarget.value)}
            error={tried && faults.name}
          />
          <TextInput
            label="Sign-in name"
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            maxLength={64}
            disabled={again !== undefined}
            value={personId}
            onChange={event => setTypedId(event.currentTarget.value)}
            error={(tried || typedId !== undefined) && faults.id}
          />
        </div>
        <RoleFields value={roles} onChange={setRoles} tried={tried} />
        <AliasField value={aliases} onChange={setAliases} error={tried && faults.aliases} />
        {invite.isError && <ErrorPanel error={invite.error} />}
        <div className="modal-actions">
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" loading={invite.isPending}>
            Make the link
          </Button>
        </div>
      </form>
    </Modal>
  );
}

export function AliasField({
  value,
  onChange,
  error,
}: {
  value: string;
  onChange: (text: string) => void;
  error?: string | false | undefined;
}) {
  return (
    <TextInput
      label="Also acts as (optional)"
      description="Ids that agents send for this person, such as an e-mail address, separated by commas: nobody approves what they asked for."
      autoComplete="off"
      spellCheck={false}
      value={value}
      onChange={event => onChange(event.currentTarget.value)}
      error={error}
    />
  );
}

/** The link is shown here once; the collector keeps only its hash. */
export function InviteLink({
  made,
  name,
  close,
}: {
  made: OutputOf<'invitePerson'>;
  name: string;
  close: () => void;
}) {
  return (
    <Modal opened onClose={close} title={`Link for ${name}`} size={560} closeOnClickOutside={false}>
      <p className="modal-lead">
        Give it to {name} by a way that reaches them alone. It is <b>shown only now</b>, works once, until{' '}
        <Time at={made.expires_at} short precision="minute" />.
      </p>
      <div className="invite-link">
        <CodeBlock code={made.invite_url} what="link" />
      </div>
      <p className="mute">
        They choose a passphrase and make their key in their own browser, then read you eight words. You
        compare them here and sign: only then can they sign in.
      </p>
      <div className="modal-actions">
        <Button onClick={close} data-autofocus>
          Done
        </Button>
      </div>
    </Modal>
  );
}
