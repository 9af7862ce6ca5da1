/**
 * verify.py, the second verifier written from docs/spec alone, over every published pack: the same verdicts and the same codes.
 * Needs python3 with `cryptography`; where they are not, it says so.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { FINDINGS, findingsText } from '../../resources/build/findings.ts';
import { published, type Said, trustFolder, vectorFolders } from '../pack/harness_verifiers.ts';
import { NOW } from '../pack/packs.ts';

const python = process.platform === 'win32' ? 'python' : 'python3';
const isThere = spawnSync(python, ['-c', 'import cryptography.x509']).status === 0;
const program = join(import.meta.dirname, 'verify.py');
const folder = mkdtempSync(join(tmpdir(), 'second-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Job = { path: string; trust?: string; since?: string; now?: number };
type Report = { refused?: string; verdicts: Record<string, string>; findings: { code: string }[] };

function ask(jobs: readonly Job[]): Said[] {
  const input = jobs.map(job => `${JSON.stringify(job)}\n`).join('');
  const { stdout, stderr, status } = spawnSync(python, [program, '--batch'], {
    input,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  const reports = stdout
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line) as Report);
  return reports.map(({ refused, verdicts, findings }) =>
    refused === undefined
      ? { verdicts, codes: [...new Set(findings.map(({ code }) => code))].sort() }
      : 'no pack',
  );
}

const agreement = () => {
  test.each(vectorFolders)('every pack of %s', async name => {
    const { folder: from, cases } = await published(name);
    const trusts = new Map<string, string>();
    for (const { trust } of cases) {
      const key = JSON.stringify(trust);
      if (trust !== undefined && !trusts.has(key)) trusts.set(key, await trustFolder(folder, trust));
    }
    const jobs = cases.map(({ file, trust, since, now = NOW }) => ({
      path: join(from, file),
      now,
      ...(trust === undefined ? {} : { trust: trusts.get(JSON.stringify(trust))! }),
      ...(since === undefined ? {} : { since: join(from, since) }),
    }));
    const said = ask(jobs);
    const told = cases.map(({ file }, i) => ({ file, said: said[i] }));
    expect(told).toEqual(cases.map(({ file, expected }) => ({ file, said: expected })));
  });
};

if (isThere) describe('a second verifier, in Python', agreement);
else {
  console.error(
    `SKIPPED: ${python} with the package cryptography is not here: the second verifier was not run.`,
  );
  test.skip('a second verifier: needs Python with cryptography', () => undefined);
}

test('the published table of findings is the one that is used', () => {
  expect(readFileSync(FINDINGS, 'utf8')).toBe(findingsText());
});
