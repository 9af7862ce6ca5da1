/**
 * Reading one record and checking it by itself and against the one before it. The same code reads packs and the live
 * ledger. Format: docs/spec/ledger.md and docs/spec/pack.md.
 * Rules: a line is parsed once, and one pass over its members gives both the canonical line and the canonical body;
 * signatures are handed to a queue that checks them in batches, elsewhere if the host likes.
 */
import { isReservedType } from '../event/types.ts';
import { fromBase64, hex, utf8 } from '../proof/bytes.ts';
import type { Sha256 } from '../proof/hash.ts';
import { type JsonObject, jcs, jcsString } from '../proof/jcs.ts';
import {
  eventSignatureMessage,
  GENESIS,
  HEAD_MEMBERS,
  type Head,
  headFault,
  headJcs,
  headOf,
  SEAL_MEMBERS,
  type Seal,
} from '../proof/record.ts';
import type { Findings } from './findings.ts';
import type { KeyChain } from './keys.ts';
import type { SignatureQueue } from './signatures.ts';

export type HeadRole = 'before' | 'after' | 'erased' | 'withheld';
export const HEAD_ROLES: readonly HeadRole[] = ['before', 'after', 'erased', 'withheld'];

/** A record as a verifier holds it: of a line of events.jsonl, extras.jsonl or heads.jsonl, or of the live ledger. */
export type ReadRecord = {
  readonly file: 'events' | 'extras' | 'heads' | 'ledger';
  readonly where: string;
  readonly head: Head;
  readonly seal: Seal;
  /** Head, body and seal in one; only the head where the body is gone. */
  readonly value: JsonObject;
  /** JCS(body), or undefined where the body is gone. */
  readonly bodyJcs: string | undefined;
  readonly role?: HeadRole;
};

const OUTSIDE: ReadonlySet<string> = new Set([...HEAD_MEMBERS, ...SEAL_MEMBERS]);
const HASH = /^[0-9a-f]{64}$/;
const SIGNATURE = /^[A-Za-z0-9+/]{86}==$/;

/** A line that is no record. `code` says in which way. */
export class RecordError extends Error {
  override name = 'RecordError';
  readonly code: 'line_form' | 'record_form';
  constructor(code: RecordError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

function parseObject(line: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new RecordError('line_form', 'The line is not JSON.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new RecordError('line_form', 'The line is not an object.');
  }
  return value as JsonObject;
}

function sealOf(value: JsonObject): Seal {
  const { hash_self, signature, key_id } = value;
  if (typeof hash_self !== 'string' || !HASH.test(hash_self))
    throw new RecordError('record_form', 'hash_self is no hash.');
  if (typeof key_id !== 'string' || !HASH.test(key_id))
    throw new RecordError('record_form', 'key_id is no hash.');
  if (typeof signature !== 'string' || !SIGNATURE.test(signature)) {
    throw new RecordError('record_form', 'signature is not base64 of 64 bytes.');
  }
  return { hash_self, signature, key_id };
}

function checkedHead(value: JsonObject): Head {
  const head = headOf(value);
  const fault = headFault(head as unknown as JsonObject);
  if (fault !== undefined) throw new RecordError('record_form', `${fault}.`);
  return head;
}

/** Canonical text of an object and of its body alone, from one pass over its members. Throws RecordError. */
function canonical(value: JsonObject): { line: string; body: string | undefined } {
  const names = Object.keys(value).sort();
  let line = '';
  let body = '';
  try {
    for (const name of names) {
      const member = `${jcsString(name)}:${jcs(value[name])}`;
      line += line === '' ? member : `,${member}`;
      if (!OUTSIDE.has(name)) body += body === '' ? member : `,${member}`;
    }
  } catch (error) {
    throw new RecordError('line_form', (error as Error).message);
  }
  return { line: `{${line}}`, body: body === '' ? undefined : `{${body}}` };
}

/** Reads a line of events.jsonl or extras.jsonl. Throws RecordError. */
export function readRecordLine(
  line: string,
  file: 'events' | 'extras' | 'ledger',
  where: string,
): ReadRecord {
  const value = parseObject(line);
  const written = canonical(value);
  if (written.line !== line) throw new RecordError('line_form', 'The line is not canonical.');
  return { file, where, value, head: checkedHead(value), seal: sealOf(value), bodyJcs: written.body };
}

/** A record that is an object already: of the live ledger. Throws RecordError. */
export function readRecordValue(value: JsonObject, where: string): ReadRecord {
  const { body } = canonical(value);
  return { file: 'ledger', where, value, head: checkedHead(value), seal: sealOf(value), bodyJcs: body };
}

/** Reads a line of heads.jsonl: {hash_self, head, key_id, role, signature}. Throws RecordError. */
export function readHeadLine(line: string, where: string): ReadRecord {
  const value = parseObject(line);
  if (canonical(value).line !== line) throw new RecordError('line_form', 'The line is not canonical.');
  if (Object.keys(value).join() !== 'hash_self,head,key_id,role,signature') {
    throw new RecordError(
      'record_form',
      'A line of heads.jsonl has hash_self, head, key_id, role, signature.',
    );
  }
  const role = value.role as HeadRole;
  if (!HEAD_ROLES.includes(role)) throw new RecordError('record_form', 'The role is not known.');
  const given = value.head;
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new RecordError('record_form', 'head is no object.');
  }
  const fault = headFault(given as JsonObject);
  if (fault !== undefined) throw new RecordError('record_form', `${fault}.`);
  const head = given as unknown as Head;
  return {
    file: 'heads',
    where,
    value: given as JsonObject,
    head,
    seal: sealOf(value),
    bodyJcs: undefined,
    role,
  };
}

/** `source.auth` of a record with a body. */
export function authOf(value: JsonObject): string | undefined {
  const source = value.source;
  if (typeof source !== 'object' || source === null || Array.isArray(source)) return undefined;
  const auth = (source as JsonObject).auth;
  return typeof auth === 'string' ? auth : undefined;
}

export type ChainContext = {
  readonly sha256: Sha256;
  readonly findings: Findings;
  readonly keys: KeyChain;
  readonly signatures: SignatureQueue;
  readonly ledgerId: string;
  readonly tenantId: string;
};

/**
 * Checks records given by rising seq: form, hashes, key and signature, the chain where seq-1 is here, times, app_seqs.
 * Keeps one head and one number per app. Whether a missing body is allowed is for the caller to say.
 */
export class RecordChecker {
  readonly #context: ChainContext;
  #last: { seq: number; hashSelf: string; receivedAt: string } | undefined;
  readonly #apps = new Map<string, number>();

