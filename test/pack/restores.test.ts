/** An older pack across one restore and two: what is shown of it, what is not, and which forgery is caught. */
import { beforeAll, expect, test } from 'vitest';
import { sinceSentences } from '../../core/pack/since.ts';
import { check, codesOf, sinceOf } from './packs.ts';
import { type RestoreCase, restoreCases } from './restore_cases.ts';

/** What is always said of such a pack of this harness. */
const usual = ['after_not_shown', 'certificate_self_made', 'restored', 'time_not_shown'];

let older: Uint8Array;
let cases: RestoreCase[];
beforeAll(async () => {
  ({ older, cases } = await restoreCases());
});

test('each of them says what it is there for, and nothing of the kind beside it', async () => {
  for (const { name, code, pack, trust } of cases) {
    const report = await check(pack, trust, await sinceOf(older));
    const told = codesOf(report).filter(one => !usual.includes(one));
    expect([name, told]).toEqual([name, expect.arrayContaining(code === null ? [] : [code])]);
    if (code === null) {
      expect([name, told]).toEqual([name, []]);
      expect(report.since).toMatchObject({ result: 'continues', restored: true });
    } else if (code !== 'file_role_wrong')
      expect([name, report.since?.result]).not.toEqual([name, 'continues']);
  }
}, 60_000);

test('how many restores it went over is told, and what a pack lacks where it cannot', async () => {
  const one = (name: string): RestoreCase => cases.find(each => each.name === name)!;
  const twice = await check(one('twice').pack, one('twice').trust, await sinceOf(older));
  expect(twice.since!.restores).toBe(2);
  expect(sinceSentences(twice.since!)[0]).toContain('restored from, over 2 restores');
  const lacks = one('twice_without_keys');
  const report = await check(lacks.pack, lacks.trust, await sinceOf(older));
  const [finding] = report.verdicts.completeness.findings.filter(({ code }) => code === 'epoch_changed');
  expect(finding!.message).toContain('what that one continues the pack does not carry');
}, 60_000);
