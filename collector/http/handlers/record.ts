/**
 * Recording: events and blobs. Rule: all or nothing, and 201 only once durable; every refused event of a batch is
 * named in `errors`.
 */

import { type Problem, TrailmixError } from '../../../core/api/errors.ts';
import type { Accepted } from '../../../core/api/views.ts';
import { type FoundBlob, type ValidEvent, validateEvent } from '../../../core/event/validate.ts';
import { JCS_BLOB_TYPE } from '../../../core/proof/blob.ts';
import type { JsonValue } from '../../../core/proof/jcs.ts';
import { prepareEvents } from '../../ledger/prepare.ts';
import type { PreparedEvent, Principal } from '../../ports.ts';
import { sha256 } from '../../sha256.ts';
import { mediaType } from '../body.ts';
import type { Handlers, OpenContext } from '../handler.ts';

export const MOST_EVENTS = 1_000;
/** Every bad index is named; beyond this many problems only the first of each event. */
const MOST_PROBLEMS = 200;
const BLOB_BYTES = 1024 * 1024 * 1024;

export const keyOf = (principal: Principal): Extract<Principal, { kind: 'key' }> => {
  if (principal.kind !== 'key') throw new TrailmixError('key_missing', { where: 'authorization' });
  return principal;
};

/** The events of a body, and whether they came as a batch. Throws input_invalid, field_unknown, batch_too_large. */
function eventsOf(body: JsonValue): { events: readonly JsonValue[]; batch: boolean } {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new TrailmixError('input_invalid', { where: '', message: 'Send one event, or {"events": [...]}' });
  }
  const members = body as { readonly [name: string]: JsonValue };
  if (!Object.hasOwn(members, 'events')) return { events: [body], batch: false };
  const other = Object.keys(members).find(name => name !== 'events');
  if (other !== undefined) {
    throw new TrailmixError('field_unknown', {
      where: `/${other.slice(0, 64)}`,
      message: 'A batch has the member events and no other',
    });
  }
  const events = members.events;
  if (!Array.isArray(events) || events.length === 0) {
    throw new TrailmixError('input_invalid', {
      where: '/events',
      message: 'events must be a list of at least one event',
    });
  }
  if (events.length > MOST_EVENTS) {
    throw new TrailmixError('batch_too_large', {
      where: '/events',
      message: `${events.length} events; at most ${MOST_EVENTS}`,
    });
  }
  return { events: events as readonly JsonValue[], batch: true };
}

const refusal = (errors: Problem[]): TrailmixError => {
  const first = errors[0]!;
  const other = errors.find(error => error.code === 'app_mismatch');
  const code = other === undefined ? 'event_invalid' : 'app_mismatch';
  const shown = other ?? first;
  return new TrailmixError(code, { where: shown.where, message: `${shown.where}: ${shown.message}`, errors });
};

/** Every event checked, with where its `$blob`s stand. Throws event_invalid, app_mismatch, blob_unknown. */
async function validated(
  { open }: OpenContext,
  events: readonly JsonValue[],
  prefix: (index: number) => string,
  key: { id: string; appId: string },
): Promise<{ valid: ValidEvent[]; uploads: string[] }> {
  const valid: ValidEvent[] = [];
  const errors: Problem[] = [];
  const blobs: FoundBlob[] = [];
  events.forEach((event, index) => {
    const result = validateEvent(event, { appId: key.appId });
    const at = prefix(index);
    if (result.ok) {
      valid.push(result.event);
      blobs.push(...result.blobs.map(({ where, blob }) => ({ where: at + where, blob })));
      return;
    }
    const kept = errors.length < MOST_PROBLEMS ? result.errors : result.errors.slice(0, 1);
    errors.push(...kept.map(error => ({ ...error, where: at + error.where })));
  });
  for (const { where, blob } of blobs) {
    if (errors.length >= MOST_PROBLEMS) break;
    const { ledger } = open;
    if (await ledger.blobs.uploadedBy(ledger.tenantId, blob.sha256, key.id)) continue;
    errors.push({ code: 'blob_unknown', where, message: 'this $blob was not uploaded with this key' });
  }
  if (errors.length > 0) throw refusal(errors);
  return { valid, uploads: blobs.map(({ blob }) => blob.sha256) };
}

/** The writer speaks of a batch; one event alone has no index. */
function unindexed(error: unknown): unknown {
  if (!(error instanceof TrailmixError)) return error;
  const bare = (where: string): string => where.replace(/^\/events\/0(?=\/|$)/, '');
  return new TrailmixError(error.code, {
    message: error.message,
    ...(error.where === undefined ? {} : { where: bare(error.where) }),
    ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }),
    ...(error.errors === undefined
      ? {}
      : { errors: error.errors.map(one => ({ ...one, where: bare(one.where) })) }),
  });
}

/** The events of a body as the writer takes them. Throws what `eventsOf`, `validated` and `prepareEvents` throw. */
async function prepared(
  context: OpenContext,
  body: JsonValue,
): Promise<{ events: PreparedEvent[]; uploads: string[]; batch: boolean }> {
  const { open, principal, host } = context;
  const key = keyOf(principal);
  const { events, batch } = eventsOf(body);
  const { valid, uploads } = await validated(
    context,
    events,
    index => (batch ? `/events/${index}` : ''),
    key,
  );
  try {
    const options = {
      ledgerId: open.ledger.ledgerId,
      tenantId: open.ledger.tenantId,
      source: { via: 'api', auth: 'key', key: key.id } as const,
      ids: host.ids,
      sha256,
    };
    return { events: prepareEvents(valid, options), uploads, batch };
  } catch (error) {
    throw batch ? error : unindexed(error);
  }
}

const appended = (
  { open }: OpenContext,
  { events, uploads, batch }: Awaited<ReturnType<typeof prepared>>,
): Promise<{ accepted: Accepted[] }> => {
  const turned = open.gate.turnsIn(events);
  return open.ledger.write.append(events, uploads).then(
    accepted => {
      turned?.();
      return { accepted };
    },
    error => {
      throw batch ? error : unindexed(error);
    },
  );
};

/** A blob's type as an event cites it. */
function blobType(type: string): string {
  if (type === JCS_BLOB_TYPE) {
    throw new TrailmixError('media_type', {
      where: 'content-type',
      message: `${JCS_BLOB_TYPE} is the collector's own`,
    });
  }
  return type === '' ? 'application/octet-stream' : type.slice(0, 256);
}

export const recordHandlers: Pick<Handlers, 'appendEvents' | 'uploadBlob'> = {
  // What waits for the commit must not hold the parsed body: it is many times the size of what is recorded.
  appendEvents: (context, { input }) =>
    prepared(context, input as JsonValue).then(ready => appended(context, ready)),

  async uploadBlob({ open, principal, request }, { stream }) {
    const key = keyOf(principal);
    const type = blobType(mediaType(request.raw));
    const { ledger } = open;
    const { sha256: digest, bytes } = await ledger.blobs.put(ledger.tenantId, stream, BLOB_BYTES, key.id);
    return { $blob: { sha256: digest, bytes, type } };
  },
};
