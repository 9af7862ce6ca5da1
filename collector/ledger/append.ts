/**
 * The main thread's way into the ledger: the one WriteLedger. Counts what is on its way and refuses what would not fit
 * (busy, with Retry-After), stores the blobs of a batch before its events are handed over, and reads the clock once
 * per request. Events of one request become one all-or-nothing step of the writer.
 */
import { TrailmixError } from '../../core/api/errors.ts';
import type { Accepted } from '../../core/api/views.ts';
import type { Clock, Commands, PreparedEvent, WriteLedger } from '../ports.ts';
import type { BlobFolder } from './blobs.ts';
import { ENTRY_BYTES, macWriter } from './idempotence.ts';
import type { AppendEvent, AppendInput, AppendOutput, CommitNotice, RunInput } from './messages.ts';
import type { ThreadClient } from './threads.ts';

/** What may be on its way to the writer at once, over all callers. */
export type QueueLimits = { events: number; bytes: number; commands: number };
export const QUEUE_LIMITS: QueueLimits = { events: 20_000, bytes: 64 * 1024 * 1024, commands: 2000 };

type Listener = Parameters<WriteLedger['onCommit']>[0];

export type WriterDoor = {
  write: WriteLedger;
  /** Events on their way. */
  queued(): number;
  committed(notice: CommitNotice): void;
};

export function writerDoor(options: {
  thread: ThreadClient;
  clock: Clock;
  idempotenceKey: Uint8Array;
  blobs: Pick<BlobFolder, 'store' | 'has' | 'use'>;
  limits: QueueLimits;
  closed: () => boolean;
}): WriterDoor {
  const { thread, clock, limits } = options;
  const writeMacs = macWriter(options.idempotenceKey);
  const listeners = new Set<Listener>();
  let events = 0;
  let bytes = 0;
  let commands = 0;
  // The writer sees requests in the order they are posted: readings only fall where the clock does.

  function admit(more: { events: number; bytes: number; commands: number }): () => void {
    if (options.closed())
      throw new TrailmixError('busy', { message: 'the ledger is closing', retryAfter: 5 });
    // A batch larger than the bound still passes through an empty queue.
    const full =
      (events > 0 && events + more.events > limits.events) ||
      (bytes > 0 && bytes + more.bytes > limits.bytes) ||
      commands + more.commands > limits.commands;
    if (full) throw new TrailmixError('busy', { retryAfter: 1 });
    events += more.events;
    bytes += more.bytes;
    commands += more.commands;
    return () => {
      events -= more.events;
      bytes -= more.bytes;
      commands -= more.commands;
    };
  }

  async function append(prepared: PreparedEvent[], uploads: readonly string[] = []): Promise<Accepted[]> {
    if (prepared.length === 0) return [];
    let size = 0;
    for (const event of prepared) size += event.bodyJcs.length;
    const leave = admit({ events: prepared.length, bytes: size, commands: 0 });
    if (uploads.length > 0 || prepared.some(event => event.blobs !== undefined))
      return withBlobs(prepared, uploads).finally(leave);
    return handOver(prepared).finally(leave);
  }

  /** What is named stays from here to the commit. */
  function withBlobs(prepared: PreparedEvent[], uploads: readonly string[]): Promise<Accepted[]> {
    const { blobs } = options;
    const own = prepared.flatMap(event => (event.blobs ?? []).map(({ sha256 }) => sha256));
    return blobs.use([...uploads, ...own], async () => {
      for (const sha256 of uploads) {
        if (!(await blobs.has(prepared[0]!.tenantId, sha256)))
          throw new TrailmixError('blob_unknown', {
            message: `the $blob ${sha256} was erased: upload it again`,
          });
      }
      for (const event of prepared) {
        for (const { sha256, bytes } of event.blobs ?? []) await blobs.store(event.tenantId, sha256, bytes);
      }
      return handOver(prepared);
    });
  }

  /** What waits for the commit holds ids alone: the events themselves are the writer's by then. */
  function handOver(prepared: readonly PreparedEvent[]): Promise<Accepted[]> {
    const macs = new Uint8Array(prepared.length * ENTRY_BYTES);
    prepared.forEach((event, i) => {
      writeMacs(event, macs, i * ENTRY_BYTES);
    });
    const ids = prepared.map(event => event.eventId);
    const input: AppendInput = { at: clock.now(), events: prepared.map(forWriter), macs };
    return thread.call<AppendOutput>('append', input, [macs.buffer]).then(output => accepted(ids, output));
  }

  async function run<N extends keyof Commands>(
    name: N,
    input: Commands[N]['input'],
  ): Promise<Commands[N]['output']> {
    const leave = admit({ events: 0, bytes: 0, commands: 1 });
    try {
      const message: RunInput = { at: clock.now(), name, input };
      return await thread.call<Commands[N]['output']>('run', message);
    } finally {
      leave();
    }
  }

  const write = {
    append,
    run,
    onCommit(listener: Listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  } as unknown as WriteLedger; // The brand exists in types alone; this file is where it is given.

  return {
    write,
    queued: () => events,
    committed({ seq, approvals }) {
      for (const listener of listeners) listener({ seq, approvals });
    },
  };
}

function forWriter(event: PreparedEvent): AppendEvent {
  const { appId, eventId, sessionId, eventType, ts, bodyJcs, bodyHash, stream, facts } = event;
  const plain = { appId, eventId, sessionId, eventType, ts, bodyJcs, bodyHash, facts };
  return stream === undefined ? plain : { ...plain, stream };
}

function accepted(ids: readonly string[], output: AppendOutput): Accepted[] {
  const duplicates = new Set(output.duplicates);
  const { buffer, byteOffset, byteLength } = output.hashes;
  const hashes = Buffer.from(buffer, byteOffset, byteLength).toString('hex');
  return ids.map((event_id, i) => {
    const one = { event_id, seq: output.seqs[i]!, hash_self: hashes.slice(64 * i, 64 * i + 64) };
    return duplicates.has(i) ? { ...one, duplicate: true as const } : one;
  });
}
