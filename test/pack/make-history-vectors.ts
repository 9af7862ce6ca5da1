/**
 * Writes test/vectors/packs-history: packs over restores, by stamped checkpoints, and with what queries.jsonl says, right and
 * wrong, and packs.json with what a verifier must say. Keys are new each time, so the whole folder is written at once:
 * `node test/pack/make-history-vectors.ts` (needs openssl).
 */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeRequest } from '../../collector/evidence/timestamp.ts';
import type { FindingCode } from '../../core/pack/findings.ts';
import type { Trust } from '../../core/pack/verify.ts';
import { utf8 } from '../../core/proof/bytes.ts';
import { parseNote } from '../../core/proof/note.ts';
import { Authority, TSA } from './authority.ts';
import { MemoryLedger } from './memory-ledger.ts';
import {
  busyLedger,
  check,
  codesOf,
  linesOf,
  makePack,
  partsOf,
  reseal,
  setLines,
  sinceOf,
  trustOf,
  wholeWindow,
  zipOf,
} from './packs.ts';
import { epochProof, restoredLedger } from './restored.ts';

const folder = join(import.meta.dirname, '../vectors/packs-history');
await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
const work = await mkdtemp(join(tmpdir(), 'history-'));
const now = Date.now();
const cases: object[] = [];

type Given = { trust?: Trust; since?: string; sincePack?: Uint8Array };
async function write(
  name: string,
  about: string,
  code: FindingCode | null,
  pack: Uint8Array,
  { trust, since, sincePack }: Given,
): Promise<void> {
  await writeFile(join(folder, `${name}.zip`), pack);
  const report = await check(pack, trust, sincePack === undefined ? {} : await sinceOf(sincePack), now);
  const codes = codesOf(report);
  if (code !== null && !codes.includes(code)) throw new Error(`${name}: ${code} is not among ${codes}`);
  const verdicts = Object.fromEntries(
    Object.entries(report.verdicts).map(([verdict, { result }]) => [verdict, result]),
  );
  const more = { ...(trust === undefined ? {} : { trust }), ...(since === undefined ? {} : { since }) };
  cases.push({ file: `${name}.zip`, about, code, now, verdicts, codes, ...more });
}

// Over a restore.
const old = new MemoryLedger();
const steps = (ledger: MemoryLedger, count: number): void => {
  for (let n = 0; n < count; n++) ledger.append({ body: { name: `step ${n}` } });
};
steps(old, 4);
const older = await makePack(old);
const olderSize = old.all.length;
steps(old, 5);
await write('older', 'a pack of the ledger that is then restored', null, older, { trust: trustOf(old) });
const since = { since: 'older.zip', sincePack: older };
const proof = await epochProof(old, olderSize);
const continued = async (ledger: MemoryLedger, epochs = [proof]): Promise<Buffer> => {
  steps(ledger, 3);
  return makePack(ledger, wholeWindow, { epochs });
};
const proved = async (
  name: string,
  about: string,
  code: FindingCode | null,
  ledger: MemoryLedger,
  epochs = [proof],
): Promise<void> => {
  await write(name, about, code, await continued(ledger, epochs), { trust: trustOf(ledger), ...since });
};
await proved('restore', 'the restore goes on from the older pack', 'restored', await restoredLedger(old));
await proved(
  'restore_without_proof',
  'no proof that leads to the cited checkpoint',
  'epoch_changed',
  await restoredLedger(old),
  [],
);
const bent = { ...proof, text: proof.text.replace(/^./, one => (one === 'A' ? 'B' : 'A')) };
await proved(
  'restore_proof_wrong',
  'another hash in the proof',
  'since_inconsistent',
  await restoredLedger(old),
  [bent],
);
await proved(
  'restore_signature_wrong',
  'a restore that the old event key did not sign',
  'restore_signature_wrong',
  await restoredLedger(old, { forged: true }),
);
const forgedNote = (note: string): string => {
  const { text, lines } = parseNote(utf8(note));
  const bytes = Buffer.concat([Buffer.from(lines[0]!.id, 'hex'), lines[0]!.signature]);
  bytes[20]! ^= 1;
  return `${text}\n— ${lines[0]!.name} ${bytes.toString('base64')}\n`;
};
await proved(
  'restore_note_wrong',
  'the cited checkpoint is not signed by the old ledger',
  'restore_signature_wrong',
  await restoredLedger(old, { note: forgedNote }),
);
const elsewhere = { ...proof, path: proof.path.replace(old.ledgerId, 'f'.repeat(32)) };
await proved(
  'restore_proof_elsewhere',
  'a proof for a ledger that it does not cite',
  'file_role_wrong',
  await restoredLedger(old),
  [proof, elsewhere],
);
const early = new MemoryLedger(old);
steps(early, 2);
await proved(
  'restore_behind',
  'the backup is older than the older pack',
  'restored_behind',
  await restoredLedger(early),
  [],
);
old.rotate();
steps(old, 1);
await proved(
  'restore_unsigned',
  'the key that signed the restore came after the older pack',
  'restore_unsigned',
  await restoredLedger(old),
  [await epochProof(old, olderSize)],
);

