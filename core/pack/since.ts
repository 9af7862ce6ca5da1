/**
 * Whether a pack continues an older one: within a ledger by its consistency proof, across a restore by what the restore cites
 * and the old ledger's keys signed. Format: docs/spec/pack.md, "Older packs".
 * Rules: the older pack is the reader's own, so its keys are taken for the old ledger's; what it does not name is not shown.
 */
import { fromBase64, fromUtf8, hex } from '../proof/bytes.ts';
import type { Checkpoint } from '../proof/checkpoint.ts';
import type { VerifyEd25519 } from '../proof/hash.ts';
import { NoteError, noteKey, openNote, parseVkey } from '../proof/note.ts';
import { verifyConsistency } from '../proof/tree.ts';
import { consistencyText } from './checkpoint.ts';
import { type Epoch, KeyReading, type LedgerKeys, NO_KEYS } from './epochs.ts';
import type { PackFiles } from './files.ts';
import { Findings } from './findings.ts';
import { type Fork, forkOf } from './fork.ts';
import type { VerifyHost } from './host.ts';
import { RecordSource } from './merge.ts';
import type { PackReader, Since } from './older.ts';
import { shownText } from './places.ts';
import { plainText } from './plain_text.ts';
import { type RestoredFrom, restoreConsistency } from './restore.ts';

/** What was found of an older pack. */
export type SinceReport = {
  origin: string;
  size: number;
  /** Hex. */
  root: string;
  result: 'continues' | 'rewritten' | 'larger' | 'not_shown' | 'lost';
  /** It is of the ledger that this one was restored from. */
  restored: boolean;
  /** Over how many restores, where it is more than one. */
  restores?: number;
  /** Its checkpoint is signed by a key of its ledger that is trusted or, without trust, that this pack names. */
  signed?: boolean;
  fork?: Fork;
};

type Parts = {
  readonly files: PackFiles;
  readonly checkpoint: Checkpoint;
  /** The restores that lead to this ledger, newest first. */
  readonly epochs: readonly Epoch[];
  /** Keys that sign checkpoints of this ledger, as far as anybody says. */
  readonly ownKeys: readonly Uint8Array[];
  /** Of trust.json. */
  readonly vkeys: readonly string[] | undefined;
};

/** Adds what follows to the findings. */
export async function checkSince(
  host: VerifyHost,
  parts: Parts,
  since: Since,
  findings: Findings,
): Promise<SinceReport> {
  const { checkpoint, epochs } = parts;
  const { origin, size } = since;
  const report: SinceReport = { origin, size, root: hex(since.root), result: 'not_shown', restored: false };
  if (origin !== checkpoint.origin) {
    const at = epochs.findIndex(({ restored }) => restored.checkpoint?.origin === origin);
    if (at >= 0) {
      report.restored = true;
      if (at > 0) report.restores = at + 1;
      await checkRestored(host, parts, at, since, report, findings);
    } else findings.add('epoch_changed', 'checkpoint.note', epochText(epochs));
    return report;
  }
  const keys = await keysFor(host, parts, origin);
  if (since.note !== undefined && keys.length > 0)
    report.signed = (await openedBy(since.note, keys, host.verifyEd25519)) === 'good';
  const path = `consistency/${size}-${checkpoint.size}`;
  if (size > checkpoint.size) {
    report.result = 'larger';
    findings.add(
      'since_inconsistent',
      'checkpoint.note',
      'The older pack covers more records than this one.',
    );
    return report;
  }
  const proof = size === checkpoint.size ? [] : await readProof(parts.files, path);
  if (proof === 'missing') findings.add('since_missing', path);
  else if (proof !== 'bad' && verifyConsistency(host.sha256, claimOf(since, checkpoint), proof)) {
    report.result = 'continues';
  } else {
    report.result = 'rewritten';
    if (since.pack !== undefined) {
      const newer = { checkpoint, reader: readerOf(parts.files) };
      report.fork = await forkOf(host.sha256, { checkpoint: since, reader: since.pack }, newer, size);
    }
    const where = size === checkpoint.size ? 'checkpoint.note' : path;
    findings.add('since_inconsistent', where, report.fork && forkText(report.fork));
  }
  return report;
}

