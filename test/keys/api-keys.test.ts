import { createHash, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { answerMac, openApiKeys, parseApiKey } from '../../collector/keys/api-keys.ts';
import { TrailmixError } from '../../core/api/errors.ts';
import { type RealLedger, realLedger } from './real_ledger.ts';

let real: RealLedger;
beforeAll(async () => {
  real = await realLedger();
});
afterAll(() => real.close());

const open = () =>
  openApiKeys({
    ledger: real.ledger,
    vault: real.vault,
    clock: real.clock,
    usedFile: join(real.folder, 'keys-used'),
  });
const refusal = async (run: Promise<unknown>): Promise<TrailmixError> => {
  const error = await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof TrailmixError) return error;
  throw new Error('was not refused');
};

describe('the form', () => {
  test('three and four parts are read, anything else is not', () => {
    const part = 'A'.repeat(43);
    expect(parseApiKey(`tm1.abcd1234.${part}`)).toMatchObject({ id: 'abcd1234' });
    expect(parseApiKey(`tm1.abcd1234.${part}.${part}`)?.mac).toHaveLength(32);
    for (const wrong of [
      '',
      'tm1',
      `tm2.abcd1234.${part}`,
      `tm1.ABCD.${part}`,
      `tm1.abcd1234.${part}A`,
      `tm1.abcd1234.${part.slice(1)}`,
      `tm1.abcd1234.${part}.`,
      `tm1.abcd1234.${part}.${part}.${part}`,
      ` tm1.abcd1234.${part}`,
    ]) {
      expect(parseApiKey(wrong), wrong).toBeUndefined();
    }
  });
});

describe('a key', () => {
  test('opens for who has it, in both forms, and proves answers', async () => {
    const keys = await open();
    const { view, apiKey } = await keys.create({ appId: 'finance-bot', by: 'Mara' });
    expect(view).toMatchObject({ app_id: 'finance-bot', tenant_id: 'default', scopes: ['decide', 'ingest'] });
    const sent = apiKey.split('.').slice(0, 3).join('.');
    for (const token of [apiKey, sent]) {
      const { principal, mac } = await keys.find(token);
      expect(principal).toEqual({
        kind: 'key',
        id: view.id,
        tenantId: 'default',
        appId: 'finance-bot',
        scopes: ['decide', 'ingest'],
      });
      expect(Buffer.from(mac()).toString('base64url')).toBe(apiKey.split('.')[3]);
    }
    expect(keys.list().find(one => one.id === view.id)?.last_used_at).toBeTruthy();
    await keys.close();
  });

  test('is known after a restart, with its last use, from sealed bytes', async () => {
    const keys = await open();
    const { view, apiKey } = await keys.create({ appId: 'kept', by: 'Mara', scopes: ['read'] });
    await keys.find(apiKey);
    await keys.close();
    const again = await open();
    const { principal, mac } = await again.find(apiKey);
    expect(principal).toMatchObject({ appId: 'kept', scopes: ['read'] });
    expect(Buffer.from(mac()).toString('base64url')).toBe(apiKey.split('.')[3]);
    expect(again.list().find(one => one.id === view.id)?.last_used_at).toMatch(/^\d{4}-/);
    const file = readFileSync(join(real.folder, 'keys-used'));
    expect(file.includes(Buffer.from(view.id))).toBe(false);
    await again.close();
  });

  test('is refused: unknown, of another, with another mac, revoked', async () => {
    const keys = await open();
    const one = (await keys.create({ appId: 'one', by: 'Mara' })).apiKey;
    const two = (await keys.create({ appId: 'two', by: 'Mara' })).apiKey;
    const [, id1, auth1, mac1] = one.split('.');
    const [, id2, auth2, mac2] = two.split('.');
    for (const wrong of [
      'nonsense',
      `tm1.0000000000000000.${auth1}`,
      `tm1.${id1}.${auth2}`,
      `tm1.${id2}.${auth1}.${mac1}`,
      `tm1.${id1}.${auth1}.${mac2}`,
    ]) {
      expect((await refusal(keys.find(wrong))).code, wrong).toBe('key_invalid');
    }
    const view = await keys.revoke(id1!, 'Mara');
    expect(view.revoked_at).toBeTruthy();
    expect((await refusal(keys.find(one))).code).toBe('key_revoked');
    // Who does not hold it learns nothing about it.
    expect((await refusal(keys.find(`tm1.${id1}.${auth2}`))).code).toBe('key_invalid');
    expect((await keys.revoke(id1!, 'Jo')).revoked_at).toBe(view.revoked_at);
    expect((await refusal(keys.revoke('0000000000000000', 'Mara'))).code).toBe('not_found');
    expect((await keys.find(two)).principal.appId).toBe('two');
    await keys.close();
    const again = await open();
    expect((await refusal(again.find(one))).code).toBe('key_revoked');
    await again.close();
  });

  test('a revocation holds from the moment it is asked', async () => {
    const keys = await open();
    const { view, apiKey } = await keys.create({ appId: 'gone', by: 'Mara' });
    const revoking = keys.revoke(view.id, 'Mara');
    expect((await refusal(keys.find(apiKey))).code).toBe('key_revoked');
    await revoking;
    await keys.close();
  });

  test('cannot be made for what is no app', async () => {
    const keys = await open();
    for (const appId of ['', '_ledger', 'otlp:x', 'Finance', 'a'.repeat(65), '-a']) {
      expect((await refusal(keys.create({ appId, by: 'Mara' }))).code, appId).toBe('input_invalid');
    }
    expect((await refusal(keys.create({ appId: 'none', by: 'Mara', scopes: [] }))).code).toBe(
      'input_invalid',
    );
    await keys.close();
  });

  test('its making and its end are records without its secrets', async () => {
    const keys = await open();
    const { view, apiKey } = await keys.create({ appId: 'recorded', by: 'Mara' });
    await keys.revoke(view.id, 'Jo');
    await keys.close();
    const { seq } = await real.ledger.read.head();
    const records = await real.ledger.read.records(seq - 1, seq);
    expect(records.map(record => record.event_type)).toEqual(['key.created', 'key.revoked']);
    expect(records[0]).toMatchObject({ app_id: '_ledger', by: 'Mara', source: { auth: 'self' } });
    expect(records[0]!.key).toEqual({
      id: view.id,
      app_id: 'recorded',
      tenant_id: 'default',
      scopes: ['decide', 'ingest'],
    });
    for (const part of apiKey.split('.').slice(2)) expect(JSON.stringify(records)).not.toContain(part);
  });
});

