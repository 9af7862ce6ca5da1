/**
 * Everything that can refuse a batch of events, looked at before anything changes: an event_id that is taken by other
 * content, a stream that belongs to another API key.
 */
import { TrailmixError } from '../../core/api/errors.ts';
import { ENTRY_BYTES, type Idempotence, MAC_BYTES } from './idempotence.ts';
import type { AppendEvent } from './messages.ts';
import type { Streams } from './streams.ts';

/** Conflicts that one refusal names. */
const MOST_NAMED = 100;

/**
 * Answers which events are here already: index -> seq, or -(index of the same event in this very batch) - 1.
 * Throws event_conflict naming every bad index, stream_conflict.
 */
export function checkBatch(
  events: readonly AppendEvent[],
  macs: Buffer,
  idempotence: Idempotence,
  streams: Streams,
): Map<number, number> {
  const earlier = new Map<number, number>();
  const conflicts: number[] = [];
  const here = new Map<string, number>();
  for (let i = 0; i < events.length; i++) {
    const at = i * ENTRY_BYTES;
    const seen = idempotence.find(macs, at);
    if (seen !== undefined) {
      if (seen.sameContent) earlier.set(i, seen.seq);
      else conflicts.push(i);
      continue;
    }
    if (events.length > 1) {
      const id = macs.toString('latin1', at, at + MAC_BYTES);
      const first = here.get(id);
      if (first === undefined) here.set(id, i);
      else if (sameContent(macs, first, i)) earlier.set(i, -first - 1);
      else conflicts.push(i);
    }
  }
  if (conflicts.length > 0) {
    throw new TrailmixError('event_conflict', {
      where: `/events/${conflicts[0]}/event_id`,
      errors: conflicts.slice(0, MOST_NAMED).map(i => ({
        code: 'event_conflict',
        where: `/events/${i}/event_id`,
        message: 'this event_id was recorded with other content',
      })),
    });
  }
  checkStreams(events, streams);
  return earlier;
}

function checkStreams(events: readonly AppendEvent[], streams: Streams): void {
  const batch = new Map<string, string>();
  events.forEach(({ stream }, i) => {
    if (stream === undefined) return;
    const owner = streams.owner(stream.id) ?? batch.get(stream.id);
    if (owner !== undefined && owner !== stream.keyId) {
      throw new TrailmixError('stream_conflict', {
        where: `/events/${i}/stream/id`,
        message: 'this stream belongs to another API key',
      });
    }
    batch.set(stream.id, stream.keyId);
  });
}

function sameContent(macs: Buffer, a: number, b: number): boolean {
  const [of, to] = [a, b].map(i => i * ENTRY_BYTES + MAC_BYTES) as [number, number];
  return macs.compare(macs, to, to + MAC_BYTES, of, of + MAC_BYTES) === 0;
}
