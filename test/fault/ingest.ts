/**
 * A collector's ledger that records as fast as it can until it is killed. Prints each acknowledgement as one JSON line
 * only after the ledger gave it: [[event_id, seq, hash_self], ...]. Argument: JSON {folder, seed, faults?}.
 */
import { createHash, randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';
import type { FaultPlan } from '../../collector/ledger/faults.ts';
import { openLedger } from '../../collector/ledger/open.ts';
import { prepareEvents } from '../../collector/ledger/prepare.ts';
import { validateEvent } from '../../core/event/validate.ts';
import { memoryVault } from '../ledger/vault.fixture.ts';

const { folder, seed, faults } = JSON.parse(process.argv[2]!) as {
  folder: string;
  seed: number;
  faults?: FaultPlan;
};
const sha256 = (data: Uint8Array): Uint8Array => createHash('sha256').update(data).digest();
const ids = {
  bytes: (n: number) => randomBytes(n),
  id: (prefix: string) => `${prefix}_${randomBytes(12).toString('hex')}`,
};
const ledger = await openLedger({
  folder,
  vault: memoryVault('kill'),
  clock: { now: Date.now },
  ids,
  log: { info: () => {}, warn: () => {} },
  create: {},
  checkpointMs: 50,
  ...(faults === undefined ? {} : { testFaults: { faults } }),
});
const say = (acks: [string, number, string][]) => writeSync(1, `${JSON.stringify(acks)}\n`);
say([]);

let count = 0;
function make(worker: number) {
  const n = ++count;
  const value = {
    event_id: `${seed}-${worker}-${n}`,
    session_id: `session-${n % 5}`,
    ts: new Date().toISOString(),
    actor_type: 'agent',
    app_id: `app-${worker % 3}`,
    event_type: n % 97 === 0 ? 'session.end' : 'span',
    name: `step ${n}`,
    input: { text: n % 40 === 0 ? `large ${n} `.repeat(9000) : `small ${n}` },
    stream: { id: `${seed}-${worker}`, n },
  };
  const result = validateEvent(value, { appId: value.app_id });
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  return result.event;
}

async function record(worker: number): Promise<void> {
  for (let round = 0; ; round++) {
    if (round % 7 === 3) {
      const made = await ledger.write.run('record', {
        appId: `app-${worker % 3}`,
        eventType: 'replay.noted',
        sessionId: 'session-0',
        members: {
          name: `own ${seed} ${worker} ${round}`,
          input: { text: `own ${round} `.repeat(round % 2 === 0 ? 9000 : 1) },
        },
      });
      say([[made.eventId, made.seq, made.hashSelf]]);
      continue;
    }
    const events = Array.from({ length: 1 + ((round * 13 + worker) % 40) }, () => make(worker));
    const source = { via: 'api', auth: 'key', key: `k${worker}` } as const;
    const { ledgerId, tenantId } = ledger;
    const accepted = await ledger.write.append(
      prepareEvents(events, { ledgerId, tenantId, source, ids, sha256 }),
    );
    say(accepted.map(one => [one.event_id, one.seq, one.hash_self]));
  }
}

await Promise.all([0, 1, 2, 3].map(record));
