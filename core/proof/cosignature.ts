/**
 * C2SP tlog-cosignature: a witness's statement that, at a time, a checkpoint was the largest consistent one it had seen
 * of its origin. Types 0x04 (Ed25519) and 0x06 (ML-DSA-44). Format: docs/spec/tree.md, "Cosignatures".
 * Rules: neither message can be taken for a log's own signature; times are seconds since 1970, below 2^53 here.
 */
import { base64, concat, fromBase64, hex, utf8 } from './bytes.ts';
import { checkpointText, parseCheckpoint } from './checkpoint.ts';
import type { Sha256, VerifyEd25519 } from './hash.ts';
import { NoteError, type NoteLine } from './note.ts';

export const COSIGN_ED25519 = 0x04;
export const COSIGN_MLDSA44 = 0x06;

/** Lengths of public key and signature by type. */
const LENGTHS: ReadonlyMap<number, { key: number; signature: number }> = new Map([
  [COSIGN_ED25519, { key: 32, signature: 64 }],
  [COSIGN_MLDSA44, { key: 1312, signature: 2420 }],
]);

/** FIPS 204, pure, empty context. Absent where the host has no ML-DSA. */
export type VerifyMlDsa44 = (
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
) => boolean | Promise<boolean>;

export interface WitnessKey {
  readonly name: string;
  /** 8 hex characters */
  readonly id: string;
  readonly type: number;
  readonly publicKey: Uint8Array;
}

const NAME = /^[^\s+\p{Cc}]+$/u;

/** Throws NoteError `form`. */
export function witnessKey(sha256: Sha256, name: string, type: number, publicKey: Uint8Array): WitnessKey {
  if (!NAME.test(name) || utf8(name).length > 255)
    throw new NoteError('form', 'a witness has a name of 1 to 255 bytes without white space and plus sign');
  if (LENGTHS.get(type)?.key !== publicKey.length)
    throw new NoteError('form', `key type ${type} is none of a witness, or its key has another length`);
  const id = hex(sha256(concat(utf8(`${name}\n`), Uint8Array.of(type), publicKey)).slice(0, 4));
  return { name, id, type, publicKey };
}

/** `<name>+<id>+<base64(type || public key)>`. */
export const formatWitnessVkey = ({ name, id, type, publicKey }: WitnessKey): string =>
  `${name}+${id}+${base64(concat(Uint8Array.of(type), publicKey))}`;

/** Reads a witness's vkey and recomputes its id. Throws NoteError `form`. */
export function parseWitnessVkey(sha256: Sha256, vkey: string): WitnessKey {
  const [, name, id, encoded] = /^([^+]+)\+([0-9a-f]{8})\+(\S+)$/su.exec(vkey) ?? [];
  let bytes: Uint8Array | undefined;
  try {
    bytes = encoded === undefined ? undefined : fromBase64(encoded);
  } catch {
    bytes = undefined;
  }
  if (name === undefined || bytes === undefined || bytes.length < 2)
    throw new NoteError('form', 'a vkey is name+id+key');
  const key = witnessKey(sha256, name, bytes[0]!, bytes.slice(1));
  if (key.id !== id) throw new NoteError('form', "the vkey's id is not that of its name and key");
  return key;
}

function bigEndian(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

const withLength = (bytes: Uint8Array): Uint8Array => concat(Uint8Array.of(bytes.length), bytes);

/** What a witness signs. `text` is that of a checkpoint; `time` in seconds since 1970. Throws CheckpointError. */
export function cosignatureMessage(key: WitnessKey, time: number, text: string): Uint8Array {
  const checkpoint = parseCheckpoint(text);
  if (key.type === COSIGN_ED25519) return utf8(`cosignature/v1\ntime ${time}\n${checkpointText(checkpoint)}`);
  return concat(
    utf8('subtree/v1\n\0'),
    withLength(utf8(key.name)),
    bigEndian(time),
    withLength(utf8(checkpoint.origin)),
    bigEndian(0),
    bigEndian(checkpoint.size),
    checkpoint.root,
  );
}

/** Bytes of a cosignature line after the id: u64 time, signature. */
export const cosignatureBytes = (time: number, signature: Uint8Array): Uint8Array =>
  concat(bigEndian(time), signature);

export type Cosigned =
  | { readonly kind: 'good'; readonly key: WitnessKey; readonly time: number }
  | { readonly kind: 'bad' | 'unchecked'; readonly key: WitnessKey }
  | { readonly kind: 'unknown' };

/** Judges one line of a note over the checkpoint `text`. A key is known when name and id match. */
export async function judgeCosignature(
  line: NoteLine,
  text: string,
  known: readonly WitnessKey[],
  verify: { readonly ed25519: VerifyEd25519; readonly mlDsa44?: VerifyMlDsa44 | undefined },
): Promise<Cosigned> {
  const keys = known.filter(({ name, id }) => name === line.name && id === line.id);
  if (keys.length === 0) return { kind: 'unknown' };
  for (const key of keys) {
    const check = key.type === COSIGN_ED25519 ? verify.ed25519 : verify.mlDsa44;
    if (check === undefined) return { kind: 'unchecked', key };
    if (line.signature.length !== 8 + LENGTHS.get(key.type)!.signature) continue;
    const seconds = new DataView(line.signature.buffer, line.signature.byteOffset, 8).getBigUint64(0);
    if (seconds === 0n || seconds > BigInt(Number.MAX_SAFE_INTEGER)) continue;
    const time = Number(seconds);
    const message = cosignatureMessage(key, time, text);
    if (await check(key.publicKey, message, line.signature.slice(8))) return { kind: 'good', key, time };
  }
  return { kind: 'bad', key: keys[0]! };
}
