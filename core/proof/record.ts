/**
 * The record: a flat JSON object of head, body and signature, hashed in two steps so that a body can be erased or
 * withheld while chain and tree stay provable. Format: docs/spec/ledger.md.
 * Rules: a head has exactly HEAD_MEMBERS; the body is every other member but SEAL_MEMBERS; nothing here trusts
 * its input's shape unless its name says so.
 */
import { validTs } from '../event/time.ts';
import { hex, utf8 } from './bytes.ts';
import { PREFIX, type Sha256 } from './hash.ts';
import { type JsonObject, type JsonValue, jcs, jcsString } from './jcs.ts';

/** The part of a record that is always kept. `seq` counts from 0 per tenant, `app_seq` from 1 per tenant and app. */
export interface Head {
  readonly v: 1;
  readonly ledger_id: string;
  readonly tenant_id: string;
  readonly seq: number;
  readonly app_id: string;
  readonly app_seq: number;
  readonly event_type: string;
  readonly ts: string;
  readonly received_at: string;
  readonly hash_prev: string;
  readonly body_hash: string;
}

/** How an event came in. `key` is the API key's id where auth is `key`. */
export interface Source {
  readonly via: string;
  readonly auth: 'key' | 'person' | 'none' | 'self';
  readonly key?: string;
}

/** The erasable part: event members that are not in the head, `source`, `salt`, and `claimed` or `clock` if any. */
export type Body = JsonObject;

/** What is outside both hashes. */
export interface Seal {
  readonly hash_self: string;
  readonly signature: string;
  readonly key_id: string;
}

/** Head, body and seal in one flat object, as events.jsonl and the API carry it. */
export type FlatRecord = Head & Seal & { readonly [member: string]: JsonValue };

/** Members of a head, in JCS order. */
export const HEAD_MEMBERS = [
  'app_id',
  'app_seq',
  'body_hash',
  'event_type',
  'hash_prev',
  'ledger_id',
  'received_at',
  'seq',
  'tenant_id',
  'ts',
  'v',
] as const;
export const SEAL_MEMBERS = ['hash_self', 'key_id', 'signature'] as const;

const HEAD_SET: ReadonlySet<string> = new Set(HEAD_MEMBERS);
const OUTSIDE_BODY: ReadonlySet<string> = new Set([...HEAD_MEMBERS, ...SEAL_MEMBERS]);

/** `hash_prev` of seq 0. */
export const GENESIS = '0'.repeat(64);
/** app_id of what belongs to no app. */
export const LEDGER_APP = '_ledger';
/** The tenant that every installation has. */
export const DEFAULT_TENANT = 'default';

/** JCS(head), written out because every event pays for it. Equal to `jcs(head)` for every Head. */
export function headJcs(head: Head): string {
  const { app_id, body_hash, event_type, hash_prev, ledger_id, received_at, tenant_id, ts } = head;
  return (
    `{"app_id":${jcsString(app_id)},"app_seq":${head.app_seq},"body_hash":${jcsString(body_hash)}` +
    `,"event_type":${jcsString(event_type)},"hash_prev":${jcsString(hash_prev)}` +
    `,"ledger_id":${jcsString(ledger_id)},"received_at":${jcsString(received_at)},"seq":${head.seq}` +
    `,"tenant_id":${jcsString(tenant_id)},"ts":${jcsString(ts)},"v":1}`
  );
}

/** Lowercase hex SHA-256 of the UTF-8 of JCS(body). */
export function bodyHash(sha256: Sha256, bodyJcs: string): string {
  return hex(sha256(utf8(bodyJcs)));
}

/** `hash_self`: lowercase hex SHA-256 of JCS(head). It is the chain's link and, as raw bytes, the tree's leaf input. */
export function hashSelf(sha256: Sha256, head: Head): string {
  return hex(sha256(utf8(headJcs(head))));
}

/** What `signature` signs: the event prefix and hash_self as its 64 hex characters. */
export const eventSignatureText = (hashSelfHex: string): string => PREFIX.event + hashSelfHex;

