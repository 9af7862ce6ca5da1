/**
 * What verifying a pack cannot do without, over the cores: hashing every byte of the pack's records once as a file, and for
 * each record its body, its head, its leaf and a node of the tree, and checking its signature. Bytes are at hand when the
 * clock runs; nothing is read, inflated, parsed or compared. This file is also each thread's.
 */
import { createHash, createPublicKey, hash, verify } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { fileHost, openFile } from '../../collector/evidence/verifier-host.ts';
import { lineBatches } from '../../core/pack/lines.ts';
import { readRecordLine } from '../../core/pack/records.ts';
import { openZip, type Zip } from '../../core/pack/zip.ts';
import { eventSignatureMessage, headJcs } from '../../core/proof/record.ts';

/** One record's bytes. */
type Row = {
  line: Buffer;
  body: Buffer;
  head: Buffer;
  leaf: Buffer;
  message: Uint8Array;
  signature: Uint8Array;
};
type Done = { cpuSeconds: number };
export type RawVerification = {
  /** By the clock, every core at work. */
  seconds: number;
  cpuSeconds: number;
  threads: number;
  /** Records that were measured: what is answered is of all, in proportion. */
  measured: number;
};

const SPKI = Buffer.from('302a300506032b6570032100', 'hex');
const MOST = 60_000;

async function lines(zip: Zip, path: string, most: number): Promise<string[]> {
  const found: string[] = [];
  for await (const batch of lineBatches(zip.open(zip.entries.get(path)!))) {
    for (const line of batch) if (found.length < most) found.push(line);
    if (found.length >= most) break;
  }
  return found;
}

function rowOf(line: string): Row {
  const { head, bodyJcs, seal, signature } = readRecordLine(line, 'events', '');
  return {
    line: Buffer.from(`${line}\n`),
    body: Buffer.from(bodyJcs!),
    head: Buffer.from(headJcs(head)),
    leaf: Buffer.concat([Buffer.of(0), Buffer.from(seal.hash_self, 'hex')]),
    message: eventSignatureMessage(seal.hash_self),
    signature,
  };
}

/** `events`: the records of the pack. The first 60,000 are measured. */
export async function rawVerification(pack: string, events: number): Promise<RawVerification> {
  const host = fileHost();
  const source = await openFile(pack);
  const zip = await openZip(source, host.inflateRaw);
  const [first] = await lines(zip, 'extras.jsonl', 1);
  const { event_key: key } = JSON.parse(first!) as { event_key: string };
  const all = await lines(zip, 'events.jsonl', MOST);
  await source.close();
  const threads = availableParallelism();
  const share = Math.ceil(all.length / threads);
  const workers = Array.from({ length: threads }, (_, i) => {
    const part = all.slice(i * share, (i + 1) * share);
    return new Worker(new URL(import.meta.url), { workerData: { part, key, raw: true } });
  });
  const heard = <T>(worker: Worker): Promise<T> =>
    new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
  await Promise.all(workers.map(worker => heard(worker)));
  const from = performance.now();
  const done = await Promise.all(
    workers.map(worker => {
      worker.postMessage('go');
      return heard<Done>(worker);
    }),
  );
  const seconds = (performance.now() - from) / 1000;
  await Promise.all(workers.map(worker => worker.terminate()));
  const scale = events / all.length;
  return {
    seconds: seconds * scale,
    cpuSeconds: done.reduce((sum, each) => sum + each.cpuSeconds, 0) * scale,
    threads,
    measured: all.length,
  };
}

/** One thread's share: made ready, then measured once. */
function measure({ part, key: raw }: { part: string[]; key: string }): void {
  const rows = part.map(rowOf);
  const spki = Buffer.concat([SPKI, Buffer.from(raw, 'base64')]);
  const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  const node = Buffer.alloc(65, 1);
  parentPort!.once('message', () => {
    const before = process.threadCpuUsage();
    const file = createHash('sha256');
    for (const { line, body, head, leaf, message, signature } of rows) {
      file.update(line);
      hash('sha256', body, 'buffer');
      hash('sha256', head, 'buffer');
      hash('sha256', leaf, 'buffer');
      hash('sha256', node, 'buffer');
      if (!verify(null, message, key, signature)) throw new Error('a signature does not verify');
    }
    file.digest();
    const { user, system } = process.threadCpuUsage(before);
    parentPort!.postMessage({ cpuSeconds: (user + system) / 1e6 } satisfies Done);
  });
  parentPort!.postMessage('ready');
}

if (!isMainThread && (workerData as { raw?: true } | null)?.raw === true) measure(workerData);
