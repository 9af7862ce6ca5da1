/**
 * The ledger at size: append cost from the first to the last event, opening, reading. Events are made and prepared on
 * the way, so rates include the producer's half.
 * Run: node test/bench/ledger_scale.ts [events, default 1000000]
 */
import { hash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLedger } from '../../collector/ledger/open.ts';
import { prepareEvents } from '../../collector/ledger/prepare.ts';
import type { ValidEvent } from '../../core/event/validate.ts';
import { memoryVault } from '../ledger/vault.fixture.ts';

const total = Number(process.argv[2] ?? 1_000_000);
const sha256 = (data: Uint8Array): Uint8Array => hash('sha256', data, 'buffer');
const ids = {
  bytes: (n: number) => randomBytes(n),
  id: (prefix: string) => `${prefix}_${randomBytes(12).toString('hex')}`,
};
const vault = memoryVault();
const folder = mkdtempSync(join(tmpdir(), 'scale-'));
const log = { info: () => {}, warn: (message: string) => console.error(message) };
const options = { folder, vault, clock: { now: Date.now }, ids, log, create: {} };
const { ledgerId } = vault;
let count = 0;

function make(): ValidEvent {
  const n = ++count;
  return {
    event_id: `event-${n}-${randomBytes(6).toString('hex')}`,
    // One long run of a tenth of all events, the rest in runs of 40.
    session_id: n % 10 === 0 ? 'long' : `session-${Math.floor(n / 40)}`,
    ts: new Date(1_790_000_000_000 + n * 10).toISOString(),
    event_type: 'span',
    actor_type: 'agent',
    app_id: `bot-${n % 5}`,
    name: 'draft_refund_reply',
    risk: (['low', 'medium', 'high'] as const)[n % 3]!,
    input: {
      prompt: `Customer ${n} asks about order ${n * 7}. ${'The parcel came late and cracked. '.repeat(8)}`,
    },
    output: {
      model_output: `Dear customer ${n}, we are sorry. ${'We will refund the full amount. '.repeat(6)}`,
    },
  };
}

const batch = () =>
  prepareEvents(Array.from({ length: 500 }, make), {
    ledgerId,
    tenantId: 'default',
    source: { via: 'api', auth: 'key', key: 'k1' },
    ids,
    sha256,
  });

let ledger = await openLedger(options);
const step = total / 10;
for (let done = 0; done < total; done += step) {
  const started = performance.now();
  const cpu = process.cpuUsage();
  const until = done + step;
  const worker = async () => {
    while (count < until) await ledger.write.append(batch());
  };
  await Promise.all([worker(), worker(), worker()]);
  // CPU time says more than the clock where others use the machine.
  const { user, system } = process.cpuUsage(cpu);
  const rate = Math.round((step / (performance.now() - started)) * 1000);
  console.log(
    `${until} events: ${rate}/s, ${((user + system) / step).toFixed(0)} us of CPU each, all threads`,
  );
}
const timed = async (name: string, work: () => Promise<unknown>) => {
  const started = performance.now();
  const answer = await work();
  console.log(`${name}: ${Math.round(performance.now() - started)} ms ${JSON.stringify(answer)}`);
};
await timed('close', () => ledger.close());
console.log(`ledger.db ${Math.round(statSync(join(folder, 'ledger.db')).size / 1e6)} MB`);
await timed('open', async () => {
  ledger = await openLedger(options);
});
await timed('head', async () => (await ledger.read.head()).size);
await timed('append one', async () => (await ledger.write.append(batch().slice(0, 1))).length);
await timed('runs', async () => (await ledger.read.traces({ limit: 100 })).total);
const { items } = await ledger.read.traces({ session: 'long' });
await timed(
  `run of ${items[0]?.events} events`,
  async () => (await ledger.read.trace(items[0]!.run_id))?.spans.seq.length,
);
await timed('scope', () =>
  ledger.read.scope('bot-1', '2000-01-01T00:00:00.000000Z', '2100-01-01T00:00:00.000000Z'),
);
const memory = process.memoryUsage();
console.log(`rss ${Math.round(memory.rss / 1e6)} MB`);
const waited = performance.now();
for (let last = -1; ; ) {
  const now = ledger.verifier().verifiedTo;
  if (performance.now() - waited > 30_000) {
    console.log(`verifier in 30 s: ${now + 1} records`);
    break;
  }
  last = now;
  await new Promise(resolve => setTimeout(resolve, 1000));
  void last;
}
await timed(
  'search a rare word',
  async () => (await ledger.read.search({ q: `${Math.floor(total / 2)}`, limit: 10 })).total,
);
await ledger.close();
rmSync(folder, { recursive: true });
