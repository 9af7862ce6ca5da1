/**
 * The pack's checkpoint: note, its parts for openssl, its keys, and whether it continues an older one.
 * Format: docs/spec/tree.md and docs/spec/pack.md.
 */
import { base64, concat, equalBytes, fromBase64, fromUtf8, hex, utf8 } from '../proof/bytes.ts';
import { type Checkpoint, originOf, parseCheckpoint } from '../proof/checkpoint.ts';
import type { Sha256, VerifyEd25519 } from '../proof/hash.ts';
import { NoteError, type NoteKey, noteKey, openNote, parseNote, parseVkey } from '../proof/note.ts';
import { verifyConsistency } from '../proof/tree.ts';
import type { PackFiles } from './files.ts';
import type { Findings } from './findings.ts';
import type { KeyChain } from './keys.ts';
import { publicKeyPem } from './keys.ts';
import type { Manifest } from './manifest.ts';

type Host = { readonly sha256: Sha256; readonly verifyEd25519: VerifyEd25519 };

/** Reads checkpoint.note and compares it with the manifest; signatures come later, when the keys are known. */
export async function readCheckpoint(
  files: PackFiles,
  manifest: Manifest,
  findings: Findings,
): Promise<{ checkpoint: Checkpoint; bytes: Uint8Array } | undefined> {
  const bytes = await files.read('checkpoint.note');
  if (bytes === undefined) return undefined;
  let checkpoint: Checkpoint;
  let text: string;
  let signatures: Uint8Array[];
  try {
    const note = parseNote(bytes);
    text = note.text;
    signatures = note.lines.map(line => line.signature);
    checkpoint = parseCheckpoint(text);
  } catch (error) {
    findings.add('checkpoint_form', 'checkpoint.note', (error as Error).message);
    return undefined;
  }
  const { size, root } = manifest.checkpoint;
  const same =
    checkpoint.origin === originOf(manifest.ledger_id, manifest.tenant_id) &&
    checkpoint.size === size &&
    hex(checkpoint.root) === root;
  if (!same) findings.add('checkpoint_wrong', 'checkpoint.note');
  const body = await files.read('checkpoint.body');
  const signature = await files.read('checkpoint.sig');
  const parts =
    body !== undefined &&
    signature !== undefined &&
    equalBytes(body, utf8(text)) &&
    signatures.some(line => equalBytes(line, signature));
  if (!parts) findings.add('checkpoint_files_differ', 'checkpoint.body');
  return { checkpoint, bytes };
}

/** Checks the note's signature against the ledger's own keys and, where given, the trusted ones. */
export async function checkSignature(
  host: Host,
  read: { checkpoint: Checkpoint; bytes: Uint8Array },
  keys: KeyChain,
  trusted: readonly string[] | undefined,
  findings: Findings,
): Promise<void> {
  const { origin } = read.checkpoint;
  const own = keys.checkpointKeys.map(({ publicKey }) => noteKey(host.sha256, origin, publicKey));
  const outside = trusted?.map(vkey => parseVkey(host.sha256, vkey)).filter(key => key.name === origin);
  const opened = await tryOpen(host, read.bytes, outside ?? own, findings);
  if (outside === undefined) findings.add('keys_untrusted', 'checkpoint.note');
  else if (opened !== undefined) {
    const named = opened.some(signer => own.some(key => equalBytes(key.publicKey, signer.publicKey)));
    if (!named) findings.add('checkpoint_key_wrong', 'checkpoint.note', 'The ledger names another key.');
  }
}

async function tryOpen(
  { verifyEd25519 }: Host,
  bytes: Uint8Array,
  known: readonly NoteKey[],
  findings: Findings,
): Promise<readonly NoteKey[] | undefined> {
  try {
    return (await openNote(bytes, known, verifyEd25519)).signers;
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
    const code = error.fault === 'bad_signature' ? 'checkpoint_signature_wrong' : 'checkpoint_key_wrong';
    findings.add(error.fault === 'form' ? 'checkpoint_form' : code, 'checkpoint.note');
    return undefined;
  }
}

