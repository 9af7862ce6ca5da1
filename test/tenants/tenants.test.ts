/** Tenants of one installation, over HTTP: how they are made, entered, signed in to, opened again, and what one that is refused does. */
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OutputOf } from '../../core/api/operations.ts';
import type { RecordView } from '../../core/api/views.ts';
import { event, startTestCollector, type TestCollector } from '../http/collector.ts';
import { accept, addPerson, expectJson, Person } from '../people/person.ts';
import {
  codeOf,
  createTenant,
  enrolFirstAdmin,
  enter,
  firstAdminOf,
  inTenant,
  keyIn,
} from './installation.ts';

let tm: TestCollector;
let ada: Person;
let root: Person;
beforeAll(async () => {
  tm = await startTestCollector();
  ada = await enrolFirstAdmin(tm);
  await createTenant(ada, 'acme', 'Acme Ltd');
  root = await firstAdminOf(tm, ada, 'acme', { id: 'ada', name: 'Ada of Acme' });
}, 60_000);
afterAll(() => tm.stop());

const ownRecords = async (tenant: string, type: string): Promise<RecordView[]> => {
  const answer = await inTenant(tm, tenant, `/api/events?app=_ledger&limit=200`);
  return expectJson<{ items: RecordView[] }>(answer, 200).items.filter(one => one.event_type === type);
};

describe('making', () => {
  it('is on the record of the default tenant and in record 0 of the new one', async () => {
    const [made] = await ownRecords('default', 'ledger.tenant_created');
    const [opened] = await ownRecords('acme', 'ledger.opened');
    expect(opened).toMatchObject({ tenant_id: 'acme', seq: 0, ledger_id: made!.ledger_id });
    expect(made).toMatchObject({
      tenant: { id: 'acme', name: 'Acme Ltd', opened: opened!.hash_self },
      by: 'ada',
    });
    expect(opened).toMatchObject({ tenant: { id: 'acme', name: 'Acme Ltd' } });
    const [entered] = await ownRecords('acme', 'ledger.tenant_entered');
    expect(entered).toMatchObject({ by: 'default/ada' });
  });

  it('takes ids that are a folder everywhere, once each, and leaves nothing of what it refuses', async () => {
    const attempt = async (tenant_id: string) =>
      codeOf(await ada.call('/api/tenants', { body: { tenant_id, name: 'x' } }));
    for (const id of ['', '-a', 'A', 'a/b', '..', 'con', 'a'.repeat(65)])
      expect(await attempt(id), id).toBe('input_invalid');
    expect(await attempt('acme')).toBe('tenant_exists');
    expect(await attempt('default')).toBe('tenant_exists');
    expect(await readdir(join(tm.folder, 'tenants'))).toEqual(['acme']);
  });

  it('is for an admin of the default tenant, as the rest of the installation is', async () => {
    const clerk = await addPerson(tm, ada, { id: 'clerk', roles: ['analyst'] });
    expect(codeOf(await clerk.call('/api/tenants'))).toBe('role_missing');
    expect(codeOf(await root.call('/api/tenants'))).toBe('default_tenant_only');
    expect(codeOf(await root.call('/api/tenants', { body: { tenant_id: 'b', name: 'b' } }))).toBe(
      'default_tenant_only',
    );
    for (const path of ['/api/backup', '/api/tenants/acme/enter'])
      expect(codeOf(await root.call(path, { method: 'POST' })), path).toBe('default_tenant_only');
    expect(codeOf(await root.call('/api/diagnostics'))).toBe('default_tenant_only');
    expect((await ada.call('/api/diagnostics')).status).toBe(200);
  });
});

describe('entering', () => {
  it('is for whoever may make tenants, while nobody is enrolled there', async () => {
    expect(codeOf(await ada.call('/api/tenants/acme/enter', { method: 'POST' }))).toBe('people_enrolled');
    expect(codeOf(await ada.call('/api/tenants/none/enter', { method: 'POST' }))).toBe('tenant_unknown');
    expect(codeOf(await ada.call('/api/tenants/default/enter', { method: 'POST' }))).toBe('tenant_unknown');
    const clerk = await addPerson(tm, ada, { id: 'clerk2', roles: ['approver', 'analyst', 'auditor'] });
    await createTenant(ada, 'fresh');
    expect(codeOf(await clerk.call('/api/tenants/fresh/enter', { method: 'POST' }))).toBe('role_missing');
    const visitor = await tm.signIn();
    const byLink = await tm.ask('/api/tenants/fresh/enter', { method: 'POST', headers: visitor });
    expect(codeOf(byLink)).toBe('sign_in_needed');
  });

  it('ends with the session it came from, and does nothing more once somebody is enrolled', async () => {
    const admin = await addPerson(tm, ada, { id: 'admin2', roles: ['admin'] });
    await createTenant(ada, 'beta');
    const headers = await enter(tm, admin, 'beta');
    const whoAmI = expectJson<OutputOf<'whoAmI'>>(await tm.ask('/api/session', { headers }), 200);
    expect(whoAmI).toMatchObject({ tenant_id: 'beta', tenants: ['beta'], alone: true });
    expectJson(await admin.call('/api/sign-out', { method: 'POST' }), 200);
    expect(codeOf(await tm.ask('/api/session', { headers }))).toBe('session_invalid');
    const again = await enter(tm, ada, 'beta');
    await enrolFirstAdmin(tm, { id: 'bea', entered: { tenant_id: 'beta', headers: again } });
    expect(codeOf(await tm.ask('/api/traces', { headers: again }))).toBe('sign_in_needed');
  });
});

