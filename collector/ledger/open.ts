/**
 * Opens a ledger: the one place that makes a WriteLedger. Order: lock the folder, check the head file and the end of
 * the database, migrate, start the writer; then readers, indexer and verifier. Any refusal leaves everything as it was.
 * Threads: writer (with a signing thread), reader, indexer, verifier. docs/architecture: Inside the collector.
 */
import { once } from 'node:events';
import { stat, statfs } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { TrailmixError } from '../../core/api/errors.ts';
import type { JsonObject } from '../../core/proof/jcs.ts';
import type {
  Clock,
  EventQuery,
  Ids,
  KeyVault,
  Ledger,
  ReadLedger,
  TraceQuery,
  VerifierState,
} from '../ports.ts';
import { QUEUE_LIMITS, type QueueLimits, writerDoor } from './append.ts';
import { backupDatabase } from './backup.ts';
import { openBlobs } from './blobs.ts';
import type { FaultPlan } from './faults.ts';
import { lockFolder, placesOf } from './folder.ts';
import type {
  IndexerData,
  ReaderData,
  UploadInput,
  VerifierData,
  WriterData,
  WriterNotice,
  WriterReady,
} from './messages.ts';
import { errorOf, ThreadClient, threadFile } from './threads.ts';
import type { VerifierReport } from './verifier.ts';

/** What the ledger says to the log: never a payload, never a secret. */
export type LedgerLog = {
  info(message: string, detail?: Record<string, unknown>): void;
  warn(message: string, detail?: Record<string, unknown>): void;
};

export type OpenOptions = {
  folder: string;
  vault: KeyVault;
  clock: Clock;
  ids: Ids;
  log: LedgerLog;
  /** A new ledger may be made; `members` go into its first record (a restore cites the old checkpoint there). */
  create?: { members?: JsonObject };
  /** The caller holds the folder's lock (lockFolder) and releases it after `close`. */
  locked?: boolean;
  tenantId?: string;
  /** Below this many free bytes the disk counts as low. Default 512 MiB. */
  diskLowBytes?: number;
  /** Least time between checkpoints while events come, milliseconds. Default 10,000. */
  checkpointMs?: number;
  /** Rest between passes of the verifier, milliseconds. Default 5,000. */
  verifierRestMs?: number;
  queue?: Partial<QueueLimits>;
  /** For tests alone: see faults.ts. */
  testFaults?: { faults?: FaultPlan; maxPages?: number; signerFailsAt?: number };
};

const DISK_LOW_BYTES = 512 * 1024 * 1024;
/** What works behind the ledger has time: a small young generation costs it little and spares memory. */
const background = { resourceLimits: { maxYoungGenerationSizeMb: 3 } };
const DISK_EVERY_MS = 5000;
/** How long the indexer and the verifier may not know of a commit. */
const BEHIND_MS = 50;
/** Events per second are counted over this window. */
const RATE_WINDOW_MS = 5000;

const plain = (bytes: Uint8Array): Uint8Array => Uint8Array.from(bytes);

/**
 * Resolves once appends are accepted. Throws ledger_in_use, ledger_refused, ledger_damaged, ledger_rolled_back,
 * ledger_newer, disk_full.
 */
