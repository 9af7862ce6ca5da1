/**
 * Rates of the ledger through its port: durable appends by batch, the cost of each step on one thread, opening.
 * Run: node test/bench/ledger_rates.ts [events]
 */
import { createHash, createPrivateKey, hash, randomBytes, sign } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLedger } from '../../collector/ledger/open.ts';
import { prepareEvents } from '../../collector/ledger/prepare.ts';
import type { Ledger } from '../../collector/ports.ts';
import { parseIJson } from '../../core/event/ijson.ts';
import { validateEvent } from '../../core/event/validate.ts';
import type { JsonObject } from '../../core/proof/jcs.ts';
import { memoryVault } from '../ledger/vault.fixture.ts';

const total = Number(process.argv[2] ?? 50_000);
const sha256 = (data: Uint8Array): Uint8Array => hash('sha256', data, 'buffer');
const ids = {
  bytes: (n: number) => randomBytes(n),
  id: (prefix: string) => `${prefix}_${randomBytes(12).toString('hex')}`,
};
const source = { via: 'api', auth: 'key', key: 'k1' } as const;
const vault = memoryVault();
const folder = mkdtempSync(join(tmpdir(), 'rates-'));
const options = {
  folder,
  vault,
  clock: { now: Date.now },
  ids,
  log: { info: () => {}, warn: console.error },
  create: {},
  queue: { events: 1e6, bytes: 1e9, commands: 1e5 },
};

let count = 0;
const make = (): JsonObject => ({
  event_id: `event-${++count}-${randomBytes(6).toString('hex')}`,
  session_id: `session-${count >> 6}`,
  ts: '2026-11-22T10:00:00.123Z',
  actor_type: 'agent',
  app_id: 'support-bot',
  name: 'draft_refund_reply',
  risk: 'medium',
  input: {
    prompt: `Draft a polite reply to customer ${count} about order ${count * 7}. ${'The parcel came late and cracked. '.repeat(8)}`,
  },
  output: {
    model_output: `Dear customer ${count}, we are sorry. ${'We will refund the full amount. '.repeat(6)}`,
  },
  model: { name: 'small-1', provider: 'local', cost: 0.0012, params: { temperature: 0.2 } },
});

const bytes = new TextEncoder().encode(JSON.stringify(make()));
console.log(`event: ${bytes.length} bytes`);
function cost(name: string, times: number, work: () => void): void {
  for (let i = 0; i < times / 10; i++) work();
  const started = performance.now();
  for (let i = 0; i < times; i++) work();
  console.log(`  ${name.padEnd(28)} ${(((performance.now() - started) * 1000) / times).toFixed(1)} us`);
}
const { ledgerId } = vault;
const valid = (events: JsonObject[]) =>
  events.map(event => {
    const result = validateEvent(event, { appId: 'support-bot' });
    if (!result.ok) throw new Error('invalid');
    return result.event;
  });
const prepare = (events: JsonObject[]) =>
  prepareEvents(valid(events), { ledgerId, tenantId: 'default', source, ids, sha256 });
cost('parse', 5000, () => parseIJson(bytes));
const parsed = parseIJson(bytes) as JsonObject;
cost('validate', 5000, () => valid([parsed]));
const [one] = valid([parsed]);
cost('prepare (jcs, hash, facts)', 5000, () =>
  prepareEvents([one!], { ledgerId, tenantId: 'default', source, ids, sha256 }),
);
const key = createPrivateKey({ key: Buffer.from(vault.eventKey.privateKey), format: 'der', type: 'pkcs8' });
const message = randomBytes(82);
cost('sign', 2000, () => sign(null, message, key));
cost('sha-256', 20000, () => createHash('sha256').update(bytes).digest());

async function rate(ledger: Ledger, batch: number, inFlight: number, events: number): Promise<void> {
  const batches = Array.from({ length: Math.ceil(events / batch) }, () =>
    prepare(Array.from({ length: batch }, make)),
  );
  let next = 0;
  const started = performance.now();
  const worker = async () => {
    while (next < batches.length) await ledger.write.append(batches[next++]!);
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  const seconds = (performance.now() - started) / 1000;
  console.log(
    `append batch ${batch}, ${inFlight} in flight: ${Math.round((batches.length * batch) / seconds)}/s`,
  );
}

let ledger = await openLedger(options);
await rate(ledger, 500, 4, 5000);
await rate(ledger, 1, 1, 500);
await rate(ledger, 1, 64, 5000);
await rate(ledger, 50, 1, 5000);
await rate(ledger, 50, 8, 10_000);
await rate(ledger, 500, 1, 10_000);
await rate(ledger, 500, 4, 20_000);
for (let size = (await ledger.read.head()).size; size < total; size = (await ledger.read.head()).size) {
  await rate(ledger, 500, 4, 20_000);
}
await ledger.close();
const opening = performance.now();
ledger = await openLedger(options);
console.log(
  `open at ${(await ledger.read.head()).size} events: ${Math.round(performance.now() - opening)} ms`,
);
await ledger.close();
rmSync(folder, { recursive: true });
