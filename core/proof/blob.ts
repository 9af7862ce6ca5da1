/**
 * Large values: how an event that would exceed one record becomes a record and blobs.
 * Format: docs/spec/ledger.md, "Large values". Pure: who calls it stores the blobs before it commits the record.
 */
import { hex, utf8, utf8Length } from './bytes.ts';
import type { Sha256 } from './hash.ts';
import { isPlain, type JsonObject, type JsonValue, jcs } from './jcs.ts';
import { GENESIS, type Head, headJcs } from './record.ts';

/** Most bytes that JCS(head members + body) may have. */
export const RECORD_LIMIT = 65_535;
/** Media type of a blob that is JCS(value). No upload may use it. */
export const JCS_BLOB_TYPE = 'application/vnd.trailmix.jcs+json';

/** What stands in a record in place of a blob's bytes. */
export interface BlobRef {
  readonly $blob: { readonly sha256: string; readonly bytes: number; readonly type: string };
}

export interface Blob {
  readonly sha256: string;
  readonly bytes: Uint8Array;
}

/** Body members that are never replaced, however large. Head members never are either. */
export const KEPT_MEMBERS: ReadonlySet<string> = new Set([
  'event_id',
  'parent_id',
  'session_id',
  'trace_id',
  'actor_id',
  'stream',
  'claimed',
  'source',
  'salt',
]);

/** The body cannot be brought under the limit: what may not be replaced is too large. */
export class RecordTooLargeError extends Error {
  override name = 'RecordTooLargeError';
  /** Size in bytes after everything replaceable was replaced. */
  readonly size: number;
  constructor(size: number) {
    super(`the record needs ${size} bytes without its large values; ${RECORD_LIMIT} are allowed`);
    this.size = size;
  }
}

/** Head members known before the writer gives the others. */
export type KnownHead = Pick<Head, 'ledger_id' | 'tenant_id' | 'app_id' | 'event_type' | 'ts'>;

/**
 * Bytes that JCS(head members + body) adds to JCS(body). `seq` and `app_seq` count as 16 digits and `clock` as
 * present, because the writer gives them after the body is fixed: the size is an upper bound that all can compute.
 */
export function headReserve(head: KnownHead): number {
  const widest: Head = {
    v: 1,
    ledger_id: head.ledger_id,
    tenant_id: head.tenant_id,
    app_id: head.app_id,
    event_type: head.event_type,
    ts: head.ts,
    seq: Number.MAX_SAFE_INTEGER,
    app_seq: Number.MAX_SAFE_INTEGER,
    received_at: WIDEST_TIME,
    hash_prev: GENESIS,
    body_hash: GENESIS,
  };
  // The two objects share their braces, and one comma joins them: `{head,body}`.
  return utf8Length(headJcs(widest)) - 1 + `"clock":"${WIDEST_TIME}",`.length;
}

const WIDEST_TIME = '0000-00-00T00:00:00.000000Z';

/** What every head adds besides its five known texts. */
const FIXED_RESERVE = headReserve({ ledger_id: '', tenant_id: '', app_id: '', event_type: '', ts: '' });

/**
 * Whether a record fits for certain, told from lengths alone: no UTF-16 unit takes more than three bytes as text, or
 * six once escaped. False says nothing: ask `replaceLargeValues`.
 */
export function surelyFits(head: KnownHead, bodyJcs: string): boolean {
  const { ledger_id, tenant_id, app_id, event_type, ts } = head;
  const texts = ledger_id.length + tenant_id.length + app_id.length + event_type.length + ts.length;
  return 3 * bodyJcs.length + 6 * texts + FIXED_RESERVE <= RECORD_LIMIT;
}

/**
 * Replaces the largest top-level members of a body until the record fits. Members are those of the finished body
 * (source and salt included); `bodyJcs` must be `jcs(body)`. Answers the same object when nothing is too large.
 * Blobs come in the order of replacement; two equal values give one blob.
 * Throws RecordTooLargeError when nothing is left to replace.
 */
export function replaceLargeValues(
  sha256: Sha256,
  head: KnownHead,
  body: JsonObject,
  bodyJcs: string,
): { readonly body: JsonObject; readonly bodyJcs: string; readonly blobs: readonly Blob[] } {
  const room = RECORD_LIMIT - headReserve(head);
  let size = utf8Length(bodyJcs);
  if (size <= room) return { body, bodyJcs, blobs: [] };

  const candidates = Object.entries(body)
    .filter(([name, value]) => !KEPT_MEMBERS.has(name) && !isBlobRef(value))
    .map(([name, value]) => ({ name, text: jcs(value) }))
    .map(({ name, text }) => ({ name, text, bytes: utf8Length(text) }))
    .sort((a, b) => b.bytes - a.bytes || (a.name < b.name ? -1 : 1));

  const members = new Map<string, JsonValue>(Object.entries(body));
  const blobs = new Map<string, Blob>();
  for (const { name, text, bytes } of candidates) {
    if (size <= room) break;
    const content = utf8(text);
    const digest = hex(sha256(content));
    const ref = { $blob: { sha256: digest, bytes, type: JCS_BLOB_TYPE } };
    members.set(name, ref);
    if (!blobs.has(digest)) blobs.set(digest, { sha256: digest, bytes: content });
    size += jcs(ref).length - bytes;
  }
  if (size > room) throw new RecordTooLargeError(size + RECORD_LIMIT - room);
  const replaced = Object.fromEntries(members);
  return { body: replaced, bodyJcs: jcs(replaced), blobs: [...blobs.values()] };
}

/** Whether a value is exactly `{"$blob": {sha256, bytes, type}}` of the right types. */
export function isBlobRef(value: unknown): value is BlobRef {
  if (typeof value !== 'object' || value === null || !isPlain(value)) return false;
  const names = Object.keys(value);
  if (names.length !== 1 || names[0] !== '$blob') return false;
  const blob = (value as { $blob: unknown }).$blob;
  if (typeof blob !== 'object' || blob === null || !isPlain(blob)) return false;
  const { sha256, bytes, type, ...rest } = blob as Record<string, unknown>;
  return (
    Object.keys(rest).length === 0 &&
    typeof sha256 === 'string' &&
    /^[0-9a-f]{64}$/.test(sha256) &&
    Number.isSafeInteger(bytes) &&
    (bytes as number) >= 0 &&
    typeof type === 'string' &&
    type.length > 0 &&
    type.length <= 256
  );
}