describe('signing in', () => {
  it('is to one tenant: the same name is another person there', async () => {
    await ada.signIn();
    await root.signIn();
    const here = expectJson<OutputOf<'whoAmI'>>(await ada.call('/api/session'), 200);
    const there = expectJson<OutputOf<'whoAmI'>>(await root.call('/api/session'), 200);
    expect(here).toMatchObject({ tenant_id: 'default', several: true, person: { name: 'Ada' } });
    expect(here.tenants).toContain('acme');
    expect(there).toMatchObject({ tenant_id: 'acme', tenant_name: 'Acme Ltd', tenants: ['acme'] });
    expect(there.person?.name).toBe('Ada of Acme');
    expect(there.person?.key_id).not.toBe(here.person?.key_id);
  });

  it('ends sessions in the tenant of the one who leaves alone', async () => {
    const ben = await addPerson(tm, ada, { id: 'ben', roles: ['approver'] });
    const benOfAcme = await addPerson(tm, root, { id: 'ben', roles: ['approver'] });
    const { person } = expectJson<OutputOf<'whoAmI'>>(await ben.call('/api/session'), 200);
    expectJson(await ada.sign('leave', person!), 200);
    expect(codeOf(await ben.call('/api/session'))).toBe('session_invalid');
    expect((await benOfAcme.call('/api/session')).status).toBe(200);
  });

  it('tells one who made a key in another tenant what became of it', async () => {
    const person = new Person(tm, root.place, 'flo');
    const invited = expectJson<OutputOf<'invitePerson'>>(
      await root.call('/api/people/invitations', {
        body: { person_id: 'flo', name: 'Flo', roles: ['auditor'] },
      }),
      201,
    );
    const made = expectJson<OutputOf<'acceptInvite'>>(await accept(person, invited.token), 200);
    const body = { person_id: 'flo', key_id: person.key.keyId, watch: made.watch };
    const state = () => tm.ask('/api/invitations/accepted', { body });
    expect(expectJson(await state(), 200)).toEqual({ state: 'waiting' });
    expectJson(await root.sign('enrol', made.person), 200);
    expect(expectJson(await state(), 200)).toEqual({ state: 'signed' });
  });

  it('tells a stranger nothing of which tenants there are', async () => {
    const start = (tenant_id: string, person_id: string) =>
      tm.ask('/api/sign-in/start', { body: { tenant_id, person_id }, headers: { origin: tm.url } });
    const shape = async (tenant: string, name: string) => {
      const one = expectJson<OutputOf<'startSignIn'>>(await start(tenant, name), 200);
      const two = expectJson<OutputOf<'startSignIn'>>(await start(tenant, name), 200);
      expect(two).toEqual(one);
      return { ...one, kdf: { ...one.kdf, salt: one.kdf.salt.length }, tenant_id: '' };
    };
    const of = await shape('acme', 'nobody');
    for (const tenant of ['none', 'fresh']) expect(await shape(tenant, 'nobody')).toEqual(of);
    const auth = Buffer.alloc(32).toString('base64');
    for (const tenant_id of ['acme', 'none', 'fresh', '../x']) {
      const body = { tenant_id, person_id: 'ghost', auth };
      const answer = await tm.ask('/api/sign-in', { body, headers: { origin: tm.url } });
      expect([answer.status, codeOf(answer)], tenant_id).toEqual([401, 'sign_in_failed']);
    }
    const state = await tm.ask('/api/sign-in');
    expect(state.text).not.toContain('acme');
  });

  it('of an invitation finds the tenant by itself', async () => {
    const eve = await addPerson(tm, root, { id: 'eve', roles: ['auditor'] });
    const me = expectJson<OutputOf<'whoAmI'>>(await eve.call('/api/session'), 200);
    expect(me).toMatchObject({ tenant_id: 'acme', roles: ['auditor'] });
    expect(codeOf(await ada.call('/api/people/eve/sign-ins'))).toBe('person_unknown');
  });
});

