import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { breaches } from './arrows.ts';

const root = join(import.meta.dirname, '../..');
const base = mkdtempSync(join(tmpdir(), 'trailmix-arrows-'));
symlinkSync(join(root, 'node_modules'), join(base, 'node_modules'), 'dir');
writeFileSync(
  join(base, 'package.json'),
  '{"name":"planted","type":"module","dependencies":{"electron":"*"}}',
);
const plant = (path: string, text: string) => {
  mkdirSync(dirname(join(base, path)), { recursive: true });
  writeFileSync(join(base, path), text);
};
afterAll(() => rmSync(base, { recursive: true }));

test.each([
  [
    'core importing node:fs',
    'core/a.ts',
    "import { readFileSync } from 'node:fs';\nexport const a = readFileSync;\n",
    'core-is-pure',
  ],
  [
    'core importing the collector',
    'core/b.ts',
    "import { c } from '../collector/c.ts';\nexport const b = c;\n",
    'core-stands-alone',
  ],
  [
    'renderer importing the collector',
    'renderer/d.ts',
    "import { c } from '../collector/c.ts';\nexport const d = c;\n",
    'renderer-arrows',
  ],
  [
    'collector importing electron',
    'collector/e.ts',
    "import { app } from 'electron';\nexport const e = app;\n",
    'collector-no-electron',
  ],
  [
    'sdk importing the collector',
    'sdk/typescript/src/f.ts',
    "import { c } from '../../../collector/c.ts';\nexport const f = c;\n",
    'sdk-arrows',
  ],
])('a planted breach fails: %s', async (_title, path, text, rule) => {
  plant('collector/c.ts', 'export const c = 1;\n');
  plant(path, text);
  const { found, modules } = await breaches(base, [path]);
  expect(modules).toBeGreaterThan(0);
  expect(found.filter(line => line.startsWith(`${rule}: ${path}`))).not.toEqual([]);
});
