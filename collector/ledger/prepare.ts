/**
 * From validated events to what the writer takes: body with source and salt, large values moved to blobs, hashes, and
 * the facts that lists show. Runs where the request was parsed, so that the writer parses nothing. Format:
 * docs/spec/ledger.md.
 */
import { TrailmixError } from '../../core/api/errors.ts';
import type { ValidEvent } from '../../core/event/validate.ts';
import { RecordTooLargeError, replaceLargeValues } from '../../core/proof/blob.ts';
import { hex, utf8 } from '../../core/proof/bytes.ts';
import type { Sha256 } from '../../core/proof/hash.ts';
import { type JsonObject, jcs, jcsString } from '../../core/proof/jcs.ts';
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
  const salts = options.ids.bytes(16 * events.length);
  const tooLarge: { code: 'field_too_long'; where: string; message: string }[] = [];
  const prepared = events.map((event, i) => {
    try {
      return prepareOne(
        event,
        hex(salts.subarray(16 * i, 16 * i + 16)),
        options,
        options.unknownAttributes?.[i],
      );
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
  const { app_id, event_type, ts, ...members } = event;
  const whole = { ...members, source, salt } as unknown as JsonObject;
  const texts = jcsOfBoth(event, source, salt);
  const known = { ledger_id: ledgerId, tenant_id: tenantId, app_id, event_type, ts };
  const { bodyJcs, blobs } = replaceLargeValues(sha256, known, whole, texts.body);
  const facts = factsOf(event, source);
  return {
    tenantId,
    appId: app_id,
    eventId: event.event_id,
    sessionId: event.session_id,
    eventType: event_type,
    ts,
    bodyJcs,
    bodyHash: hex(sha256(utf8(bodyJcs))),
    contentJcs: texts.content,
    ...(event.stream === undefined || source.key === undefined
      ? {}
      : { stream: { id: event.stream.id, n: event.stream.n, keyId: source.key } }),
    facts:
      unknownAttributes === undefined ? facts : { ...facts, unknownAttributes: { ...unknownAttributes } },
    ...(blobs.length === 0 ? {} : { blobs }),
  };
}

/** JCS of the event and of its body in one walk: they differ in a few top-level members. */
function jcsOfBoth(event: ValidEvent, source: Source, salt: string): { content: string; body: string } {
  const members = event as unknown as JsonObject;
  const names = [...Object.keys(members), 'source', 'salt'].sort();
  let content = '';
  let body = '';
  for (const name of names) {
    const own = name === 'source' || name === 'salt';
    const text = `${jcsString(name)}:${name === 'source' ? jcs(source) : name === 'salt' ? `"${salt}"` : jcs(members[name])}`;
    if (!own) content += content === '' ? text : `,${text}`;
    if (!HEAD_NAMES.has(name)) body += body === '' ? text : `,${text}`;
  }
  return { content: `{${content}}`, body: `{${body}}` };
}

/** Members of an event that stand in the head. */
const HEAD_NAMES: ReadonlySet<string> = new Set(['app_id', 'event_type', 'ts']);
