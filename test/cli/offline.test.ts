/**
 * The whole thread as a user runs it (`npm run demo`, `npm start -- --no-open`), on the tree that also ships, in a network
 * namespace with nothing but loopback where the system has one (Linux); elsewhere with the network there is.
 */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'trailmix-offline-'));
const launch = join(root, 'resources/build/launch.mjs');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const isolated = ((): boolean => {
  try {
    execFileSync('unshare', ['-rn', 'ip', 'link', 'set', 'lo', 'up'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

const quote = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`;
/** Runs a shell line where no network is. */
const offline = async (line: string): Promise<string> => {
  const [command, args]: [string, string[]] = isolated
    ? ['unshare', ['-rn', 'sh', '-c', `ip link set lo up && ${line}`]]
    : ['sh', ['-c', line]];
  return (await promisify(execFile)(command, args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 }))
    .stdout;
};

test('npm run demo needs no network and ends with a pack that verifies', async () => {
  const out = join(folder, 'demo');
  const answer = JSON.parse(
    await offline(`${quote(process.execPath)} ${quote(launch)} demo --json --out ${quote(out)}`),
  );
  expect(answer.events).toBeGreaterThan(80);
  expect(
    Object.fromEntries(
      Object.entries(answer.verdicts).map(([name, v]) => [name, (v as { result: string }).result]),
    ),
  ).toEqual({
    integrity: 'pass',
    completeness: 'pass',
    time: 'not_shown',
    identity: 'not_shown',
  });
  expect(existsSync(answer.pack)).toBe(true);
  expect(existsSync(join(out, 'trust/org.pem'))).toBe(true);
});

test('the app serves its page, whole, from this machine', async () => {
  const data = join(folder, 'data');
  const line = [
    `${quote(process.execPath)} ${quote(launch)} desktop --no-open --json --port 0 --data ${quote(data)} --key-file ${quote(join(folder, 'key'))} > ${quote(join(folder, 'ready'))} 2>/dev/null & pid=$!`,
    `for i in $(seq 200); do [ -s ${quote(join(folder, 'ready'))} ] && break; sleep 0.1; done`,
    `url=$(sed 's/.*"url":"\\([^"]*\\)".*/\\1/' ${quote(join(folder, 'ready'))})`,
    `${quote(process.execPath)} ${quote(join(import.meta.dirname, 'fetch_page.ts'))} "$url"`,
    'kill $pid; wait $pid',
  ].join('\n');
  const page = JSON.parse(await offline(line)) as { csp: string; html: string; got: [string, number][] };
  expect(page.csp).toContain("default-src 'none'");
  expect(page.html).not.toMatch(/(?:src|href)="https?:/);
  expect(page.got.length).toBeGreaterThan(2);
  expect(page.got.filter(([, status]) => status !== 200)).toEqual([]);
  expect(readFileSync(join(folder, 'ready'), 'utf8')).toContain('"ui_url"');
});
