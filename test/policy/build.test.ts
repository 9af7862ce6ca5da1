import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const script = (name: string): string =>
  fileURLToPath(new URL(`../../resources/build/${name}`, import.meta.url));

test('without Go the build says so in one line, and goes on', async () => {
  const { stdout, stderr } = await run(process.execPath, [script('toolchain.ts')], {
    env: { PATH: '/nonexistent' },
  });
  expect(stdout).toBe('');
  expect(stderr).toContain('Go 1.26 is needed to build the policy toolchain');
  expect(stderr).toContain('gated calls will be denied');
  expect(stderr.trim().split('\n')).toHaveLength(1);
});

test('with nothing changed, both builds do nothing', async () => {
  await run(process.execPath, [script('policies.ts')]);
  const { stdout, stderr } = await run(process.execPath, [script('policies.ts')]);
  expect(stdout + stderr).toBe('');
});