const readerOf = (files: PackFiles) => ({
  paths: files.paths,
  stream: (path: string) => files.stream(path),
  read: (path: string, limit?: number) => files.read(path, limit),
});

const claimOf = (old: Checkpoint, now: Checkpoint) => ({
  first: old.size,
  second: now.size,
  root1: old.root,
  root2: now.root,
});

async function readProof(files: PackFiles, path: string): Promise<Uint8Array[] | 'missing' | 'bad'> {
  const bytes = await files.read(path);
  if (bytes === undefined) return 'missing';
  try {
    const text = fromUtf8(bytes);
    const hashes = text.split('\n').slice(0, -1).map(fromBase64);
    return consistencyText(hashes) === text ? hashes : 'bad';
  } catch {
    return 'bad';
  }
}

/** Why no restore leads to the older pack's ledger, as far as this pack says. */
function epochText(epochs: readonly Epoch[]): string | undefined {
  const last = epochs.at(-1);
  if (last === undefined) return undefined;
  return last.keys === undefined
    ? `This one continues ledger ${plainText(last.restored.ledgerId)}; what that one continues the pack does not carry.`
    : `No restore that leads to this one cites it; the first of them cites ledger ${plainText(last.restored.ledgerId)}.`;
}

type NoteKeys = readonly { readonly publicKey: Uint8Array; readonly name: string; readonly id: string }[];

/** Trusted keys of an origin, else those that this pack names. */
async function keysFor(host: VerifyHost, { vkeys, ownKeys }: Parts, origin: string): Promise<NoteKeys> {
  if (vkeys === undefined) return ownKeys.map(key => noteKey(host.sha256, origin, key));
  return vkeys.map(vkey => parseVkey(host.sha256, vkey)).filter(({ name }) => name === origin);
}

async function openedBy(
  note: Uint8Array,
  keys: NoteKeys,
  verify: VerifyEd25519,
): Promise<'good' | 'bad' | 'unknown'> {
  try {
    await openNote(note, keys as Parameters<typeof openNote>[1], verify);
    return 'good';
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
    return error.fault === 'bad_signature' || error.fault === 'form' ? 'bad' : 'unknown';
  }
}

/** The older pack is of a ledger that this one was restored from: `at` says over which restore. */
async function checkRestored(
  host: VerifyHost,
  { files, vkeys, epochs }: Parts,
  at: number,
  since: Since,
  report: SinceReport,
  findings: Findings,
): Promise<void> {
  const where = 'extras.jsonl';
  const { restored } = epochs[at]!;
  const cited = restored.checkpoint!;
  if (cited.size < since.size) {
    report.result = 'lost';
    findings.add(
      'restored_behind',
      where,
      `The backup has ${cited.size} of its ${since.size} records: the last ${since.size - cited.size} are lost.`,
    );
    return;
  }
  const path = restoreConsistency(restored.ledgerId, since.size, cited.size);
  const proof = cited.size === since.size ? [] : await readProof(files, path);
  if (proof === 'missing') {
    findings.add(
      'epoch_changed',
      where,
      'The backup is of a later state of that ledger; no proof leads to it.',
    );
    return;
  }
  if (proof === 'bad' || !verifyConsistency(host.sha256, claimOf(since, cited), proof)) {
    report.result = 'rewritten';
    findings.add('since_inconsistent', cited.size === since.size ? where : path);
    return;
  }
  let known = since.pack === undefined ? NO_KEYS : await keysOfPack(host, since, since.pack);
  let isShown = true;
  // From the restore that cites the older pack's ledger to this ledger's own: each key stands for the next.
  for (const { restored: one, keys = NO_KEYS } of epochs.slice(0, at + 1).reverse()) {
    const said = await signaturesOf(host, one, joined(known, keys), vkeys ?? []);
    if (said.includes('bad')) {
      report.result = 'rewritten';
      const what = said[0] === 'bad' ? 'Of the checkpoint that it cites.' : 'Of the restore.';
      findings.add('restore_signature_wrong', where, what);
      return;
    }
    if (said.includes('unknown')) isShown = false;
    known = NO_KEYS;
  }
  if (isShown) report.result = 'continues';
  else findings.add('restore_unsigned', where);
}