describe('answers', () => {
  test('the MAC is HMAC-SHA256 over the seven lines of the spec', () => {
    const mac = new Uint8Array(32).fill(3);
    const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
    fc.assert(
      fc.property(fc.string(), fc.string(), (request, response) => {
        const parts = {
          nonce: 'ab'.repeat(32),
          method: 'GET',
          path: '/api/approvals/apr_1?wait=30',
          request_sha256: sha256(request),
          status: 200,
          response_sha256: sha256(response),
        };
        const message = `trailmix/answer/v1\n${parts.nonce}\nGET\n${parts.path}\n${parts.request_sha256}\n200\n${parts.response_sha256}`;
        expect(answerMac(mac, parts)).toBe(createHmac('sha256', mac).update(message).digest('hex'));
      }),
      { numRuns: 20 },
    );
  });
});

test('no secret in errors or in any form of what is handed out', async () => {
  const keys = await open();
  const { apiKey } = await keys.create({ appId: 'quiet', by: 'Mara' });
  const [, id, auth, mac] = apiKey.split('.');
  const wrong = `tm1.${id}.${mac}`;
  const error = await refusal(keys.find(wrong));
  const found = await keys.find(apiKey);
  const texts = [
    error.message,
    JSON.stringify(error),
    inspect(error),
    JSON.stringify(keys.list()),
    inspect(found, { depth: 5 }),
    JSON.stringify(found),
    inspect(found.mac()),
    JSON.stringify(found.mac()),
    inspect(parseApiKey(apiKey)),
    JSON.stringify(parseApiKey(apiKey)),
  ];
  for (const text of texts) {
    for (const secret of [auth!, mac!, Buffer.from(mac!, 'base64url').toString('hex')]) {
      expect(text.includes(secret)).toBe(false);
    }
  }
  await keys.close();
});
