/** docs/cli.md is what the commands say of themselves. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CLI_DOC, cliDocument } from '../../resources/build/cli-doc.ts';

test('docs/cli.md is current', async () => {
  expect(readFileSync(join(import.meta.dirname, '..', '..', CLI_DOC), 'utf8')).toBe(await cliDocument());
});
