/** Settings > People: who is enrolled, as what, by which key; an admin invites, signs keys and changes roles here. */
import { Button, TextInput, UnstyledButton } from '@mantine/core';
import { IconUserPlus } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import type { PersonView } from '../../../core/api/views.ts';
import { mayDo } from '../../api/may.ts';
import { useMe } from '../../api/me.ts';
import { useAsk, useStatus } from '../../api/queries.ts';
import { countOf, formatCount, shortHash } from '../../ui/numbers.ts';
import { Section } from '../../ui/Page.tsx';
import { ErrorPanel, Waiting } from '../../ui/States.tsx';
import { Ago, useNow } from '../../ui/Time.tsx';
import { SignKeyDialog } from './ActDialogs.tsx';
import { FirstSignIn } from './FirstSignIn.tsx';
import { InviteDialog } from './InviteDialog.tsx';
import { PersonDrawer } from './PersonDrawer.tsx';
import { fourEyesSentence, rolesInWords, sortPeople, standOf, waitsForSignature } from './people_view.ts';
import { StandMark } from './StandMark.tsx';
import './people.css';

const FILTER_FROM = 12;

export function PeopleTab() {
  const me = useMe();
  if (me.isError) return <ErrorPanel error={me.error} retry={() => void me.refetch()} />;
  if (me.data === undefined) return <Waiting label="Loading people" />;
  return me.data.alone ? <Alone /> : <People />;
}

function Alone() {
  const client = useQueryClient();
  const person = useStatus().data?.person?.name ?? '';
  return (
    <div className="settings-page people-first">
      <Section
        title="You work alone"
        lead="Nobody is enrolled: whoever opens the one-time link of this computer may do everything, and answers to approvals are unsigned. Records and packs say so."
      />
      <Section
        title="Your sign-in"
        lead="With a sign-in of your own, each approval is signed by a key that only your passphrase opens. You become the first admin, and can invite others; from the second approver on, four-eyes is in force. The key is made here, in this page."
      >
        <FirstSignIn
          person={person}
          foot={<p className="mute">From then on this page asks for your name and passphrase.</p>}
          onDone={() => void client.invalidateQueries()}
        />
      </Section>
    </div>
  );
}

function People() {
  const me = useMe().data;
  const people = useAsk('people', { query: { limit: 1000 } }, { every: 5_000 });
  const search = useSearch({ from: '/settings' });
  const navigate = useNavigate({ from: '/settings' });
  const now = useNow(15_000);
  const [text, setText] = useState('');
  const [signing, setSigning] = useState<PersonView>();
  if (people.isError && people.data === undefined)
    return <ErrorPanel error={people.error} retry={() => void people.refetch()} />;
  if (people.data === undefined || me === undefined) return <Waiting label="Loading people" />;
  const { items, total } = people.data;
  const sorted = sortPeople(items);
  const words = text.trim().toLowerCase();
  const shown = sorted.filter(one =>
    `${one.name} ${one.id} ${one.roles.join(' ')}`.toLowerCase().includes(words),
  );
  const here = shown.filter(one => one.state !== 'left');
  const left = shown.filter(one => one.state === 'left');
  const may = { invite: mayDo(me, 'invitePerson'), sign: mayDo(me, 'signPerson') };
  const open = (person?: string) =>
    void navigate({ search: { tab: 'people', ...(person === undefined ? {} : { person }) } });
  const inviting = (on: boolean) =>
    void navigate({ search: { tab: 'people', ...(on ? { invite: true } : {}) } });
  const chosen = items.find(one => one.id === search.person);
  const waiting = items.filter(waitsForSignature);
  return (
    <div className="settings-page people-page">
      {may.sign &&
        waiting.map(person => (
          <div key={person.id} className="callout tone-ask people-waiting">
            <div className="grow">
              <strong>{person.name} has made a key</strong>
              <p>Let them read you its eight words, then sign that the key is theirs.</p>
            </div>
            <Button onClick={() => setSigning(person)}>Compare and sign</Button>
          </div>
        ))}
      <Section
        title="People"
        lead={fourEyesSentence(items)}
        actions={
          may.invite && (
            <Button leftSection={<IconUserPlus size={15} aria-hidden />} onClick={() => inviting(true)}>
              Invite
            </Button>
          )
        }
      >
        {items.length >= FILTER_FROM && (
          <TextInput
            className="people-filter"
            aria-label="Filter people"
            placeholder="Name, sign-in name or role"
            value={text}
            onChange={event => setText(event.currentTarget.value)}
          />
        )}
        <PeopleTable people={here} now={now} open={open} />
        {here.length === 0 && <p className="mute">Nobody here fits.</p>}
        {total > items.length && (
          <p className="mute">
            The first {formatCount(items.length)} of {formatCount(total)} people are shown. `trailmix people
            list` has them all.
          </p>
        )}
      </Section>
      {left.length > 0 && (
        <details className="settings-more">
          <summary>{countOf(left.length, 'person', 'people')} who left</summary>
          <PeopleTable people={left} now={now} open={open} />
        </details>
      )}
      {search.invite === true && may.invite && <InviteDialog close={() => inviting(false)} />}
      {signing !== undefined && (
        <SignKeyDialog me={me} person={signing} close={() => setSigning(undefined)} />
      )}
      {chosen !== undefined && <PersonDrawer me={me} person={chosen} people={items} close={() => open()} />}
    </div>
  );
}

function PeopleTable({
  people,
  now,
  open,
}: {
  people: PersonView[];
  now: number;
  open: (id: string) => void;
}) {
  if (people.length === 0) return null;
  return (
    <div className="table-scroll">
      <table className="table people-table">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">State</th>
            <th scope="col">Roles</th>
            <th scope="col">Key</th>
            <th scope="col">Last sign-in</th>
          </tr>
        </thead>
        <tbody>
          {people.map(person => (
            <tr key={person.id} data-left={person.state === 'left' || undefined}>
              <td>
                <UnstyledButton className="people-name" onClick={() => open(person.id)}>
                  <b>{person.name}</b>
                  <span>{person.id}</span>
                </UnstyledButton>
              </td>
              <td>
                <StandMark stand={standOf(person, now)} />
              </td>
              <td>{rolesInWords(person.roles)}</td>
              <td className="nowrap">
                {person.key_id === undefined ? (
                  <span className="mute">none yet</span>
                ) : (
                  <code className="mono" title={person.key_id}>
                    {shortHash(person.key_id)}
                  </code>
                )}
              </td>
              <td className="nowrap">
                {person.last_sign_in_at === undefined ? (
                  <span className="mute">never</span>
                ) : (
                  <Ago at={person.last_sign_in_at} />
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
