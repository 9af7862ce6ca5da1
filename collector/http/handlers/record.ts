/**
 * Recording: events and blobs. Rule: all or nothing, and 201 only once durable; every refused event of a batch is
 * named in `errors`.
 */
import { TrailmixError } from '../../../core/api/errors.ts';
import { JCS_BLOB_TYPE } from '../../../core/proof/blob.ts';
import type { JsonValue } from '../../../core/proof/jcs.ts';
import type { Principal } from '../../ports.ts';
import { mediaType } from '../body.ts';
import type { Handlers } from '../handler.ts';

export const MOST_EVENTS = 1_000;
const BLOB_BYTES = 1024 * 1024 * 1024;

export const keyOf = (principal: Principal): Extract<Principal, { kind: 'key' }> => {
  if (principal.kind !== 'key') throw new TrailmixError('key_missing');
  return principal;
};

/** The events of a body, and whether they came as a batch. Throws input_invalid, batch_too_large. */
export function eventsOf(body: JsonValue): { events: readonly JsonValue[]; batch: boolean } {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new TrailmixError('input_invalid', { where: '', message: 'Send one event, or {"events": [...]}' });
  }
  const members = body as { readonly [name: string]: JsonValue };
  if (!Object.hasOwn(members, 'events')) return { events: [body], batch: false };
  const other = Object.keys(members).find(name => name !== 'events');
  if (other !== undefined) {
    throw new TrailmixError('field_unknown', {
      where: `/${other}`,
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
  return { events, batch: true };
}

export const blobType = (type: string): string => {
  if (type === JCS_BLOB_TYPE) {
    throw new TrailmixError('media_type', {
      where: 'content-type',
      message: `${JCS_BLOB_TYPE} is the collector's own`,
    });
  }
  return type === '' ? 'application/octet-stream' : type.slice(0, 256);
};

export const recordHandlers = {} as Pick<Handlers, never>;
void mediaType;
void BLOB_BYTES;
