/**
 * The pack's checkpoint: note, its parts for openssl, its keys, and the names of its proofs.
 * Format: docs/spec/tree.md and docs/spec/pack.md.
 */
import { base64, concat, equalBytes, fromUtf8, hex, utf8 } from '../proof/bytes.ts';
import { type Checkpoint, originOf, parseCheckpoint } from '../proof/checkpoint.ts';
import type { Sha256, VerifyEd25519 } from '../proof/hash.ts';
import { NoteError, type NoteKey, noteKey, openNote, parseNote, parseVkey } from '../proof/note.ts';
import { type Epoch, epochKeysPath } from './epochs.ts';
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

/** Text of consistency/<old>-<new>: a base64 hash a line. */
export const consistencyText = (hashes: readonly Uint8Array[]): string =>
  hashes.map(hash => `${base64(hash)}\n`).join('');

/** Every consistency file leads to this pack's size, or to what a restore cites; the proofs themselves need an older root. */
export function checkConsistencyNames(
  manifest: Manifest,
  epochs: readonly Epoch[],
  findings: Findings,
): void {
  const cited = new Map(epochs.map(({ restored }) => [restored.ledgerId, restored.checkpoint?.size]));
  const keys = new Set([...cited.keys()].map(epochKeysPath));
  for (const { path, role } of manifest.files) {
    if (role === 'epoch' && !keys.has(path)) findings.add('file_role_wrong', path);
    if (role !== 'consistency') continue;
    const [, epoch, old, now] =
      /^(?:epochs\/([0-9a-f]{32})\/)?consistency\/([0-9]+)-([0-9]+)$/.exec(path) ?? [];
    const right = Number(now) === (epoch === undefined ? manifest.checkpoint.size : cited.get(epoch));
    if (!right || Number(old) >= Number(now)) findings.add('file_role_wrong', path);
  }
}

/** Bytes of checkpoint.body and checkpoint.sig of a note that one key signed. */
export function checkpointParts(note: Uint8Array): { body: Uint8Array; signature: Uint8Array } {
  const { text, lines } = parseNote(note);
  return { body: utf8(text), signature: concat(lines[0]!.signature) };
}
