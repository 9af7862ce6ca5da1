/**
 * kill -9 during ingest, again and again: after each kill an independent checker reads the files, then the ledger is
 * opened and goes on. Half of the kills come at a random moment, half at a named step of a commit.
 * Run: node test/fault/kill.ts [kills, default 200] [seed]
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FaultPlan, FaultPoint } from '../../collector/ledger/faults.ts';
import { memoryVault } from '../ledger/vault.fixture.ts';
import { checkLedger } from './checker.ts';

type Ack = [eventId: string, seq: number, hashSelf: string];
export type KillReport = {
  kills: number;
  acknowledged: number;
  records: number;
  moments: Record<string, number>;
};

const POINTS: FaultPoint[] = [
  'assign',
  'insert',
  'project',
  'sign',
  'commit',
  'committed',
  'head_file',
  'checkpoint',
  'blob',
];
/** Kills on one ledger before a fresh one is begun, so that checking stays quick. */
const PER_LEDGER = 10;
/** A step that was not reached by then is not waited for. */
const STEP_MS = 1500;
const PATIENCE_MS = 30_000;

export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Runs the ingest until it is dead. Answers what it acknowledged. */
function ingestUntilKilled(
  folder: string,
  seed: number,
  faults: FaultPlan | undefined,
  afterMs: number,
): Promise<Ack[]> {
  const script = fileURLToPath(new URL('./ingest.ts', import.meta.url));
  const argument = JSON.stringify({ folder, seed, ...(faults === undefined ? {} : { faults }) });
  const child = spawn(process.execPath, [script, argument], { stdio: ['ignore', 'pipe', 'inherit'] });
  const { promise, resolve, reject } = Promise.withResolvers<Ack[]>();
  const acks: Ack[] = [];
  let text = '';
  let timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  let ready = false;
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (part: string) => {
    text += part;
    const lines = text.split('\n');
    text = lines.pop()!;
    for (const line of lines) acks.push(...(JSON.parse(line) as Ack[]));
    if (ready) return;
    ready = true;
    clearTimeout(timer);
    timer = setTimeout(() => child.kill('SIGKILL'), faults === undefined ? afterMs : STEP_MS);
  });
  child.on('close', (code, signal) => {
    clearTimeout(timer);
    if (signal === 'SIGKILL') resolve(acks);
    else reject(new Error(`the ingest ended by itself: ${code ?? signal}`));
  });
  return promise;
}

/** Throws at the first kill after which anything acknowledged is missing or anything is half there. */
export async function killAgainAndAgain(
  kills: number,
  seed: number,
  say: (line: string) => void = () => {},
): Promise<KillReport> {
  const random = randomOf(seed);
  const vault = memoryVault('kill');
  const report: KillReport = { kills: 0, acknowledged: 0, records: 0, moments: {} };
  let folder = '';
  let acks: Ack[] = [];
  const clean = () => folder !== '' && rmSync(folder, { recursive: true, force: true });
  try {
    while (report.kills < kills) {
      if (report.kills % PER_LEDGER === 0) {
        clean();
        folder = mkdtempSync(join(tmpdir(), 'trailmix-kill-'));
        acks = [];
      }
      const at = POINTS[Math.floor(random() * POINTS.length)]!;
      const timed = random() < 0.5;
      const nth = 2 + Math.floor(random() * (at === 'checkpoint' || at === 'blob' ? 4 : 30));
      const faults: FaultPlan | undefined = timed ? undefined : { at, mode: 'kill', nth };
      const found = await ingestUntilKilled(folder, report.kills, faults, random() * 700);
      acks.push(...found);
      const records = checkLedger(folder, vault, acks);
      report.kills++;
      report.acknowledged += found.length;
      report.records = Math.max(report.records, records);
      const moment = timed ? 'any moment' : at;
      report.moments[moment] = (report.moments[moment] ?? 0) + 1;
      say(
        `${report.kills}/${kills} killed at ${moment}: ${found.length} acknowledged, ${records} records whole`,
      );
    }
  } finally {
    clean();
  }
  return report;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const kills = Number(process.argv[2] ?? 200);
  const seed = Number(process.argv[3] ?? 1);
  const report = await killAgainAndAgain(kills, seed, line => console.log(line));
  console.log(JSON.stringify(report));
}
