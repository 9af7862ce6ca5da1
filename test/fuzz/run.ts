/**
 * Fuzzing for as long as is wanted: `node test/fuzz/run.ts SECONDS [WORD]`, the targets whose name has WORD. Ends at the first
 * failure with its seed and path, smallest case first; `SEED` and `FUZZ_PATH` in the environment make it again.
 */
import fc from 'fast-check';
import { seeds } from './seeds.ts';
import { targets } from './targets.ts';

const [seconds = '60', word = ''] = process.argv.slice(2);
const chosen = targets.filter(({ name }) => name.includes(word));
const each = (Number(seconds) * 1000) / chosen.length;
const { SEED, FUZZ_PATH } = process.env;
const again =
  SEED === undefined ? {} : { seed: Number(SEED), ...(FUZZ_PATH === undefined ? {} : { path: FUZZ_PATH }) };
const given = await seeds();
for (const { name, property } of chosen) {
  const details = await fc.check(property(given), {
    numRuns: Number.MAX_SAFE_INTEGER,
    interruptAfterTimeLimit: each,
    ...again,
  });
  console.log(`${details.failed ? 'FAILED' : 'ok'}  ${details.numRuns} cases  ${name}`);
  if (!details.failed) continue;
  console.error(fc.defaultReportMessage(details), details.errorInstance);
  process.exitCode = 1;
  break;
}
process.exit();
