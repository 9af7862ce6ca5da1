/** The thread of module_tests.ts: loads the module, runs each test that is an entrypoint of it, answers once. */
import { parentPort, workerData } from 'node:worker_threads';
import type { ModuleTest } from './module_tests.ts';
import { loadOpa, type OpaInstance, type OpaParts } from './opa_instance.ts';

export type ModuleTestsMessage = { refused: string } | { tests: ModuleTest[] };

const MOST_TESTS = 1000;

const wordsOf = (error: unknown): string =>
  String(error instanceof Error ? error.message : error).slice(0, 500);

/** A test passes when its value is true; the value of one that names cases is an object of them. */
function outcomeOf(answer: string): ModuleTest['outcome'] {
  const set = JSON.parse(answer) as { result?: unknown }[];
  if (set.length !== 1) return 'fail';
  const { result } = set[0]!;
  if (typeof result === 'object' && result !== null)
    return Object.values(result).every(one => one === true) ? 'pass' : 'fail';
  return result === true ? 'pass' : 'fail';
}

async function runIn(parts: OpaParts): Promise<ModuleTestsMessage> {
  let decision: OpaInstance;
  try {
    decision = await loadOpa(parts);
  } catch (error) {
    return { refused: wordsOf(error) };
  }
  const names = decision.entrypoints.filter(name => name.split('/').at(-1)!.startsWith('test_'));
  if (names.length > MOST_TESTS) return { refused: `it has ${names.length} tests; at most ${MOST_TESTS}` };
  const tests: ModuleTest[] = [];
  for (const name of names.sort()) {
    try {
      const one = await loadOpa({ ...parts, entrypoint: name });
      tests.push({ name, outcome: outcomeOf(one.evaluate('{}')) });
    } catch {
      tests.push({ name, outcome: 'error' });
    }
  }
  return { tests };
}

const port = parentPort;
if (port === null) throw new Error('module_tests_thread is a worker thread');
port.postMessage(await runIn(workerData as OpaParts));
