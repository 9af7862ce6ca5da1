/** One person: state, roles, key, history, and what an admin can do. Someone who may not change sees it all and no button. */
import { Button, Drawer } from '@mantine/core';
import { useState } from 'react';
import { maySeeSignIns } from '../../../core/api/permissions.ts';
import type { PersonView, SessionView } from '../../../core/api/views.ts';
import { mayDo } from '../../api/may.ts';
import { KeyValue } from '../../ui/KeyValue.tsx';
import { Section } from '../../ui/Page.tsx';
import { Time, useNow } from '../../ui/Time.tsx';
import { ChangeDialog, LeaveDialog, ResetDialog, SignKeyDialog, WithdrawDialog } from './ActDialogs.tsx';
import { DelegationList } from './Delegations.tsx';
import { Fingerprint } from './Fingerprint.tsx';
import { InviteDialog } from './InviteDialog.tsx';
import { actsOn, isLastAdmin, type PersonActions, rolesInWords, standOf } from './people_view.ts';
import { SignIns } from './SignIns.tsx';
import { StandMark } from './StandMark.tsx';

type Asked = PersonActions[number];

export function PersonDrawer({
  me,
  person,
  people,
  close,
}: {
  me: SessionView;
  person: PersonView;
  people: readonly PersonView[];
  close: () => void;
}) {
  const [asked, setAsked] = useState<Asked>();
  const stand = standOf(person, useNow(15_000));
  const lastAdmin = isLastAdmin(person, people);
  const acts = mayDo(me, 'signPerson') ? actsOn(person, lastAdmin) : [];
  const done = () => setAsked(undefined);
  const by = people.find(one => one.id === person.enrolled_by)?.name ?? person.enrolled_by;
  return (
    <Drawer
      opened
      onClose={close}
      position="right"
      size={520}
      title={person.name}
      closeOnEscape={asked === undefined}
    >
      <KeyValue
        wide
        rows={[
          { name: 'State', value: <StandMark stand={stand} /> },
          { name: 'Sign-in name', value: <code className="mono">{person.id}</code> },
          { name: 'Roles', value: rolesInWords(person.roles) },
          person.aliases.length > 0 && { name: 'Also acts as', value: person.aliases.join(', ') },
          person.invite_expires_at !== undefined && {
            name: 'Link works until',
            value: <Time at={person.invite_expires_at} precision="minute" />,
          },
          person.enrolled_at !== undefined && {
            name: 'Enrolled',
            value: (
              <>
                <Time at={person.enrolled_at} precision="minute" />
                {by !== undefined && (by === person.name ? ', by themselves' : `, by ${by}`)}
              </>
            ),
          },
          person.last_sign_in_at !== undefined && {
            name: 'Last sign-in',
            value: <Time at={person.last_sign_in_at} precision="minute" />,
          },
          person.locked_until !== undefined && {
            name: 'Locked until',
            value: <Time at={person.locked_until} />,
          },
          person.left_at !== undefined && {
            name: 'Left',
            value: <Time at={person.left_at} precision="minute" />,
          },
        ]}
      />
      {stand.next !== undefined && <p className="mute people-note">{stand.next}</p>}
      {acts.length > 0 && (
        <div className="people-actions">
          {acts.map(act => (
            <Button
              key={act}
              variant={
                act === 'sign' ? 'filled' : act === 'leave' || act === 'withdraw' ? 'subtle' : 'default'
              }
              {...(act === 'leave' || act === 'withdraw' ? { color: 'red' } : {})}
              onClick={() => setAsked(act)}
            >
              {actWords[act]}
            </Button>
          ))}
        </div>
      )}
      {lastAdmin && mayDo(me, 'signPerson') && (
        <p className="mute people-note">The last admin neither leaves nor loses the role.</p>
      )}
      {person.key_id !== undefined && (
        <Section
          level={3}
          title={person.possession === undefined ? 'Signing key' : 'The key that waits for a signature'}
        >
          <Fingerprint keyId={person.key_id} />
        </Section>
      )}
      <Section level={3} title="Delegations">
        <DelegationList me={me} person={person.id} people={people} />
      </Section>
      {maySeeSignIns(me.roles, me.person?.id, person.id) && person.enrolled_at !== undefined && (
        <Section level={3} title="Sign-ins">
          <SignIns person={person.id} />
        </Section>
      )}
      {asked === 'sign' && <SignKeyDialog me={me} person={person} close={done} />}
      {asked === 'change' && <ChangeDialog me={me} person={person} lastAdmin={lastAdmin} close={done} />}
      {asked === 'reset' && <ResetDialog person={person} close={done} />}
      {asked === 'leave' && <LeaveDialog me={me} person={person} close={done} />}
      {asked === 'link' && <InviteDialog again={person} close={done} />}
      {asked === 'withdraw' && <WithdrawDialog person={person} close={done} />}
    </Drawer>
  );
}

const actWords: Record<Asked, string> = {
  sign: 'Compare and sign',
  change: 'Change name or roles',
  reset: 'Reset sign-in',
  link: 'Make a new link',
  withdraw: 'Withdraw',
  leave: 'Has left',
};
