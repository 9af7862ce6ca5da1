/**
 * The producer's event, checked member by member: the collector's door. Format: docs/spec/event.md.
 * Rules: every fault is named by code and JSON Pointer (to the event's own top); nothing is repaired. What comes out
 * is a new object: event_type filled in, hash_prev, hash_self and signature moved into `claimed`.
 * Written by hand because every event pays for it and the page's CSP forbids compiled schemas; schema.ts is the
 * published form, and a property test holds them together.
 */
import type { Problem } from '../api/errors.ts';
import { type BlobRef, isBlobRef, JCS_BLOB_TYPE } from '../proof/blob.ts';
import { utf8Length } from '../proof/bytes.ts';
import { isPlain, type JsonObject, type JsonValue, pointer } from '../proof/jcs.ts';
import { EVENT_DEPTH } from './ijson.ts';
import { ACTOR_TYPES, DECISIONS, ID_BYTES, RISKS, STATUSES } from './schema.ts';
import { validTs } from './time.ts';
import { DEFAULT_EVENT_TYPE, EVENT_TYPE, isReservedType } from './types.ts';

/** An accepted event: the members of ProducerEvent, with event_type, and `claimed` in place of the seed's hashes. */
export interface ValidEvent {
  readonly event_id: string;
  readonly parent_id?: string;
  readonly session_id: string;
  readonly trace_id?: string;
  readonly ts: string;
  readonly ts_end?: string;
  readonly event_type: string;
  readonly actor_type: (typeof ACTOR_TYPES)[number];
  readonly actor_id?: string;
  readonly app_id: string;
  readonly name?: string;
  readonly risk?: (typeof RISKS)[number];
  readonly labels?: JsonObject;
  readonly plan?: JsonValue;
  readonly retrieval?: JsonValue;
  readonly input?: JsonValue;
  readonly output?: JsonValue;
  readonly tools_invoked?: JsonValue;
  readonly model?: JsonObject;
  readonly policy_eval?: JsonObject;
  readonly evals?: JsonValue;
  readonly status?: (typeof STATUSES)[number];
  readonly retention_class?: string;
  readonly stream?: { readonly id: string; readonly n: number };
  readonly claimed?: JsonObject;
}

/** A `$blob` in an event, and where. The collector checks that the same key uploaded it. */
export interface FoundBlob {
  readonly where: string;
  readonly blob: BlobRef['$blob'];
}

export type Validation =
  | { readonly ok: true; readonly event: ValidEvent; readonly blobs: readonly FoundBlob[] }
  | { readonly ok: false; readonly errors: Problem[] };

export interface ValidateOptions {
  /** The app that the credential stands for: an API key's app, or `otlp:<service.name>`. */
  readonly appId: string;
}

/** Most faults that are listed for one event. */
export const ERROR_LIMIT = 20;

type Code = Problem['code'];
type Fault = readonly [code: Code, message: string, ...path: (string | number)[]];
/** The first fault of a member's value, or undefined. Never called with null. */
type Check = (value: unknown, options: ValidateOptions) => Fault | undefined;

/** Checks a value that came from `parseIJson`, or from the OTLP mapping. */
export function validateEvent(value: unknown, options: ValidateOptions): Validation {
  if (!isObject(value)) {
    return { ok: false, errors: [{ code: 'field_type', where: '', message: 'an event is an object' }] };
  }
  const errors: Problem[] = [];
  const report = (code: Code, where: string, message: string) => {
    if (errors.length < ERROR_LIMIT) errors.push({ code, where, message });
  };
  let special = false;
  for (const name of Object.keys(value)) {
    const check = CHECKS.get(name);
    const member = value[name];
    if (check === undefined) {
      if (name.startsWith('$')) report('key_dollar', pointer([name]), 'a key must not start with $');
      else report('field_unknown', pointer([name]), `${clip(name)} is not a member of an event`);
    } else if (member === null) {
      report('field_null', pointer([name]), `${name} is null: leave it out instead`);
    } else {
      const fault = check(member, options);
      if (fault !== undefined) report(fault[0], pointer([name, ...fault.slice(2)]), `${name}: ${fault[1]}`);
      if (typeof member === 'object' && isSpecial(member, 2)) special = true;
    }
  }
  for (const name of REQUIRED) {
    if (!Object.hasOwn(value, name)) report('field_missing', pointer([name]), `${name} is missing`);
  }
  const blobs: FoundBlob[] = [];
  if (special) inspect(value, [], blobs, report);
  if (errors.length > 0) return { ok: false, errors };
  return { ok: true, event: accepted(value), blobs };
}

