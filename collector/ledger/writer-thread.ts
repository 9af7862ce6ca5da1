/**
 * The writer's thread: opens the one writable connection, queues what arrives and commits it in groups. While one
 * group is written the next one gathers; no timer delays a commit. The queue's bound is kept by the main thread
 * (open.ts), which counts what it has handed over.
 */
import { mkdirSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { TrailmixError } from '../../core/api/errors.ts';
import { base64 } from '../../core/proof/bytes.ts';
import { LEDGER_APP } from '../../core/proof/record.ts';
import { systemIds } from '../clock.ts';
import { unwrap, wrap } from '../keys/wrap.ts';
import { unlinkBlobSync, writeBlobSync } from './blob-file.ts';
import { writerCommands } from './commands.ts';
import { type Connection, openWritable } from './database.ts';
import { faultsOf } from './faults.ts';
import { giveBack } from './give-back.ts';
import { HeadFile } from './headfile.ts';
import type {
  AppendInput,
  RunInput,
  UploadInput,
  WriterData,
  WriterNotice,
  WriterReady,
} from './messages.ts';
import { migrate, migrationsIn, refuseNewer } from './migrate.ts';
import { checkEnd, checkFiles } from './opening.ts';
import { Signer } from './signer.ts';
import { sqlFile } from './sql-file.ts';
import { type Replies, type Reply, type Request, refusalOf } from './threads.ts';
import { GROUP_ROWS, LedgerWriter, type WriterRequest } from './writer.ts';

/** Bytes of bodies in one group, so that one commit stays short. */
const GROUP_BYTES = 16 * 1024 * 1024;
/** Least time between checkpoints at the ends of sessions. */
const SESSION_CHECKPOINT_MS = 1000;

const port = parentPort;
if (port === null) throw new Error('not a worker thread');
const data = workerData as WriterData;
const notify = (notice: WriterNotice) => port.postMessage({ notice } satisfies Reply);
const warn = (code: string, message: string) => notify({ kind: 'warning', code, message });

type Queued = { id: number; request: WriterRequest | 'checkpoint'; rows: number; bytes: number };
let queue: Queued[] = [];
let scheduled = false;

async function open() {
  const { places, secrets } = data;
  const sql = sqlFile(new URL('./sql/writer.sql', import.meta.url));
  const migrations = migrationsIn();
  const files = checkFiles(data);
  mkdirSync(places.blobs, { recursive: true, mode: 0o700 });
  const db = openWritable(places.ledger, secrets.database, { cacheKiB: 32 * 1024, durable: true });
  try {
    refuseNewer(db, migrations);
    const migratedFrom = migrate(db, migrations, { file: places.ledger, folder: places.backups });
    const end = checkEnd(db, sql, data, files.head);
    if (data.test?.maxPages !== undefined) db.pragma(`max_page_count = ${data.test.maxPages}`);
    const signer = new Signer(data.eventKey.privateKey, data.test?.signerFailsAt);
    const headFile = new HeadFile(places.headFile);
    const faults = faultsOf(data.test?.faults);
    const sealContext = (what: string) => `trailmix/seal/v1\n${data.ledgerId}\n${what}`;
    const writer = new LedgerWriter({
      db,
      sql,
      data,
      commands: { ...writerCommands, checkpoint: () => writer.checkpoint() },
      signer,
      headFile,
      faults,
      storeBlob: (tenantId, sha256, bytes) => {
        faults('blob');
        writeBlobSync(places.blobs, secrets.blob, tenantId, sha256, bytes);
      },
      unlinkBlob: (tenantId, sha256) => unlinkBlobSync(places.blobs, secrets.blob, tenantId, sha256),
      vault: {
        seal: (secret, what) => wrap(secrets.mac, secret, sealContext(what)),
        unseal(sealed, what) {
          const secret = unwrap(secrets.mac, sealed, sealContext(what));
          if (secret === undefined) throw new TrailmixError('vault_damaged');
          return secret;
        },
      },
      warn,
      ids: systemIds,
    });
    if (writer.next === 0) begin(db, writer);
    else if (end !== undefined && files.head?.seq !== end.last) writer.catchUpHeadFile(end.lastSignature);
    const ready: WriterReady = {
      next: writer.next,
      migratedFrom,
      headFileMissing: files.exists && end !== undefined && files.head === undefined,
    };
    return { db, signer, headFile, writer, ready };
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Record 0: what the ledger is, and the keys that everything after it is checked with. */
function begin(db: Connection, writer: LedgerWriter): void {
  const { ledgerId, tenantId, eventKey, checkpointKey } = data;
  const members = {
    name: 'Ledger opened',
    event_key: base64(eventKey.publicKey),
    checkpoint_key: base64(checkpointKey.publicKey),
    custody: data.custody,
    ...data.create,
  };
  db.prepare('INSERT OR IGNORE INTO ledger (ledger_id, tenant_id) VALUES (?, ?)').run(ledgerId, tenantId);
  const input = { appId: LEDGER_APP, eventType: 'ledger.opened', members };
  const { outcomes } = writer.commit([{ kind: 'run', at: data.at, name: 'record', input: input as never }]);
  const [outcome] = outcomes;
  if (outcome !== undefined && 'error' in outcome) throw outcome.error;
}

/** What the port's messages turn into. */
function queued({ id, kind, input }: Request): Queued {
  switch (kind) {
    case 'append': {
      const append = input as AppendInput;
      let bytes = 0;
      for (const event of append.events) bytes += event.bodyJcs.length;
      return { id, request: { kind: 'append', input: append }, rows: append.events.length, bytes };
    }
    case 'run': {
      const { at, name, input: given } = input as RunInput;
      if (name === 'checkpoint') return { id, request: 'checkpoint', rows: 0, bytes: 0 };
      return {
        id,
        request: { kind: 'run', at, name: name as never, input: given as never },
        rows: 2,
        bytes: 0,
      };
    }
    default:
      return { id, request: { kind: 'upload', input: input as UploadInput }, rows: 0, bytes: 0 };
  }
}

const { db, signer, headFile, writer } = await open().then(
  opened => {
    notify({ kind: 'ready', ready: opened.ready });
    return opened;
  },
  error => {
    notify({ kind: 'refused', refusal: refusalOf(error) });
    port.close();
    process.exit(0);
  },
);

let checkpointTimer: NodeJS.Timeout | undefined;
let checkpointedAt = performance.now();

function checkpoint() {
  clearTimeout(checkpointTimer);
  checkpointTimer = undefined;
  checkpointedAt = performance.now();
  return writer.checkpoint();
}

function checkpointLater(): void {
  checkpointTimer ??= setTimeout(checkpointNow, data.checkpointMs);
}

/** Takes from the queue what fits into one commit; a checkpoint stands alone. */
function takeGroup(): Queued[] {
  let count = 0;
  let rows = 0;
  let bytes = 0;
  for (const next of queue) {
    if (next.request === 'checkpoint') {
      if (count === 0) count = 1;
      break;
    }
    if (count > 0 && (rows + next.rows > GROUP_ROWS || bytes + next.bytes > GROUP_BYTES)) break;
    count++;
    rows += next.rows;
    bytes += next.bytes;
  }
  const group = queue.slice(0, count);
  queue = queue.slice(count);
  return group;
}

function drain(): void {
  scheduled = false;
  const group = takeGroup();
  if (queue.length > 0) schedule();
  const [first] = group;
  if (first === undefined) return;
  if (first.request === 'checkpoint') {
    try {
      answer(first.id, { output: checkpoint() });
    } catch (error) {
      answer(first.id, { error });
    }
    return;
  }
  const { outcomes, notice } = writer.commit(group.map(one => one.request as WriterRequest));
  // What was erased must not stay in the log either.
  if (
    group.some(
      ({ request }) => request !== 'checkpoint' && request.kind === 'run' && request.name === 'eraseBodies',
    )
  )
    foldLog();
  // One message for the whole group, listeners first: who is answered may ask at once what came of it.
  const replies = group.map((one, i) => replyTo(one.id, outcomes[i]!));
  const told: { notice: WriterNotice } | object =
    notice === undefined ? {} : { notice: { kind: 'commit', commit: notice } };
  port!.postMessage({ ...told, replies } satisfies Replies);
  if (notice === undefined) return;
  const sessionEnded = writer.sessionEnded && performance.now() - checkpointedAt > SESSION_CHECKPOINT_MS;
  if (sessionEnded) setImmediate(checkpointNow);
  else checkpointLater();
}

function foldLog(): void {
  try {
    db.pragma('wal_checkpoint(TRUNCATE)');
  } catch (error) {
    warn('internal', `the log could not be folded: ${refusalOf(error).message}`);
  }
}

function checkpointNow(): void {
  try {
    checkpoint();
  } catch (error) {
    warn('internal', `no checkpoint could be signed: ${refusalOf(error).message}`);
  }
}

function answer(id: number, outcome: { output: unknown } | { error: unknown }): void {
  port!.postMessage(replyTo(id, outcome));
}

const replyTo = (id: number, outcome: { output: unknown } | { error: unknown }): Reply =>
  'error' in outcome ? { id, refusal: refusalOf(outcome.error) } : { id, output: outcome.output };

function schedule(): void {
  if (scheduled) return;
  scheduled = true;
  setImmediate(drain);
}

/** Everything queued is committed, a checkpoint signed, the files closed. */
async function close(): Promise<void> {
  while (queue.length > 0) drain();
  checkpointNow();
  clearTimeout(checkpointTimer);
  await signer.stop();
  headFile.close();
  db.close();
}

port.on('message', (request: Request) => {
  if (request.kind === 'give_back') {
    giveBack();
    return answer(request.id, { output: undefined });
  }
  if (request.kind === 'close') {
    close().then(
      () => answer(request.id, { output: undefined }),
      error => answer(request.id, { error }),
    );
    return;
  }
  queue.push(queued(request));
  schedule();
});
