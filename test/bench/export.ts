/**
 * An export over HTTP from a real collector, beside reading the same rows, hashing them and deflating them on one
 * thread; what the collector's memory grows by meanwhile, and how long it lets others wait. Then the pack is verified, by
 * `trailmix verify` and by the single file, beside raw hashing and signature checks over the cores (verification_raw.ts).
 * `node test/bench/export.ts [events, default 20000 | --million]`: a million take some ten minutes on two free cores, most of
 * them recording and waiting until what works behind ingest is done. How far it is, is told on stderr.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createDeflateRaw } from 'node:zlib';
import { openVault } from '../../collector/keys/vault.ts';
import { openReadable } from '../../collector/ledger/database.ts';
import { placesOf } from '../../collector/ledger/folder.ts';
import { buildAppTree } from '../../resources/build/app-tree.ts';
import { builtVerifier } from '../../resources/build/verifier.ts';
import { BenchCollector, cpuOf } from './collector.ts';
import { appId, eventText } from './events.ts';
import { measureIngest } from './ingest.ts';
import { rawVerification } from './verification_raw.ts';

export type ExportFigures = {
  events: number;
  packBytes: number;
  exportSeconds: number;
  /** Reading, hashing and deflating the same rows, one after the other on one thread. */
  rawSeconds: number;
  /** Raw seconds by the export's: above 1 where the export is faster than one thread at the bare steps. */
  ratio: number;
  secondsPerMillion: number;
  /** CPU of the collector's process, all threads, by the raw steps'. */
  cpuOfRaw: number;
  /** Resident memory at its highest, over what it was before. */
  peakGrowthMiB: number;
  peakMiB: number;
  /** Others meanwhile: a recorded event, and a look at the health. */
  appends: number;
  appendP50Ms: number;
  appendMaxMs: number;
  healthP50Ms: number;
  healthMaxMs: number;
  /** Hashing and signature checks alone, over the cores; measured on the first 60,000 records. */
  verifyRawSeconds: number;
  verifySeconds: number;
  /** Raw seconds by the verifier's, and the same in CPU time. */
  verifyRatio: number;
  verifyCpuRatio: number;
  verifyPeakMiB: number;
  /** Of the single-file verifier. */
  singleSeconds: number;
  singlePeakMiB: number;
};

const cli = join(import.meta.dirname, '../../build/app/cli/main.js');
const round = (value: number, digits = 0): number => Number(value.toFixed(digits));
const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

/** Highest resident memory so far, MiB; undefined where /proc is not there or the process has ended. */
function peakOf(child: ChildProcess): number | undefined {
  try {
    const text = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1];
    return text === undefined ? undefined : Number(text) / 1024;
  } catch {
    return undefined;
  }
}

/** Asks one thing after another, with a rest, until told to end. Answers how long each took, ms. */
async function keepAsking(
  restMs: number,
  signal: AbortSignal,
  ask: () => Promise<unknown>,
): Promise<number[]> {
  const took: number[] = [];
  while (!signal.aborted) {
    const from = performance.now();
    await ask();
    took.push(performance.now() - from);
    await sleep(restMs);
  }
  return took;
}

/** Every row once, as it lies in the database: read and opened, hashed, deflated. */
async function rawSteps(folder: string): Promise<number> {
  const vault = await openVault({ folder: join(folder, 'data'), secret: { kind: 'key_file' } });
  const db = openReadable(placesOf(join(folder, 'data')).ledger, vault.derive('database'), 16 * 1024);
  const from = performance.now();
  const hash = createHash('sha256');
  const deflate = createDeflateRaw({ chunkSize: 65_536 });
  deflate.resume();
  let part: Buffer[] = [];
  let size = 0;
  const write = async (): Promise<void> => {
    const chunk = Buffer.concat(part);
    part = [];
    size = 0;
    hash.update(chunk);
    await new Promise<void>(done => void deflate.write(chunk, () => done()));
  };
  const rows = db.prepare<[], { body: string | null; hash_self: Buffer; body_hash: Buffer }>(
    'SELECT body, hash_self, body_hash FROM record ORDER BY seq',
  );
  for (const { body, hash_self, body_hash } of rows.iterate()) {
    const bytes = Buffer.from(body ?? '');
    part.push(bytes, hash_self, body_hash);
    size += bytes.length + 64;
    if (size >= 256 * 1024) await write();
  }
  await write();
  await new Promise<void>(done => deflate.end(done));
  db.close();
  return (performance.now() - from) / 1000;
}

type Verified = { seconds: number; cpuSeconds: number; peakMiB: number };