function accepted(value: { [name: string]: unknown }): ValidEvent {
  const { hash_prev, hash_self, signature, ...event } = value;
  if (event.event_type === undefined) event.event_type = DEFAULT_EVENT_TYPE;
  if (hash_prev !== undefined || hash_self !== undefined || signature !== undefined) {
    const claimed: { [name: string]: unknown } = {};
    if (hash_prev !== undefined) claimed.hash_prev = hash_prev;
    if (hash_self !== undefined) claimed.hash_self = hash_self;
    if (signature !== undefined) claimed.signature = signature;
    event.claimed = claimed;
  }
  return event as unknown as ValidEvent;
}

/** Whether anything below has a `$` key or goes too deep: rare, so found cheaply first and located afterwards. */
function isSpecial(value: object, depth: number): boolean {
  if (depth > EVENT_DEPTH) return true;
  if (Array.isArray(value)) {
    for (const item of value)
      if (typeof item === 'object' && item !== null && isSpecial(item, depth + 1)) return true;
    return false;
  }
  for (const name of Object.keys(value)) {
    if (name.charCodeAt(0) === 0x24) return true;
    const member = (value as { [name: string]: unknown })[name];
    if (typeof member === 'object' && member !== null && isSpecial(member, depth + 1)) return true;
  }
  return false;
}

function inspect(
  value: object,
  path: (string | number)[],
  blobs: FoundBlob[],
  report: (code: Code, where: string, message: string) => void,
): void {
  if (path.length >= EVENT_DEPTH) {
    report('json_depth', pointer(path), `nested deeper than ${EVENT_DEPTH}`);
    return;
  }
  if (isBlobRef(value)) {
    const where = pointer(path);
    if (value.$blob.type === JCS_BLOB_TYPE) report('blob_unknown', where, 'no upload has this type');
    else blobs.push({ where, blob: value.$blob });
    return;
  }
  for (const [name, member] of Object.entries(value)) {
    const step = Array.isArray(value) ? Number(name) : name;
    if (path.length > 0 && name.startsWith('$')) {
      const message =
        name === '$blob'
          ? 'a $blob is {sha256, bytes, type} and stands alone'
          : 'a key must not start with $';
      report('key_dollar', pointer([...path, name]), message);
    } else if (typeof member === 'object' && member !== null) {
      inspect(member, [...path, step], blobs, report);
    }
  }
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && isPlain(value);
}

function clip(name: string): string {
  return name.length > 64 ? `${name.slice(0, 64)}...` : name;
}

const STRING: Check = value => (typeof value === 'string' ? undefined : ['field_type', 'must be a string']);
const NUMBER: Check = value =>
  typeof value === 'number' && Number.isFinite(value) ? undefined : ['field_type', 'must be a number'];
const ARRAY: Check = value => (Array.isArray(value) ? undefined : ['field_type', 'must be an array']);
const ANYTHING: Check = () => undefined;

const ID: Check = value => {
  if (typeof value !== 'string') return ['field_type', 'must be a string'];
  if (value === '') return ['field_type', 'must not be empty'];
  // Below a third of the limit no string can exceed it.
  if (value.length * 3 > ID_BYTES && utf8Length(value) > ID_BYTES) {
    return ['field_too_long', `must have at most ${ID_BYTES} UTF-8 bytes`];
  }
  return undefined;
};

const CLAIM: Check = value => {
  if (typeof value !== 'string') return ['field_type', 'must be a string'];
  return value.length > 1024 ? ['field_too_long', 'must have at most 1024 characters'] : undefined;
};

const TIME: Check = value => {
  if (typeof value !== 'string') return ['field_type', 'must be a string'];
  return validTs(value)
    ? undefined
    : ['ts_invalid', 'must be YYYY-MM-DDTHH:MM:SS[.1-9 digits]Z, a real date'];
};

