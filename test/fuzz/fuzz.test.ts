/** A bounded number of cases of each target, other ones each time; `node test/fuzz/run.ts SECONDS` goes on for longer. */
import fc from 'fast-check';
import { test } from 'vitest';
import { seeds } from './seeds.ts';
import { targets } from './targets.ts';

const given = await seeds();

test.each(targets)(
  '$name',
  async ({ property, runs }) => {
    await fc.assert(property(given), { numRuns: runs });
  },
  180_000,
);
