/**
 * Every shape of the verifier says the same of every published pack: trailmix-verify.mjs under plain Node and
 * trailmix-verify.html in a browser (verify.py: test/conformance/verify.test.ts). The codes too, as all are made of one core.
 */
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PackReport } from '../../core/pack/verify.ts';
import { builtVerifier } from '../../resources/build/verifier.ts';
import { openBrowser } from '../e2e/browser.ts';
import {
  askPage,
  type Case,
  openVerifierPage,
  published,
  runFile,
  type Said,
  saidOf,
  trustFolder,
  vectorFolders,
} from './harness_verifiers.ts';

let folder: string;
const all: (Case & { path: string; trustPath: string | undefined; sincePath: string | undefined })[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agreement-'));
  const trusts = new Map<string, string>();
  for (const name of vectorFolders) {
    const { folder: from, cases } = await published(name);
    await cp(from, join(folder, name), { recursive: true });
    for (const one of cases) {
      const key = JSON.stringify(one.trust);
      if (one.trust !== undefined && !trusts.has(key)) trusts.set(key, await trustFolder(folder, one.trust));
      const sincePath = one.since === undefined ? undefined : join(folder, name, one.since);
      all.push({ ...one, path: join(folder, name, one.file), trustPath: trusts.get(key), sincePath });
    }
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The file goes by this machine's clock; cases that are about another time are for those who can be told it. */
const byOwnClock = ({ file }: Case): boolean => !/expired/.test(file);

test('trailmix-verify.mjs', async () => {
  const { node } = await builtVerifier();
  const waiting = all.filter(byOwnClock);
  const wrong: object[] = [];
  const worker = async (): Promise<void> => {
    for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
      const { path, trustPath, sincePath, expected } = one;
      const trust = trustPath === undefined ? [] : ['--trust', trustPath];
      const since = sincePath === undefined ? [] : ['--since', sincePath];
      const { code, stdout } = await runFile(
        process.execPath,
        [node, path, ...trust, ...since, '--json'],
        folder,
      );
      const said: Said = code === 2 ? 'no pack' : saidOf(JSON.parse(stdout) as PackReport);
      if (JSON.stringify(said) !== JSON.stringify(expected)) wrong.push({ path, said, expected });
    }
  };
  await Promise.all([worker(), worker()]);
  expect(wrong).toEqual([]);
}, 300_000);

test('trailmix-verify.html', async () => {
  const browser = await openBrowser();
  try {
    const { page, noise } = await openVerifierPage(browser);
    const wrong: object[] = [];
    for (const { path, trustPath, sincePath, now, expected } of all) {
      const names = trustPath === undefined ? [] : await readdir(trustPath);
      const trust = names.map(name => join(trustPath!, name));
      const said = await askPage(page, path, {
        trust,
        ...(sincePath === undefined ? {} : { since: sincePath }),
        ...(now === undefined ? {} : { now }),
      });
      if (JSON.stringify(said) !== JSON.stringify(expected)) wrong.push({ path, said, expected });
    }
    expect(wrong).toEqual([]);
    expect(noise).toEqual([]);
  } finally {
    await browser.close();
  }
}, 300_000);
