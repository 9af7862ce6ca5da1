/**
 * The act of a witness: judges a request by what was signed before and signs its checkpoint. Whose key and whose memory it is
 * (a file's on a stick, or a vault's and a ledger's) is the caller's. Format: docs/spec/tree.md, "Cosignatures".
 * Rule: the caller makes what was signed durable before the note leaves.
 */
import { type KeyObject, sign } from 'node:crypto';
import { type ErrorCode, TrailmixError } from '../../core/api/errors.ts';
import { base64, fromBase64 } from '../../core/proof/bytes.ts';
import { cosignatureBytes, cosignatureMessage, type WitnessKey } from '../../core/proof/cosignature.ts';
import { formatNoteLine, parseVkey } from '../../core/proof/note.ts';
import { judgeRequest, parseWitnessRequest, WitnessError } from '../../core/proof/witness.ts';
import { sha256 } from '../sha256.ts';
import { verifyEd25519 } from './verifier-host.ts';

/** What a witness knows of a log: its keys, and what it signed last. `root` is base64. */
export type KnownLog = { vkeys: string[]; size: number; root?: string; at?: string };
export type Signing = { origin: string; size: number; before: number; note: string; name: string };

const FAULTS: { readonly [F in WitnessError['fault']]: ErrorCode } = {
  form: 'witness_invalid',
  unknown: 'witness_unknown',
  behind: 'witness_behind',
  smaller: 'witness_smaller',
  inconsistent: 'witness_inconsistent',
};

/**
 * The signed note, and what the witness must know from now on. `known`: by origin; `vkeys`: keys of the log that came with the
 * request. Throws witness_invalid, witness_unknown, witness_behind, witness_smaller, witness_inconsistent; then nothing is signed.
 */
export async function cosign(
  bytes: Uint8Array,
  {
    key,
    privateKey,
    known,
    vkeys = [],
    now,
  }: {
    key: WitnessKey;
    privateKey: KeyObject;
    known: (origin: string) => KnownLog | undefined | Promise<KnownLog | undefined>;
    vkeys?: readonly string[];
    now: number;
  },
): Promise<{ signing: Signing; log: Required<KnownLog>; line: string; time: number }> {
  try {
    const request = parseWitnessRequest(bytes);
    const origin = request.note.slice(0, request.note.indexOf('\n'));
    const log = (await known(origin)) ?? { vkeys: [], size: 0 };
    const all = [...new Set([...log.vkeys, ...vkeys])];
    const keys = all.map(vkey => parseVkey(sha256, vkey)).filter(({ name }) => name === origin);
    const seen = log.root === undefined ? undefined : { size: log.size, root: fromBase64(log.root) };
    const { checkpoint, text } = await judgeRequest(request, seen, keys, { sha256, verifyEd25519 });
    const time = Math.floor(now / 1000);
    const signature = sign(null, cosignatureMessage(key, time, text), privateKey);
    const line = formatNoteLine({ name: key.name, id: key.id, signature: cosignatureBytes(time, signature) });
    const { size, root } = checkpoint;
    return {
      signing: { origin, size, before: log.size, note: request.note + line, name: key.name },
      log: { vkeys: all, size, root: base64(root), at: new Date(time * 1000).toISOString() },
      line,
      time,
    };
  } catch (error) {
    if (!(error instanceof WitnessError)) throw error;
    throw new TrailmixError(FAULTS[error.fault], { message: error.message });
  }
}