export async function openLedger(options: OpenOptions): Promise<Ledger> {
  const { folder, vault, clock, log } = options;
  const tenantId = options.tenantId ?? 'default';
  const places = placesOf(folder);
  const lock = options.locked === true ? { release: () => {} } : lockFolder(folder, clock.now());
  const ids = { ledgerId: vault.ledgerId, tenantId };
  const secrets = {
    database: plain(vault.derive('database')),
    search: plain(vault.derive('search')),
    blob: plain(vault.derive('blob')),
    mac: plain(vault.derive('mac')),
  };
  const idempotenceKey = plain(vault.derive('idempotence'));
  const signingKey = (key: KeyVault['eventKey']) => ({
    privateKey: plain(key.privateKey),
    publicKey: plain(key.publicKey),
    keyId: key.keyId,
  });
  const threads: { terminate(): Promise<unknown> }[] = [];
  try {
    const writerData: WriterData = {
      places,
      secrets,
      eventKey: signingKey(vault.eventKey),
      checkpointKey: signingKey(vault.checkpointKey),
      idempotenceKey,
      ...ids,
      create: options.create === undefined ? undefined : (options.create.members ?? {}),
      custody: vault.custody.kind,
      at: clock.now(),
      checkpointMs: options.checkpointMs ?? 10_000,
      test: options.testFaults,
    };
    const { writer, ready } = await startWriter(writerData, notice => onNotice(notice));
    threads.push(writer);
    if (ready.migratedFrom !== undefined && ready.migratedFrom > 0) {
      log.info('ledger migrated', { from: ready.migratedFrom });
    }
    if (ready.headFileMissing)
      log.warn('the head file was missing: a rollback before now would not be noticed');

    const indexerData: IndexerData = { places, secrets, ...ids };
    const indexer = new Worker(threadFile('indexer-thread', import.meta.url), {
      workerData: indexerData,
      ...background,
    });
    threads.push(indexer);
    const indexed = await once(indexer, 'message').then(
      () => true,
      (error: Error) => {
        log.warn('there is no search index; search scans instead', { message: error.message });
        return false;
      },
    );
    indexer.on('error', error =>
      log.warn('the indexer ended; search scans what it left', { message: error.message }),
    );
    const readerData: ReaderData = { places, secrets, ...ids, indexed };
    const startReader = () =>
      new ThreadClient(threadFile('reader-thread', import.meta.url), readerData, () => {});
    const reader = startReader();
    threads.push(reader);
    let searching: ThreadClient | undefined;
    const searcher = (): ThreadClient => {
      if (searching !== undefined) return searching;
      searching = startReader();
      threads.push(searching);
      return searching;
    };

    let verified: VerifierState = { verifiedTo: -1 };
    const verifierData: VerifierData = {
      places,
      secrets,
      eventKey: { publicKey: plain(vault.eventKey.publicKey), keyId: vault.eventKey.keyId },
      checkpointPublicKey: plain(vault.checkpointKey.publicKey),
      ...ids,
      restMs: options.verifierRestMs ?? 5000,
    };
    const verifier = new Worker(threadFile('verifier-thread', import.meta.url), {
      workerData: verifierData,
      ...background,
    });
    threads.push(verifier);
    verifier.on('message', (report: VerifierReport) => {
      verified = {
        verifiedTo: report.verifiedTo,
        verifiedAt: new Date(clock.now()).toISOString(),
        ...(report.fault === undefined ? (report.passed ? {} : keep(verified)) : { fault: report.fault }),
      };
    });
    verifier.on('error', error => {
      log.warn('the verifier ended', { message: error.message });
      const fault = {
        seq: verified.verifiedTo + 1,
        code: 'verifier_ended',
        message: 'the ledger is not being verified',
      };
      verified = { ...verified, fault };
    });

    const blobs = await openBlobs({
      folder: places.blobs,
      blobKey: secrets.blob,
      random: options.ids.bytes,
      uploaded: (tenant, sha256, keyId) =>
        writer.call('upload', { tenantId: tenant, sha256, keyId } satisfies UploadInput),
      uploadedBy: (...input) => reader.call('uploadedBy', input),
    });
    let closing: Promise<void> | undefined;
    const door = writerDoor({
      thread: writer,
      clock,
      idempotenceKey,
      storeBlob: blobs.store,
      limits: { ...QUEUE_LIMITS, ...options.queue },
      closed: () => closing !== undefined,
    });
    const rate = rateMeter();
    const disk = await diskMeter(places.folder, places.ledger, options.diskLowBytes ?? DISK_LOW_BYTES, log);

    // Waking a thread costs whoever waits for this commit some 75 us: those behind are told a little later, together.
    let unheard = 0;
    let telling: NodeJS.Timeout | undefined;
    function tellBehind(): void {
      telling = undefined;
      indexer.postMessage(unheard);
      verifier.postMessage(unheard);
      unheard = 0;
    }

    function onNotice(notice: WriterNotice): void {
      if (notice.kind === 'warning') log.warn(notice.message, { code: notice.code });
      if (notice.kind !== 'commit') return;
      rate.add(notice.commit.events);
      unheard += notice.commit.events;
      telling ??= setTimeout(tellBehind, BEHIND_MS).unref();
      door.committed(notice.commit);
    }

    return {
      ...ids,
      read: readLedger(reader, searcher),
      write: door.write,
      blobs,
      verifier: () => verified,
      stats: () => ({
        eventsPerSecond: rate.perSecond(),
        ledgerBytes: disk.ledgerBytes(),
        blobBytes: blobs.bytes(),
        freeBytes: disk.freeBytes(),
        diskLow: disk.low(),
        queue: door.queued(),
      }),
      backupTo: file => backupDatabase(places.ledger, secrets.database, file),
      close() {
        closing ??= (async () => {
          try {
            disk.stop();
            clearTimeout(telling);
            // The writer's connection closes last: then the log is folded into the database and gone.
            await Promise.all([verifier, indexer, reader, searching].map(thread => thread?.terminate()));
            await writer.call('close', undefined);
          } finally {
            await Promise.all(threads.map(thread => thread.terminate()));
            lock.release();
          }
        })();
        return closing;
      },
    };
  } catch (error) {
    await Promise.all(threads.map(thread => thread.terminate()));
    lock.release();
    throw error;
  }
}