/** A verifier on a pack, in a process of its own. */
async function verifyAlone(command: readonly string[], pack: string): Promise<Verified> {
  const from = performance.now();
  const child = spawn(process.execPath, [...command, pack, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  let ended = false;
  let peakMiB = 0;
  let cpuSeconds = 0;
  child.stdout!.on('data', part => {
    text += part;
  });
  const end = new Promise(done => child.once('close', done));
  void end.then(() => {
    ended = true;
  });
  while (!ended) {
    peakMiB = Math.max(peakMiB, peakOf(child) ?? 0);
    cpuSeconds = Math.max(cpuSeconds, cpuOf(child.pid) ?? 0);
    await Promise.race([end, sleep(20)]);
  }
  const { verdicts } = JSON.parse(text) as { verdicts: { integrity: { findings: { code: string }[] } } };
  // No trust is named: that the keys are nobody's is all that may be found.
  const found = verdicts.integrity.findings.map(({ code }) => code);
  if (found.join() !== 'keys_untrusted') throw new Error(`the pack does not verify: ${found.join()}`);
  return { seconds: (performance.now() - from) / 1000, cpuSeconds, peakMiB };
}

/** What works behind ingest comes to its end, and gives back what it holds: at most five minutes are waited for it. */
async function atRest(collector: BenchCollector): Promise<void> {
  for (let looks = 0, calm = 0; looks < 100 && calm < 2; looks++) {
    const before = collector.cpuSeconds() ?? 0;
    await sleep(3000);
    calm = (collector.cpuSeconds() ?? 0) - before < 0.6 ? calm + 1 : 0;
  }
}

const started = performance.now();
const say = (text: string): void => {
  process.stderr.write(`${((performance.now() - started) / 1000).toFixed(0).padStart(5)} s  ${text}\n`);
};

export async function measureExport(events = 20_000): Promise<ExportFigures> {
  const collector = await BenchCollector.start();
  try {
    const key = collector.createKey(appId);
    await measureIngest(collector, key, 500, events, 4, 'export');
    say(`${events} events recorded`);
    await atRest(collector);
    say('the collector is at rest');
    const before = collector.memoryMiB() ?? 0;
    const cpuBefore = collector.cpuSeconds() ?? 0;
    const over = new AbortController();
    let peak = before;
    let n = 0;
    const watching = [
      keepAsking(250, over.signal, () =>
        collector.send('POST', '/api/events', key, eventText(n++, 'meanwhile')),
      ),
      keepAsking(100, over.signal, () => collector.send('GET', '/api/health')),
      keepAsking(50, over.signal, async () => {
        peak = Math.max(peak, collector.memoryMiB() ?? 0);
      }),
    ];
    const from = performance.now();
    const answer = await collector.send(
      'POST',
      '/api/evidence/export',
      key,
      JSON.stringify({
        app_id: appId,
        time_from: new Date(Date.now() - 86_400_000).toISOString(),
        time_to: new Date(Date.now() + 86_400_000).toISOString(),
      }),
    );
    const exportSeconds = (performance.now() - from) / 1000;
    const cpu = (collector.cpuSeconds() ?? 0) - cpuBefore;
    over.abort();
    const [appends, health] = await Promise.all(watching);
    if (answer.status !== 200) throw new Error(`${answer.status} ${answer.body}`);
    const made = JSON.parse(answer.body.toString()) as { pack: string; bytes: number; events: number };
    const pack = join(collector.folder, 'pack.zip');
    renameSync(made.pack, pack);
    say(`exported in ${exportSeconds.toFixed(1)} s`);
    await collector.stop(true);
    const cpuFrom = process.cpuUsage();
    const rawSeconds = await rawSteps(collector.folder);
    const rawCpu = process.cpuUsage(cpuFrom);
    say(`raw steps in ${rawSeconds.toFixed(1)} s`);
    const raw = await rawVerification(pack, made.events);
    const verified = await verifyAlone([cli, 'verify'], pack);
    say(`verified in ${verified.seconds.toFixed(1)} s`);
    const single = await verifyAlone([(await builtVerifier()).node], pack);
    return {
      events: made.events,
      packBytes: made.bytes,
      exportSeconds: round(exportSeconds, 2),
      rawSeconds: round(rawSeconds, 2),
      ratio: round(rawSeconds / exportSeconds, 2),
      secondsPerMillion: round((exportSeconds / made.events) * 1e6, 1),
      cpuOfRaw: round(cpu / ((rawCpu.user + rawCpu.system) / 1e6), 2),
      peakGrowthMiB: round(peak - before),
      peakMiB: round(peak),
      appends: appends!.length,
      appendP50Ms: round(median(appends!), 1),
      appendMaxMs: round(Math.max(...appends!), 1),
      healthP50Ms: round(median(health!), 1),
      healthMaxMs: round(Math.max(...health!), 1),
      verifyRawSeconds: round(raw.seconds, 2),
      verifySeconds: round(verified.seconds, 2),
      verifyRatio: round(raw.seconds / verified.seconds, 2),
      verifyCpuRatio: round(raw.cpuSeconds / verified.cpuSeconds, 2),
      verifyPeakMiB: round(verified.peakMiB),
      singleSeconds: round(single.seconds, 2),
      singlePeakMiB: round(single.peakMiB),
    };
  } finally {
    rmSync(collector.folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === import.meta.filename) {
  buildAppTree();
  const [count] = process.argv.slice(2);
  const events = count === '--million' ? 1_000_000 : Number(count ?? 20_000);
  console.log(JSON.stringify(await measureExport(events), null, 1));
  process.exit(0);
}
