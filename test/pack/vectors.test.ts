/** The published packs: what they were found to be when they were made, they are found to be still. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Trust } from '../../core/pack/verify.ts';
import { check, codesOf } from './packs.ts';

type Case = { file: string; about: string; now?: number; verdicts: object; codes: string[]; trust: Trust };
const vectors = join(import.meta.dirname, '../vectors');
// `packs-plain` were made before the ASiC container and stay as they are: old packs verify as they did.
for (const name of ['packs', 'packs-plain', 'packs-sealed']) {
  const folder = join(vectors, name);
  const { cases } = JSON.parse(await readFile(join(folder, 'packs.json'), 'utf8')) as { cases: Case[] };
  describe(name, () => {
    test.each(cases)('$file: $about', async ({ file, verdicts, codes, trust, now }) => {
      const report = await check(await readFile(join(folder, file)), trust, {}, now);
      expect(codesOf(report)).toEqual(codes);
      const results = Object.entries(report.verdicts).map(([verdict, { result }]) => [verdict, result]);
      expect(Object.fromEntries(results)).toEqual(verdicts);
    });
  });
}
