/**
 * Two tenants with the same apps, runs and sign-in names: nothing of one is found from the other, operation by operation, and a real id
 * of the other is answered as one that nobody ever gave.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyPackFile } from '../../cli/verify_pack.ts';
import { sha256 } from '../../collector/sha256.ts';
import { type OperationName, type OutputOf, operations } from '../../core/api/operations.ts';
import { ofInstallation } from '../../core/api/permissions.ts';
import type { ExportJob, RecordView } from '../../core/api/views.ts';
import { erasedDigest, retentionDigest } from '../../core/proof/erasure.ts';
import { type Answer, event, startTestCollector, type TestCollector } from '../http/collector.ts';
import { addPerson, expectJson, type Person } from '../people/person.ts';
import { createTenant, enrolFirstAdmin, firstAdminOf, keyIn } from './installation.ts';

type Row = { method: string; path: string; callers: readonly string[]; input?: unknown; params?: unknown };
const rowOf = (name: OperationName): Row => operations[name] as Row;
const names = (Object.keys(operations) as OperationName[]).filter(
  name => rowOf(name).callers.includes('person') && !ofInstallation.has(name),
);

type Side = {
  /** Stands in whatever this tenant holds, and nowhere else. */
  mark: string;
  admin: Person;
  key: { id: string; headers: Record<string, string> };
  ids: Record<'event' | 'run' | 'approval' | 'blob' | 'key' | 'person' | 'job' | 'decision', string>;
};

let tm: TestCollector;
let place: string;
let one: Side;
let two: Side;

async function fill(admin: Person, tenant: string, mark: string): Promise<Side> {
  const key = await keyIn(tm, tenant, 'bot', ['ingest', 'decide', 'read', 'export']);
  const auth = { headers: key.headers };
  const person = await addPerson(tm, admin, { id: mark, name: `Clerk ${mark}`, roles: ['approver'] });
  const blob = expectJson<OutputOf<'uploadBlob'>>(
    await tm.ask('/api/blobs', {
      body: Buffer.from(`large ${mark}`),
      headers: { ...key.headers, 'content-type': 'text/plain' },
    }),
    201,
  );
  const sent = event('bot', {
    event_id: `ev-${mark}`,
    session_id: `run-${mark}`,
    name: `did ${mark}`,
    input: { file: blob },
  });
  expectJson(await tm.ask('/api/events', { body: sent, ...auth }), 201);
  const asked = expectJson<OutputOf<'decide'>>(
    await tm.ask('/api/decisions', {
      body: {
        app_id: 'bot',
        action: 'issue_refund',
        payload: { amount: 900, to: mark },
        risk: 'high',
        session_id: `run-${mark}`,
        actor: { type: 'agent', id: mark },
      },
      ...auth,
    }),
    200,
  );
  const scope = { app_id: 'bot', time_from: '2020-01-01T00:00:00Z', time_to: '2099-01-01T00:00:00Z' };
  const job = expectJson<ExportJob>(await admin.call('/api/evidence/jobs', { body: scope }), 202);
  return {
    mark,
    admin,
    key,
    ids: {
      event: `ev-${mark}`,
      run: `run-${mark}`,
      approval: String(asked.approval?.id),
      decision: String(asked.decision_id),
      blob: blob.$blob.sha256,
      key: key.id,
      person: person.id,
      job: job.id,
    },
  };
}

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'tm-tenants-'));
  tm = await startTestCollector();
  const ada = await enrolFirstAdmin(tm, {
    id: 'root',
    roles: ['admin', 'approver', 'policy_author', 'auditor'],
  });
  await createTenant(ada, 'acme');
  const other = await firstAdminOf(tm, ada, 'acme', {
    id: 'root',
    roles: ['admin', 'approver', 'policy_author', 'auditor'],
  });
  one = await fill(ada, 'default', 'giraffe');
  two = await fill(other, 'acme', 'zebra');
}, 60_000);
afterAll(async () => {
  await tm.stop();
  await rm(place, { recursive: true, force: true });
});

const fillIn = (path: string, id: string): string => path.replaceAll(/:[a-z0-9_]+/g, encodeURIComponent(id));
/** Digits stay digits and letters letters: an id that is no number must not become one. */
const made = (id: string): string =>
  id
    .replaceAll(/\d/g, c => String((Number(c) + 1) % 10))
    .replaceAll(/[a-f]/g, c => 'bcdefa'['abcdef'.indexOf(c)]!);
