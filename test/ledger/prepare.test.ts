/** The body that is hashed is JCS of its members, however it was put together. */
import { createHash, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { prepareEvents } from '../../collector/ledger/prepare.ts';
import { validateEvent } from '../../core/event/validate.ts';
import { jcs } from '../../core/proof/jcs.ts';

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();
const source = { via: 'api', auth: 'key', key: 'k1' } as const;
const options = {
  ledgerId: 'a'.repeat(32),
  tenantId: 'default',
  source,
  ids: { bytes: randomBytes },
  sha256,
};

const full = {
  event_id: 'e1',
  parent_id: 'p',
  session_id: 's',
  trace_id: 't',
  ts: '2026-11-22T10:00:00Z',
  ts_end: '2026-11-22T10:00:01.5Z',
  event_type: 'llm.chat',
  actor_type: 'agent',
  actor_id: 'a',
  app_id: 'bot',
  name: 'n "quoted" \u00e9',
  risk: 'high',
  labels: { b: 1, a: [true, null, -0.5], 10: 'x', 9: '\ud83d\ude00' },
  plan: ['p'],
  retrieval: 'r',
  input: { messages: [{ role: 'user', content: 'hello' }] },
  output: 0,
  tools_invoked: [{ name: 'x', latency_ms: 1 }],
  model: { name: 'm', cost: 1e21 },
  policy_eval: { decision: 'allow' },
  evals: [{ name: 'g', score: 0.1 }],
  status: 'ok',
  retention_class: 'long',
  stream: { id: 'st', n: 1 },
  hash_prev: 'h',
  hash_self: 'i',
  signature: 'j',
};
const least = {
  event_id: 'e2',
  session_id: 's',
  ts: full.ts,
  actor_type: 'user',
  app_id: 'bot',
};

test.each([full, least])('body and content of event $event_id', sent => {
  const valid = validateEvent(sent, { appId: 'bot' });
  if (!valid.ok) throw new Error(JSON.stringify(valid.errors));
  const [prepared] = prepareEvents([valid.event], options);
  const body = JSON.parse(prepared!.bodyJcs) as { salt: string };
  expect(body.salt).toMatch(/^[0-9a-f]{32}$/);
  const { app_id: _app, event_type: _type, ts: _ts, ...members } = valid.event;
  expect(prepared!.bodyJcs).toBe(jcs({ ...members, source, salt: body.salt }));
  expect(prepared!.contentJcs).toBe(jcs(valid.event));
  expect(prepared!.bodyHash).toBe(createHash('sha256').update(prepared!.bodyJcs).digest('hex'));
});
