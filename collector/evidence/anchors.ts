/**
 * Checkpoints that a time-stamping authority dated: asked for by file or over the network, recorded as `timestamp.anchored`,
 * carried by later packs as anchors/. Format: docs/spec/pack.md, "Time".
 * Rules: off until an authority is named; a failed attempt is logged and tried again later, and stops nothing.
 */

import { TrailmixError } from '../../core/api/errors.ts';
import type { OutputOf } from '../../core/api/operations.ts';
import type { RecordView } from '../../core/api/views.ts';
import { formatMicros } from '../../core/event/time.ts';
import { base64, equalBytes, fromBase64, utf8 } from '../../core/proof/bytes.ts';
import { parseNote } from '../../core/proof/note.ts';
import { LEDGER_APP } from '../../core/proof/record.ts';
import type { Clock, Ledger } from '../ports.ts';
import { sha256 } from '../sha256.ts';
import type { Asked } from './authorities.ts';
import { urlFault } from './authority-address.ts';
import type { Reply } from './timestamp.ts';

type Stamped = OutputOf<'timestampNow'>;
type Authorities = OutputOf<'timestampAuthorities'>;
type Settings = { urls: string[]; everyHours: number; roots: string };

export type Anchors = {
  authorities(): Promise<Authorities>;
  /** Throws input_invalid. */
  change(
    changes: { urls?: readonly string[]; every_hours?: number; roots?: string },
    by: string,
  ): Promise<Authorities>;
  /** A TimeStampReq over the newest checkpoint, which is made now if the ledger has grown. */
  request(): Promise<{ size: number; request: Uint8Array }>;
  /** Throws timestamp_invalid. */
  import(request: Uint8Array, reply: Uint8Array, by: string): Promise<Stamped>;
  /** Throws timestamp_unavailable. */
  now(by: string): Promise<Stamped>;
  /** One request of another's, e.g. over a pack. Throws timestamp_unavailable, timestamp_invalid. */
  ask(request: Uint8Array): Promise<{ reply: Uint8Array; url: string }>;
  /** Stamped checkpoints, newest first, at most 100. */
  list(): Promise<OutputOf<'timestampAnchors'>>;
  /** How far this clock was off, by the last authority that was asked over the network in this run. */
  offset(): ClockOffset | undefined;
  /** Looks whether the schedule asks for a stamp, and gets it. Called from time to time. */
  tick(): Promise<void>;
  close(): void;
};

export type ClockOffset = NonNullable<OutputOf<'clockState'>['offset']>;

const HOUR = 3_600_000;
const LISTED = 100;
/** Between two looks at the schedule. */
const LOOK = 15 * 60_000;
/** Checkpoints among which a reply's is looked for. */
const CHECKPOINTS = 5000;

/** Bytes that a stamp of a checkpoint is over: its note without signatures. */
const anchorBody = (note: string): Uint8Array => utf8(parseNote(utf8(note)).text);
const digestOf = (note: string): Uint8Array => sha256(anchorBody(note));

