/** An event of the collector's own, made ready for the chain: id, body with source and salt, blobs, facts. */
import { hash } from 'node:crypto';
import { tsMicros } from '../../core/event/time.ts';
import { type Blob, replaceLargeValues, surelyFits } from '../../core/proof/blob.ts';
import { type JsonObject, jcs, jcsString } from '../../core/proof/jcs.ts';
import { type Body, isBodyMember } from '../../core/proof/record.ts';
import type { EventFacts, Ids, OwnEvent } from '../ports.ts';
import { sha256 } from '../sha256.ts';
import type { Stamp } from './chain.ts';

export type OwnRecord = {
  eventId: string;
  body: Body;
  bodyJcs: string;
  bodyHash: string;
  contentJcs: string;
  blobs: readonly Blob[];
  facts: EventFacts;
};

/** Throws where a member would stand in the head, and RecordTooLargeError. */
export function prepareOwn(
  event: OwnEvent,
  stamp: Stamp,
  of: { ledgerId: string; tenantId: string; ids: Ids },
): OwnRecord {
  const foreign = Object.keys(event.members).find(name => !isBodyMember(name));
  if (foreign !== undefined) throw new Error(`${event.eventType}: ${foreign} is not a member of a body`);
  const eventId = event.eventId ?? of.ids.id('evt');
  const members: JsonObject = {
    ...event.members,
    event_id: eventId,
    ...(event.sessionId === undefined ? {} : { session_id: event.sessionId }),
  };
  const whole: JsonObject = {
    ...members,
    ...(stamp.clock === undefined ? {} : { clock: stamp.clock }),
    source: event.source ?? { via: 'collector', auth: 'self' },
    salt: Buffer.from(of.ids.bytes(16)).toString('hex'),
  };
  const known = {
    ledger_id: of.ledgerId,
    tenant_id: of.tenantId,
    app_id: event.appId,
    event_type: event.eventType,
    ts: event.ts ?? stamp.receivedAt,
  };
  const texts = jcsOfBoth(whole, members);
  const { body, bodyJcs, blobs } = surelyFits(known, texts.body)
    ? { body: whole, bodyJcs: texts.body, blobs: [] }
    : replaceLargeValues(sha256, known, whole, texts.body);
  const named = typeof event.members.name === 'string' ? { name: event.members.name } : {};
  return {
    eventId,
    body,
    bodyJcs,
    bodyHash: hash('sha256', bodyJcs, 'hex'),
    contentJcs: texts.content,
    blobs,
    facts: {
      kind: ownKind(event.eventType),
      startUs: event.ts === undefined ? stamp.receivedUs : tsMicros(event.ts),
      ...named,
      ...event.facts,
    },
  };
}

/** JCS of the whole body and of its members alone, in one walk. */
function jcsOfBoth(whole: JsonObject, members: JsonObject): { body: string; content: string } {
  let body = '';
  let content = '';
  for (const name of Object.keys(whole).sort()) {
    const text = `,${jcsString(name)}:${jcs(whole[name])}`;
    body += text;
    if (Object.hasOwn(members, name)) content += text;
  }
  return { body: `{${body.slice(1)}}`, content: `{${content.slice(1)}}` };
}

function ownKind(eventType: string): EventFacts['kind'] {
  if (eventType.startsWith('decision.')) return 'decision';
  if (eventType.startsWith('approval.')) return 'approval';
  if (eventType.startsWith('outcome.') || eventType.startsWith('intent.')) return 'outcome';
  return 'other';
}