const body = (name: OperationName) => (rowOf(name).input === undefined ? {} : { body: { nonsense: true } });
/** What a refusal says, without the id that was asked for. */
const told = (answer: Answer, id: string): string => {
  const { instance: _, ...rest } = (answer.json ?? {}) as Record<string, unknown>;
  return `${answer.status} ${JSON.stringify(rest).replaceAll(id, 'ID')}`;
};

describe.each([
  ['the default tenant', () => [one, two] as const],
  ['another tenant', () => [two, one] as const],
])('from %s', (_where, sides) => {
  it('lists and figures hold nothing of the other', async () => {
    const [mine, other] = sides();
    for (const name of names) {
      const { method, path } = rowOf(name);
      if (method !== 'GET' || path.includes(':')) continue;
      for (const credential of [mine.admin.headers, mine.key.headers]) {
        const { text } = await tm.ask(path, { headers: credential });
        expect(text, name).not.toContain(other.mark);
        for (const id of Object.values(other.ids)) expect(text, `${name} ${id}`).not.toContain(id);
      }
    }
    const { text } = await mine.admin.call(`/api/events?q=${mine.mark}`);
    expect(text).toContain(mine.mark);
  });

  it('searches find nothing of the other', async () => {
    const [mine, other] = sides();
    for (const at of ['events', 'traces', 'approvals']) {
      const found = await mine.admin.call(`/api/${at}?q=${other.mark}`);
      expect(expectJson<{ total: number }>(found, 200).total, at).toBe(0);
    }
    const byId = await mine.admin.call(`/api/events?event_id=${other.ids.event}&session=${other.ids.run}`);
    expect(byId.text).not.toContain(other.mark);
  });

  it('every id of the other is one that nobody ever gave', async () => {
    const [mine, other] = sides();
    for (const name of names) {
      const { method, path } = rowOf(name);
      if (!path.includes(':')) continue;
      for (const id of Object.values(other.ids)) {
        const ask = (one: string) => mine.admin.call(fillIn(path, one), { method, ...body(name) });
        const real = await ask(id);
        expect(told(real, id), `${name} ${id}`).toBe(told(await ask(made(id)), made(id)));
      }
    }
  });

  it('a key neither asks for, uses nor reads what is the other’s', async () => {
    const [mine, other] = sides();
    const ask = (path: string, given: object = {}) => tm.ask(path, { headers: mine.key.headers, ...given });
    for (const path of [`/api/approvals/${other.ids.approval}`, `/api/blobs/${other.ids.blob}`]) {
      const answer = await ask(path);
      expect(answer.status, path).toBe(404);
      expect(answer.text).not.toContain(other.mark);
    }
    const stolen = event('bot', {
      input: { $blob: { sha256: other.ids.blob, bytes: 11, type: 'text/plain' } },
    });
    expect((await ask('/api/events', { body: stolen })).text).toContain('blob_unknown');
  });

  it('the record is of this tenant alone, and its seqs stand for its own chain', async () => {
    const [mine, other] = sides();
    const tenant = mine === one ? 'default' : 'acme';
    for (let seq = 0; seq < 12; seq++) {
      const answer = await mine.admin.call(`/api/events/${seq}`);
      expect(expectJson<RecordView>(answer, 200).tenant_id).toBe(tenant);
      expect(answer.text).not.toContain(other.mark);
    }
    const origin = expectJson<OutputOf<'verifyLedger'>>(
      await mine.admin.call('/api/ledger/verify', { method: 'POST' }),
      200,
    );
    expect(origin.origin.tenant_id).toBe(tenant);
    expect(origin.verdicts.integrity.result).toBe('pass');
  });

  it('retention, authorities, witnesses and erasure are those of this tenant', async () => {
    const [mine, other] = sides();
    const tenant = mine === one ? 'default' : 'acme';
    const ok = async (path: string, given: unknown): Promise<string> => {
      const answer = await mine.admin.call(path, { body: given });
      expect(answer.status, `${path} ${answer.text}`).toBe(200);
      return answer.text;
    };
    const witness = `${mine.mark}.example`;
    const named = JSON.parse(await ok('/api/witnesses/own', { name: witness })) as { vkey: string };
    await ok('/api/witnesses', { vkeys: [named.vkey] });
    await ok('/api/timestamps/authorities', { urls: [`http://${mine.mark}.example/`], every_hours: 0 });
    const days = { [`${mine.mark}-bot`]: 36_500 };
    const rule = { act: 'retain', digest: retentionDigest(sha256, days), reason: '' } as const;
    await ok('/api/retention', { days, ...mine.admin.erasure(rule) });
    expect(await ok('/api/retention/run', {})).toBe('{"erased":0}');
    for (const path of [
      '/api/witnesses',
      '/api/witnesses/own',
      '/api/timestamps/authorities',
      '/api/retention',
    ]) {
      expect((await mine.admin.call(path)).text, path).toContain(mine.mark);
      expect((await other.admin.call(path)).text, path).not.toContain(mine.mark);
    }
    const preview = JSON.parse(await ok('/api/erase/preview', { app_id: 'bot', days: 0 })) as {
      bodies: number;
    };
    expect(preview.bodies).toBeGreaterThan(0);
    // A checkpoint that one asks its witness about names the tenant that asked.
    const asked = JSON.parse(await ok('/api/witnesses/request', { witness })) as { request: string };
    expect(asked.request.includes('/acme\n')).toBe(tenant === 'acme');
    const find = async (side: Side): Promise<RecordView> => {
      const answer = await side.admin.call(`/api/events?event_id=${side.ids.event}`);
      return expectJson<{ items: RecordView[] }>(answer, 200).items[0]!;
    };
    const before = await find(other);
    const { seq, hash_self } = await find(mine);
    const reason = 'asked for';
    const what = { act: 'erase', digest: erasedDigest(sha256, [seq], [hash_self]), reason } as const;
    // Signed in the one tenant it is worth nothing in the other.
    const taken = { signed: [{ seqs: [seq], ...mine.admin.erasure(what, other.admin.place) }], reason };
    const refused = await mine.admin.call('/api/erase', { body: taken });
    expect(refused.json).toMatchObject({ code: 'statement_invalid' });
    await ok('/api/erase', { signed: [{ seqs: [seq], ...mine.admin.erasure(what) }], reason });
    // The body is gone, and what it was found by with it.
    const gone = await mine.admin.call(`/api/events/${seq}`);
    expect(expectJson<RecordView>(gone, 200).input).toBeUndefined();
    expect(await find(other)).toEqual(before);
  });

  it('a pack of the other cannot be stamped here', async () => {
    const [mine, other] = sides();
    const answer = await fetch(`${tm.url}/api/evidence/export`, {
      method: 'POST',
      headers: { ...other.key.headers, 'content-type': 'application/json', accept: 'application/zip' },
      body: JSON.stringify({
        app_id: 'bot',
        time_from: '2020-01-01T00:00:00Z',
        time_to: '2099-01-01T00:00:00Z',
      }),
    });
    const bytes = Buffer.from(await answer.arrayBuffer());
    const bring = (side: Side) =>
      tm.ask('/api/evidence/packs?name=brought.zip', {
        body: bytes,
        headers: { ...side.admin.headers, 'content-type': 'application/zip' },
      });
    expect((await bring(mine)).text).toContain('pack_unreadable');
    expect(expectJson<ExportJob>(await bring(other), 200)).toMatchObject({ brought: true, app_id: 'bot' });
  });

  it('its pack verifies with its own trust files, and not with the other’s', async () => {
    const [mine, other] = sides();
    const trustOf = async (side: Side): Promise<string> => {
      const folder = await mkdtemp(join(place, 'trust-'));
      const { files } = expectJson<OutputOf<'trust'>>(await side.admin.call('/api/trust'), 200);
      for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
      return folder;
    };
    const answer = await fetch(`${tm.url}/api/evidence/export`, {
      method: 'POST',
      headers: { ...mine.key.headers, 'content-type': 'application/json', accept: 'application/zip' },
      body: JSON.stringify({
        app_id: 'bot',
        time_from: '2020-01-01T00:00:00Z',
        time_to: '2099-01-01T00:00:00Z',
      }),
    });
    const pack = join(place, `${mine.mark}.zip`);
    await writeFile(pack, Buffer.from(await answer.arrayBuffer()));
    const good = await verifyPackFile(pack, { trust: await trustOf(mine) });
    expect(good.verdicts.integrity.result).toBe('pass');
    expect(good.verdicts.identity.result).toBe('pass');
    const bad = await verifyPackFile(pack, { trust: await trustOf(other) });
    expect(bad.verdicts.integrity.findings.map(one => one.code)).toEqual(['checkpoint_key_wrong']);
  });
});
