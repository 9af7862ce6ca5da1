/**
 * Reading one record and checking it by itself and against the one before it. The same code reads packs and the live
 * ledger. Format: docs/spec/ledger.md and docs/spec/pack.md.
 * Rules: a line is parsed once, and one pass over its members holds it to its canonical form and gives the body's text;
 * signatures are handed to a queue that checks them in batches, elsewhere if the host likes.
 */
import { isReservedType } from '../event/types.ts';
import { fromBase64, hex, transientUtf8 } from '../proof/bytes.ts';
import type { Sha256 } from '../proof/hash.ts';
import { type JsonObject, jcs } from '../proof/jcs.ts';
import {
  eventSignatureText,
  GENESIS,
  HEAD_MEMBERS,
  type Head,
  headFault,
  headJcs,
  SEAL_MEMBERS,
  type Seal,
} from '../proof/record.ts';
import { canonicalPart, NotCanonical } from './canonical.ts';
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
  /** 64 bytes: the seal's signature. */
  readonly signature: Uint8Array;
  /** Head, body and seal in one; only the head where the body is gone. */
  readonly value: JsonObject;
  /** JCS(body), or undefined where the body is gone. */
  readonly bodyJcs: string | undefined;
  readonly role?: HeadRole;
};

const OUTSIDE: ReadonlySet<string> = new Set([...HEAD_MEMBERS, ...SEAL_MEMBERS]);
const HASH = /^[0-9a-f]{64}$/;
const NO_SIGNATURE = 'signature is not base64 of 64 bytes.';

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

/** The seal, and its signature in bytes: read once, in its one form. */
function sealed(value: JsonObject): { seal: Seal; signature: Uint8Array } {
  const { hash_self, signature, key_id } = value;
  if (typeof hash_self !== 'string' || !HASH.test(hash_self))
    throw new RecordError('record_form', 'hash_self is no hash.');
  if (typeof key_id !== 'string' || !HASH.test(key_id))
    throw new RecordError('record_form', 'key_id is no hash.');
  if (typeof signature !== 'string' || signature.length !== 88)
    throw new RecordError('record_form', NO_SIGNATURE);
  let bytes: Uint8Array;
  try {
    bytes = fromBase64(signature);
  } catch {
    throw new RecordError('record_form', NO_SIGNATURE);
  }
  if (bytes.length !== 64) throw new RecordError('record_form', NO_SIGNATURE);
  return { seal: { hash_self, signature, key_id }, signature: bytes };
}

/** As `headOf`, but a member that is not there is undefined: a literal is made several times faster. */
function allHeadMembers(value: JsonObject): Head {
  const { app_id, app_seq, body_hash, event_type, hash_prev, ledger_id } = value as unknown as Head;
  const { received_at, seq, tenant_id, ts, v } = value as unknown as Head;
  return {
    app_id,
    app_seq,
    body_hash,
    event_type,
    hash_prev,
    ledger_id,
    received_at,
    seq,
    tenant_id,
    ts,
    v,
  };
}

function checkedHead(value: JsonObject): Head {
  const head = allHeadMembers(value);
  const fault = headFault(head as unknown as JsonObject);
  if (fault !== undefined) throw new RecordError('record_form', `${fault}.`);
  return head;
}

/** The body's text of a canonical line. Throws RecordError where it is not canonical. */
function bodyOfLine(value: JsonObject, line: string): string | undefined {
  try {
    return canonicalPart(value, line, OUTSIDE);
  } catch (error) {
    if (error instanceof NotCanonical) throw new RecordError('line_form', 'The line is not canonical.');
    throw new RecordError('line_form', (error as Error).message);
  }
}

function bodyOfValue(value: JsonObject): string | undefined {
  const names = Object.keys(value).filter(name => !OUTSIDE.has(name));
  try {
    return names.length === 0 ? undefined : jcs(Object.fromEntries(names.map(name => [name, value[name]])));
  } catch (error) {
    throw new RecordError('line_form', (error as Error).message);
  }
}

/** Reads a line of events.jsonl or extras.jsonl. Throws RecordError. */
export function readRecordLine(
  line: string,
  file: 'events' | 'extras' | 'ledger',
  where: string,
): ReadRecord {
  const value = parseObject(line);
  const bodyJcs = bodyOfLine(value, line);
  return { file, where, value, head: checkedHead(value), ...sealed(value), bodyJcs };
}

/** A record that is an object already: of the live ledger. Throws RecordError. */
export function readRecordValue(value: JsonObject, where: string): ReadRecord {
  const bodyJcs = bodyOfValue(value);
  return { file: 'ledger', where, value, head: checkedHead(value), ...sealed(value), bodyJcs };
}

/** Reads a line of heads.jsonl: {hash_self, head, key_id, role, signature}. Throws RecordError. */
export function readHeadLine(line: string, where: string): ReadRecord {
  const value = parseObject(line);
  bodyOfLine(value, line);
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
    ...sealed(value),
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
    const hashSelf = hex(sha256(transientUtf8(headJcs(head))));
    if (hashSelf !== seal.hash_self) findings.add('head_hash_wrong', where);
    if (record.bodyJcs !== undefined) {
      if (hex(sha256(transientUtf8(record.bodyJcs))) !== head.body_hash)
        findings.add('body_hash_wrong', where);
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
        message: transientUtf8(eventSignatureText(seal.hash_self)),
        signature: record.signature,
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
