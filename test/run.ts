/**
 * `npm test`: lint, types, arrows, then every test. Prints passed, failed, skipped and retried, and fails on any
 * skip but those that need what a machine may not have (they say so in their names).
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

const root = join(import.meta.dirname, '..');
const bin = (name: string) =>
  join(root, 'node_modules', '.bin', process.platform === 'win32' ? `${name}.cmd` : name);
const allowedSkip =
  /needs the Electron runtime|needs shared data|needs Python with cryptography|needs its Go modules/;

const step = (title: string, command: string, args: string[]): boolean => {
  const started = performance.now();
  console.log(`\n== ${title}`);
  const { status } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  console.log(
    `== ${title}: ${status === 0 ? 'ok' : 'FAILED'} (${((performance.now() - started) / 1000).toFixed(1)} s)`,
  );
  return status === 0;
};

type Assertion = { fullName: string; status: string; failureMessages: string[] };
const out = mkdtempSync(join(tmpdir(), 'trailmix-test-'));
const report = join(out, 'report.json');

const checks = [
  step('lint and format', bin('biome'), ['check', '.']),
  step('types', bin('tsc'), ['-b']),
  step('arrows', process.execPath, [join(root, 'test/safety/arrows.ts')]),
];
const tests = step('tests', bin('vitest'), [
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${report}`,
]);

const results = (
  JSON.parse(readFileSync(report, 'utf8')) as {
    testResults: { assertionResults: Assertion[]; status: string; name: string; message: string }[];
  }
).testResults;
rmSync(out, { recursive: true });
const all = results.flatMap(file => file.assertionResults);
const count = (status: string) => all.filter(test => test.status === status).length;
const skipped = all.filter(test => test.status !== 'passed' && test.status !== 'failed');
const badSkips = skipped.filter(test => !allowedSkip.test(test.fullName));
for (const test of skipped) console.log(`SKIPPED: ${test.fullName}`);
for (const test of badSkips) console.log(`NOT ALLOWED TO BE SKIPPED: ${test.fullName}`);
// Some tests of pages may try twice (ANEW in e2e/browser.ts): never in silence.
for (const { assertionResults, name } of results) {
  for (const { status, fullName, failureMessages } of assertionResults) {
    if (status !== 'passed' || failureMessages.length === 0) continue;
    const [why] = failureMessages[0]!.split('\n');
    console.log(`RETRIED: ${relative(root, name)} > ${fullName} (at first: ${why})`);
  }
}
const failedFiles = results.filter(
  file => file.status === 'failed' && !file.assertionResults.some(t => t.status === 'failed'),
);
for (const file of failedFiles) console.log(`FAILED TO RUN: ${file.name}`);
const failed = count('failed') + failedFiles.length + badSkips.length + checks.filter(ok => !ok).length;
if (!tests && count('failed') + failedFiles.length === 0)
  console.log('THE RUN FAILED: an error that no test caught stands above');
console.log(`\n${count('passed')} passed, ${failed} failed, ${skipped.length} skipped`);
process.exitCode = failed > 0 || !tests ? 1 : 0;
