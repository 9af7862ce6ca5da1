/** Who signs packs: self-made, by an authority, from PKCS#12; and what is refused. A real authority by openssl. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { createVault, type OpenVault, openVault, thisHost } from '../../collector/keys/vault.ts';
import { Authority, opensslIn } from './authority.ts';
import { busyLedger, check, codesOf, makePack, trustOf } from './packs.ts';

const root = mkdtempSync(join(tmpdir(), 'identity-'));
const folder = mkdtempSync(join(root, 'ca-'));
const authority = new Authority(folder, 'Good');
const openssl = opensslIn(folder);
let n = 0;
const made: string[] = [];
afterEach(() => {
  for (const one of made.splice(0)) rmSync(one, { recursive: true, force: true });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function newVault(): Promise<OpenVault & { reopen(): Promise<OpenVault> }> {
  const place = join(root, `vault-${n++}`);
  made.push(place);
  const host = { ...thisHost, home: join(root, 'home'), env: {} };
  const { vault } = await createVault({ folder: place, custody: { kind: 'key_file' }, host });
  return { ...vault, reopen: () => openVault({ folder: place, secret: { kind: 'key_file' }, host }) };
}

const ledger = busyLedger();
/** A pack signed by the vault's identity, and what the verifier says with these roots. */
async function verified(vault: OpenVault, roots?: string, more: { crls?: string } = {}) {
  const signer = await vault.packSigner();
  const pack = await makePack(ledger, undefined, { signer, signedAt: new Date() });
  return check(pack, { ...trustOf(ledger, signer), certificates: roots ?? signer.rootsPem, ...more });
}

describe('a certificate of an authority, asked for here', () => {
  test.each(['p256', 'p384', 'rsa-3072'] as const)(
    '%s: request, import, pack, verdicts',
    async kind => {
      const vault = await newVault();
      const identity = await vault.identity();
      const csr = await identity.request(
        { common_name: 'Evidence of Example Ltd', organization: 'Example Ltd', country: 'DE' },
        kind,
      );
      expect((await identity.show()).request).toBe(csr);
      const name = `asked-${kind}`;
      writeFileSync(join(folder, `${name}.csr`), csr);
      expect(
        openssl('req', '-in', `${name}.csr`, '-noout', '-verify', '-subject', '-nameopt', 'RFC2253'),
      ).toContain('CN=Evidence of Example Ltd');
      authority.sign(name);
      const view = await identity.importChain(authority.chain(name));
      expect(view).toMatchObject({ kind: 'authority', expired: false, revocation: 'unknown' });
      expect(view.subject).toContain('Example Ltd');
      expect(view.chain).toHaveLength(2);
      expect(view.request).toBeUndefined();

      const report = await verified(vault, authority.root);
      expect(report.verdicts.integrity).toEqual({ result: 'pass', findings: [] });
      expect(codesOf(report)).not.toContain('certificate_self_made');
      expect(report.origin?.signed_by).toMatchObject({ self_made: false, revocation: 'unknown' });
      const reopened = await (await vault.reopen()).packSigner();
      expect(reopened.certificatePem).toBe((await vault.packSigner()).certificatePem);
    },
    30_000,
  );

  test('nothing is imported that does not lead from this key to a root', async () => {
    const vault = await newVault();
    const identity = await vault.identity();
    const before = await identity.show();
    // Words for the page and the terminal alike: no command in them.
    await expect(identity.importChain(authority.root)).rejects.toMatchObject({
      code: 'certificate_invalid',
      message: expect.not.stringContaining('`'),
    });
    writeFileSync(join(folder, 'part.csr'), await identity.request({ common_name: 'part' }, 'p256'));
    const leaf = authority.sign('part');
    await expect(identity.importChain(leaf)).rejects.toThrow(/root certificate is missing/);
    authority.issue('stranger', 'P-256');
    await expect(identity.importChain(authority.chain('stranger'))).rejects.toThrow(/of this key/);
    await expect(identity.importChain('no PEM')).rejects.toMatchObject({ code: 'certificate_invalid' });
    expect((await identity.show()).certificate_sha256).toBe(before.certificate_sha256);
  }, 30_000);
});

