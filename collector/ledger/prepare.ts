/**
 * From validated events to what the writer takes: body with source and salt, large values moved to blobs, hashes, and
 * the facts that lists show. Runs where the request was parsed, so that the writer parses nothing. Format:
 * docs/spec/ledger.md.
 */
import { hash } from 'node:crypto';
import { TrailmixError } from '../../core/api/errors.ts';
import { EVENT_MEMBERS, type ValidEvent } from '../../core/event/validate.ts';
import { RecordTooLargeError, replaceLargeValues, surelyFits } from '../../core/proof/blob.ts';
import type { Sha256 } from '../../core/proof/hash.ts';
import { type JsonObject, jcs, jcsString } from '../../core/proof/jcs.ts';
import { isBodyMember } from '../../core/proof/record.ts';
import type { Ids, PreparedEvent, Source } from '../ports.ts';
import { factsOf } from './facts.ts';

export type PrepareOptions = {
  ledgerId: string;
  tenantId: string;
  source: Source;
  ids: Pick<Ids, 'bytes'>;
  sha256: Sha256;
  /** Counts of attributes that no mapping knew, per event (OTLP). */
  unknownAttributes?: readonly (Readonly<Record<string, number>> | undefined)[];
};

/**
 * Prepares a batch in order. `source.key` binds streams. Throws event_invalid when an event cannot be brought under the
 * size of a record, naming each such event.
 */
export function prepareEvents(events: readonly ValidEvent[], options: PrepareOptions): PreparedEvent[] {
  const salts = Buffer.from(options.ids.bytes(16 * events.length)).toString('hex');
  const tooLarge: { code: 'field_too_long'; where: string; message: string }[] = [];
  const prepared = events.map((event, i) => {
    try {
      const salt = salts.slice(32 * i, 32 * i + 32);
      return prepareOne(event, salt, options, options.unknownAttributes?.[i]);
    } catch (error) {
      if (!(error instanceof RecordTooLargeError)) throw error;
      tooLarge.push({ code: 'field_too_long', where: `/events/${i}`, message: error.message });
      return undefined;
    }
  });
  if (tooLarge.length > 0) {
    throw new TrailmixError('event_invalid', { where: tooLarge[0]!.where, errors: tooLarge });
  }
  return prepared as PreparedEvent[];
}

function prepareOne(
  event: ValidEvent,
  salt: string,
  { ledgerId, tenantId, source, sha256 }: PrepareOptions,
  unknownAttributes: Readonly<Record<string, number>> | undefined,
): PreparedEvent {
  const { app_id, event_type, ts, stream } = event;
  const texts = jcsOfBoth(event, source, salt);
  const known = { ledger_id: ledgerId, tenant_id: tenantId, app_id, event_type, ts };
  const facts = factsOf(event, source);
  if (unknownAttributes !== undefined) facts.unknownAttributes = { ...unknownAttributes };
  const prepared: PreparedEvent = {
    tenantId,
    appId: app_id,
    eventId: event.event_id,
    sessionId: event.session_id,
    eventType: event_type,
    ts,
    bodyJcs: texts.body,
    bodyHash: '',
    contentJcs: texts.content,
    facts,
  };
  if (!surelyFits(known, texts.body)) {
    const { bodyJcs, blobs } = replaceLargeValues(sha256, known, bodyOf(event, source, salt), texts.body);
    prepared.bodyJcs = bodyJcs;
    if (blobs.length > 0) prepared.blobs = blobs;
  }
  prepared.bodyHash = hash('sha256', prepared.bodyJcs, 'hex');
  if (stream !== undefined && source.key !== undefined) {
    prepared.stream = { id: stream.id, n: stream.n, keyId: source.key };
  }
  return prepared;
}

function bodyOf(event: ValidEvent, source: Source, salt: string): JsonObject {
  const { app_id: _app, event_type: _type, ts: _ts, ...members } = event;
  return { ...members, source, salt } as unknown as JsonObject;
}

/** JCS of the event and of its body in one walk: they differ in a few top-level members. */
function jcsOfBoth(event: ValidEvent, source: Source, salt: string): { content: string; body: string } {
  const members = event as unknown as JsonObject;
  let content = '';
  let body = '';
  let seen = 0;
  for (const { name, prefix, inEvent, inBody } of MEMBERS) {
    if (!inEvent) {
      body += prefix + (name === 'salt' ? `"${salt}"` : jcs(source));
      continue;
    }
    const value = members[name];
    if (value === undefined) continue;
    seen++;
    const text = prefix + jcs(value);
    content += text;
    if (inBody) body += text;
  }
  // Nothing may be dropped in silence: an event of other members than the door lets through is a fault of ours.
  if (seen !== Object.keys(members).length) throw new Error('an event has members that no record has');
  return { content: `{${content.slice(1)}}`, body: `{${body.slice(1)}}` };
}

/** Members of an event that stand in the head. */
const HEAD_NAMES: ReadonlySet<string> = new Set(['app_id', 'event_type', 'ts']);

/** Every member of an event and of its body in JCS order, each with its text up to the colon. */
const MEMBERS = [...EVENT_MEMBERS, 'claimed', 'source', 'salt']
  .filter(name => HEAD_NAMES.has(name) || isBodyMember(name))
  .sort()
  .map(name => ({
    name,
    prefix: `,${jcsString(name)}:`,
    inEvent: name !== 'source' && name !== 'salt',
    inBody: !HEAD_NAMES.has(name),
  }));