/** The bytes of that. */
export const eventSignatureMessage = (hashSelfHex: string): Uint8Array =>
  utf8(eventSignatureText(hashSelfHex));

const LEDGER_ID = /^[0-9a-f]{32}$/;
const HASH = /^[0-9a-f]{64}$/;
const TENANT_ID = /^[a-z0-9-]{1,64}$/;
const EVENT_TYPE = /^[a-z][a-z0-9_.-]{0,63}$/;

/** Why a value is not a head, as `member: reason`, or undefined when it is one. Checks form, not truth. */
export function headFault(head: { readonly [member: string]: unknown }): string | undefined {
  for (const member of Object.keys(head)) if (!HEAD_SET.has(member)) return `${member}: not a head member`;
  if (head.v !== 1) return 'v: must be 1';
  if (!matches(LEDGER_ID, head.ledger_id)) return 'ledger_id: must be 32 hex characters';
  if (!matches(TENANT_ID, head.tenant_id)) return 'tenant_id: must match [a-z0-9-]{1,64}';
  if (!isCount(head.seq, 0)) return 'seq: must be an integer from 0';
  if (!isCount(head.app_seq, 1)) return 'app_seq: must be an integer from 1';
  if (!isText(head.app_id)) return 'app_id: must be a string of 1 to 256 characters';
  if (!matches(EVENT_TYPE, head.event_type)) return 'event_type: must match [a-z][a-z0-9_.-]{0,63}';
  if (!isTime(head.ts)) return 'ts: must be a time, YYYY-MM-DDTHH:MM:SS[.1-9 digits]Z';
  if (!isTime(head.received_at) || (head.received_at as string).length !== 27) {
    return 'received_at: must be a time with six digits';
  }
  if (!matches(HASH, head.hash_prev)) return 'hash_prev: must be 64 hex characters';
  if (!matches(HASH, head.body_hash)) return 'body_hash: must be 64 hex characters';
  return undefined;
}

function matches(form: RegExp, value: unknown): boolean {
  return typeof value === 'string' && form.test(value);
}

function isTime(value: unknown): boolean {
  return typeof value === 'string' && validTs(value);
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.length > 0 && value.length <= 256;
}

function isCount(value: unknown, least: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= least;
}

/** The head of a flat record (or of a bare head). The members are copied as they are: see `headFault`. */
export function headOf(record: { readonly [member: string]: unknown }): Head {
  const head: Record<string, unknown> = {};
  for (const member of HEAD_MEMBERS) if (Object.hasOwn(record, member)) head[member] = record[member];
  return head as unknown as Head;
}

/** Every member of a flat record that is in neither its head nor its seal. Empty where the body is gone. */
export function bodyOf(record: { readonly [member: string]: JsonValue }): Body {
  const entries = Object.entries(record).filter(([member]) => !OUTSIDE_BODY.has(member));
  return Object.fromEntries(entries);
}

/** Whether the member may stand in a body: heads and seals have names of their own. */
export function isBodyMember(member: string): boolean {
  return !OUTSIDE_BODY.has(member);
}

/** The flat record of its three parts. */
export function recordOf(head: Head, body: Body, seal: Seal): FlatRecord {
  return Object.fromEntries([
    ...Object.entries(body),
    ...Object.entries(head),
    ...Object.entries(seal),
  ]) as FlatRecord;
}

/** The bytes that a new event key signs about itself (`new_key_sig`); the old key signs the record that carries it. */
export function keyRotationMessage(rotation: {
  readonly ledger_id: string;
  readonly tenant_id: string;
  readonly old_key_id: string;
  /** base64 of the new 32-byte public key */
  readonly new_key: string;
}): Uint8Array {
  const { ledger_id, tenant_id, old_key_id, new_key } = rotation;
  return utf8(PREFIX.key + jcs({ ledger_id, tenant_id, old_key_id, new_key }));
}

/** Id of a run (one session of one app): first 16 hex characters of SHA-256(app_id, NUL, session_id). */
export function runId(sha256: Sha256, appId: string, sessionId: string): string {
  return hex(sha256(utf8(`${appId}\0${sessionId}`))).slice(0, 16);
}
