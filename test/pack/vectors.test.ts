/** The published packs: what they were found to be when they were made, they are found to be still. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Trust } from '../../core/pack/verify.ts';
import { check, codesOf } from './packs.ts';

type Case = { file: string; about: string; verdicts: object; codes: string[]; trust: Trust };
const folder = join(import.meta.dirname, '../vectors/packs');
const { cases } = JSON.parse(await readFile(join(folder, 'packs.json'), 'utf8')) as { cases: Case[] };

test.each(cases)('$file: $about', async ({ file, verdicts, codes, trust }) => {
  const report = await check(await readFile(join(folder, file)), trust);
  expect(codesOf(report)).toEqual(codes);
  const results = Object.entries(report.verdicts).map(([verdict, { result }]) => [verdict, result]);
  expect(Object.fromEntries(results)).toEqual(verdicts);
});
