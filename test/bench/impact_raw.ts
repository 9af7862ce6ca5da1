/**
 * The bare steps of impact in one thread, at the job's own priority: reads the bodies of a range of records, and has the
 * module decide as many ready inputs. Messages: out `{ready}`; in `{from, to}`, seqs, both included; out `{readMs, evaluateMs}`.
 */
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { openReadable } from '../../collector/ledger/database.ts';
import { loadOpa, type OpaParts } from '../../collector/policy/opa_instance.ts';

export type RawData = OpaParts & { texts: string[] };
export type RawDone = { readMs: number; evaluateMs: number };

const READ = 128;
const port = parentPort!;
const { database, texts, ...parts } = workerData as RawData & { database: { file: string; key: Uint8Array } };
try {
  setPriority(0, 19);
} catch {}
const db = openReadable(database.file, database.key, 16 * 1024);
const bodies = db
  .prepare<[number, number], string>('SELECT body FROM record WHERE seq BETWEEN ? AND ? ORDER BY seq DESC')
  .pluck();
const policy = await loadOpa(parts);
port.on('message', ({ from, to }: { from: number; to: number }) => {
  let characters = 0;
  let began = performance.now();
  for (let last = to; last >= from; last -= READ)
    for (const body of bodies.all(Math.max(from, last - READ + 1), last)) characters += body.length;
  const readMs = performance.now() - began;
  began = performance.now();
  for (let seq = from; seq <= to; seq++) characters += policy.evaluate(texts[seq % texts.length]!).length;
  const evaluateMs = performance.now() - began;
  if (characters === 0) throw new Error('nothing was read');
  port.postMessage({ readMs, evaluateMs } satisfies RawDone);
});
port.postMessage({ ready: true });
