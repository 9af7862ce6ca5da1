/**
 * Where a pack is verified: a small one at once, a large one in a thread of its own. Only of such a thread can it be said
 * how large its young generation may grow; left to itself it takes 100 MB of a verifier that keeps 20.
 * Rule: this file is also the thread's, and in the single-file verifier both are that one file.
 */
import { stat } from 'node:fs/promises';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { fileHost, nodeHost } from '../collector/evidence/verifier-host.ts';
import { errorOf, type Refusal, refusalOf } from '../collector/ledger/threads.ts';
import type { PackReport } from '../core/pack/verify.ts';
import { type GivenFiles, verifyPackFile } from './verify_pack.ts';

/** What checks signatures: threads of ours, or Node's own, where there is no other file to start them from. */
export type PackHost = 'threads' | 'one file';
export type PackOrder = GivenFiles & { readonly path: string; readonly host: PackHost };

/** Bytes of a pack from which a thread is worth its start: some 20,000 records. */
const LARGE = 4 * 2 ** 20;
/** MiB. */
const LIMITS = { maxYoungGenerationSizeMb: 12 };

type Answer = { report: PackReport } | { refusal: Refusal };
const ORDER = 'trailmix verify';

const verifyHere = ({ path, host, ...given }: PackOrder): Promise<PackReport> =>
  verifyPackFile(path, given, host === 'threads' ? nodeHost() : fileHost());

/** Verifies the pack in a file. Throws usage and pack_unreadable. */
export async function reportOf(order: PackOrder): Promise<PackReport> {
  const { size } = await stat(order.path);
  if (size < LARGE) return verifyHere(order);
  const here = import.meta.url;
  const thread = new Worker(new URL(here), { workerData: { [ORDER]: order }, resourceLimits: LIMITS });
  const { promise, resolve, reject } = Promise.withResolvers<PackReport>();
  thread.on('message', (answer: Answer) => {
    if ('report' in answer) resolve(answer.report);
    else reject(errorOf(answer.refusal));
  });
  thread.on('error', reject);
  thread.on('exit', () => reject(new Error('the thread that verifies ended')));
  try {
    return await promise;
  } finally {
    await thread.terminate();
  }
}

async function answer(order: PackOrder): Promise<Answer> {
  try {
    return { report: await verifyHere(order) };
  } catch (error) {
    return { refusal: refusalOf(error) };
  }
}

const order = isMainThread ? undefined : (workerData as { [ORDER]?: PackOrder } | null)?.[ORDER];
if (order !== undefined) void answer(order).then(told => parentPort?.postMessage(told));