const TYPE: Check = value => {
  if (typeof value !== 'string' || !EVENT_TYPE.test(value)) {
    return ['field_type', 'must match [a-z][a-z0-9_.-]{0,63}'];
  }
  return isReservedType(value)
    ? ['event_type_reserved', 'is a type that only the collector records']
    : undefined;
};

const APP_ID = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const APP: Check = (value, { appId }) => {
  if (value === appId) return undefined;
  if (typeof value !== 'string' || !APP_ID.test(value))
    return ['field_type', 'must match [a-z0-9][a-z0-9._-]{0,63}'];
  return ['app_mismatch', `must be ${appId}, the app of the credential`];
};

const oneOf =
  (values: readonly string[]): Check =>
  value =>
    values.includes(value as string) ? undefined : ['field_type', `must be one of ${values.join(', ')}`];

/** An object with these members checked, if present; others are free unless `closed`. */
const object =
  (
    required: { readonly [name: string]: Check },
    optional: { readonly [name: string]: Check },
    closed = false,
  ): Check =>
  (value, options) => {
    if (!isObject(value)) return ['field_type', 'must be an object'];
    for (const name of Object.keys(required)) {
      if (!Object.hasOwn(value, name)) return ['field_missing', `${name} is missing`, name];
      const fault = required[name]!(value[name], options);
      if (fault !== undefined) return [fault[0], fault[1], name, ...fault.slice(2)];
    }
    for (const name of Object.keys(optional)) {
      if (!Object.hasOwn(value, name)) continue;
      const fault = optional[name]!(value[name], options);
      if (fault !== undefined) return [fault[0], fault[1], name, ...fault.slice(2)];
    }
    if (closed) {
      for (const name of Object.keys(value)) {
        if (!Object.hasOwn(required, name))
          return ['field_unknown', `${clip(name)} is not a member of it`, name];
      }
    }
    return undefined;
  };

const listOf =
  (check: Check): Check =>
  (value, options) => {
    if (!Array.isArray(value)) return ['field_type', 'must be an array'];
    for (let i = 0; i < value.length; i++) {
      const fault = check(value[i], options);
      if (fault !== undefined) return [fault[0], fault[1], i, ...fault.slice(2)];
    }
    return undefined;
  };

const orBlob =
  (check: Check): Check =>
  (value, options) =>
    isBlobRef(value) ? undefined : check(value, options);

const LATENCY: Check = value =>
  NUMBER(value, { appId: '' }) ??
  ((value as number) < 0 ? ['field_type', 'must not be negative'] : undefined);
const COUNT: Check = value =>
  Number.isSafeInteger(value) && (value as number) >= 1
    ? undefined
    : ['field_type', 'must be an integer from 1'];

const CHECKS: ReadonlyMap<string, Check> = new Map([
  ['event_id', ID],
  ['parent_id', ID],
  ['session_id', ID],
  ['trace_id', ID],
  ['ts', TIME],
  ['ts_end', TIME],
  ['event_type', TYPE],
  ['actor_type', oneOf(ACTOR_TYPES)],
  ['actor_id', ID],
  ['app_id', APP],
  ['name', ID],
  ['risk', oneOf(RISKS)],
  ['labels', object({}, {})],
  ['plan', ANYTHING],
  ['retrieval', ANYTHING],
  ['input', ANYTHING],
  ['output', ANYTHING],
  ['tools_invoked', orBlob(listOf(object({ name: STRING }, { latency_ms: LATENCY })))],
  ['model', orBlob(object({ name: STRING }, { version: STRING, provider: STRING, cost: NUMBER }))],
  [
    'policy_eval',
    orBlob(
      object(
        { decision: oneOf(DECISIONS) },
        { policy_id: STRING, reasons: listOf(STRING), approvals: ARRAY },
      ),
    ),
  ],
  ['evals', orBlob(listOf(object({ name: STRING, score: NUMBER }, { threshold: NUMBER })))],
  ['status', oneOf(STATUSES)],
  ['retention_class', ID],
  ['stream', object({ id: ID, n: COUNT }, {}, true)],
  ['hash_prev', CLAIM],
  ['hash_self', CLAIM],
  ['signature', CLAIM],
]);

/** Every member that a producer may send. */
export const EVENT_MEMBERS: readonly string[] = [...CHECKS.keys()];
const REQUIRED = ['event_id', 'session_id', 'ts', 'actor_type', 'app_id'] as const;