type Signed = 'good' | 'bad' | 'unknown';

const joined = (a: LedgerKeys, b: LedgerKeys): LedgerKeys => ({
  event: new Map([...a.event, ...b.event]),
  checkpoint: [...a.checkpoint, ...b.checkpoint],
});

/** Of the checkpoint that a restore cites, and of the restore, by keys of the old ledger. */
async function signaturesOf(
  host: VerifyHost,
  restored: RestoredFrom,
  { event, checkpoint }: LedgerKeys,
  vkeys: readonly string[],
): Promise<[note: Signed, restore: Signed]> {
  const { origin } = restored.checkpoint!;
  const trusted = vkeys.map(vkey => parseVkey(host.sha256, vkey)).filter(({ name }) => name === origin);
  const notes = [...checkpoint.map(key => noteKey(host.sha256, origin, key)), ...trusted];
  const note = await openedBy(restored.note, notes, host.verifyEd25519);
  const key = event.get(restored.oldKeyId);
  if (key === undefined) return [note, 'unknown'];
  const isGood = await host.verifyEd25519(key, restored.message, restored.signature);
  return [note, isGood ? 'good' : 'bad'];
}

/** The keys of a ledger as its older pack names them; none where those records do not verify. */
async function keysOfPack(host: VerifyHost, { origin }: Since, pack: PackReader): Promise<LedgerKeys> {
  const [, ledgerId = '', tenantId = ''] = origin.split('/');
  const reading = new KeyReading(host, { ledgerId, tenantId });
  const faults = new Findings();
  for (const file of ['extras', 'events'] as const) {
    const source = new RecordSource(file, pack.stream(`${file}.jsonl`), faults);
    await source.advance();
    while (source.record !== undefined) {
      const { head } = source.record;
      if (head.seq === 0 || head.event_type.startsWith('key.')) await reading.take(source.record);
      if (!source.advanceNow()) await source.advance();
    }
    // Where they stand among the events, the pack is of the ledger's own records: then extras have none of them.
    if (reading.found) break;
  }
  return faults.failures > 0 ? NO_KEYS : ((await reading.keys()) ?? NO_KEYS);
}

function forkText({ same, differs, older, newer }: Fork): string {
  const upTo =
    same === 0 ? 'No beginning is known that both share' : `The first ${same} records are the same in both`;
  const where = `${upTo}; the first ${differs} are not.`;
  if (older === undefined || newer === undefined) return where;
  return `${where} The older pack has ${shownText(older)}; this one ${shownText(newer)}.`;
}

/** What a report says of the older pack, in sentences for a person. */
export function sinceSentences(report: SinceReport): string[] {
  const { origin, size, result, restored, restores, signed, fork } = report;
  const over = restores === undefined ? '' : `, over ${restores} restores`;
  const ledger = restored ? ` of the ledger that this one was restored from${over}` : '';
  const said = {
    continues: 'This pack continues it: nothing up to there was rewritten.',
    rewritten: 'This pack does not continue it: one of the two tells a history that was rewritten.',
    larger: 'This pack covers fewer: it may be the older of the two, or records were cut off.',
    not_shown: 'Whether this pack continues it is not shown.',
    lost: 'The restore went back behind it: records that it proves are not in this ledger.',
  }[result];
  const sentences = [`The older pack covers ${size} records${ledger} (${plainText(origin)}). ${said}`];
  if (fork !== undefined) {
    sentences.push(forkText(fork));
    if (fork.differs > fork.same + 1)
      sentences.push(
        `What was changed, added or removed first lies from #${fork.same} to #${fork.differs - 1}.`,
      );
  }
  if (result === 'rewritten' || result === 'larger') {
    if (signed === true)
      sentences.push(
        "Both checkpoints are signed by the ledger's key: whoever holds it signed both. Keep both packs, they are the proof.",
      );
    else if (signed === false)
      sentences.push(
        'The older checkpoint is signed by no key of this ledger that is known here: it may be the forged one.',
      );
  }
  return sentences;
}
