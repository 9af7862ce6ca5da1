/** An older pack against a newer one: where two histories part, and who signed them. */
import { expect, test } from 'vitest';
import { inflateRaw } from '../../collector/evidence/verifier-host.ts';
import { checkpointOfPack } from '../../core/pack/older.ts';
import { sinceSentences } from '../../core/pack/since.ts';
import { MemoryLedger } from './memory-ledger.ts';
import { access, check, codesOf, makePack, partsOf, reseal, trustOf, wholeWindow, zipOf } from './packs.ts';

/** A history whose record `odd` is told otherwise; packs are made after 5, 12 and 20 records. */
async function history(like?: MemoryLedger, odd = -1): Promise<{ ledger: MemoryLedger; packs: Buffer[] }> {
  const ledger = new MemoryLedger(like);
  const packs: Buffer[] = [];
  for (let n = 1; n <= 20; n++) {
    ledger.append({ body: { name: n === odd ? `step ${n}, told otherwise` : `step ${n}` } });
    if (n === 5 || n === 12 || n === 20) packs.push(await makePack(ledger));
  }
  return { ledger, packs };
}

const since = async (pack: Uint8Array) => ({ since: await checkpointOfPack(access(pack), { inflateRaw }) });

test('an older pack that is continued, signed by the ledger', async () => {
  const { ledger, packs } = await history();
  for (const older of [packs[0]!, packs[1]!, packs[2]!]) {
    const report = await check(packs[2]!, trustOf(ledger), await since(older));
    expect(codesOf(report)).not.toContain('since_inconsistent');
    expect(report.since).toMatchObject({ result: 'continues', signed: true, restored: false });
    expect(sinceSentences(report.since!)[0]).toMatch(/nothing up to there was rewritten/);
  }
});

test.each([
  [3, 3],
  [9, 10],
  [15, 17],
])(
  'a record told otherwise (%i): the record at which they part is named, from both packs',
  async (odd, seq) => {
    const one = await history();
    const two = await history(one.ledger, odd);
    const report = await check(two.packs[2]!, trustOf(one.ledger), await since(one.packs[2]!));
    expect(codesOf(report)).toContain('since_inconsistent');
    const { fork, ...rest } = report.since!;
    expect(rest).toMatchObject({ result: 'rewritten', signed: true });
    expect(fork).toMatchObject({
      same: seq,
      differs: seq + 1,
      older: { seq, name: `step ${odd}` },
      newer: { seq, name: `step ${odd}, told otherwise` },
    });
    const said = sinceSentences(report.since!).join(' ');
    expect(said).toContain(`The first ${seq} records are the same in both; the first ${seq + 1} are not.`);
    expect(said).toContain('whoever holds it signed both');
  },
);

test('where no record is in both, the roots that both packs prove narrow it down', async () => {
  const one = await history();
  const two = await history(one.ledger, 15);
  // Windows that hold no record in common: the first of the one, the last of the other.
  const at = (ledger: MemoryLedger, n: number) => ledger.all[n]!.received_at;
  const early = await makePack(one.ledger, { ...wholeWindow, time_to: at(one.ledger, 4) });
  const late = await makePack(two.ledger, { ...wholeWindow, time_from: at(two.ledger, 20) });
  const parts = await partsOf(late);
  const report = await check(await zipOf(reseal(parts)), trustOf(one.ledger), await since(early));
  const { fork } = report.since!;
  // Exports were made over 7, 15 and 24 records: the first two agree, record 17 is told otherwise.
  expect(fork!.same).toBeGreaterThanOrEqual(7);
  expect(fork!.same).toBeLessThanOrEqual(17);
  expect(fork!.differs).toBeGreaterThan(17);
  expect(sinceSentences(report.since!).join(' ')).toContain(`from #${fork!.same} to #${fork!.differs - 1}`);
});

test('an older checkpoint that the ledger did not sign may be the forged one', async () => {
  const one = await history();
  const forged = await history(undefined, 3);
  const report = await check(one.packs[2]!, trustOf(one.ledger), await since(forged.packs[1]!));
  expect(report.since).toMatchObject({ result: 'rewritten', signed: false });
  expect(sinceSentences(report.since!).join(' ')).toContain('it may be the forged one');
});

test('without records or proofs of the older pack the fork is only bounded', async () => {
  const one = await history();
  const two = await history(one.ledger, 9);
  const older = await since(one.packs[2]!);
  const { pack: _pack, ...bare } = older.since;
  const report = await check(two.packs[2]!, trustOf(one.ledger), { since: bare });
  expect(codesOf(report)).toContain('since_inconsistent');
  expect(report.since!.fork).toBeUndefined();
});
