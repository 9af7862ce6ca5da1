/**
 * The head file: what the ledger's last record was, kept outside the database so that an older copy of the database
 * is noticed. Append-only lines {ledger_id, tenant_id, seq, hash_self, signature}; the last whole line of a tenant
 * whose signature verifies counts, a torn last line is ignored. Format: docs/spec/ledger.md, "Head file".
 */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { eventSignatureMessage } from '../../core/proof/record.ts';

/** Beyond this size the file is rewritten with its last line alone. */
const COMPACT_BYTES = 1024 * 1024;

export type HeadLine = {
  ledger_id: string;
  tenant_id: string;
  seq: number;
  hash_self: string;
  signature: string;
};

const HASH = /^[0-9a-f]{64}$/;

function parseLine(line: string): HeadLine | undefined {
  try {
    const value = JSON.parse(line) as HeadLine;
    const whole =
      typeof value.ledger_id === 'string' &&
      typeof value.tenant_id === 'string' &&
      Number.isSafeInteger(value.seq) &&
      HASH.test(value.hash_self) &&
      typeof value.signature === 'string';
    return whole ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Ed25519 public key of its 32 raw bytes. */
export function ed25519PublicKey(raw: Uint8Array): KeyObject {
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw]);
  return createPublicKey({ key: spki, format: 'der', type: 'spki' });
}

/** The last head on file of this ledger and tenant, or undefined when there is none. */
export function readHeadFile(
  file: string,
  of: { ledgerId: string; tenantId: string },
  publicKey: Uint8Array,
): HeadLine | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const key = ed25519PublicKey(publicKey);
  const lines = text.split('\n');
  lines.pop();
  for (const line of lines.reverse()) {
    const head = parseLine(line);
    if (head === undefined || head.ledger_id !== of.ledgerId || head.tenant_id !== of.tenantId) continue;
    const signature = Buffer.from(head.signature, 'base64');
    if (verify(null, eventSignatureMessage(head.hash_self), key, signature)) return head;
  }
  return undefined;
}

export class HeadFile {
  readonly #file: string;
  #descriptor: number;
  #bytes: number;

  constructor(file: string) {
    this.#file = file;
    this.#descriptor = openSync(file, 'a', 0o600);
    this.#bytes = fstatSync(this.#descriptor).size;
    if (this.#bytes > 0 && !readFileSync(file).subarray(-1).equals(Buffer.from('\n'))) {
      // A torn line must not swallow the next one.
      this.#bytes += writeSync(this.#descriptor, '\n');
    }
  }

  append(head: HeadLine): void {
    const line = `${JSON.stringify(head)}\n`;
    if (this.#bytes > COMPACT_BYTES) this.#compact(line);
    else this.#bytes += writeSync(this.#descriptor, line);
  }

  #compact(line: string): void {
    const next = `${this.#file}.new`;
    const descriptor = openSync(next, 'w', 0o600);
    try {
      writeSync(descriptor, line);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(next, this.#file);
    syncFolder(dirname(this.#file));
    closeSync(this.#descriptor);
    this.#descriptor = openSync(this.#file, 'a', 0o600);
    this.#bytes = line.length;
  }

  sync(): void {
    fdatasyncSync(this.#descriptor);
  }

  close(): void {
    fsyncSync(this.#descriptor);
    closeSync(this.#descriptor);
  }
}

/** Makes new names in a folder survive a power cut. Not every platform can open a folder: there it is a no-op. */
export function syncFolder(folder: string): void {
  let descriptor: number;
  try {
    descriptor = openSync(folder, 'r');
  } catch {
    return;
  }
  try {
    fsyncSync(descriptor);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EIO') throw error;
  } finally {
    closeSync(descriptor);
  }
}
