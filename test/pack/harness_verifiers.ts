/** The verifier in its other shapes, run as their readers run them: one file under plain Node, one page from disk in a browser. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { trustText } from '../../core/pack/trust.ts';
import type { PackReport, Trust } from '../../core/pack/verify.ts';
import { WITNESS_POLICY } from '../../core/pack/witnesses.ts';
import { parseOrigin } from '../../core/proof/checkpoint.ts';
import { type JsonObject, jcs } from '../../core/proof/jcs.ts';
import { builtVerifier } from '../../resources/build/verifier.ts';

const run = promisify(execFile);
export type Ended = { code: number; stdout: string; stderr: string };

/** Runs it in a folder, and answers also where it fails. */
export async function runFile(program: string, words: string[], folder: string): Promise<Ended> {
  try {
    const { stdout, stderr } = await run(program, words, { cwd: folder, maxBuffer: 2 ** 26 });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as Ended;
    if (typeof code !== 'number') throw error;
    return { code, stdout, stderr };
  }
}

/** A trust folder as `trailmix keys trust` writes it, below `folder`; answers its path. */
export async function trustFolder(folder: string, trust: Trust): Promise<string> {
  const path = await mkdtemp(join(folder, 'trust-'));
  const { vkeys, certificates, tsaRoots, crls, peopleRoot, witnesses } = trust;
  const place = parseOrigin(vkeys[0]!.slice(0, vkeys[0]!.indexOf('+')))!;
  const text = trustText({
    v: 1,
    ...place,
    vkeys,
    ...(peopleRoot === undefined ? {} : { people_root: peopleRoot }),
  });
  await writeFile(join(path, 'trust.json'), text);
  if (certificates !== undefined) await writeFile(join(path, 'org.pem'), certificates);
  if (tsaRoots !== undefined) await writeFile(join(path, 'tsa-root.pem'), tsaRoots);
  if (witnesses !== undefined)
    await writeFile(join(path, WITNESS_POLICY), jcs(witnesses as unknown as JsonObject));
  if (crls !== undefined) await writeFile(join(path, 'authority.crl.pem'), crls);
  return path;
}

/** What a verifier said: four results and the codes, or that the file is no pack. */
export type Said = 'no pack' | { verdicts: Record<string, string>; codes: string[] };

export const saidOf = ({ verdicts }: Pick<PackReport, 'verdicts'>): Said => ({
  verdicts: Object.fromEntries(Object.entries(verdicts).map(([name, { result }]) => [name, result])),
  codes: [
    ...new Set(Object.values(verdicts).flatMap(({ findings }) => findings.map(({ code }) => code))),
  ].sort(),
});

/** The page from disk. `noise`: what it said on the console, asked of the network, or was refused. */
export async function openVerifierPage(browser: Browser): Promise<{ page: Page; noise: string[] }> {
  const { page: file } = await builtVerifier();
  const context = await browser.newContext({ offline: true });
  const page = await context.newPage();
  const noise: string[] = [];
  const own = pathToFileURL(file).href;
  page.on('console', message => noise.push(message.text()));
  page.on('pageerror', error => noise.push(error.message));
  page.on('request', request => void (request.url() === own || noise.push(request.url())));
  await page.goto(own);
  return { page, noise };
}

/** Gives the page a pack, the files of a trust folder and an older pack, and answers what it says. `now`: ms since 1970. */
export async function askPage(
  page: Page,
  pack: string,
  given: { trust: readonly string[]; since?: string; now?: number },
): Promise<Said> {
  if (given.now !== undefined) await page.clock.setFixedTime(given.now);
  await page.setInputFiles('#pack', []);
  await page.setInputFiles('#trust', [...given.trust]);
  await page.setInputFiles('#since', given.since ?? []);
  await page.setInputFiles('#pack', pack);
  await page.waitForFunction(() =>
    /^(?!$|Now|Checking)/.test(document.querySelector('#status')?.textContent ?? ''),
  );
  const status = await page.textContent('#status');
  if (!(status ?? '').startsWith('Checked')) return 'no pack';
  return saidOf(JSON.parse((await page.textContent('#json')) ?? '') as PackReport);
}

export type Case = {
  file: string;
  about: string;
  /** The finding that it is there for, or `where` it is refused. */
  code: string | null;
  trust: Trust | undefined;
  /** When the verifier lives: certificates are judged by it. */
  now: number | undefined;
  /** A file beside it: the older pack. */
  since: string | undefined;
  expected: Said;
};

/** `packs-plain` were made before the ASiC container and stay as they are: old packs verify as they did. */
export const vectorFolders = [
  'packs',
  'packs-erasure',
  'packs-history',
  'packs-plain',
  'packs-policy',
  'packs-restores',
  'packs-sealed',
] as const;

/** A folder of published packs, with what a verifier must say of each. */
export async function published(
  name: (typeof vectorFolders)[number],
): Promise<{ folder: string; cases: Case[] }> {
  const folder = join(import.meta.dirname, '../vectors', name);
  const { cases } = JSON.parse(await readFile(join(folder, 'packs.json'), 'utf8')) as {
    cases: (Omit<Case, 'expected'> & {
      refused?: string;
      verdicts: Record<string, string>;
      codes: string[];
    })[];
  };
  return {
    folder,
    cases: cases.map(({ file, about, code = null, trust, now, since, refused, verdicts, codes }) => ({
      file,
      about,
      code,
      trust,
      now,
      since,
      expected: refused === undefined ? { verdicts, codes } : 'no pack',
    })),
  };
}
