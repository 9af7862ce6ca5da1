/**
 * Fault points: named steps at which a test makes the ledger fail. `error` throws before the step takes effect,
 * `persisted` throws after it did, `full` throws what a full disk throws, `kill` ends the process as SIGKILL does.
 * Only a test passes a plan (OpenOptions.testFaults, ExportParts.testFaults); without one a point costs a comparison.
 */
export type FaultPoint =
  | 'assign'
  | 'sign'
  | 'insert'
  | 'project'
  | 'commit'
  | 'committed'
  | 'head_file'
  | 'answer'
  | 'checkpoint'
  | 'blob'
  | 'pack_write'
  | 'pack_sync'
  | 'pack_rename';

export type FaultPlan = {
  at: FaultPoint;
  mode: 'error' | 'persisted' | 'full' | 'kill';
  /** The how-manieth time the step is reached, from 1. */
  nth: number;
};

export type Faults = (at: FaultPoint, step?: 'before' | 'after') => void;

const none: Faults = () => {};

export function faultsOf(plan: FaultPlan | undefined): Faults {
  if (plan === undefined) return none;
  let reached = 0;
  return (at, step = 'before') => {
    if (at !== plan.at || (plan.mode === 'persisted') !== (step === 'after')) return;
    reached++;
    if (reached !== plan.nth) return;
    if (plan.mode === 'kill') process.kill(process.pid, 'SIGKILL');
    throw Object.assign(new Error(`fault injected at ${at}`), plan.mode === 'full' ? { code: 'ENOSPC' } : {});
  };
}
