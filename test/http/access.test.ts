/** Who may call: doors, credentials, scopes, phases, sessions, and the proof that an answer is the collector's. */
import { createHash, createHmac } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { operations } from '../../core/api/operations.ts';
import { ask, bearer, event, startTestCollector, type TestCollector } from './collector.ts';

let tm: TestCollector;
let auth: Record<string, string>;

beforeAll(async () => {
  tm = await startTestCollector();
  auth = bearer((await tm.key('bot', ['ingest', 'decide', 'read', 'export'])).apiKey);
}, 60_000);
afterAll(() => tm?.stop());

const code = (answer: { json: never }): string => (answer.json as { code: string }).code;
const port = (): string => new URL(tm.url).port;
const send = (headers: Record<string, string>) =>
  tm.ask('/api/events', { body: event('bot'), headers: { ...auth, ...headers } });

describe('doors', () => {
  const hosts = ['evil.example', '127.0.0.1', '127.0.0.1:1', 'localhost.evil.example', '0.0.0.0'];
  test.each(hosts)('Host %s is refused', async host => {
    const before = await tm.size();
    const answer = await send({ host });
    expect([answer.status, code(answer)]).toEqual([421, 'host_forbidden']);
    expect(await tm.size()).toBe(before);
  });

  test('localhost and ::1 are ours', async () => {
    expect((await send({ host: `localhost:${port()}` })).status).toBe(201);
    const six = await ask(`http://[::1]:${port()}/api/health`);
    expect(six.status).toBe(200);
  });

  test.each(['http://evil.example', 'null', 'http://127.0.0.1:1', 'https://127.0.0.1'])(
    'Origin %s is refused',
    async origin => {
      const before = await tm.size();
      const answer = await send({ origin });
      expect([answer.status, code(answer)]).toEqual([403, 'origin_forbidden']);
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
      expect(await tm.size()).toBe(before);
    },
  );

  test.each(['cross-site', 'same-site'])('Sec-Fetch-Site %s is refused', async site => {
    const before = await tm.size();
    const answer = await send({ 'sec-fetch-site': site });
    expect([answer.status, code(answer)]).toEqual([403, 'fetch_site_forbidden']);
    expect(await tm.size()).toBe(before);
  });

  test('no CORS preflight is answered', async () => {
    const answer = await tm.ask('/api/events', {
      method: 'OPTIONS',
      headers: { origin: 'http://evil.example' },
    });
    expect(answer.status).toBe(403);
    const own = await tm.ask('/api/events', { method: 'OPTIONS' });
    expect([own.status, code(own)]).toEqual([405, 'method_not_allowed']);
    expect(own.headers.allow).toContain('POST');
  });
});

