/**
 * Whether a pack continues an older one: within a ledger by its consistency proof, across a restore by what the restore cites
 * and the old ledger's keys signed. Format: docs/spec/pack.md, "Older packs".
 * Rules: the older pack is the reader's own, so its keys are taken for the old ledger's; what it does not name is not shown.
 */
import { base64, fromBase64, fromUtf8, hex } from '../proof/bytes.ts';
import type { Checkpoint } from '../proof/checkpoint.ts';
import type { VerifyEd25519 } from '../proof/hash.ts';
import { NoteError, noteKey, openNote, parseVkey } from '../proof/note.ts';
import { verifyConsistency } from '../proof/tree.ts';
import { consistencyText } from './checkpoint.ts';
import type { PackFiles } from './files.ts';
import { Findings } from './findings.ts';
import { type Fork, forkOf } from './fork.ts';
import type { VerifyHost } from './host.ts';
import { KeyChain } from './keys.ts';
import { RecordSource } from './merge.ts';
import type { PackReader, Since } from './older.ts';
import { shownText } from './places.ts';
import { plainText } from './plain_text.ts';
import { RecordChecker } from './records.ts';
import { type RestoredFrom, restoreConsistency } from './restore.ts';
import { oneByOne, SignatureQueue } from './signatures.ts';

/** What was found of an older pack. */
export type SinceReport = {
  origin: string;
  size: number;
  /** Hex. */
  root: string;
  result: 'continues' | 'rewritten' | 'larger' | 'not_shown' | 'lost';
  /** It is of the ledger that this one was restored from. */
  restored: boolean;
  /** Its checkpoint is signed by a key of its ledger that is trusted or, without trust, that this pack names. */
  signed?: boolean;
  fork?: Fork;
};

type Parts = {
  readonly files: PackFiles;
  readonly checkpoint: Checkpoint;
  readonly restored: RestoredFrom | undefined;
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
  const { checkpoint, restored } = parts;
  const { origin, size } = since;
  const report: SinceReport = { origin, size, root: hex(since.root), result: 'not_shown', restored: false };
  if (origin !== checkpoint.origin) {
    if (restored?.checkpoint?.origin === origin) {
      report.restored = true;
      await checkRestored(host, parts, restored, since, report, findings);
    } else findings.add('epoch_changed', 'checkpoint.note');
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

/** The older pack is of the ledger that this one was restored from. */
async function checkRestored(
  host: VerifyHost,
  { files, vkeys }: Parts,
  restored: RestoredFrom,
  since: Since,
  report: SinceReport,
  findings: Findings,
): Promise<void> {
  const where = 'extras.jsonl';
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
  const old = since.pack === undefined ? { event: new Map(), checkpoint: [] } : await keysOfPack(host, since);
  const trusted = (vkeys ?? [])
    .map(vkey => parseVkey(host.sha256, vkey))
    .filter(key => key.name === since.origin);
  const known = [...old.checkpoint.map(key => noteKey(host.sha256, since.origin, key)), ...trusted];
  const note = await openedBy(restored.note, known, host.verifyEd25519);
  const key = old.event.get(restored.oldKeyId);
  const signed =
    key === undefined
      ? 'unknown'
      : (await host.verifyEd25519(key, restored.message, restored.signature))
        ? 'good'
        : 'bad';
  if (note === 'bad' || signed === 'bad') {
    report.result = 'rewritten';
    findings.add(
      'restore_signature_wrong',
      where,
      note === 'bad' ? 'Of the checkpoint that it cites.' : 'Of the restore.',
    );
  } else if (note === 'unknown' || signed === 'unknown') findings.add('restore_unsigned', where);
  else report.result = 'continues';
}

/** The keys of a ledger as its older pack names them; none where those records do not verify. */
async function keysOfPack(
  host: VerifyHost,
  since: Since & { pack?: PackReader },
): Promise<{ event: Map<string, Uint8Array>; checkpoint: Uint8Array[] }> {
  const none = { event: new Map<string, Uint8Array>(), checkpoint: [] };
  const findings = new Findings();
  const signatures = new SignatureQueue(host.verifyBatch ?? oneByOne(host.verifyEd25519), findings);
  const keys = new KeyChain(host.sha256, findings, signatures);
  const [, ledgerId, tenantId] = since.origin.split('/');
  const place = { ledgerId: ledgerId ?? '', tenantId: tenantId ?? '' };
  const checker = new RecordChecker({ sha256: host.sha256, findings, keys, signatures, ...place });
  for (const file of ['extras', 'events'] as const) {
    const source = new RecordSource(file, since.pack!.stream(`${file}.jsonl`), findings);
    await source.advance();
    while (source.record !== undefined) {
      const { head } = source.record;
      if (head.seq === 0 || head.event_type.startsWith('key.')) checker.check(source.record);
      if (signatures.full) await signatures.room();
      if (!source.advanceNow()) await source.advance();
    }
    // Where they stand among the events, the pack is of the ledger's own records: then extras have none of them.
    if (keys.all.length > 0) break;
  }
  await signatures.drain();
  if (findings.failures > 0) return none;
  const checkpoint = keys.checkpointKeys.map(({ publicKey }) => publicKey);
  const ofNotes = new Set(checkpoint.map(base64));
  const event = keys.all.filter(({ publicKey }) => !ofNotes.has(base64(publicKey)));
  return { event: new Map(event.map(({ id, publicKey }) => [id, publicKey])), checkpoint };
}

function forkText({ same, differs, older, newer }: Fork): string {
  const upTo =
    same === 0 ? 'No beginning is known that both share' : `The first ${same} records are the same in both`;
  const where = `${upTo}; the first ${differs} are not.`;
  if (older === undefined || newer === undefined) return where;
  return `${where} The older pack has ${shownText(older)}; this one ${shownText(newer)}.`;
}

/** What a report says of the older pack, in sentences for a person. */
export function sinceSentences({ origin, size, result, restored, signed, fork }: SinceReport): string[] {
  const ledger = restored ? ' of the ledger that this one was restored from' : '';
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
