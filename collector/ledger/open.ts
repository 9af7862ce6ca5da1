/**
 * Opens a ledger: the one place that makes a WriteLedger. Order: lock the folder, check the head file and the end of
 * the database, migrate, start the writer; then what works behind it, and the reader. Any refusal leaves everything as it was.
 * Threads: writer (with a signing thread), reader, background (indexer and verifier). docs/architecture: Inside the collector.
 */
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
import { giveBack } from './give-back.ts';
import type {
  BackgroundData,
  BackgroundNotice,
  BackgroundRequest,
  ReaderData,
  UploadInput,
  WriterData,
  WriterNotice,
  WriterReady,
} from './messages.ts';
import { calmTimer, diskMeter, rateMeter } from './meters.ts';
import { DatabaseThread, errorOf, ThreadClient, threadFile } from './threads.ts';
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
const modest = { resourceLimits: { maxYoungGenerationSizeMb: 3 } };
/** How long what works behind the ledger may not know of a commit. */
const BEHIND_MS = 50;

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

    let verified: VerifierState = { verifiedTo: -1 };
    const started = Promise.withResolvers<boolean>();
    let reindexing: PromiseWithResolvers<void> | undefined;
    const reindexed = (fault: string | undefined): void => {
      if (fault === undefined) reindexing?.resolve();
      else
        reindexing?.reject(new TrailmixError('internal', { message: `the search index stands: ${fault}` }));
      reindexing = undefined;
    };
    const hear = (notice: BackgroundNotice): void => {
      if (notice.kind === 'ready') started.resolve(notice.indexed);
      if (notice.kind === 'reindexed') reindexed(notice.message);
      if (notice.kind === 'unindexed')
        log.warn('there is no search index; search scans instead', { message: notice.message });
      if (notice.kind === 'verified') verified = stateAfter(notice.report, verified, clock.now());
    };
    const backgroundData: BackgroundData = {
      places,
      secrets,
      eventKey: { publicKey: plain(vault.eventKey.publicKey), keyId: vault.eventKey.keyId },
      checkpointPublicKey: plain(vault.checkpointKey.publicKey),
      ...ids,
      restMs: options.verifierRestMs ?? 5000,
    };
    const background = new Worker(threadFile('background-thread', import.meta.url), {
      workerData: backgroundData,
      ...modest,
    });
    threads.push(background);
    background.on('message', hear);
    background.on('error', error => {
      log.warn('the verifier ended', { message: error.message });
      const fault = {
        seq: verified.verifiedTo + 1,
        code: 'verifier_ended',
        message: 'the ledger is not being verified',
      };
      verified = { ...verified, fault };
      started.resolve(false);
      reindexed('the verifier ended');
    });
    const indexed = await started.promise;
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

    const blobs = await openBlobs({
      folder: places.blobs,
      blobKey: secrets.blob,
      random: options.ids.bytes,
      uploaded: (tenant, sha256, keyId) =>
        writer.call('upload', { tenantId: tenant, sha256, keyId } satisfies UploadInput),
      uploadedBy: (...input) => reader.call('uploadedBy', input),
    });
    /** Threads of other rooms that read the database. */
    const lent = new Set<Worker>();
    let closing: Promise<void> | undefined;
    const door = writerDoor({
      thread: writer,
      clock,
      idempotenceKey,
      blobs,
      limits: { ...QUEUE_LIMITS, ...options.queue },
      closed: () => closing !== undefined,
    });
    const rate = rateMeter();
    const disk = await diskMeter(places.folder, places.ledger, options.diskLowBytes ?? DISK_LOW_BYTES, log);

    const calm = calmTimer(() => {
      giveBack();
      background.postMessage({ kind: 'give_back' } satisfies BackgroundRequest);
      // One that ended says so to whoever asks it something.
      for (const thread of [writer, reader]) thread.call('give_back', []).catch(() => {});
    });

    // Waking a thread costs whoever waits for this commit some 75 us: those behind are told a little later, together.
    let unheard = 0;
    let telling: NodeJS.Timeout | undefined;
    function tellBehind(): void {
      telling = undefined;
      background.postMessage({ kind: 'committed', events: unheard } satisfies BackgroundRequest);
      unheard = 0;
    }

    function onNotice(notice: WriterNotice): void {
      if (notice.kind === 'warning') log.warn(notice.message, { code: notice.code });
      if (notice.kind !== 'commit') return;
      rate.add(notice.commit.events);
      calm.heard(notice.commit.events);
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
      readingThread(file, data, { blobs: withBlobs = false, limits = {} } = {}) {
        const own = {
          ...data,
          database: { file: places.ledger, key: secrets.database },
          ...(withBlobs ? { blobs: { folder: places.blobs, key: secrets.blob } } : {}),
        };
        const thread = new DatabaseThread(file, own, { env: {}, execArgv: [], resourceLimits: limits });
        lent.add(thread);
        thread.once('exit', () => lent.delete(thread));
        return thread;
      },
      reindex() {
        reindexing ??= Promise.withResolvers<void>();
        background.postMessage({ kind: 'reindex' } satisfies BackgroundRequest);
        return reindexing.promise;
      },
      backupTo: file => backupDatabase(places.ledger, secrets.database, file),
      close() {
        closing ??= (async () => {
          try {
            disk.stop();
            calm.stop();
            clearTimeout(telling);
            // The writer's connection closes last: then the log is folded into the database and gone.
            await Promise.all([background, reader, searching, ...lent].map(thread => thread?.terminate()));
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
function stateAfter(report: VerifierReport, before: VerifierState, now: number): VerifierState {
  const fault = report.fault ?? (report.passed ? undefined : before.fault);
  return {
    verifiedTo: report.verifiedTo,
    verifiedAt: new Date(now).toISOString(),
    ...(fault === undefined ? {} : { fault }),
  };
}

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
    'packLines',
    'approval',
    'approvals',
    'approvalDetail',
    'reviewReport',
    'reviewSettings',
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
