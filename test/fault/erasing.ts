/** Records five events and erases them, and is killed at a step on the way. Argument: JSON {folder, at, nth}. */
import { createHash, randomBytes } from 'node:crypto';
import { openErasure } from '../../collector/ledger/erasing.ts';
import type { FaultPoint } from '../../collector/ledger/faults.ts';
import { openLedger } from '../../collector/ledger/open.ts';
import { prepareEvents } from '../../collector/ledger/prepare.ts';
import { validateEvent } from '../../core/event/validate.ts';
import { memoryVault } from '../ledger/vault.fixture.ts';

const { folder, at, nth } = JSON.parse(process.argv[2]!) as { folder: string; at: FaultPoint; nth: number };
const sha256 = (data: Uint8Array): Uint8Array => createHash('sha256').update(data).digest();
const ids = {
  bytes: (n: number) => randomBytes(n),
  id: (prefix: string) => `${prefix}_${randomBytes(12).toString('hex')}`,
};
const clock = { now: Date.now };
const ledger = await openLedger({
  folder,
  vault: memoryVault('erase'),
  clock,
  ids,
  log: { info: () => {}, warn: () => {} },
  create: {},
  testFaults: { faults: { at, mode: 'kill', nth } },
});
const seqs: number[] = [];
// Commits 2 to 4 of this ledger: the first is its opening.
for (const count of [2, 2, 1]) {
  const events = Array.from({ length: count }, (_, i) => {
    const checked = validateEvent(
      {
        event_id: `${seqs.length}-${i}`,
        session_id: 's',
        ts: new Date().toISOString(),
        name: 'kingfisher',
        actor_type: 'agent',
        app_id: 'bot',
      },
      { appId: 'bot' },
    );
    if (!checked.ok) throw new Error(JSON.stringify(checked.errors));
    return checked.event;
  });
  const source = { via: 'api', auth: 'key', key: 'k' } as const;
  const { ledgerId, tenantId } = ledger;
  const accepted = await ledger.write.append(
    prepareEvents(events, { ledgerId, tenantId, source, ids, sha256 }),
  );
  seqs.push(...accepted.map(({ seq }) => seq));
}
process.stdout.write('recorded\n');
await openErasure({ ledger, clock }).erase({ seqs, reason: 'test', by: 'test', signedIn: 'page' });
process.stdout.write('erased\n');
process.exit(0);