describe('keys', () => {
  it('are of the tenant they were made in', async () => {
    const bot = await keyIn(tm, 'acme', 'bot');
    const body = event('bot', { name: 'of acme' });
    expectJson(await tm.ask('/api/events', { body, headers: bot.headers }), 201);
    const seen = async (person: Person) =>
      expectJson<{ total: number }>(await person.call('/api/events?app=bot'), 200).total;
    expect([await seen(ada), await seen(root)]).toEqual([0, 1]);
  });

  it('are made in another tenant by the socket alone', async () => {
    for (const tenant_id of ['acme', 'none'])
      expect(codeOf(await ada.call('/api/keys', { body: { app_id: 'x', tenant_id } })), tenant_id).toBe(
        'tenant_unknown',
      );
    expect(codeOf(await inTenant(tm, 'none', '/api/keys'))).toBe('tenant_unknown');
  });

  it('name no tenant over the network: the header is for the socket', async () => {
    const headers = { ...ada.headers, 'x-trailmix-tenant': 'acme' };
    const me = expectJson<OutputOf<'whoAmI'>>(await tm.ask('/api/session', { headers }), 200);
    expect(me.tenant_id).toBe('default');
    const { authorization } = ada.headers;
    const bySocket = await inTenant(tm, 'acme', '/api/session', {
      headers: { authorization: authorization! },
    });
    expect(codeOf(bySocket)).toBe('session_invalid');
  });
});

describe('the next start', () => {
  it('opens them all, refuses one that was tampered with, and says so to who may know', async () => {
    const own = await startTestCollector();
    const keyFile = join(own.folder, '..', 'keys', 'test.key');
    const admin = await enrolFirstAdmin(own);
    await createTenant(admin, 'good');
    await createTenant(admin, 'bad');
    const good = await firstAdminOf(own, admin, 'good', { id: 'gus' });
    const key = await keyIn(own, 'good', 'bot');
    const lost = await keyIn(own, 'bad', 'bot');
    await own.collector.close();
    await writeFile(join(own.folder, 'tenants', 'bad', 'ledger.db'), 'not a database');
    const again = await startTestCollector({ folder: own.folder, keyFile });
    try {
      expect(again.collector.phase()).toBe('open');
      expectJson(await again.ask('/api/events', { body: event('bot'), headers: key.headers }), 201);
      expect(codeOf(await again.ask('/api/events', { body: event('bot'), headers: lost.headers }))).toBe(
        'key_invalid',
      );
      expect(codeOf(await inTenant(again, 'bad', '/api/traces'))).toBe('ledger_refused');
      const moved = (person: Person): Person => Object.assign(person, { http: again });
      await moved(good).signIn();
      await moved(admin).signIn();
      const status = expectJson<OutputOf<'status'>>(await admin.call('/api/status'), 200);
      expect(status.tenants?.map(one => [one.tenant_id, one.state])).toEqual([
        ['default', 'open'],
        ['good', 'open'],
        ['bad', 'refused'],
      ]);
      const theirs = expectJson<OutputOf<'status'>>(await good.call('/api/status'), 200);
      expect(theirs).toMatchObject({ ledger: { tenant_id: 'good' } });
      expect(theirs.tenants).toBeUndefined();
    } finally {
      await again.collector.close();
      await rm(join(own.folder, '..'), { recursive: true, force: true });
    }
  });

  it('never makes a tenant anew whose folder is gone', async () => {
    const own = await startTestCollector();
    const keyFile = join(own.folder, '..', 'keys', 'test.key');
    const visitor = await own.signIn();
    const made = await own.ask('/api/tenants', {
      body: { tenant_id: 'gone', name: 'Gone' },
      headers: visitor,
    });
    expect(made.status).toBe(201);
    await own.collector.close();
    await rm(join(own.folder, 'tenants', 'gone'), { recursive: true });
    const again = await startTestCollector({ folder: own.folder, keyFile });
    try {
      expect(codeOf(await inTenant(again, 'gone', '/api/traces'))).toBe('ledger_refused');
      const body = { tenant_id: 'gone', name: 'Gone' };
      expect(codeOf(await again.ask('/api/tenants', { body, headers: await again.signIn() }))).toBe(
        'tenant_exists',
      );
    } finally {
      await again.collector.close();
      await rm(join(own.folder, '..'), { recursive: true, force: true });
    }
  });
});

it('one tenant alone: nothing is said of others, and their operations answer for it', async () => {
  const own = await startTestCollector();
  try {
    const page = await own.signIn();
    const me = expectJson<OutputOf<'whoAmI'>>(await own.ask('/api/session', { headers: page }), 200);
    expect(me).toMatchObject({ tenant_id: 'default', tenants: ['default'], several: false });
    const status = expectJson<OutputOf<'status'>>(await own.ask('/api/status', { headers: page }), 200);
    expect(status.tenants).toBeUndefined();
    expect(expectJson<{ total: number }>(await own.ask('/api/tenants', { headers: page }), 200).total).toBe(
      1,
    );
  } finally {
    await own.stop();
  }
});
