/**
 * The main thread's end of pack-thread.ts: starts it, signs for it, hears of its progress, and ends it when it is
 * cancelled. What it opened is closed with it.
 */
import { TrailmixError } from '../../core/api/errors.ts';
import type { CheckpointView, PackCounts } from '../../core/api/views.ts';
import type { FaultPlan } from '../ledger/faults.ts';
import { errorOf, type Refusal, threadFile } from '../ledger/threads.ts';
import type { Ledger, PackSigner, ScopeRange } from '../ports.ts';
import type { EpochProof } from './epoch.ts';
import type { Window } from './window.ts';

export type PackMade = { packId: string; bytes: number; events: number; sha256: string };
export type PackOrder = {
  readonly plan: {
    readonly window: Window;
    readonly scope: ScopeRange;
    readonly checkpoint: CheckpointView;
    readonly withhold?: { readonly seqs: readonly number[]; readonly reason: string };
    readonly custody: string;
    readonly at: Date;
    readonly epochs: readonly EpochProof[];
    readonly version: string;
    readonly certificatePem: string;
    readonly chainPem: string;
  };
  /** A file that is not there yet. */
  readonly path: string;
  /** For tests alone: see ledger/faults.ts. */
  readonly faults?: FaultPlan;
};
export type CountOrder = { readonly appId: string; readonly scope: ScopeRange };
export type PackTask = {
  readonly task: PackOrder | CountOrder;
  readonly ledgerId: string;
  readonly tenantId: string;
};
export type PackAnswer =
  | { sign: Uint8Array }
  | { progress: { step: string; done: number; total: number } }
  | { made: PackMade }
  | { counts: PackCounts }
  | { refusal: Refusal; errno?: string | undefined; stack?: string | undefined };

/** MiB. A small young generation costs little and spares memory. */
const LIMITS = { maxYoungGenerationSizeMb: 24 };

type Hears = {
  readonly signer?: Pick<PackSigner, 'sign'>;
  readonly signal?: AbortSignal | undefined;
  readonly progress?: (at: { step: string; done: number; total: number }) => void;
};

/** Rejects with what the thread threw: a TrailmixError, or an error with its `code` where the file system refused. */
async function run(
  ledger: Ledger,
  task: PackTask['task'],
  { signer, signal, progress }: Hears,
): Promise<PackAnswer> {
  const { ledgerId, tenantId } = ledger;
  signal?.throwIfAborted();
  const file = threadFile('pack-thread', import.meta.url);
  const thread = ledger.readingThread(file, { task, ledgerId, tenantId }, { blobs: true, limits: LIMITS });
  const { promise, resolve, reject } = Promise.withResolvers<PackAnswer>();
  thread.on('message', (answer: PackAnswer) => {
    if ('sign' in answer) thread.postMessage({ signature: signer?.sign(answer.sign) });
    else if ('progress' in answer) progress?.(answer.progress);
    else if ('refusal' in answer) reject(thrown(answer));
    else resolve(answer);
  });
  thread.on('error', reject);
  thread.on('exit', () => reject(new Error('the thread that makes packs ended')));
  const cancel = (): void => reject(signal?.reason);
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    return await promise;
  } finally {
    signal?.removeEventListener('abort', cancel);
    await thread.terminate();
  }
}

/** What is of the table stays so; what nobody foresaw keeps its stack, for the log. */
function thrown({ refusal, errno, stack }: Extract<PackAnswer, { refusal: Refusal }>): Error {
  if (refusal.code !== 'internal') return errorOf(refusal);
  const error = Object.assign(new Error(refusal.message), errno === undefined ? {} : { code: errno });
  if (stack !== undefined) error.stack = stack;
  return error;
}

export async function makeInThread(ledger: Ledger, order: PackOrder, hears: Hears): Promise<PackMade> {
  const answer = await run(ledger, order, hears);
  if (!('made' in answer)) throw new TrailmixError('internal');
  return answer.made;
}

export async function countInThread(ledger: Ledger, order: CountOrder): Promise<PackCounts> {
  const answer = await run(ledger, order, {});
  if (!('counts' in answer)) throw new TrailmixError('internal');
  return answer.counts;
}
