/**
 * What core borrows from its host (hash, MAC, signature check), and the prefixes that keep one signature from
 * standing for another. Format: docs/spec/ledger.md, "Signatures".
 */
import { hex } from './bytes.ts';

/** SHA-256 of the bytes: 32 bytes. */
export type Sha256 = (data: Uint8Array) => Uint8Array;
/** HMAC-SHA256: 32 bytes. */
export type HmacSha256 = (key: Uint8Array, message: Uint8Array) => Uint8Array;
/** Whether the 64-byte signature is this 32-byte Ed25519 key's over the message (RFC 8032, no prehash). */
export type VerifyEd25519 = (
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
) => boolean | Promise<boolean>;
/** Ed25519 signature of the message: 64 bytes. Who holds the key decides which key it is. */
export type SignEd25519 = (message: Uint8Array) => Uint8Array | Promise<Uint8Array>;

/** First bytes of every signed or MACed message, by purpose. Checkpoints are signed notes: no prefix, own key. */
export const PREFIX = {
  event: 'trailmix/event/v1\n',
  key: 'trailmix/key/v1\n',
  approval: 'trailmix/approval/v1\n',
  policy: 'trailmix/policy/v1\n',
  impact: 'trailmix/impact/v1\n',
  erasure: 'trailmix/erasure/v1\n',
  replay: 'trailmix/replay/v1\n',
  reveal: 'trailmix/reveal/v1\n',
  restore: 'trailmix/restore/v1\n',
  answer: 'trailmix/answer/v1\n',
  person: 'trailmix/person/v1\n',
  possession: 'trailmix/possession/v1\n',
  delegation: 'trailmix/delegation/v1\n',
} as const;

/** `key_id`: lowercase hex SHA-256 of the raw 32-byte public key. */
export function keyId(sha256: Sha256, publicKey: Uint8Array): string {
  if (publicKey.length !== 32)
    throw new RangeError(`an Ed25519 public key has 32 bytes, not ${publicKey.length}`);
  return hex(sha256(publicKey));
}
