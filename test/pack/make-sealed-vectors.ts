/**
 * Writes test/vectors/packs-sealed: packs in their container, signed and dated well and badly, and packs.json with what a verifier must
 * say. Keys are new each time, so the whole folder is written at once: `node test/pack/make-sealed-vectors.ts` (needs openssl).
 */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requestFor, stampPack } from '../../collector/evidence/stamping.ts';
import { makeRequest } from '../../collector/evidence/timestamp.ts';
import { createVault, thisHost } from '../../collector/keys/vault.ts';
import type { Trust } from '../../core/pack/verify.ts';
import { Authority, TSA } from './authority.ts';
import { busyLedger, check, codesOf, makePack, type Parts, partsOf, trustOf, zipOf } from './packs.ts';

const folder = join(import.meta.dirname, '../vectors/packs-sealed');
await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
const work = await mkdtemp(join(tmpdir(), 'sealed-'));
const caFolder = async (name: string) => {
  const path = join(work, name);
  await mkdir(path);
  return path;
};
const authority = new Authority(await caFolder('ca'), 'Good');
const twin = new Authority(await caFolder('twin'), 'Good');
for (const one of [authority, twin]) one.issue('tsa', 'P-256', TSA);
authority.issue('tsa-old', 'P-256', TSA, { dates: { from: '20200101000000Z', to: '20210101000000Z' } });
authority.issue('no-tsa', 'P-256', 'extendedKeyUsage=timeStamping');

async function signerOf(name: string, by: Authority) {
  const host = { ...thisHost, home: join(work, 'home'), env: {} };
  const { vault } = await createVault({ folder: join(work, name), custody: { kind: 'key_file' }, host });
  const identity = await vault.identity();
  await writeFile(
    join(by.folder, `${name}.csr`),
    await identity.request({ common_name: 'Evidence' }, 'p256'),
  );
  by.sign(name);
  await identity.importChain(by.chain(name));
  return vault.packSigner();
}

const now = Date.now();
const ledger = busyLedger();
const signer = await signerOf('org', authority);
const pack = await makePack(ledger, undefined, { signer, signedAt: new Date(now) });
const parts = await partsOf(pack);
const trust: Trust = { ...trustOf(ledger, signer), certificates: authority.root, tsaRoots: authority.root };
const request = makeRequest(createHash('sha256').update(parts.get('checksums.txt')!).digest());
const good = authority.stamp('tsa', request);

const cases: object[] = [];
async function write(
  name: string,
  about: string,
  bytes: Uint8Array,
  given: Trust = trust,
  at = now,
): Promise<void> {
  await writeFile(join(folder, `${name}.zip`), bytes);
  const report = await check(bytes, given, {}, at);
  const results = Object.fromEntries(
    Object.entries(report.verdicts).map(([verdict, { result }]) => [verdict, result]),
  );
  cases.push({
    file: `${name}.zip`,
    about,
    now: at,
    verdicts: results,
    codes: codesOf(report),
    trust: given,
  });
}
const changed = (change: (all: Parts) => void) => {
  const all = new Map(parts);
  change(all);
  return zipOf(all);
};
const stampedBy = (reply: Uint8Array) => changed(all => all.set('META-INF/checksums.tsr', reply));
const MANIFEST = 'META-INF/ASiCManifest001.xml';
const SIGNATURE = 'META-INF/signature001.p7s';

await write('good', 'signed under an authority, not stamped', pack);
const path = join(work, 'stamped.zip');
await writeFile(path, pack);
for (const what of ['signature', 'pack'] as const) {
  const asked = await requestFor(path, what);
  await stampPack(path, { reply: authority.stamp('tsa', asked), request: asked });
}
const stamped = await readFile(path);
await write('stamped', 'pack and signature stamped', stamped);
await write(
  'stamped_expired_since',
  'the signer expired after the stamp',
  stamped,
  trust,
  Date.UTC(2090, 0, 1),
);
await write('expired', 'the signer expired, nobody dated the pack', pack, trust, Date.UTC(2090, 0, 1));
const { tsaRoots: _roots, ...noRoots } = trust;
await write('stamped_unknown', 'stamped, but nobody said by whom it may be', stamped, noRoots);
await write(
  'stamp_other_authority',
  'stamped by an authority of the same names',
  await stampedBy(twin.stamp('tsa', request)),
);
await write(
  'stamp_other_file',
  'a stamp over another file',
  await stampedBy(authority.stamp('tsa', makeRequest(new Uint8Array(32)))),
);
await write(
  'stamp_expired',
  'the certificate of the authority had expired',
  await stampedBy(authority.stamp('tsa-old', request)),
);
await write(
  'stamp_purpose',
  'a certificate that is not for time-stamping, critically',
  await stampedBy(authority.restamp(good, 'no-tsa')),
);
await write('stamp_cut', 'a stamp without its last byte', await stampedBy(good.subarray(0, -1)));
await write(
  'lookalike_signer',
  'signed under an authority of the same names',
  await makePack(ledger, undefined, { signer: await signerOf('fake', twin), signedAt: new Date(now) }),
);
await write('revoked', 'the signer was revoked', pack, { ...trust, crls: authority.crl('org') });
await write('no_mimetype', 'mimetype is missing', await changed(all => all.delete('mimetype')));
await write(
  'mimetype_last',
  'mimetype is not first',
  await changed(all => {
    const content = all.get('mimetype')!;
    all.delete('mimetype');
    all.set('mimetype', content);
  }),
);
await write(
  'manifest_digest',
  'the ASiC manifest names another digest',
  await changed(all =>
    all.set(
      MANIFEST,
      Buffer.from(
        Buffer.from(all.get(MANIFEST)!)
          .toString()
          .replace(/<ds:DigestValue>../, '<ds:DigestValue>AA'),
      ),
    ),
  ),
);
await write(
  'signatures_swapped',
  'the signature of checksums.txt in place of that of the manifest',
  await changed(all => all.set(SIGNATURE, all.get('META-INF/checksums.p7s')!)),
);
await write(
  'before_container',
  'as packs were before the container',
  await changed(all => {
    for (const one of ['mimetype', MANIFEST, SIGNATURE]) all.delete(one);
  }),
);
await writeFile(join(folder, 'packs.json'), `${JSON.stringify({ cases }, null, 1)}\n`);
await rm(work, { recursive: true });
console.log(`${cases.length} packs in ${folder}`);
