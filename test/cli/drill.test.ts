/** The incident drill: what was changed is what the verifier finds, all of it and nothing else. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Change } from '../../cli/drill_changes.ts';
import type { Drill } from '../../cli/drill_papers.ts';
import type { PackReport } from '../../core/pack/verify.ts';
import { type Place, temporaryPlace, trailmix } from './trailmix.ts';

let place: Place;
beforeAll(async () => {
  place = await temporaryPlace();
});
afterAll(() => place.remove());

const failures = (report: PackReport) =>
  Object.values(report.verdicts)
    .flatMap(({ findings }) => findings)
    .filter(({ level }) => level === 'fail');

async function drill(seed: number) {
  const out = join(place.folder, `drill-${seed}`);
  const ran = await trailmix(['drill', '--out', out, '--seed', `${seed}`, '--json']);
  expect(ran.code, ran.err).toBe(0);
  const solution = JSON.parse(await readFile(join(out, 'facilitator/solution.json'), 'utf8')) as Drill & {
    changes: Change[];
  };
  const verify = async (name: string, ...more: string[]) => {
    const { code, json } = await trailmix(['verify', join(out, 'participants', name), '--json', ...more]);
    return { code, report: json as unknown as PackReport };
  };
  return { out, solution, verify, trust: ['--trust', join(out, 'participants/trust')] };
}

test.each([1, 2, 5])(
  'seed %i: the verifier names exactly what was changed',
  async seed => {
    const { out, solution, verify, trust } = await drill(seed);
    expect(solution.changes.map(({ kind }) => kind).at(-1)).toBe('signature');
    expect(solution.changes).toHaveLength(5);

    const honest = await verify(solution.honest, ...trust);
    expect(failures(honest.report)).toEqual([]);
    expect(honest.report.verdicts.integrity.result).toBe('pass');

    const tampered = await verify(solution.tampered, ...trust);
    expect(tampered.code).toBe(1);
    const found = failures(tampered.report);
    for (const { kind, found: wanted } of solution.changes)
      expect(
        found.map(({ code, where }) => `${code} ${where}`),
        kind,
      ).toContain(`${wanted.code} ${wanted.where}`);
    const named = new Set(solution.changes.map(({ found: { code, where } }) => `${code} ${where}`));
    const follows = new Set<string>(solution.changes.flatMap(({ also }) => also));
    const others = found.filter(({ code, where }) => !named.has(`${code} ${where}`) && !follows.has(code));
    expect(others).toEqual([]);

    const guide = await readFile(join(out, 'facilitator/FACILITATOR.md'), 'utf8');
    const sheet = await readFile(join(out, 'participants/PARTICIPANTS.md'), 'utf8');
    for (const { what, found: wanted } of solution.changes) {
      expect(guide).toContain(what);
      expect(sheet).not.toContain(wanted.code);
    }
  },
  120_000,
);

test('without the trust folder nobody could tell who signed', async () => {
  const { solution, verify } = await drill(9);
  const { report } = await verify(solution.tampered);
  expect(failures(report).map(({ code }) => code)).not.toContain('cms_signer_wrong');
}, 60_000);

test('a folder with something in it is left alone, and a seed is a number', async () => {
  const full = await trailmix(['drill', '--out', place.folder, '--json']);
  expect(full.code).toBe(2);
  const odd = await trailmix(['drill', '--out', join(place.folder, 'new'), '--seed', 'x', '--json']);
  expect(odd.code).toBe(2);
});
