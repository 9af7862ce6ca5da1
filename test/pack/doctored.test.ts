/**
 * Packs that someone changed, one by one: each must fail with its own finding. Where the finding is about the records,
 * everything around them is made right again (files listed, hashed, signed), so that nothing else gives it away.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { checkCms } from '../../collector/evidence/cms.ts';
import { type FindingCode, findingTable } from '../../core/pack/findings.ts';
import { utf8 } from '../../core/proof/bytes.ts';
import type { JsonObject } from '../../core/proof/jcs.ts';
import { changes, histories } from './changes.ts';
import { MemoryLedger } from './memory-ledger.ts';
import {
  busyLedger,
  check,
  codesOf,
  makePack,
  newSigner,
  type Parts,
  partsOf,
  reseal,
  textOf,
  trustOf,
  zipOf,
} from './packs.ts';

let ledger: MemoryLedger;
let original: Parts;
beforeAll(async () => {
  ledger = busyLedger();
  ledger.rotate();
  ledger.append({ body: { name: 'under the new key' } });
  original = await partsOf(await makePack(ledger));
});

const copy = (): Parts => new Map([...original].map(([path, content]) => [path, Buffer.from(content)]));
const verdict = (code: FindingCode) => findingTable[code].verdict;

async function expectFailure(parts: Parts, code: FindingCode): Promise<string[]> {
  const report = await check(await zipOf(parts), trustOf(ledger));
  expect(codesOf(report)).toContain(code);
  expect(report.verdicts[verdict(code)].result).toBe('fail');
  return codesOf(report).filter(found => findingTable[found as FindingCode].level === 'fail');
}

test('the untouched pack has no failure', async () => {
  const report = await check(await zipOf(copy()), trustOf(ledger));
  expect(codesOf(report).filter(code => findingTable[code as FindingCode].level === 'fail')).toEqual([]);
});

test('one flipped byte in any file fails', async () => {
  const expected: Record<string, FindingCode> = {
    'META-INF/checksums.p7s': 'cms_invalid',
    'checksums.txt': 'cms_invalid',
    mimetype: 'mimetype_wrong',
    'META-INF/ASiCManifest001.xml': 'asic_manifest_wrong',
    'META-INF/signature001.p7s': 'asic_signature_wrong',
  };
  for (const [path, content] of original) {
    if (content.length === 0) continue;
    for (const at of [0, content.length >> 1, content.length - 1]) {
      const parts = copy();
      parts.get(path)![at]! ^= 1;
      const report = await check(await zipOf(parts), trustOf(ledger));
      expect(codesOf(report), `${path} at ${at}`).toContain(expected[path] ?? 'file_hash_wrong');
      expect(report.verdicts.integrity.result).toBe('fail');
    }
  }
}, 60_000);

test('no byte of the signature is free', async () => {
  const content = original.get('checksums.txt')!;
  const signature = original.get('META-INF/checksums.p7s')!;
  expect(await checkCms(signature, content, {})).toMatchObject({ valid: true });
  for (let at = 0; at < signature.length; at++) {
    const changed = Buffer.from(signature);
    changed[at]! ^= [1, 0x20, 0x80][at % 3]!;
    expect(await checkCms(changed, content, {}), `byte ${at}`).toMatchObject({ valid: false });
  }
}, 60_000);

describe('changed records, in a pack that is signed anew by its maker', () => {
  test.each(changes)('%s: %s', async (_name, code, change, manifest) => {
    const parts = copy();
    change(parts);
    reseal(parts, manifest === undefined ? undefined : m => manifest(m as unknown as JsonObject));
    const report = await check(await zipOf(parts), trustOf(ledger));
    expect(codesOf(report)).toContain(code);
    expect(
      codesOf(report).some(found => ['file_hash_wrong', 'cms_invalid', 'manifest_disagrees'].includes(found)),
    ).toBe(false);
    if (findingTable[code].level === 'fail') expect(report.verdicts[verdict(code)].result).toBe('fail');
  });
});

describe('the files around the records', () => {
  test('a file that nothing names', async () => {
    await expectFailure(copy().set('note.txt', utf8('trust me')), 'file_unlisted');
  });
  test('a file that is missing', async () => {
    const parts = copy();
    parts.delete('summary.pdf');
    expect(await expectFailure(parts, 'file_missing')).toEqual(['file_missing']);
  });
  test('no signature', async () => {
    const parts = copy();
    parts.delete('META-INF/checksums.p7s');
    expect(await expectFailure(parts, 'cms_missing')).toEqual(['cms_missing']);
  });
  test('signed by someone else', async () => {
    const report = await check(await zipOf(reseal(copy(), undefined, newSigner())), trustOf(ledger));
    expect(codesOf(report)).toContain('cms_signer_wrong');
  });
  test('a manifest and checksums that differ', async () => {
    const parts = copy();
    const text = textOf(parts, 'checksums.txt');
    parts.set(
      'checksums.txt',
      utf8(
        text
          .split('\n')
          .filter(line => !line.endsWith('summary.pdf'))
          .join('\n'),
      ),
    );
    await expectFailure(parts, 'manifest_disagrees');
  });
  test('without trust a pack made wholly anew does not pass', async () => {
    const forged = busyLedger();
    const pack = await makePack(forged);
    const report = await check(pack);
    expect(report.verdicts.integrity.result).toBe('not_shown');
    expect(codesOf(report)).toContain('keys_untrusted');
    expect(codesOf(report)).toContain('signer_untrusted');
    expect(codesOf(await check(pack, trustOf(ledger)))).toContain('checkpoint_key_wrong');
  });
  test('no manifest: not a pack', async () => {
    const parts = copy();
    parts.delete('manifest.json');
    await expect(check(await zipOf(parts))).rejects.toMatchObject({
      code: 'pack_unreadable',
      where: 'manifest.json',
    });
  });
});

describe('histories that are wrong, though their maker holds every key', () => {
  test.each(histories)('%s: %s', async (_name, code, make) => {
    const own = new MemoryLedger();
    own.append({ body: { name: 'first' } });
    make(own);
    const report = await check(await makePack(own), trustOf(own));
    expect(codesOf(report)).toContain(code);
    expect(report.verdicts[verdict(code)].result).toBe('fail');
  });
});
