/**
 * The arrows between rooms, kept by dependency-cruiser (.dependency-cruiser.cjs). Falsely green is worse
 * than red: it also asserts that modules were cruised at all (FACTS: under TypeScript 7 only with swc).
 */

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { cruise, type ICruiseResult } from 'dependency-cruiser';

const root = join(import.meta.dirname, '../..');
const rooms = ['core', 'collector', 'cli', 'electron', 'renderer', 'sdk', 'verifier', 'resources/build'];

/** Cruises `where` (relative to `base`) with the project's rules; answers breaches as `rule: from -> to`. */
export const breaches = async (base = root, where = rooms): Promise<{ modules: number; found: string[] }> => {
  const { forbidden, options } = createRequire(import.meta.url)(join(root, '.dependency-cruiser.cjs'));
  const result = await cruise(where, {
    ...options,
    baseDir: base,
    validate: true,
    ruleSet: { forbidden, options },
  });
  const { summary } = result.output as ICruiseResult;
  return {
    modules: summary.totalCruised,
    found: summary.violations.map(v => `${v.rule.name}: ${v.from} -> ${v.to}`),
  };
};

if (import.meta.main) {
  const { modules, found } = await breaches();
  for (const line of found) console.error(line);
  console.log(`${modules} modules, ${found.length} breaches`);
  if (modules < 50) console.error('too few modules were read: the check is not working');
  process.exitCode = found.length > 0 || modules < 50 ? 1 : 0;
}