  constructor(context: ChainContext) {
    this.#context = context;
  }

  get last(): { seq: number; hashSelf: string; receivedAt: string } | undefined {
    return this.#last;
  }

  check(record: ReadRecord): void {
    const { findings, sha256, keys, signatures } = this.#context;
    const { head, seal, where } = record;
    if (head.ledger_id !== this.#context.ledgerId || head.tenant_id !== this.#context.tenantId) {
      findings.add('record_foreign', where);
    }
    const hashSelf = hex(sha256(utf8(headJcs(head))));
    if (hashSelf !== seal.hash_self) findings.add('head_hash_wrong', where);
    if (record.bodyJcs !== undefined) {
      if (hex(sha256(utf8(record.bodyJcs))) !== head.body_hash) findings.add('body_hash_wrong', where);
      const auth = authOf(record.value);
      if (auth === undefined) findings.add('record_form', where, 'It has no source.');
      else if (isReservedType(head.event_type) && auth !== 'self' && auth !== 'person') {
        findings.add('reserved_type', where, `${head.event_type} by ${auth}.`);
      }
    }
    this.#order(record);
    const publicKey = keys.forRecord(record);
    if (publicKey !== undefined) {
      signatures.push({
        publicKey,
        message: eventSignatureMessage(seal.hash_self),
        signature: fromBase64(seal.signature),
        code: 'signature_wrong',
        where,
      });
    }
    keys.apply(record);
  }

  #order({ head, seal, where }: ReadRecord): void {
    const { findings } = this.#context;
    const last = this.#last;
    if (last !== undefined) {
      if (head.seq === last.seq) findings.add('seq_twice', where, `seq ${head.seq}.`);
      else if (head.seq < last.seq) findings.add('seq_order', where, `seq ${head.seq} after ${last.seq}.`);
      if (head.received_at < last.receivedAt) findings.add('time_falls', where);
      if (head.seq === last.seq + 1 && head.hash_prev !== last.hashSelf) findings.add('chain_broken', where);
    }
    if (head.seq === 0 && head.hash_prev !== GENESIS) findings.add('chain_broken', where);
    const before = this.#apps.get(head.app_id);
    if (before !== undefined && head.app_seq <= before && head.seq !== last?.seq) {
      findings.add('app_seq_falls', where, `${head.app_seq} after ${before}.`);
    }
    this.#apps.set(head.app_id, Math.max(head.app_seq, before ?? 0));
    if (last === undefined || head.seq >= last.seq) {
      this.#last = { seq: head.seq, hashSelf: seal.hash_self, receivedAt: head.received_at };
    }
  }
}