/** A fault stands until a whole pass found none. */
const keep = (state: VerifierState): Partial<VerifierState> =>
  state.fault === undefined ? {} : { fault: state.fault };

async function startWriter(
  data: WriterData,
  onNotice: (notice: WriterNotice) => void,
): Promise<{ writer: ThreadClient; ready: WriterReady }> {
  const { promise, resolve, reject } = Promise.withResolvers<WriterReady>();
  const writer = new ThreadClient(
    threadFile('writer-thread', import.meta.url),
    data,
    (notice: WriterNotice) => {
      if (notice.kind === 'ready') resolve(notice.ready);
      else if (notice.kind === 'refused') reject(errorOf(notice.refusal));
      else onNotice(notice);
    },
    error =>
      reject(new TrailmixError('internal', { message: `the ledger could not start: ${error.message}` })),
  );
  try {
    return { writer, ready: await promise };
  } catch (error) {
    await writer.terminate();
    throw error;
  }
}

/**
 * Every question crosses to a reader thread as its name and arguments. What may have to scan records goes to a thread of
 * its own, begun with the first such question, so that a heavy search delays neither the status bar nor a page.
 */
function readLedger(reader: ThreadClient, searcher: () => ThreadClient): ReadLedger {
  const names = [
    'head',
    'record',
    'records',
    'approval',
    'approvals',
    'nodes',
    'checkpointAt',
    'scope',
    'query',
  ] as const satisfies Exclude<keyof ReadLedger, symbol>[];
  const asked = names.map(name => [name, (...input: unknown[]) => reader.call(name, input)] as const);
  const reading = {
    ...Object.fromEntries(asked),
    search: (query: EventQuery) => searcher().call('search', [query]),
    traces: (query: TraceQuery) => (query.q === undefined ? reader : searcher()).call('traces', [query]),
    trace: (runId: string, q?: string) => (q === undefined ? reader : searcher()).call('trace', [runId, q]),
  };
  return reading as unknown as ReadLedger; // The brand exists in types alone.
}

function rateMeter() {
  const commits: { at: number; events: number }[] = [];
  const trim = () => {
    const since = performance.now() - RATE_WINDOW_MS;
    while (commits.length > 0 && commits[0]!.at < since) commits.shift();
  };
  return {
    add(events: number) {
      trim();
      commits.push({ at: performance.now(), events });
    },
    perSecond() {
      trim();
      return commits.reduce((sum, one) => sum + one.events, 0) / (RATE_WINDOW_MS / 1000);
    },
  };
}

/** Free space and the database's size, read now and then; warns once each time the disk becomes low. */
async function diskMeter(folder: string, ledger: string, lowBytes: number, log: LedgerLog) {
  let free = Number.MAX_SAFE_INTEGER;
  let size = 0;
  let warned = false;
  const sizeOf = (file: string) =>
    stat(file).then(
      found => found.size,
      () => 0,
    );
  async function measure(): Promise<void> {
    const space = await statfs(folder);
    free = space.bavail * space.bsize;
    size = (await sizeOf(ledger)) + (await sizeOf(`${ledger}-wal`));
    if (free < lowBytes && !warned)
      log.warn('little disk space is left', { code: 'disk_low', freeBytes: free });
    warned = free < lowBytes;
  }
  await measure();
  const timer = setInterval(() => {
    measure().catch((error: Error) => log.warn('the disk could not be measured', { message: error.message }));
  }, DISK_EVERY_MS);
  timer.unref();
  return {
    freeBytes: () => free,
    ledgerBytes: () => size,
    low: () => free < lowBytes,
    stop: () => clearInterval(timer),
  };
}