/** keys/<key_id>.pem must be exactly the keys that the records name. */
export async function checkKeyFiles(
  files: PackFiles,
  manifest: Manifest,
  keys: KeyChain,
  findings: Findings,
): Promise<void> {
  const expected = new Map(
    keys.all.map(({ id, publicKey }) => [`keys/${id}.pem`, publicKeyPem(base64(publicKey))]),
  );
  for (const { path, role } of manifest.files) {
    if (role !== 'key') continue;
    const bytes = await files.read(path, 4096);
    let text: string | undefined;
    try {
      text = bytes === undefined ? undefined : fromUtf8(bytes);
    } catch {
      text = undefined;
    }
    if (text === undefined || text !== expected.get(path)) findings.add('key_file_wrong', path);
    expected.delete(path);
  }
  for (const path of expected.keys()) findings.add('key_file_wrong', path, 'It is missing.');
}

/** A checkpoint that someone already holds, of an older pack. */
export type Since = Checkpoint;

/** Text of consistency/<old>-<new>: a base64 hash a line. */
export const consistencyText = (hashes: readonly Uint8Array[]): string =>
  hashes.map(hash => `${base64(hash)}\n`).join('');

/**
 * The older pack is of the ledger that this one was restored from. The backup's checkpoint is proof only where it is the
 * older pack's own; one beyond it would need the old ledger's tree, which this pack has not.
 */
function checkRestoredSince(restored: Checkpoint, since: Since, findings: Findings): void {
  const where = 'extras.jsonl';
  if (restored.size < since.size) findings.add('restored_behind', where);
  else if (restored.size > since.size)
    findings.add(
      'epoch_changed',
      where,
      'The backup is of a later state of that ledger; no proof leads to it.',
    );
  else if (!equalBytes(restored.root, since.root)) findings.add('since_inconsistent', where);
}

/** Whether the older checkpoint is a beginning of this pack's. `restored`: the checkpoint that a restored ledger cites. */
export async function checkSince(
  { sha256 }: Host,
  {
    files,
    checkpoint,
    restored,
  }: { files: PackFiles; checkpoint: Checkpoint; restored: Checkpoint | undefined },
  since: Since,
  findings: Findings,
): Promise<void> {
  const path = `consistency/${since.size}-${checkpoint.size}`;
  if (since.origin !== checkpoint.origin) {
    if (restored?.origin === since.origin) checkRestoredSince(restored, since, findings);
    else findings.add('epoch_changed', 'checkpoint.note');
    return;
  }
  const claim = { first: since.size, second: checkpoint.size, root1: since.root, root2: checkpoint.root };
  if (since.size > checkpoint.size) {
    findings.add(
      'since_inconsistent',
      'checkpoint.note',
      'The older pack covers more records than this one.',
    );
    return;
  }
  if (since.size === checkpoint.size) {
    if (!verifyConsistency(sha256, claim, [])) findings.add('since_inconsistent', 'checkpoint.note');
    return;
  }
  const bytes = await files.read(path);
  if (bytes === undefined) {
    findings.add('since_missing', path);
    return;
  }
  let hashes: Uint8Array[] | undefined;
  try {
    const text = fromUtf8(bytes);
    hashes = text.split('\n').slice(0, -1).map(fromBase64);
    if (consistencyText(hashes) !== text) hashes = undefined;
  } catch {
    hashes = undefined;
  }
  if (hashes === undefined || !verifyConsistency(sha256, claim, hashes))
    findings.add('since_inconsistent', path);
}

/** Every consistency file leads to this pack's size; the proofs themselves need an older root to be checked. */
export function checkConsistencyNames(manifest: Manifest, findings: Findings): void {
  for (const { path, role } of manifest.files) {
    if (role !== 'consistency') continue;
    const [old, now] = path.slice('consistency/'.length).split('-').map(Number);
    if (now !== manifest.checkpoint.size || old === undefined || old >= now)
      findings.add('file_role_wrong', path);
  }
}

/** Bytes of checkpoint.body and checkpoint.sig of a note that one key signed. */
export function checkpointParts(note: Uint8Array): { body: Uint8Array; signature: Uint8Array } {
  const { text, lines } = parseNote(note);
  return { body: utf8(text), signature: concat(lines[0]!.signature) };
}
