/**
 * What a witness is asked and what it may sign: the request (as in C2SP tlog-witness, add-checkpoint) and the one
 * decision. Pure: keys, files and clocks are the caller's. Format: docs/spec/tree.md, "Cosignatures".
 * Rule: a witness signs nothing that does not continue what it signed last of the same origin.
 */
import { base64, equalBytes, fromBase64, fromUtf8, utf8 } from './bytes.ts';
import { type Checkpoint, parseCheckpoint } from './checkpoint.ts';
import type { Sha256, VerifyEd25519 } from './hash.ts';
import { NOTE_LIMIT, type NoteKey, openNote, parseNote } from './note.ts';
import { emptyRoot, verifyConsistency } from './tree.ts';

/** `proof` leads from `old`, which the witness signed last, to the note's checkpoint. */
export type WitnessRequest = {
  readonly old: number;
  readonly proof: readonly Uint8Array[];
  readonly note: string;
};

/** Hashes of a proof between two trees below 2^53. */
const PROOF_LIMIT = 63;
export const REQUEST_LIMIT = NOTE_LIMIT + 8192;

export class WitnessError extends Error {
  override name = 'WitnessError';
  readonly fault: 'form' | 'unknown' | 'behind' | 'smaller' | 'inconsistent';
  constructor(fault: WitnessError['fault'], message: string) {
    super(message);
    this.fault = fault;
  }
}

/** `old <size>\n`, a base64 hash a line, an empty line, the note. */
export const formatWitnessRequest = ({ old, proof, note }: WitnessRequest): string =>
  `old ${old}\n${proof.map(hash => `${base64(hash)}\n`).join('')}\n${note}`;

/** Throws WitnessError `form` on anything that `formatWitnessRequest` would not write. */
export function parseWitnessRequest(bytes: Uint8Array): WitnessRequest {
  if (bytes.length > REQUEST_LIMIT) throw new WitnessError('form', 'the request is too long');
  try {
    const text = fromUtf8(bytes);
    const end = text.indexOf('\n\n');
    const [first = '', ...hashes] = text.slice(0, Math.max(0, end)).split('\n');
    const [, size] = /^old (0|[1-9][0-9]{0,15})$/.exec(first) ?? [];
    if (size === undefined || hashes.length > PROOF_LIMIT)
      throw new Error('it does not begin with old <size>');
    const request = { old: Number(size), proof: hashes.map(fromBase64), note: text.slice(end + 2) };
    parseCheckpoint(parseNote(utf8(request.note)).text);
    if (formatWitnessRequest(request) !== text) throw new Error('it is not in its one form');
    return request;
  } catch (error) {
    throw new WitnessError('form', `This is no request to a witness: ${(error as Error).message}`);
  }
}

/** What a witness signed last of an origin. Size 0 where it has signed nothing. */
export type Seen = { readonly size: number; readonly root: Uint8Array };

/** The checkpoint that may be signed, with its text. Throws WitnessError; then nothing may be signed or kept. */
export async function judgeRequest(
  request: WitnessRequest,
  seen: Seen | undefined,
  keys: readonly NoteKey[],
  host: { readonly sha256: Sha256; readonly verifyEd25519: VerifyEd25519 },
): Promise<{ checkpoint: Checkpoint; text: string }> {
  const { text } = parseNote(utf8(request.note));
  const checkpoint = parseCheckpoint(text);
  const own = keys.filter(({ name }) => name === checkpoint.origin);
  if (own.length === 0)
    throw new WitnessError('unknown', `This witness does not know the keys of ${checkpoint.origin}`);
  try {
    await openNote(utf8(request.note), own, host.verifyEd25519);
  } catch (error) {
    throw new WitnessError('unknown', `The checkpoint is not signed by its log: ${(error as Error).message}`);
  }
  const last = seen ?? { size: 0, root: emptyRoot(host.sha256) };
  if (checkpoint.size < last.size) {
    throw new WitnessError(
      'smaller',
      `This witness has signed a checkpoint over ${last.size} records; this one has only ${checkpoint.size}. An old copy was put back, or the request is old`,
    );
  }
  if (checkpoint.size === last.size && !equalBytes(checkpoint.root, last.root)) {
    throw new WitnessError(
      'inconsistent',
      `This witness has signed another history of the same ${last.size} records: the ledger was rewritten. Keep both files`,
    );
  }
  if (request.old !== last.size) {
    throw new WitnessError(
      'behind',
      `The proof begins at ${request.old} records, and this witness last signed ${last.size}: ask with --old ${last.size}`,
    );
  }
  const claim = { first: last.size, second: checkpoint.size, root1: last.root, root2: checkpoint.root };
  if (!verifyConsistency(host.sha256, claim, request.proof)) {
    throw new WitnessError(
      'inconsistent',
      `The checkpoint over ${checkpoint.size} records does not continue the one over ${last.size} that this witness signed: the ledger was rewritten, or the proof is wrong. Keep both files`,
    );
  }
  return { checkpoint, text };
}
