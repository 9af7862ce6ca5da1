/** Delegations: who answers for whom, until when. Made and signed by the one who delegates; ended by either, or by an admin. */
import { Button, Checkbox, Modal, Select, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import type { DelegationView, PersonView, SessionView } from '../../../core/api/views.ts';
import { mayDo } from '../../api/may.ts';
import { asFailure, type Failure } from '../../api/problem.ts';
import { invalidate, useAsk, useCall } from '../../api/queries.ts';
import { countOf } from '../../ui/numbers.ts';
import { ErrorPanel, Waiting } from '../../ui/States.tsx';
import { Time, useZone } from '../../ui/Time.tsx';
import { zoneName } from '../../ui/times.ts';
import { instantOf, wallOf } from '../evidence/scope.ts';
import {
  DELEGATION_DAYS_MOST,
  delegationFault,
  rolesInWords,
  roleWord,
  splitDelegations,
} from './people_view.ts';
import { signDelegation } from './signing.ts';

type Listed = { me: SessionView; person: string; people: readonly PersonView[] };

export function DelegationList({ me, person, people }: Listed) {
  const asked = useAsk('delegations', { query: { person, limit: 200 } }, { every: 15_000 });
  if (asked.isError) return <ErrorPanel error={asked.error} retry={() => void asked.refetch()} />;
  if (asked.data === undefined) return <Waiting label="Loading delegations" />;
  const { current, ended } = splitDelegations(asked.data.items);
  return (
    <>
      {current.length === 0 && <p className="mute">None in force or planned.</p>}
      {current.length > 0 && <Rows items={current} me={me} person={person} people={people} />}
      {ended.length > 0 && (
        <details className="settings-more">
          <summary>{countOf(ended.length, 'ended delegation')}</summary>
          <Rows items={ended} me={me} person={person} people={people} />
        </details>
      )}
    </>
  );
}

function Rows({ items, me, person, people }: Listed & { items: DelegationView[] }) {
  const client = useQueryClient();
  const end = useCall('endDelegation');
  const nameOf = (id: string) => people.find(one => one.id === id)?.name ?? id;
  const mayEnd = (one: DelegationView) =>
    one.state !== 'ended' &&
    mayDo(me, 'endDelegation') &&
    (me.roles.includes('admin') || one.from === me.person?.id || one.to === me.person?.id);
  return (
    <>
      <ul className="delegations">
        {items.map(one => (
          <li key={one.id}>
            <div className="grow">
              <b>
                {one.from === person
                  ? `${nameOf(one.to)} answers for ${nameOf(one.from)}`
                  : `Answers for ${nameOf(one.from)}`}
              </b>
              <p className="mute">
                {rolesInWords(one.roles)}, <Time at={one.starts_at} short precision="minute" /> to{' '}
                <Time at={one.ends_at} short precision="minute" />
                {one.state === 'planned' && ' (planned)'}
                {one.state === 'ended' && ' (ended)'}
                {one.reason !== '' && ` · ${one.reason}`}
              </p>
            </div>
            {mayEnd(one) && (
              <Button
                variant="default"
                size="compact-xs"
                loading={end.isPending && end.variables?.params?.id === one.id}
                onClick={() =>
                  end.mutate(
                    { params: { id: one.id } },
                    { onSuccess: () => invalidate(client, 'delegations', 'approvals', 'approvalDetail') },
                  )
                }
                aria-label={`End the delegation from ${nameOf(one.from)} to ${nameOf(one.to)}`}
              >
                End now
              </Button>
            )}
          </li>
        ))}
      </ul>
      {end.isError && <ErrorPanel error={end.error} />}
    </>
  );
}

const DAY_MS = 86_400_000;
const whole = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

export function DelegateDialog({
  me,
  people,
  close,
}: {
  me: SessionView;
  people: readonly PersonView[];
  close: () => void;
}) {
  const client = useQueryClient();
  const zone = useZone();
  const others = people.filter(
    one => one.state === 'active' && one.roles.includes('approver') && one.id !== me.person?.id,
  );
  const [opened] = useState(() => Date.now());
  const [to, setTo] = useState<string | null>(others.length === 1 ? others[0]!.id : null);
  const [roles, setRoles] = useState<string[]>(me.roles.filter(role => role === 'approver'));
  const [starts, setStarts] = useState(whole(opened));
  const [ends, setEnds] = useState(whole(opened + 7 * DAY_MS));
  const [reason, setReason] = useState('');
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const fault = delegationFault(Date.parse(starts), Date.parse(ends), Date.now());
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (to === null || roles.length === 0 || fault !== undefined) return;
    setBusy(true);
    setFailure(undefined);
    try {
      const given = {
        to,
        roles,
        starts: Date.parse(starts),
        ends: Date.parse(ends),
        reason: reason.trim(),
      };
      if (await signDelegation(me, given)) {
        notifications.show({ title: 'Delegated', message: 'Signed with your key, and recorded.' });
        close();
        await invalidate(client, 'delegations', 'approvals', 'approvalDetail');
      }
    } catch (error) {
      setFailure(asFailure(error));
    }
    setBusy(false);
  };
  const when = (label: string, value: string, set: (at: string) => void, error?: string | false) => (
    <TextInput
      type="datetime-local"
      label={`${label} (${zoneName(zone)} time)`}
      value={wallOf(value, zone).slice(0, 16)}
      onChange={event => {
        const instant = instantOf(event.currentTarget.value, zone);
        if (instant !== undefined) set(instant);
      }}
      error={error}
    />
  );
  if (others.length === 0) {
    return (
      <Modal opened onClose={close} title="Delegate" size={440}>
        <p className="modal-lead">
          There is nobody to delegate to: it takes another person with the role Approver.
        </p>
        <div className="modal-actions">
          <Button onClick={close}>Close</Button>
        </div>
      </Modal>
    );
  }
  return (
    <Modal opened onClose={close} closeOnEscape={!busy} title="Delegate, or out of office" size={520}>
      <form onSubmit={event => void submit(event)} className="stack" noValidate>
        <p className="modal-lead">
          Another approver answers with your roles for a time, under their own name and key. It is a role, not
          a second voice: one person counts once.
        </p>
        <Select
          label="To"
          data-autofocus
          data={others.map(one => ({ value: one.id, label: `${one.name} (${one.id})` }))}
          value={to}
          onChange={setTo}
          searchable={others.length > 8}
          error={tried && to === null && 'Choose who answers for you.'}
        />
        <Checkbox.Group
          label="With these roles of yours"
          value={roles}
          onChange={setRoles}
          error={tried && roles.length === 0 && 'Choose at least one.'}
        >
          <div className="people-roles">
            {me.roles.map(role => (
              <Checkbox key={role} size="xs" value={role} label={roleWord(role)} />
            ))}
          </div>
        </Checkbox.Group>
        <div className="people-fields">
          {when('From', starts, setStarts)}
          {when('Until', ends, setEnds, (tried || fault !== undefined) && fault)}
        </div>
        <TextInput
          label="Reason (optional)"
          description={`Shown to the other, and recorded. At most ${DELEGATION_DAYS_MOST} days.`}
          maxLength={500}
          autoComplete="off"
          value={reason}
          onChange={event => setReason(event.currentTarget.value)}
        />
        {failure !== undefined && <ErrorPanel error={failure} />}
        <div className="modal-actions">
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" loading={busy}>
            Sign the delegation
          </Button>
        </div>
      </form>
    </Modal>
  );
}
