/**
 * The signing keys of a ledger, from its own records: seq 0 (`ledger.opened`, body `event_key` and `checkpoint_key`)
 * names the first ones; a key event with `new_key` or `new_checkpoint_key` names the next.
 * Rules: a new event key binds from seq + 1 and signs itself (`new_key_sig`); any other key_id is `key_wrong`.
 */
import { fromBase64 } from '../proof/bytes.ts';
import { keyId, type Sha256 } from '../proof/hash.ts';
import type { JsonValue } from '../proof/jcs.ts';
import { keyRotationMessage } from '../proof/record.ts';
import type { Findings } from './findings.ts';
import type { ReadRecord } from './records.ts';
import type { SignatureQueue } from './signatures.ts';

type Key = { readonly id: string; readonly publicKey: Uint8Array };

export class KeyChain {
  readonly #sha256: Sha256;
  readonly #findings: Findings;
  readonly #signatures: SignatureQueue;
  #event: Key | undefined;
  #opened = false;
  readonly #checkpoint: Key[] = [];
  readonly #all: Key[] = [];

  constructor(sha256: Sha256, findings: Findings, signatures: SignatureQueue) {
    this.#sha256 = sha256;
    this.#findings = findings;
    this.#signatures = signatures;
  }

  /** Every key that the records named, event and checkpoint keys alike. */
  get all(): readonly Key[] {
    return this.#all;
  }

  /** Checkpoint keys, oldest first; the last is in force. */
  get checkpointKeys(): readonly Key[] {
    return this.#checkpoint;
  }

  /** The key that must have signed this record; undefined (and a finding) where it cannot be known or is another. */
  forRecord(record: ReadRecord): Uint8Array | undefined {
    if (!this.#opened && record.head.seq === 0) this.#open(record);
    if (this.#event === undefined) {
      if (this.#findings.count('keys_missing') === 0) this.#findings.add('keys_missing', record.where);
      return undefined;
    }
    if (record.seal.key_id === this.#event.id) return this.#event.publicKey;
    this.#findings.add('key_wrong', record.where);
    return undefined;
  }

  /** Takes over what a key event says. Call it after the record itself was checked. */
  apply(record: ReadRecord): void {
    const { head, value, where } = record;
    if (!head.event_type.startsWith('key.') || record.bodyJcs === undefined || this.#event === undefined)
      return;
    if (value.new_key !== undefined) {
      const next = this.#read(value.new_key);
      const signature = bytesOf(value.new_key_sig, 64);
      if (next === undefined || signature === undefined) {
        this.#findings.add('key_rotation_wrong', where);
        return;
      }
      const message = keyRotationMessage({
        ledger_id: head.ledger_id,
        tenant_id: head.tenant_id,
        old_key_id: this.#event.id,
        new_key: value.new_key as string,
      });
      this.#signatures.push({
        publicKey: next.publicKey,
        message,
        signature,
        code: 'key_rotation_wrong',
        where,
      });
      this.#event = next;
      this.#all.push(next);
    }
    if (value.new_checkpoint_key !== undefined) {
      const next = this.#read(value.new_checkpoint_key);
      if (next === undefined) this.#findings.add('key_rotation_wrong', where);
      else {
        this.#checkpoint.push(next);
        this.#all.push(next);
      }
    }
  }

  #open({ head, value, bodyJcs, where }: ReadRecord): void {
    this.#opened = true;
    const event = this.#read(value.event_key);
    const checkpoint = this.#read(value.checkpoint_key);
    if (
      head.event_type !== 'ledger.opened' ||
      bodyJcs === undefined ||
      event === undefined ||
      checkpoint === undefined
    ) {
      this.#findings.add('keys_missing', where);
      return;
    }
    this.#event = event;
    this.#checkpoint.push(checkpoint);
    this.#all.push(event, checkpoint);
  }

  #read(value: JsonValue | undefined): Key | undefined {
    const publicKey = bytesOf(value, 32);
    return publicKey === undefined ? undefined : { id: keyId(this.#sha256, publicKey), publicKey };
  }
}

function bytesOf(value: JsonValue | undefined, length: number): Uint8Array | undefined {
  if (typeof value !== 'string') return undefined;
  try {
    const bytes = fromBase64(value);
    return bytes.length === length ? bytes : undefined;
  } catch {
    return undefined;
  }
}

const SPKI = 'MCowBQYDK2VwAyEA';

/** SubjectPublicKeyInfo of an Ed25519 key as PEM, as openssl reads it. */
export function publicKeyPem(publicKeyBase64: string): string {
  return `-----BEGIN PUBLIC KEY-----\n${SPKI}${publicKeyBase64}\n-----END PUBLIC KEY-----\n`;
}
