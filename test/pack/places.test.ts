/** A report shows the records that a failure points at, with those beside them, in text that is safe to show. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { shownText } from '../../core/pack/places.ts';
import { jcs } from '../../core/proof/jcs.ts';
import { trailmix } from '../cli/trailmix.ts';
import { MemoryLedger } from './memory-ledger.ts';
import {
  busyLedger,
  check,
  gatedCall,
  linesOf,
  makePack,
  partsOf,
  reseal,
  setLines,
  trustOf,
  zipOf,
} from './packs.ts';

/** A pack whose line `n` (from 1) of events.jsonl was changed. */
async function doctored(ledger: MemoryLedger, n: number, change: (line: string) => string): Promise<Buffer> {
  const parts = await partsOf(await makePack(ledger));
  const lines = linesOf(parts, 'events.jsonl');
  setLines(parts, 'events.jsonl', lines.toSpliced(n - 1, 1, change(lines[n - 1]!)));
  return zipOf(reseal(parts));
}

const renamed = (line: string): string => jcs({ ...JSON.parse(line), name: 'step three' });

test('the changed record, and two on either side', async () => {
  const ledger = busyLedger();
  const { places } = await check(await doctored(ledger, 3, renamed), trustOf(ledger));
  expect(places.map(({ where, codes }) => ({ where, codes }))).toEqual([
    { where: 'events.jsonl:3', codes: ['body_hash_wrong'] },
  ]);
  const shown = places[0]!.records;
  expect(shown.map(({ where, failing, name }) => [where, failing, name])).toEqual([
    ['events.jsonl:1', false, 'step 1'],
    ['events.jsonl:2', false, 'step 2'],
    ['events.jsonl:3', true, 'step three'],
    ['events.jsonl:4', false, 'step 4'],
    ['events.jsonl:5', false, 'step 5'],
  ]);
  const own = ledger.all.filter(({ app_id }) => app_id === 'bot')[2]!;
  expect(shownText(shown[2]!)).toBe(
    `#${own.seq} (the app's 3) · span · step three · ${own.received_at} · key k1 · session s1`,
  );
});

test('a line that is no record is shown among those that are', async () => {
  const ledger = busyLedger();
  const { places } = await check(await doctored(ledger, 2, () => '{"seq":'), trustOf(ledger));
  const place = places.find(({ codes }) => codes.includes('line_form'))!;
  expect(place.records.map(record => [record.failing, record.name])).toEqual([
    [false, 'step 1'],
    [true, undefined],
    [false, 'step 3'],
    [false, 'step 4'],
  ]);
  expect(shownText(place.records[1]!)).toBe('events.jsonl:2: cannot be read as a record');
});

test('an approval is shown by the records that name it', async () => {
  const ledger = new MemoryLedger();
  const policy = ledger.activate('package trailmix\n');
  gatedCall(ledger, policy, { answer: { binding_hash: '0'.repeat(64) } });
  const { places } = await check(await makePack(ledger), trustOf(ledger));
  const place = places.find(({ codes }) => codes.includes('approval_answer_wrong'))!;
  expect(place.records.map(({ type }) => type)).toEqual([
    'decision.recorded',
    'approval.asked',
    'approval.answered',
    'intent.recorded',
  ]);
  expect(place.records[2]!.who).toBe('Dana, page');
});

test('places, records and texts are bounded; nothing fails, nothing is shown', async () => {
  const ledger = new MemoryLedger();
  for (let n = 0; n < 40; n++)
    ledger.append({ body: { name: 'x'.repeat(250) }, source: { via: 'otlp', auth: 'none' } });
  const { places } = await check(await makePack(ledger), trustOf(ledger));
  expect(places).toHaveLength(10);
  for (const { records } of places) {
    expect(records.length).toBeLessThanOrEqual(5);
    for (const { name } of records) expect(name).toHaveLength(80);
  }
  const good = busyLedger();
  expect((await check(await makePack(good), trustOf(good))).places).toEqual([]);
});

test('the command line shows them, and no text of a pack reaches the terminal raw', async () => {
  const ledger = new MemoryLedger();
  const steering = '\u001b[2J\u001b]0;owned\u0007\u202e';
  for (let n = 0; n < 4; n++)
    ledger.append({ body: { name: `step ${n} ${steering}`, stream: { id: `s${steering}`, n: 1 } } });
  const folder = await mkdtemp(join(tmpdir(), 'places-'));
  try {
    const path = join(folder, 'pack.zip');
    await writeFile(path, await doctored(ledger, 2, renamed));
    const { code, out: stdout } = await trailmix(['verify', path]);
    expect(code).toBe(1);
    expect(stdout).toContain('Where it fails:');
    expect(stdout).toMatch(/> #2 \(the app's 2\) · span · step three/);
    expect(stdout).toMatch(/ {2}#1 \(the app's 1\) · span · step 0 \ufffd\[2J/);
    expect(/[^\P{Cc}\n]|\u202e/u.test(stdout)).toBe(false);
  } finally {
    await rm(folder, { recursive: true });
  }
});
