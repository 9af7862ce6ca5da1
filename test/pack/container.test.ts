/** The ASiC-E container around a pack: the rules of EN 319 162-1 and EN 319 122-1 that a reader can check, and what breaks them. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignedData } from 'pkijs';
import { afterAll, expect, test } from 'vitest';
import { bytesOf, itemsOf, readDer } from '../../collector/evidence/der.ts';
import { opensslIn } from './authority.ts';
import {
  busyLedger,
  check,
  codesOf,
  makePack,
  newSigner,
  partsOf,
  reseal,
  trustOf,
  wholeWindow,
  zipOf,
} from './packs.ts';

const root = mkdtempSync(join(tmpdir(), 'container-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const ledger = busyLedger();
const pack = await makePack(ledger);
const parts = await partsOf(pack);
const copy = () => new Map([...parts].map(([path, content]) => [path, Buffer.from(content)]));
const MANIFEST = 'META-INF/ASiCManifest001.xml';
const SIGNATURE = 'META-INF/signature001.p7s';

test('mimetype is the first entry, stored, without extra field, at byte 38', () => {
  expect(pack.readUInt32LE(0)).toBe(0x04034b50);
  expect(pack.readUInt16LE(8)).toBe(0);
  expect(pack.readUInt16LE(28)).toBe(0);
  expect(pack.subarray(30, 38).toString()).toBe('mimetype');
  expect(pack.subarray(38, 38 + 31).toString()).toBe('application/vnd.etsi.asic-e+zip');
});

test('the manifest names one signature, and every file outside META-INF but mimetype, with its digest', () => {
  const xml = parts.get(MANIFEST)!.toString();
  expect([...xml.matchAll(/<asic:SigReference URI="([^"]+)"/g)].map(([, uri]) => uri)).toEqual([SIGNATURE]);
  const named = new Map(
    [...xml.matchAll(/<asic:DataObjectReference URI="([^"]+)">.*?<ds:DigestValue>([^<]+)</g)].map(
      ([, uri, digest]) => [uri, digest],
    ),
  );
  const files = [...parts].filter(([path]) => path !== 'mimetype' && !path.startsWith('META-INF/'));
  expect([...named.keys()].sort()).toEqual(files.map(([path]) => path).sort());
  for (const [path, content] of files)
    expect(named.get(path)).toBe(createHash('sha256').update(content).digest('base64'));
});

test('the signature is CAdES-BASELINE-B, also for openssl', () => {
  const info = readDer(parts.get(SIGNATURE)!);
  const signed = SignedData.fromBER(new Uint8Array(bytesOf(itemsOf(itemsOf(info)[1])[0]!)));
  const [signer] = signed.signerInfos;
  expect(signed.signerInfos).toHaveLength(1);
  expect(signed.encapContentInfo.eContent).toBeUndefined();
  const types = signer!.signedAttrs!.attributes.map(({ type }) => type);
  expect(new Set(types)).toEqual(
    new Set([
      '1.2.840.113549.1.9.3',
      '1.2.840.113549.1.9.4',
      '1.2.840.113549.1.9.5',
      '1.2.840.113549.1.9.16.2.47',
    ]),
  );
  expect(types).toHaveLength(4);
  writeFileSync(join(root, 'm.xml'), parts.get(MANIFEST)!);
  writeFileSync(join(root, 's.p7s'), parts.get(SIGNATURE)!);
  writeFileSync(join(root, 'org.pem'), trustOf(ledger).certificates!);
  const openssl = opensslIn(root);
  openssl(
    ...['cms', '-verify', '-cades', '-binary', '-inform', 'DER', '-in', 's.p7s', '-content', 'm.xml'],
    ...['-CAfile', 'org.pem', '-purpose', 'any', '-out', 'out'],
  );
});

test('equal scope, keys and checkpoint give equal bytes, but for signatures', async () => {
  const at = JSON.parse(parts.get('manifest.json')!.toString()).checkpoint.size as number;
  const request = { ...wholeWindow, time_to: '2026-11-01T00:00:00.000008Z' };
  const [one, two] = [await makePack(ledger, request, { at }), await makePack(ledger, request, { at })];
  const again = await partsOf(two);
  for (const [path, content] of await partsOf(one))
    if (!path.endsWith('.p7s')) expect(Buffer.compare(content, again.get(path)!), path).toBe(0);
  // RSA signs the same bytes the same way: with equal signing times the whole file is equal.
  expect(one.equals(two)).toBe(true);
});

test.each([
  ['no mimetype', 'container_incomplete', (p: ReturnType<typeof copy>) => p.delete('mimetype')],
  ['no manifest', 'container_incomplete', (p: ReturnType<typeof copy>) => p.delete(MANIFEST)],
  ['no CAdES signature', 'container_incomplete', (p: ReturnType<typeof copy>) => p.delete(SIGNATURE)],
  [
    'mimetype not first',
    'mimetype_wrong',
    (p: ReturnType<typeof copy>) => {
      const content = p.get('mimetype')!;
      p.delete('mimetype');
      p.set('mimetype', content);
    },
  ],
  [
    'the signature of checksums.txt in its place',
    'asic_signature_wrong',
    (p: ReturnType<typeof copy>) => p.set(SIGNATURE, p.get('META-INF/checksums.p7s')!),
  ],
] as const)('%s: %s', async (_about, code, change) => {
  const changed = copy();
  change(changed);
  const report = await check(await zipOf(changed), trustOf(ledger));
  expect(codesOf(report)).toContain(code);
  expect(report.verdicts.integrity.result).toBe('fail');
});

test('a container signature by another certificate', async () => {
  const changed = reseal(copy(), undefined, newSigner());
  changed.set('META-INF/checksums.p7s', parts.get('META-INF/checksums.p7s')!);
  const report = await check(await zipOf(changed), trustOf(ledger));
  expect(codesOf(report)).toContain('asic_signer_differs');
});

test('a pack made before the container still verifies', async () => {
  const old = copy();
  for (const path of ['mimetype', MANIFEST, SIGNATURE]) old.delete(path);
  const report = await check(await zipOf(old), trustOf(ledger));
  expect(report.verdicts.integrity).toEqual({ result: 'pass', findings: [] });
});
