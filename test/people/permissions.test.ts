/** The table of permissions against the running collector: every operation, by every role, a visitor, and the socket. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OperationName, operations } from '../../core/api/operations.ts';
import { localMayCall, mayCall, type PersonOperation, permissions } from '../../core/api/permissions.ts';
import { SystemRole } from '../../core/api/views.ts';
import { type Answer, type Ask, startTestCollector, type TestCollector } from '../http/collector.ts';
import { addPerson, enrolFirstAdmin, type Person } from './person.ts';

type Row = {
  method: string;
  path: string;
  callers: readonly string[];
  input?: unknown;
  phases?: readonly string[];
};

const names = Object.keys(permissions) as PersonOperation[];
const rowOf = (name: OperationName): Row => operations[name] as Row;
/** Setup and unlocking are over once somebody is enrolled: nobody may, whoever asks. */
const isOver = (name: OperationName): boolean => rowOf(name).phases?.includes('open') === false;
/** Ends the session that it is called with: asked last. */
const LAST = 'signOut';

/** Sent with an empty body: what is admitted is refused for its form or answered, and changes nothing. */
function askFor(name: OperationName): [path: string, options: Ask] {
  const { method, path, input } = rowOf(name);
  return [
    path.replaceAll(/:[a-z_]+/g, 'none'),
    { method, ...(method === 'POST' && input !== undefined ? { body: { nonsense: true } } : {}) },
  ];
}

const codeOf = (answer: Answer): string | undefined => (answer.json as { code?: string } | undefined)?.code;

describe('permissions', () => {
  let http: TestCollector;
  let admin: Person;
  let visitor: Record<string, string>;
  const people = new Map<string, Person>();

  beforeAll(async () => {
    http = await startTestCollector();
    visitor = await http.signIn();
    admin = await enrolFirstAdmin(http, { roles: ['admin'] });
    people.set('admin', admin);
    for (const role of SystemRole.enum.filter(role => role !== 'admin')) {
      people.set(role, await addPerson(http, admin, { id: role.replace('_', '-'), roles: [role] }));
    }
    people.set('treasurer', await addPerson(http, admin, { id: 'treasurer', roles: ['treasurer'] }));
    people.set(
      'both',
      await addPerson(http, admin, { id: 'both', roles: ['analyst', 'policy_author', 'treasurer'] }),
    );
  }, 60_000);
  afterAll(() => http.stop());

  it('has a row for every operation that a person or the socket may call', () => {
    const callable = (Object.keys(operations) as OperationName[]).filter(name =>
      rowOf(name).callers.some(caller => caller === 'person' || caller === 'local'),
    );
    expect([...names].sort()).toEqual(callable.sort());
  });

  it.each([...SystemRole.enum, 'treasurer', 'both'])('holds for %s', async role => {
    const person = people.get(role)!;
    const roles = role === 'both' ? ['analyst', 'policy_author', 'treasurer'] : [role];
    for (const name of [...names.filter(name => name !== LAST), LAST] as PersonOperation[]) {
      const [path, options] = askFor(name);
      // One's own, which anybody may see.
      const at = name === 'signIns' ? path.replace('none', person.id) : path;
      const code = codeOf(await person.call(at, options));
      const may = rowOf(name).callers.includes('person') && mayCall(name, roles);
      if (isOver(name)) expect(code, name).toBe('setup_done');
      else if (may) expect(['role_missing', 'sign_in_needed'], `${name} by ${role}`).not.toContain(code);
      else expect(code, `${name} by ${role}`).toBe('role_missing');
    }
  });

  it('lets whoever is signed in see to their own sign-in, and nothing else without a role of the five', () => {
    const may = names.filter(name => rowOf(name).callers.includes('person') && mayCall(name, ['treasurer']));
    expect(may.sort()).toEqual(['changeSecret', 'myKey', 'signIns', 'signOut', 'whoAmI']);
  });

  it('shows one’s own sign-ins to anybody, those of others to admins, analysts and auditors', async () => {
    for (const [role, person] of people) {
      await person.signIn();
      expect((await person.call(`/api/people/${person.id}/sign-ins`)).status, role).toBe(200);
      const others = codeOf(
        await person.call(`/api/people/${role === 'both' ? 'treasurer' : 'both'}/sign-ins`),
      );
      const may = ['admin', 'analyst', 'auditor', 'both'].includes(role);
      expect(others, role).toBe(may ? undefined : 'role_missing');
    }
  });

  it('lets a visitor only sign in', async () => {
    for (const name of names) {
      const [path, options] = askFor(name);
      const code = codeOf(await http.ask(path, { ...options, headers: visitor }));
      expect(code, name).toBe(isOver(name) ? 'setup_done' : 'sign_in_needed');
    }
    expect(codeOf(await http.ask('/api/sign-in'))).toBeUndefined();
  });

  it('limits the socket to what needs no person', async () => {
    for (const name of names) {
      const [path, options] = askFor(name);
      const code = codeOf(await http.ask(path, { ...options, socket: http.collector.socket }));
      const may = rowOf(name).callers.includes('local') && localMayCall(name);
      if (isOver(name)) expect(code, name).toBe('setup_done');
      else if (may) expect(['role_missing', 'sign_in_needed', 'forbidden'], name).not.toContain(code);
      else expect(code, name).toBe('sign_in_needed');
    }
  });

  it('takes the socket with a session for the person', async () => {
    await people.get('auditor')!.signIn();
    const { headers } = people.get('auditor')!;
    const ask = async (path: string, options: Ask = {}) =>
      codeOf(
        await http.ask(path, {
          ...options,
          headers: { authorization: headers.authorization! },
          socket: http.collector.socket,
        }),
      );
    expect(await ask('/api/session')).toBeUndefined();
    expect(await ask('/api/diagnostics')).toBe('role_missing');
    // A change over the socket has no browser, so no origin.
    expect(await ask('/api/session/secret', { body: {} })).toBe('input_invalid');
  });

  it('still wants the origin of a page that changes something', async () => {
    await admin.signIn();
    const now = { authorization: admin.headers.authorization! };
    expect(codeOf(await http.ask('/api/people/invitations', { body: {}, headers: now }))).toBe(
      'origin_forbidden',
    );
  });
});