test('a look-alike of the trusted name does not pass', async () => {
  const vault = await newVault();
  const identity = await vault.identity();
  // The same names all the way up, other keys.
  const fake = mkdtempSync(join(root, 'fake-'));
  const twin = new Authority(fake, 'Good');
  writeFileSync(join(fake, 'twin.csr'), await identity.request({ common_name: 'twin' }, 'p256'));
  twin.sign('twin');
  await identity.importChain(twin.chain('twin'));
  const report = await verified(vault, authority.root);
  expect(report.verdicts.integrity.result).toBe('fail');
  expect(codesOf(report)).toContain('cms_signer_wrong');
  const selfMade = await newVault();
  await (await selfMade.identity()).makeOwn('p256', 'Good Root');
  expect(codesOf(await verified(selfMade, authority.root))).toContain('cms_signer_wrong');
}, 30_000);

test('a revoked certificate fails, by a list of its issuer', async () => {
  const vault = await newVault();
  const identity = await vault.identity();
  writeFileSync(join(folder, 'gone.csr'), await identity.request({ common_name: 'gone' }, 'p256'));
  authority.sign('gone');
  await identity.importChain(authority.chain('gone'));
  const clean = authority.crl();
  expect((await identity.show(clean)).revocation).toBe('good');
  expect((await verified(vault, authority.root, { crls: clean })).origin?.signed_by?.revocation).toBe('good');
  const crls = authority.crl('gone');
  expect(await identity.show(crls)).toMatchObject({ revocation: 'revoked' });
  const report = await verified(vault, authority.root, { crls });
  expect(report.verdicts.identity.result).toBe('fail');
  expect(codesOf(report)).toContain('certificate_revoked');
}, 30_000);

describe('PKCS#12', () => {
  const p12 = (name: string, ...more: string[]): Buffer => {
    openssl(
      ...['pkcs12', '-export', '-inkey', `${name}.key`, '-in', `${name}.pem`, '-certfile', 'Good-ca.pem'],
      ...['-passout', 'pass:geheim', '-out', `${name}.p12`, ...more],
    );
    return readFileSync(join(folder, `${name}.p12`));
  };
  test.each(['P-256', 'P-384', 'rsa'] as const)(
    '%s is imported with its chain',
    async kind => {
      authority.issue(`file-${kind}`, kind);
      const vault = await newVault();
      const identity = await vault.identity();
      const self = (await vault.packSigner()).certificatePem;
      const file = p12(`file-${kind}`);
      await expect(identity.importPkcs12(file, 'wrong', authority.root)).rejects.toThrow(/password/);
      await expect(identity.importPkcs12(file, 'geheim')).rejects.toThrow(/root certificate is missing/);
      expect((await vault.packSigner()).certificatePem).toBe(self);
      expect(await identity.importPkcs12(file, 'geheim', authority.root)).toMatchObject({
        kind: 'authority',
      });
      expect((await verified(vault, authority.root)).verdicts.integrity.result).toBe('pass');
      // What earlier packs were signed with stays in org.pem.
      expect((await vault.packSigner()).rootsPem).toBe(`${authority.root}${self}`);
    },
    30_000,
  );

  test.each([
    ['rsa-2048', /2048 bits is less than 3072/],
    ['ed25519', /Ed25519 is not accepted: stock OpenSSL/],
  ] as const)(
    '%s is refused, with the reason',
    async (kind, reason) => {
      authority.issue(`weak-${kind}`, kind);
      const identity = await (await newVault()).identity();
      await expect(identity.importPkcs12(p12(`weak-${kind}`), 'geheim', authority.root)).rejects.toThrow(
        reason,
      );
    },
    30_000,
  );

  test('what is no PKCS#12 file is refused', async () => {
    const identity = await (await newVault()).identity();
    await expect(identity.importPkcs12(Buffer.from('PK'), '')).rejects.toMatchObject({
      code: 'certificate_invalid',
    });
  });
});

test('an expired certificate is said to be', async () => {
  const vault = await newVault();
  const signer = await vault.packSigner();
  const pack = await makePack(ledger, undefined, { signer, signedAt: new Date() });
  const report = await check(pack, trustOf(ledger, signer), {}, Date.UTC(2060, 0, 1));
  expect(codesOf(report)).toContain('certificate_expired');
  expect(report.verdicts.identity.result).toBe('not_shown');
});