// By stamped checkpoints alone.
const ca = join(work, 'ca');
await mkdir(ca);
const authority = new Authority(ca, 'Good');
authority.issue('tsa', 'P-256', TSA);
async function anchored(upTo: 'half' | 'all' | 'none'): Promise<void> {
  const ledger = new MemoryLedger();
  const anchor = async (): Promise<void> => {
    ledger.append({ app: '_ledger', type: 'checkpoint.signed', body: { name: 'Checkpoint' } });
    const checkpoint = await ledger.sign();
    const body = utf8(parseNote(utf8(checkpoint.note)).text);
    const tsr = authority.stamp('tsa', makeRequest(createHash('sha256').update(body).digest()));
    ledger.stamped.push({ checkpoint, tsr });
  };
  if (upTo === 'none') await anchor();
  steps(ledger, 3);
  if (upTo !== 'none') await anchor();
  steps(ledger, 2);
  if (upTo === 'all') await anchor();
  const code = ({ all: 'time_by_anchors', half: 'time_partly_shown', none: 'time_not_shown' } as const)[upTo];
  const about = `stamped checkpoints cover ${{ all: 'all', half: 'the first', none: 'none' }[upTo]} of its records`;
  const trust = { ...trustOf(ledger), tsaRoots: authority.root };
  await write(`anchors_${upTo}`, about, code, await makePack(ledger), { trust });
}
for (const upTo of ['all', 'half', 'none'] as const) await anchored(upTo);

// What queries.jsonl says.
const ledger = busyLedger();
ledger.append({ ts: '2026-10-31T23:00:00.5Z', body: { name: 'late', stream: { id: 'two', n: 9 } } });
ledger.append({ body: { name: 'behind', session_id: 'over', stream: { id: 'two', n: 8 } } });
ledger.append({ type: 'session.end', body: { session_id: 'over' } });
ledger.append({
  body: { name: '📎'.repeat(100), session_id: `s${'📎'.repeat(80)}`, stream: { id: '📎'.repeat(64), n: 1 } },
});
ledger.append({
  type: 'gap',
  body: { stream: { id: 'two', n: 10 }, input: { stream: 'two', from: 1, to: 7 } },
});
const pack = await makePack(ledger);
const trust = trustOf(ledger);
await write('queries', 'late records, open sessions, calls without an outcome', 'stream_dropped', pack, {
  trust,
});
const parts = await partsOf(pack);
const asked = linesOf(parts, 'queries.jsonl');
const told = async (name: string, about: string, lines: readonly string[]): Promise<void> => {
  setLines(parts, 'queries.jsonl', lines);
  await write(name, about, 'derived_wrong', await zipOf(reseal(parts)), { trust });
};
for (const [i, line] of asked.entries()) {
  const name = (JSON.parse(line) as { query: string }).query;
  const count = line.replace(/"count":\d+/, '"count":77');
  await told(
    `queries_${name}_count`,
    `queries.jsonl counts otherwise: ${name}`,
    asked.toSpliced(i, 1, count),
  );
}
const digest = asked[0]!.replace(/"seqs_sha256":"./, one =>
  one.endsWith('0') ? '"seqs_sha256":"1' : '"seqs_sha256":"0',
);
await told('queries_digest', 'another digest of the scope', asked.toSpliced(0, 1, digest));
await told('queries_short', 'a question is left out', asked.slice(0, -1));
await told('queries_more', 'a question too many', [...asked, asked[0]!]);

await writeFile(join(folder, 'packs.json'), `${JSON.stringify({ cases }, null, 1)}\n`);
await rm(work, { recursive: true });
console.log(`${cases.length} packs in ${folder}`);