describe('API keys', () => {
  test('none, malformed, unknown, wrong', async () => {
    const before = await tm.size();
    const bare = await tm.ask('/api/events', { body: event('bot') });
    expect([bare.status, code(bare)]).toEqual([401, 'key_missing']);
    const basic = await send({ authorization: 'Basic YTpi' });
    expect([basic.status, code(basic)]).toEqual([401, 'key_invalid']);
    const id = auth.authorization!.split('.')[1]!;
    const wrong = await send(bearer(`tm1.${id}.${'A'.repeat(43)}`));
    expect([wrong.status, code(wrong)]).toEqual([401, 'key_invalid']);
    const unknown = await send(bearer(`tm1.0000000000000000.${'A'.repeat(43)}`));
    expect(code(unknown)).toBe('key_invalid');
    expect(await tm.size()).toBe(before);
  });

  test('a key without the scope', async () => {
    const reader = bearer((await tm.key('bot', ['read'])).apiKey);
    const before = await tm.size();
    const answer = await tm.ask('/api/events', { body: event('bot'), headers: reader });
    expect([answer.status, code(answer)]).toEqual([403, 'scope_missing']);
    expect(await tm.size()).toBe(before);
    const writer = bearer((await tm.key('bot', ['ingest'])).apiKey);
    expect(code(await tm.ask('/api/events', { headers: writer }))).toBe('scope_missing');
  });

  test('revoked: at once, for everything', async () => {
    const { id, apiKey } = await tm.key('bot');
    const revoked = await tm.ask(`/api/keys/${id}`, { method: 'DELETE', socket: tm.collector.socket });
    expect(revoked.status).toBe(200);
    const before = await tm.size();
    const answer = await tm.ask('/api/events', { body: event('bot'), headers: bearer(apiKey) });
    expect([answer.status, code(answer)]).toEqual([401, 'key_revoked']);
    expect(await tm.size()).toBe(before);
  });

  test('a key can never approve, make keys or read settings', async () => {
    for (const [path, body] of [
      ['/api/keys', { app_id: 'bot' }],
      ['/api/approvals/apr_1/answer', { verdict: 'approve' }],
    ] as const) {
      const answer = await tm.ask(path, { body, headers: auth });
      expect([answer.status, code(answer)]).toEqual([403, 'forbidden']);
    }
    expect(code(await tm.ask('/api/settings', { headers: auth }))).toBe('forbidden');
  });

  test("a key reads its own app's events and no others'", async () => {
    const other = bearer((await tm.key('other', ['ingest', 'read'])).apiKey);
    const sent = await tm.ask('/api/events', { body: event('other', { name: 'private' }), headers: other });
    const { seq } = (sent.json as { accepted: { seq: number }[] }).accepted[0]!;
    expect(code(await tm.ask(`/api/events/${seq}`, { headers: auth }))).toBe('not_found');
    expect(code(await tm.ask(`/api/events/${seq}/proof`, { headers: auth }))).toBe('not_found');
    expect(code(await tm.ask('/api/events?app=other', { headers: auth }))).toBe('app_mismatch');
    const found = (await tm.ask('/api/events?q=private', { headers: auth })).json as { total: number };
    expect(found.total).toBe(0);
    const traces = (await tm.ask('/api/traces', { headers: auth })).json as { items: { app_id: string }[] };
    expect(traces.items.every(run => run.app_id === 'bot')).toBe(true);
    const mine = await send({});
    const own = (mine.json as { accepted: { seq: number }[] }).accepted[0]!.seq;
    const proof = (await tm.ask(`/api/events/${own}/proof`, { headers: auth })).json as {
      before: Record<string, unknown>;
    };
    expect(proof.before).not.toHaveProperty('name');
    expect(proof.before).toHaveProperty('body_hash');
  });
});

describe('sessions', () => {
  test('a one-time token signs in once', async () => {
    const token = tm.collector.uiUrl().split('#token=')[1];
    const first = await tm.ask('/api/session', { body: { token } });
    expect(first.status).toBe(200);
    expect((first.json as { session: string }).session).toMatch(/^tms1\./);
    const second = await tm.ask('/api/session', { body: { token } });
    expect([second.status, code(second)]).toEqual([401, 'ticket_invalid']);
  });

  test('a page may change things from its own origin only', async () => {
    const page = await tm.signIn();
    expect((await tm.ask('/api/status', { headers: page })).status).toBe(200);
    const { origin: _origin, ...bare } = page;
    expect((await tm.ask('/api/status', { headers: bare })).status).toBe(200);
    const changed = await tm.ask('/api/settings', { body: { time_zone: 'UTC' }, headers: bare });
    expect([changed.status, code(changed)]).toEqual([403, 'origin_forbidden']);
    expect((await tm.ask('/api/settings', { body: { time_zone: 'UTC' }, headers: page })).status).toBe(200);
  });

  test('an unknown session, and a page where only keys may go', async () => {
    const answer = await tm.ask('/api/status', { headers: bearer('tms1.nothing') });
    expect([answer.status, code(answer)]).toEqual([401, 'session_invalid']);
    const page = await tm.signIn();
    const sent = await tm.ask('/api/events', { body: event('bot'), headers: page });
    expect([sent.status, code(sent)]).toEqual([403, 'forbidden']);
  });

  test('tickets end after a minute, sessions after twelve idle hours', async () => {
    let now = Date.now();
    const timed = await startTestCollector({ clock: { now: () => now } });
    try {
      const token = timed.collector.uiUrl().split('#token=')[1];
      now += 61_000;
      expect(code(await timed.ask('/api/session', { body: { token } }))).toBe('ticket_invalid');
      const page = await timed.signIn();
      now += 11 * 3_600_000;
      expect((await timed.ask('/api/status', { headers: page })).status).toBe(200);
      now += 11 * 3_600_000;
      expect((await timed.ask('/api/status', { headers: page })).status).toBe(200);
      now += 13 * 3_600_000;
      expect(code(await timed.ask('/api/status', { headers: page }))).toBe('session_invalid');
    } finally {
      await timed.stop();
    }
  }, 60_000);
});

