/**
 * The tests that OPA compiled into a bundle's module, run by the module itself: `opa build -t wasm` leaves the rules that it compiled
 * out of the bundle's Rego, and makes every `test_...` rule an entrypoint. Rules: it runs in a thread of its own that is ended
 * at the deadline; a module that asks for a built-in, or lacks the entrypoint, is refused before anything runs.
 */
import { Worker } from 'node:worker_threads';
import { TrailmixError } from '../../core/api/errors.ts';
import type { PolicyBundle } from './bundle.ts';
import type { ModuleTestsMessage } from './module_tests_thread.ts';
import type { OpaParts } from './opa_instance.ts';
import { wasm } from './wasm.ts';

export type ModuleTest = { name: string; outcome: 'pass' | 'fail' | 'error' };

const DEADLINE_MS = 30_000;

/** Throws policy_invalid: what the module lacks or asks for, or that it does not come to an end. */
export async function runModuleTests(
  { wasm: bytes, data, entrypoint }: PolicyBundle,
  deadlineMs = DEADLINE_MS,
): Promise<ModuleTest[]> {
  const invalid = (what: string): TrailmixError =>
    new TrailmixError('policy_invalid', { message: `The bundle cannot be used: ${what}` });
  const module = await wasm.compile(bytes).catch((error: unknown) => {
    throw invalid(`its module is no Wasm: ${String(error).slice(0, 300)}`);
  });
  const worker = new Worker(new URL('./module_tests_thread.ts', import.meta.url), {
    workerData: { module, data, entrypoint } satisfies OpaParts,
    env: {},
    execArgv: [],
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 8 },
  });
  worker.stdout.resume();
  worker.stderr.resume();
  let timer: NodeJS.Timeout | undefined;
  try {
    const message = await new Promise<ModuleTestsMessage>((resolve, reject) => {
      timer = setTimeout(() => reject(invalid(`its tests did not end within ${deadlineMs} ms`)), deadlineMs);
      worker.once('message', resolve);
      worker.once('error', error => reject(invalid(String(error).slice(0, 300))));
      worker.once('exit', () => reject(invalid('its thread ended')));
    });
    if ('refused' in message) throw invalid(message.refused);
    return message.tests;
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}
