/** Backup and restore as a user does them, and what a pack of the restored ledger shows. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { utf8 } from '../../core/proof/bytes.ts';
import { check, codesOf, type Parts, partsOf, sinceOf, textOf, zipOf } from '../pack/packs.ts';
import { startApp, trailmix } from './trailmix.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trailmix-restored-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const window = ['--from', '2026-01-01T00:00:00Z', '--to', '2099-01-01T00:00:00Z'];
const exported = (data: string, out: string, ...more: string[]) =>
  trailmix(['export', '--app', 'finance-bot', ...window, '--out', out, '--data', data, '--json', ...more]);

const readme = async (pack: string) => textOf(await partsOf(await readFile(pack)), 'README-VERIFY.txt');

type Report = {
  verdicts: {
    completeness: { result: string; findings: { code: string; message: string }[] };
    integrity: { result: string };
  };
};
const completeness = async (words: string[]) => {
  const { json } = await trailmix(['verify', '--json', ...words]);
  const { verdicts } = json as Report;
  return {
    integrity: verdicts.integrity.result,
    ...verdicts.completeness,
    codes: verdicts.completeness.findings.map(f => f.code),
  };
};

test('a pack of a restored ledger names the old one, and how far an older pack still counts', async () => {
  const data = join(folder, 'data');
  const app = await startApp(['--data', data, '--key-file', join(folder, 'key')]);
  const phrase = /(?:[a-z]+ ){5}[a-z]+(?:\n\s+(?:[a-z]+ ){5}[a-z]+){3}/
    .exec(app.err())![0]
    .replace(/\s+/g, ' ');
  await trailmix(['sample', 'load', '--data', data]);
  const early = join(folder, 'early.zip');
  expect((await exported(data, early)).code).toBe(0);
  const backup = join(folder, 'ledger.backup');
  expect((await trailmix(['backup', backup, '--data', data])).code).toBe(0);
  const late = join(folder, 'late.zip');
  await trailmix(['keys', 'create', '--app', 'late-bot', '--data', data]);
  expect((await exported(data, late)).code).toBe(0);
  expect(await app.stop()).toBe(0);

  const restored = join(folder, 'restored');
  const restoring = (from: string, into: string) =>
    trailmix(['restore', from, '--accept-head', '--data', into, '--key-file', `${into}.key`, '--json'], {
      TRAILMIX_RECOVERY_PHRASE: phrase,
    });
  const { code, json } = await restoring(backup, restored);
  expect(code).toBe(0);
  const { ledger_id, restored_from } = json as {
    ledger_id: string;
    restored_from: { ledger_id: string; checkpoint: { size: number } };
  };
  expect(ledger_id).not.toBe(restored_from.ledger_id);

  const again = await startApp(['--data', restored, '--key-file', `${restored}.key`]);
  await trailmix(['sample', 'load', '--data', restored]);
  const pack = join(folder, 'after.zip');
  expect((await exported(restored, pack)).code).toBe(0);
  const trust = join(folder, 'trust');
  await trailmix(['keys', 'trust', '--out', trust, '--data', restored]);
  const second = join(folder, 'second.backup');
  expect((await trailmix(['backup', second, '--data', restored])).code).toBe(0);
  await again.stop();

  const shown = await completeness([pack, '--trust', trust]);
  expect(shown.integrity).toBe('pass');
  expect(shown.codes).toEqual(['restored']);
  expect(shown.findings[0]!.message).toContain(restored_from.ledger_id);
  expect(shown.findings[0]!.message).toContain(`over ${restored_from.checkpoint.size} records`);

  const told = (await readme(pack)).replaceAll(/\s+/g, ' ');
  expect(told).toContain(`This ledger continues from a backup. Old ledger ${restored_from.ledger_id}`);
  expect(told).toMatch(/what it recorded after record \d+ may be lost\./);
  expect(await readme(early)).not.toContain('continues from a backup');

  // What was exported after the backup is beyond what was restored: that history is gone.
  expect((await completeness([pack, '--trust', trust, '--since', late])).codes).toContain('restored_behind');
  // Before it: the backup goes further, and the pack proves the way from one to the other.
  expect(await completeness([pack, '--trust', trust, '--since', early])).toEqual(shown);
  const { since: found } = await check(await readFile(pack), undefined, await sinceOf(await readFile(early)));
  expect(found).toMatchObject({ result: 'continues', restored: true });
  const { since } = await sinceOf(await readFile(early));
  const changed = async (change: (parts: Parts, proof: string) => void): Promise<string[]> => {
    const parts = await partsOf(await readFile(pack));
    change(parts, [...parts.keys()].find(path => path.startsWith('epochs/'))!);
    return codesOf(await check(await zipOf(parts), undefined, { since }));
  };
  expect(await changed((parts, proof) => parts.delete(proof))).toContain('epoch_changed');
  const other = (one: string): string => (one === 'A' ? 'B' : 'A');
  expect(
    await changed((parts, proof) => parts.set(proof, utf8(textOf(parts, proof).replace(/^./, other)))),
  ).toContain('since_inconsistent');
  // An older pack over exactly what was restored is continued: its root is the one that the restore cites.
  const same = join(folder, 'same.zip');
  expect((await exported(data, same, '--at', String(restored_from.checkpoint.size))).code).toBe(0);
  expect(await completeness([pack, '--trust', trust, '--since', same])).toEqual(shown);

  // Restored once more: packs of both ledgers before are continued, over what each of them says of the one before it.
  const twice = join(folder, 'twice');
  expect((await restoring(second, twice)).code).toBe(0);
  const third = await startApp(['--data', twice, '--key-file', `${twice}.key`]);
  await trailmix(['sample', 'load', '--data', twice]);
  const last = join(folder, 'last.zip');
  expect((await exported(twice, last)).code).toBe(0);
  await third.stop();
  for (const [older, restores] of [
    [early, 2],
    [pack, undefined],
  ] as const) {
    const report = await check(await readFile(last), undefined, await sinceOf(await readFile(older)));
    expect(report.since).toMatchObject({ result: 'continues', restored: true });
    expect(report.since!.restores).toBe(restores);
    expect(codesOf(report)).not.toContain('restore_unsigned');
  }

  // In one ledger a pack of the same size continues itself, and a smaller one does not continue a larger one.
  expect((await completeness([late, '--since', late])).codes).toEqual((await completeness([late])).codes);
  expect((await completeness([early, '--since', late])).codes).toContain('since_inconsistent');
}, 240_000);