describe('the socket', () => {
  test('is 0700, needs no key, and gives tickets', async () => {
    const { mode } = await stat(tm.collector.socket);
    expect(mode & 0o777).toBe(0o700);
    const ticket = await tm.ask('/api/tickets', { method: 'POST', socket: tm.collector.socket });
    expect((ticket.json as { ui_url: string }).ui_url).toContain(`${tm.url}/#token=`);
    const remote = await tm.ask('/api/tickets', { method: 'POST' });
    expect([remote.status, code(remote)]).toEqual([401, 'key_missing']);
  });
});

describe('the answer is proved by the mac part of the key', () => {
  const sha = (text: string): string => createHash('sha256').update(text).digest('hex');
  const nonce = 'ab'.repeat(32);

  const checked = async (path: string, body: unknown, apiKey: string): Promise<number> => {
    const [, id, sentAuth, mac] = apiKey.split('.') as [string, string, string, string];
    const text = body === undefined ? '' : JSON.stringify(body);
    const answer = await tm.ask(path, {
      ...(body === undefined ? {} : { body: text }),
      headers: {
        ...bearer(`tm1.${id}.${sentAuth}`),
        'x-trailmix-nonce': nonce,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
    });
    const method = body === undefined ? 'GET' : 'POST';
    const message = `trailmix/answer/v1\n${nonce}\n${method}\n${path}\n${sha(text)}\n${answer.status}\n${sha(answer.text)}`;
    const expected = createHmac('sha256', Buffer.from(mac, 'base64url')).update(message).digest('hex');
    expect(answer.headers['x-trailmix-mac']).toBe(expected);
    return answer.status;
  };

  test('decisions, approvals and refusals alike', async () => {
    const { apiKey } = await tm.key('bot', ['decide']);
    const decision = {
      action: 'send_wire',
      risk: 'high',
      actor: { type: 'agent', id: 'a' },
      payload: { amount: 12_000 },
      session_id: 'run-1',
      app_id: 'bot',
    };
    expect(await checked('/api/decisions', decision, apiKey)).toBe(200);
    expect(await checked('/api/decisions', { ...decision, risk: 'none' }, apiKey)).toBe(422);
    expect(await checked('/api/approvals/apr_unknown?wait=1', undefined, apiKey)).toBe(404);
    const consume = { args_digest: 'x', action: 'a', session_id: 's', nonce: 'n' };
    expect(await checked('/api/approvals/apr_unknown/consume', consume, apiKey)).toBe(404);
  });

  test('no nonce, no mac; a malformed nonce is refused', async () => {
    const plain = await tm.ask('/api/events?limit=1', { headers: auth });
    expect(plain.headers['x-trailmix-mac']).toBeUndefined();
    const wrong = await tm.ask('/api/events?limit=1', { headers: { ...auth, 'x-trailmix-nonce': 'short' } });
    expect([wrong.status, code(wrong)]).toEqual([422, 'input_invalid']);
  });
});

describe('requests in general', () => {
  test('unknown addresses and methods', async () => {
    const lost = await tm.ask('/api/nothing');
    expect([lost.status, code(lost)]).toEqual([404, 'not_found']);
    expect(lost.headers['content-type']).toContain('application/problem+json');
    const method = await tm.ask('/api/events', { method: 'PUT', body: {} });
    expect([method.status, code(method)]).toEqual([405, 'method_not_allowed']);
    expect(method.headers.allow).toBe('POST, GET');
    expect(code(await tm.ask('/api/events/%zz', { headers: auth }))).toBe('not_found');
  });

  test('unknown query members and wrong types are named', async () => {
    const unknown = await tm.ask('/api/events?colour=red', { headers: auth });
    expect([unknown.status, code(unknown)]).toEqual([422, 'input_invalid']);
    expect(unknown.json).toMatchObject({ where: 'query:/colour' });
    const limit = await tm.ask('/api/events?limit=many', { headers: auth });
    expect(limit.json).toMatchObject({ code: 'input_invalid', where: 'query:/limit' });
    const seq = await tm.ask('/api/events/one', { headers: auth });
    expect(seq.json).toMatchObject({ code: 'input_invalid', where: 'path:/seq' });
  });

  test('what is not HTTP gets a problem document', async () => {
    const text = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port()), '127.0.0.1', () => socket.write('hello\r\n\r\n'));
      let got = '';
      socket.setEncoding('utf8');
      socket.on('data', chunk => {
        got += chunk as unknown as string;
      });
      socket.on('end', () => resolve(got));
      socket.on('error', reject);
    });
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(JSON.parse(text.split('\r\n\r\n')[1]!)).toMatchObject({ code: 'http_invalid' });
  });

  test('headers that are too large', async () => {
    const answer = await tm.ask('/api/health', { headers: { 'x-long': 'a'.repeat(20_000) } });
    expect([answer.status, code(answer)]).toEqual([431, 'headers_too_large']);
  });

  test('openapi has every operation, in the shape of 3.1', async () => {
    const document = (await tm.ask('/api/openapi.json')).json as {
      openapi: string;
      paths: Record<
        string,
        Record<string, { operationId: string; responses: object; parameters: { in: string; name: string }[] }>
      >;
      components: { schemas: object; securitySchemes: object };
    };
    expect(document.openapi).toBe('3.1.0');
    const listed = Object.values(document.paths).flatMap(path => Object.values(path));
    expect(listed.map(one => one.operationId).sort()).toEqual(Object.keys(operations).sort());
    for (const [path, methods] of Object.entries(document.paths)) {
      expect(path).toMatch(/^\/[A-Za-z0-9/{}._-]+$/);
      const named = [...path.matchAll(/\{([a-z0-9_]+)\}/g)].map(match => match[1]).sort();
      for (const operation of Object.values(methods)) {
        expect(Object.keys(operation.responses).length).toBeGreaterThan(0);
        expect(
          operation.parameters
            .filter(one => one.in === 'path')
            .map(one => one.name)
            .sort(),
        ).toEqual(named);
      }
    }
    const refs = JSON.stringify(document).match(/"\$ref":"([^"]+)"/g) ?? [];
    expect(new Set(refs)).toEqual(new Set(['"$ref":"#/components/schemas/Problem"']));
    expect(document.components.schemas).toHaveProperty('Problem');
  });

  test('every row of the table has a route that knows its callers', async () => {
    for (const [name, row] of Object.entries(operations)) {
      const path = row.path.replaceAll(/:[a-z0-9_]+/g, '1');
      const answer = await tm.ask(path, { method: row.method });
      if ((row.callers as readonly string[]).includes('anyone')) continue;
      expect({ name, status: answer.status }).toEqual({
        name,
        status: (row.callers as readonly string[]).includes('unkeyed_otlp')
          ? 415
          : answer.status === 503 || answer.status === 409
            ? answer.status
            : 401,
      });
    }
  });
});
