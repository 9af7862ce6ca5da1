/** The published packs: what they were found to be when they were made, they are found to be still. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { published, saidOf, vectorFolders } from './harness_verifiers.ts';
import { check, sinceOf } from './packs.ts';

for (const name of vectorFolders) {
  const { folder, cases } = await published(name);
  describe(name, () => {
    test.each(cases)('$file: $about', async ({ file, expected, trust, now, since }) => {
      const older = since === undefined ? {} : await sinceOf(await readFile(join(folder, since)));
      const checking = check(await readFile(join(folder, file)), trust, older, now);
      if (expected === 'no pack') await expect(checking).rejects.toMatchObject({ code: 'pack_unreadable' });
      else expect(saidOf(await checking)).toEqual(expected);
    });
  });
}

test('what is refused is refused for the fault that the case names', async () => {
  const { folder, cases } = await published('packs');
  for (const { file, expected, code, trust } of cases) {
    if (expected !== 'no pack') continue;
    const checking = check(await readFile(join(folder, file)), trust);
    await expect(checking, file).rejects.toMatchObject({ where: code });
  }
});