export function openAnchors({
  ledger,
  clock,
  onError = () => {},
}: {
  ledger: Ledger;
  clock: Clock;
  onError?: (error: unknown) => void;
}): Anchors {
  const abort = new AbortController();
  const asked = new Map<string, Authorities['asked'][number]>();
  let offset: ClockOffset | undefined;
  const heard = ({ url, sentAt, answeredAt, reply, fault }: Asked): void => {
    const at = new Date(answeredAt).toISOString();
    asked.set(url, { url, at, ok: reply !== undefined, ...(fault === undefined ? {} : { message: fault }) });
    if (reply !== undefined) offset = { ...offsetOf(reply, sentAt, answeredAt), at, by: reply.authority };
  };

  const settings = async (): Promise<Settings> => {
    const rows = await ledger.read.query<{ name: string; value: string }>('settings.all');
    const value = (name: string): unknown => {
      const row = rows.find(one => one.name === name);
      return row === undefined ? undefined : JSON.parse(row.value);
    };
    return {
      urls: (value('tsa_urls') as string[] | undefined) ?? [],
      everyHours: (value('tsa_every_hours') as number | undefined) ?? 24,
      roots: (value('tsa_roots') as string | undefined) ?? '',
    };
  };

  const last = async (): Promise<Stamped | undefined> => {
    const [row] = await ledger.read.query<{ seq: number }>('evidence.lastAnchor', {
      tenant: ledger.tenantId,
    });
    return row && stampedAt(row.seq);
  };
  const stampedAt = async (seq: number): Promise<Stamped | undefined> => {
    const record = await ledger.read.record(seq);
    const stamp = record && anchorOf(record);
    return stamp && { ...stamp.told, seq };
  };

  const view = async (): Promise<Authorities> => {
    const { urls, everyHours, roots } = await settings();
    const stamp = await last();
    return {
      urls,
      every_hours: everyHours,
      roots,
      ...(stamp === undefined ? {} : { last: stamp }),
      asked: urls.flatMap(url => asked.get(url) ?? []),
    };
  };

  const request: Anchors['request'] = async () => {
    const checkpoint = await ledger.write.run('checkpoint', {});
    const found = await ledger.read.checkpointAt(checkpoint.size);
    if (found === undefined) throw new TrailmixError('internal');
    const { makeRequest } = await import('./timestamp.ts');
    return { size: found.size, request: makeRequest(digestOf(found.note)) };
  };

  const record = async (
    size: number,
    root: string,
    bytes: Uint8Array,
    reply: Reply,
    by: string,
  ): Promise<Stamped> => {
    const told = {
      size,
      time: formatMicros(reply.time * 1000),
      authority: reply.authority,
      policy: reply.policy,
    };
    const { seq } = await ledger.write.run('record', {
      appId: LEDGER_APP,
      eventType: 'timestamp.anchored',
      members: { name: 'Checkpoint stamped', timestamp: { ...told, root, tsr: base64(bytes) }, by },
    });
    return { ...told, seq };
  };

  const take: Anchors['import'] = async (asked, bytes, by) => {
    const { readReply } = await import('./timestamp.ts');
    const { roots } = await settings();
    const reply = await readReply(bytes, asked, roots === '' ? undefined : roots).catch((error: Error) => {
      throw new TrailmixError('timestamp_invalid', { message: error.message });
    });
    if (reply.trusted === false) {
      throw new TrailmixError('timestamp_invalid', {
        message: `The authority is not trusted: ${reply.untrusted}`,
      });
    }
    const rows = await ledger.read.query<{ size: number; root: string; note: string }>(
      'evidence.checkpoints',
      {
        most: CHECKPOINTS,
      },
    );
    const found = rows.find(({ note }) => equalBytes(digestOf(note), reply.digest));
    if (found === undefined) {
      throw new TrailmixError('timestamp_invalid', {
        message: `The reply is over none of the last ${CHECKPOINTS} checkpoints of this ledger`,
      });
    }
    return record(found.size, found.root, bytes, reply, by);
  };

  const ask: Anchors['ask'] = async request => {
    const { urls, roots } = await settings();
    const { askAuthorities } = await import('./authorities.ts');
    const { readRequest } = await import('./timestamp.ts');
    try {
      readRequest(request);
    } catch (error) {
      throw new TrailmixError('timestamp_invalid', { message: (error as Error).message });
    }
    const { bytes, url } = await askAuthorities(urls, request, {
      signal: abort.signal,
      now: () => clock.now(),
      onAsked: heard,
      ...(roots === '' ? {} : { roots }),
    });
    return { reply: bytes, url };
  };

  const now = async (by: string): Promise<Stamped> => {
    const asked = await request();
    const { reply } = await ask(asked.request);
    return take(asked.request, reply, by);
  };

  /** One at a time: an authority that is slow is not asked twice. */
  let ticking: Promise<void> | undefined;
  const tick = (): Promise<void> => {
    ticking ??= (async () => {
      const { urls, everyHours } = await settings();
      if (urls.length === 0 || everyHours === 0) return;
      const stamp = await last();
      if (stamp !== undefined) {
        if (clock.now() - Date.parse(stamp.time) < everyHours * HOUR) return;
        // Nothing but the stamp itself came since.
        const head = await ledger.read.head();
        if (head.size <= stamp.seq + 1) return;
      }
      await now('schedule');
    })()
      .catch(error => {
        if (!abort.signal.aborted) onError(error);
      })
      .finally(() => {
        ticking = undefined;
      });
    return ticking;
  };
  const timer = setInterval(() => void tick(), LOOK);
  timer.unref();

  return {
    authorities: view,
    async change(changes, by) {
      const fault = changes.urls?.map(urlFault).find(one => one !== undefined);
      if (fault !== undefined) throw new TrailmixError('input_invalid', { where: '/urls', message: fault });
      if (changes.roots !== undefined && changes.roots !== '') await checkRoots(changes.roots);
      const values = {
        ...(changes.urls === undefined ? {} : { tsa_urls: [...changes.urls] }),
        ...(changes.every_hours === undefined ? {} : { tsa_every_hours: changes.every_hours }),
        ...(changes.roots === undefined ? {} : { tsa_roots: changes.roots }),
      };
      await ledger.write.run('changeSettings', { changes: values, by });
      return view();
    },
    request,
    import: take,
    now,
    ask,
    async list() {
      const { size } = await ledger.read.head();
      const [count] = await ledger.read.query<{ total: number }>('evidence.anchorCount', {
        tenant: ledger.tenantId,
      });
      const rows = await ledger.read.query<{ seq: number }>('evidence.anchors', {
        tenant: ledger.tenantId,
        size,
      });
      const items = await Promise.all(rows.slice(0, LISTED).map(({ seq }) => stampedAt(seq)));
      return { items: items.filter(one => one !== undefined), total: count?.total ?? 0, size };
    },
    offset: () => offset,
    tick,
    close() {
      clearInterval(timer);
      abort.abort();
    },
  };
}

/** genTime may be cut to the second, and was taken somewhere between sending and answer. */
function offsetOf(
  { time, accuracy = 0 }: Pick<Reply, 'time' | 'accuracy'>,
  sentAt: number,
  answeredAt: number,
): Pick<ClockOffset, 'ms' | 'within_ms'> {
  const cut = time % 1000 === 0 ? 500 : 0;
  return {
    ms: Math.round(time + cut - (sentAt + answeredAt) / 2),
    within_ms: Math.round((answeredAt - sentAt) / 2 + cut + accuracy),
  };
}

async function checkRoots(pem: string): Promise<void> {
  const { certificatesOf } = await import('./certificates.ts');
  try {
    if (certificatesOf(pem).length > 0) return;
  } catch {
    // Said below.
  }
  throw new TrailmixError('input_invalid', { where: '/roots', message: 'roots must be certificates in PEM' });
}

/** What a `timestamp.anchored` record says; undefined where it says nothing of the kind. */
export function anchorOf(record: RecordView): { told: Omit<Stamped, 'seq'>; tsr: Uint8Array } | undefined {
  const stamp = record.timestamp as Record<string, unknown> | undefined;
  if (typeof stamp?.size !== 'number' || typeof stamp.tsr !== 'string') return undefined;
  const { size, tsr } = stamp;
  const text = (name: string): string => (typeof stamp[name] === 'string' ? stamp[name] : '');
  return {
    told: { size, time: text('time'), authority: text('authority'), policy: text('policy') },
    tsr: fromBase64(tsr),
  };
}
