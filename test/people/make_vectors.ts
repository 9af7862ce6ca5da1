/**
 * Makes test/vectors/people.json from the text of docs/spec/people.md, with node:crypto and nothing of core/: records
 * about people in the order of seq, what becomes of each, and what was in force. Run: node test/people/make_vectors.ts
 */
import { createPrivateKey, createPublicKey, hash, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

type Value = string | readonly Value[] | { readonly [member: string]: Value };
type Members = { readonly [member: string]: Value };

const place = {
  ledger_id: hash('sha256', 'people vectors ledger', 'hex').slice(0, 32),
  tenant_id: 'default',
};

/** JCS (RFC 8785) of texts, lists and objects, which is all that statements have. */
function jcs(value: Value): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(jcs).join(',')}]`;
  const members = Object.keys(value).sort();
  return `{${members.map(name => `${JSON.stringify(name)}:${jcs((value as Members)[name]!)}`).join(',')}}`;
}

const keyOf = (name: string) => {
  const seed = hash('sha256', `people vectors key ${name}`, 'buffer');
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  const privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  const raw = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32);
  return { privateKey, public_key: raw.toString('base64'), key_id: hash('sha256', raw, 'hex') };
};
type Key = ReturnType<typeof keyOf>;

const keys = Object.fromEntries(
  ['ada', 'ada2', 'bob', 'bob2', 'cleo', 'dora', 'dora2', 'eve'].map(name => [name, keyOf(name)]),
) as Record<'ada' | 'ada2' | 'bob' | 'bob2' | 'cleo' | 'dora' | 'dora2' | 'eve', Key>;

const signed = (key: Key, text: string): string =>
  sign(null, Buffer.from(text), key.privateKey).toString('base64');

const EVENTS: Record<string, string> = {
  enrol: 'person.enrolled',
  change: 'person.changed',
  reset: 'person.reset',
  leave: 'person.left',
};

let minute = 0;
/** Each later than the one before. */
const later = (): string =>
  `2026-11-22T1${Math.floor(minute / 60)}:${String(minute++ % 60).padStart(2, '0')}:00.000000Z`;

type Given = {
  by?: [id: string, key: Key];
  key: Key;
  name?: string;
  roles: string[];
  aliases?: string[];
  /** Replaces members before signing. */
  members?: Members;
  /** Replaces members after signing; undefined takes one away. */
  after?: Record<string, Value | undefined>;
  signer?: Key;
  holder?: Key;
  event?: string;
};

function person(act: string, id: string, given: Given) {
  const { by = ['ada', keys.ada], key, name = `Name of ${id}`, roles, aliases = [] } = given;
  const statement = {
    act,
    aliases,
    at: later(),
    by: by[0],
    by_key_id: by[1].key_id,
    key_id: key.key_id,
    ...place,
    name,
    person_id: id,
    public_key: key.public_key,
    roles,
    ...given.members,
  };
  const newKey = act === 'enrol' || act === 'reset';
  const { ledger_id, person_id, public_key, tenant_id } = statement;
  const proof = jcs({ ledger_id, person_id, public_key, tenant_id });
  const whole: Record<string, Value | undefined> = {
    ...statement,
    ...(newKey ? { possession: signed(given.holder ?? key, `trailmix/possession/v1\n${proof}`) } : {}),
    signature: signed(given.signer ?? by[1], `trailmix/person/v1\n${jcs(statement)}`),
    ...given.after,
  };
  for (const member of Object.keys(whole)) if (whole[member] === undefined) delete whole[member];
  return { event_type: given.event ?? EVENTS[act]!, person: whole as Members };
}

function delegated(from: [id: string, key: Key], to: string, members: Members = {}, after: Members = {}) {
  const statement = {
    at: later(),
    by_key_id: from[1].key_id,
    delegation_id: 'del_1',
    ends_at: '2026-12-01T00:00:00.000000Z',
    from: from[0],
    ...place,
    reason: 'away',
    roles: ['approver'],
    starts_at: '2026-11-23T00:00:00.000000Z',
    to,
    ...members,
  };
  const signature = signed(from[1], `trailmix/delegation/v1\n${jcs(statement)}`);
  return { event_type: 'person.delegated', delegation: { ...statement, signature, ...after } };
}

const ended = (id: string, by: string) => ({
  event_type: 'person.delegation_ended',
  delegation: { delegation_id: id, by },
});

type Made = { event_type: string; person?: Members; delegation?: Members };
const records: (Made & { seq: number; about: string; becomes: string })[] = [];
let seq = 10;
const add = (about: string, becomes: string, made: Made): Made => {
  records.push({ seq, about, becomes, ...made });
  seq += 10;
  return made;
};

const { ada, ada2, bob, bob2, cleo, dora, dora2, eve } = keys;
const adaFirst = { by: ['ada', ada] as [string, Key], key: ada, roles: ['admin', 'approver'] };

// Nobody is enrolled yet.
add('a change before anybody is enrolled', 'person_unknown', person('change', 'ada', adaFirst));
add(
  'the first is no admin',
  'statement_invalid',
  person('enrol', 'ada', { ...adaFirst, roles: ['approver'] }),
);
add(
  'the first signed by another key',
  'signature_invalid',
  person('enrol', 'ada', { ...adaFirst, signer: eve }),
);
add(
  'the first by somebody else',
  'statement_invalid',
  person('enrol', 'ada', { ...adaFirst, by: ['eve', eve] }),
);
add(
  'a reserved name',
  'statement_invalid',
  person('enrol', 'recovery', { ...adaFirst, by: ['recovery', ada] }),
);
add('the first admin, by their own key: the root of people', 'counts', person('enrol', 'ada', adaFirst));

// Form.
const toBob: Given = { key: bob, roles: ['approver', 'treasurer'], aliases: ['bob@example.org'] };
const bad = (about: string, code: string, given: Partial<Given>) =>
  add(about, code, person('enrol', 'bob', { ...toBob, ...given }));
bad('roles not sorted', 'statement_invalid', { roles: ['treasurer', 'approver'] });
bad('a role twice', 'statement_invalid', { roles: ['approver', 'approver'] });
bad('no role', 'statement_invalid', { roles: [] });
bad('a role in another form', 'statement_invalid', { roles: ['Approver'] });
bad('seventeen roles', 'statement_invalid', {
  roles: Array.from({ length: 17 }, (_, i) => `r${String.fromCharCode(97 + i)}`),
});
bad('nine aliases', 'statement_invalid', { aliases: Array.from({ length: 9 }, (_, i) => `a${i}`) });
bad('an empty alias', 'statement_invalid', { aliases: [''] });
bad('an empty name', 'statement_invalid', { name: '' });
bad('a name of 257 bytes', 'statement_invalid', { name: `${'ä'.repeat(128)}x` });
bad('a member more', 'statement_invalid', { after: { more: 'x' } });
bad('a member less', 'statement_invalid', { after: { aliases: undefined } });
bad('another ledger', 'statement_invalid', { members: { ledger_id: '0'.repeat(32) } });
bad('another tenant', 'statement_invalid', { members: { tenant_id: 'other' } });
bad('a key_id of another key', 'statement_invalid', { members: { key_id: eve.key_id } });
bad('a time without six digits', 'statement_invalid', { members: { at: '2026-11-22T10:00:00Z' } });
bad('an act in the record of another', 'statement_invalid', { event: 'person.reset' });
bad('no proof of possession', 'statement_invalid', { after: { possession: undefined } });
bad('possession proved by another key', 'signature_invalid', { holder: eve });
bad('a role put in after signing', 'signature_invalid', { after: { roles: ['admin', 'approver'] } });
bad('a signature that is no base64', 'signature_invalid', { after: { signature: 'x' } });
bad('a signature of 63 bytes', 'signature_invalid', {
  after: { signature: Buffer.alloc(63).toString('base64') },
});
add('the second person', 'counts', person('enrol', 'bob', toBob));

// Who may sign, and keys.
add('the same name again', 'person_exists', person('enrol', 'bob', { ...toBob, key: eve }));
add(
  'signed by who is no admin',
  'role_missing',
  person('enrol', 'cleo', { key: cleo, roles: ['approver'], by: ['bob', bob] }),
);
add(
  'signed by who is not enrolled',
  'person_key_unknown',
  person('enrol', 'cleo', { key: cleo, roles: ['approver'], by: ['eve', eve] }),
);
add(
  "an admin's name with another key",
  'person_key_unknown',
  person('enrol', 'cleo', { key: cleo, roles: ['approver'], by: ['ada', eve] }),
);
add("another person's key", 'person_key_unknown', person('enrol', 'cleo', { key: bob, roles: ['approver'] }));
add('a third person', 'counts', person('enrol', 'cleo', { key: cleo, roles: ['approver'] }));
const change = add(
  'other roles',
  'counts',
  person('change', 'cleo', { key: cleo, roles: ['analyst', 'approver'] }),
);
add('the same statement again', 'statement_invalid', change);
add(
  'a change under another key',
  'person_key_unknown',
  person('change', 'cleo', { key: eve, roles: ['approver'] }),
);
add(
  'a change of a person whom nobody enrolled',
  'person_unknown',
  person('change', 'eve', { key: eve, roles: ['approver'] }),
);
add(
  'a change with possession',
  'statement_invalid',
  person('change', 'cleo', { key: cleo, roles: ['approver'], after: { possession: 'x' } }),
);
add(
  'the last admin leaves',
  'last_admin',
  person('leave', 'ada', { key: ada, roles: ['admin', 'approver'] }),
);
add(
  'the last admin gives up the role',
  'last_admin',
  person('change', 'ada', { key: ada, roles: ['approver'] }),
);

// Reset.
add('a second admin', 'counts', person('enrol', 'dora', { key: dora, roles: ['admin'] }));
add(
  'a reset to a key that is in force',
  'person_key_unknown',
  person('reset', 'dora', { key: dora, roles: ['admin'] }),
);
add(
  'a reset that changes roles',
  'statement_invalid',
  person('reset', 'dora', { key: dora2, roles: ['admin', 'approver'] }),
);
add('a reset', 'counts', person('reset', 'dora', { key: dora2, roles: ['admin'] }));
add(
  'signed by the key that ended',
  'person_key_unknown',
  person('change', 'cleo', { key: cleo, roles: ['approver'], by: ['dora', dora] }),
);
add(
  'the old key for somebody else',
  'person_key_unknown',
  person('enrol', 'eve', { key: dora, roles: ['approver'] }),
);
add(
  'signed by the new key',
  'counts',
  person('change', 'cleo', { key: cleo, roles: ['approver'], by: ['dora', dora2] }),
);
add('another reset', 'counts', person('reset', 'bob', { ...toBob, key: bob2 }));

// Recovery.
const recovery = (given: Partial<Given>, act = 'reset'): Made =>
  person(act, 'ada', {
    key: ada2,
    roles: ['admin', 'approver'],
    members: { by: 'recovery', by_key_id: '' },
    ...given,
    after: { signature: '', ...given.after },
  });
add(
  'a recovery that gives a role',
  'statement_invalid',
  recovery({ roles: ['admin', 'approver', 'treasurer'] }),
);
add('a recovery that is no reset', 'statement_invalid', recovery({ key: ada }, 'change'));
add('a recovery with a signature', 'statement_invalid', recovery({ after: { signature: signed(eve, 'x') } }));
add('a recovery without possession', 'statement_invalid', recovery({ after: { possession: undefined } }));
add('a recovery', 'counts', recovery({}));
add(
  'signed by the key that the recovery ended',
  'person_key_unknown',
  person('change', 'cleo', { key: cleo, roles: ['approver'] }),
);

// Delegation.
const byBob: [string, Key] = ['bob', bob2];
const no = (about: string, code: string, made: Made) => add(`delegation: ${about}`, code, made);
no('by a key that ended', 'person_key_unknown', delegated(['bob', bob], 'cleo'));
no('a role that is not theirs', 'delegation_invalid', delegated(byBob, 'cleo', { roles: ['admin'] }));
no('to who is no approver', 'delegation_invalid', delegated(byBob, 'dora'));
no('to who is not enrolled', 'person_unknown', delegated(byBob, 'eve'));
no('to oneself', 'delegation_invalid', delegated(byBob, 'bob'));
no(
  'ends before it begins',
  'delegation_invalid',
  delegated(byBob, 'cleo', { ends_at: '2026-11-22T23:00:00.000000Z' }),
);
no('91 days', 'delegation_invalid', delegated(byBob, 'cleo', { ends_at: '2027-02-22T00:00:00.000000Z' }));
no(
  'changed after signing',
  'signature_invalid',
  delegated(byBob, 'cleo', {}, { ends_at: '2026-12-02T00:00:00.000000Z' }),
);
no('an id in another form', 'statement_invalid', delegated(byBob, 'cleo', { delegation_id: 'x y' }));
no('good', 'counts', delegated(byBob, 'cleo', { roles: ['approver', 'treasurer'] }));
no('the id again', 'delegation_invalid', delegated(byBob, 'cleo'));
no(
  '90 days',
  'counts',
  delegated(byBob, 'cleo', { delegation_id: 'del_2', ends_at: '2027-02-21T00:00:00.000000Z' }),
);
no('ended by who has nothing to do with it', 'role_missing', ended('del_1', 'eve'));
no('ended by who has it', 'counts', ended('del_1', 'cleo'));
no('ended again', 'delegation_invalid', ended('del_1', 'bob'));
no('ended, but never made', 'delegation_invalid', ended('del_9', 'ada'));

// Leaving.
add(
  'leaving with other roles',
  'statement_invalid',
  person('leave', 'bob', { ...toBob, key: bob2, roles: ['approver'], by: ['dora', dora2] }),
);
add('leaving', 'counts', person('leave', 'bob', { ...toBob, key: bob2, by: ['dora', dora2] }));
add(
  'a change after leaving',
  'person_left',
  person('change', 'bob', { ...toBob, key: bob2, by: ['dora', dora2] }),
);
add(
  'the name once more',
  'person_exists',
  person('enrol', 'bob', { ...toBob, key: eve, by: ['dora', dora2] }),
);
add('a record that only tells', 'counts', {
  event_type: 'person.signed_in',
  person: { person_id: 'ada', session: 'ses_1' },
});

const seqOf = (about: string): number => records.find(record => record.about === about)!.seq;
const at = (about: string, id: string, expected: Members | null) => [
  { person: id, seq: seqOf(about), is: expected },
];
const adminRoles = ['admin', 'approver'];
const vectors = {
  about:
    'Records about people in the order of seq (docs/spec/people.md): `becomes` is `counts`, or the code that refuses. A record is judged by what has a lower seq. Made by test/people/make_vectors.ts.',
  place,
  records,
  root: { key_id: ada.key_id, public_key: ada.public_key },
  recovered: [{ seq: seqOf('a recovery'), person_id: 'ada' }],
  in_force: [
    ...at('the first admin, by their own key: the root of people', 'ada', null),
    ...at('roles not sorted', 'ada', { state: 'active', key_id: ada.key_id, roles: adminRoles }),
    ...at('other roles', 'cleo', { state: 'active', key_id: cleo.key_id, roles: ['approver'] }),
    ...at('the same statement again', 'cleo', {
      state: 'active',
      key_id: cleo.key_id,
      roles: ['analyst', 'approver'],
    }),
    ...at('a reset', 'dora', { state: 'active', key_id: dora.key_id, roles: ['admin'] }),
    ...at('signed by the key that ended', 'dora', {
      state: 'active',
      key_id: dora2.key_id,
      roles: ['admin'],
    }),
    ...at('a recovery', 'ada', { state: 'active', key_id: ada.key_id, roles: adminRoles }),
    ...at('delegation: good', 'ada', { state: 'active', key_id: ada2.key_id, roles: adminRoles }),
    ...at('leaving', 'bob', { state: 'active', key_id: bob2.key_id, roles: ['approver', 'treasurer'] }),
    ...at('a change after leaving', 'bob', {
      state: 'left',
      key_id: bob2.key_id,
      roles: ['approver', 'treasurer'],
    }),
  ],
  approvers: [
    { seq: seqOf('the first admin, by their own key: the root of people'), count: 0 },
    { seq: seqOf('roles not sorted'), count: 1 },
    { seq: seqOf('the same name again'), count: 2 },
    { seq: seqOf('other roles'), count: 3 },
    { seq: seqOf('a change after leaving'), count: 2 },
  ],
  delegations: [
    { id: 'del_1', seq: seqOf('delegation: good'), time: '2026-11-24T00:00:00.000000Z', roles: null },
    { id: 'del_1', seq: seqOf('delegation: the id again'), time: '2026-11-22T23:59:59.999999Z', roles: null },
    {
      id: 'del_1',
      seq: seqOf('delegation: the id again'),
      time: '2026-11-23T00:00:00.000000Z',
      roles: ['approver', 'treasurer'],
    },
    { id: 'del_1', seq: seqOf('delegation: the id again'), time: '2026-12-01T00:00:00.000000Z', roles: null },
    { id: 'del_1', seq: seqOf('delegation: ended again'), time: '2026-11-24T00:00:00.000000Z', roles: null },
    { id: 'del_2', seq: seqOf('leaving'), time: '2026-11-24T00:00:00.000000Z', roles: ['approver'] },
    { id: 'del_2', seq: seqOf('a change after leaving'), time: '2026-11-24T00:00:00.000000Z', roles: null },
  ],
};
writeFileSync(
  join(import.meta.dirname, '..', 'vectors', 'people.json'),
  `${JSON.stringify(vectors, null, 1)}\n`,
);
