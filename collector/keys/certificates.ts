/**
 * The identity that signs packs: a self-made certificate (the first one, made when it is needed), one by an authority
 * (request made here, chain imported), or one with its key from a PKCS#12 file. Format: docs/security.md, "Signing identity".
 * Rules: a private key is in the vault, wrapped, or nowhere; a refused import changes nothing; what earlier packs are checked
 * with stays known (`former`). Loaded when an identity is used, never at start.
 */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { TrailmixError } from '../../core/api/errors.ts';
import { type Certificate, findChain, isSelfIssued, keyFault, timeFault } from '../../core/pack/x509.ts';
import { equalBytes } from '../../core/proof/bytes.ts';
import { certificatesOf, readCertificate, revocationOf, signedBy } from '../evidence/certificates.ts';
import { pemOf } from '../evidence/der.ts';
import {
  certificateRequest,
  type KeyKind,
  newPackKey,
  pkcs8Pem,
  type Subject,
  selfMadeCertificate,
  selfMadeSubject,
} from './certificate-writing.ts';
import type { PackSigning, PackVault } from './pack-signing.ts';
import { brokenKey } from './signing-key.ts';

export type IdentityView = {
  kind: 'self-made' | 'authority';
  subject: string;
  issuer: string;
  certificate_sha256: string;
  key: string;
  valid_from: string;
  valid_until: string;
  expired: boolean;
  /** By a list that was given; `unknown` without one. */
  revocation: 'good' | 'revoked' | 'unknown';
  revoked_at?: string;
  /** Subjects from the certificate's issuer to the root. */
  chain: string[];
  /** A request that waits for its certificate. */
  request?: string;
};

export type PackIdentity = {
  /** `crls`: PEM lists from a file. Throws certificate_invalid. */
  show(crls?: string): Promise<IdentityView>;
  /** A request for a new key, which waits in the vault beside the one in force; PEM. */
  request(subject: Subject, kind: KeyKind): Promise<string>;
  /** The answer to the last request: certificate, what leads to its root, and the root, PEM. Throws certificate_invalid. */
  importChain(pem: string): Promise<IdentityView>;
  /** `more`: PEM certificates that the file lacks. Throws certificate_invalid. */
  importPkcs12(file: Uint8Array, password: string, more?: string): Promise<IdentityView>;
  /** A new self-made certificate. */
  makeOwn(kind: KeyKind, name?: string): Promise<IdentityView>;
};

const refused = (message: string, where?: string): TrailmixError =>
  new TrailmixError('certificate_invalid', { message, ...(where === undefined ? {} : { where }) });

const spkiOf = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' }) as Buffer;

export function packIdentity(vault: PackVault, signing: PackSigning): PackIdentity {
  const { ledgerId, now } = vault;
  const { stored, wrapKey, unwrapKey, install } = signing;

  const view = async (crls?: string): Promise<IdentityView> => {
    const { certificate, chain } = await stored();
    const [leaf] = certificatesOf(certificate);
    if (leaf === undefined) throw brokenKey('pack');
    const above = chain === undefined ? [] : certificatesOf(chain);
    const issuer = above[0];
    const { revocation, revokedAt } = await revocationOf(leaf, issuer, crls).catch(error => {
      throw refused(`The revocation list cannot be read: ${(error as Error).message}`);
    });
    const request = vault.keys().pack_next?.request;
    const { key } = leaf;
    return {
      kind: chain === undefined ? 'self-made' : 'authority',
      subject: leaf.subject,
      issuer: leaf.issuer,
      certificate_sha256: leaf.sha256,
      key: key.kind === 'rsa' ? `RSA-${key.bits}` : key.kind === 'ecdsa' ? `ECDSA ${key.curve}` : key.name,
      valid_from: new Date(leaf.notBefore).toISOString(),
      valid_until: new Date(leaf.notAfter).toISOString(),
      expired: now() > leaf.notAfter,
      revocation,
      ...(revokedAt === undefined ? {} : { revoked_at: new Date(revokedAt).toISOString() }),
      chain: above.map(({ subject }) => subject),
      ...(request === undefined ? {} : { request }),
    };
  };

  /** Refuses what packs could not be signed or checked with; answers certificate and chain as they are kept. */
  const judge = async (
    key: KeyObject,
    given: readonly Certificate[],
  ): Promise<{ certificate: string; chain: string }> => {
    const own = spkiOf(createPublicKey(key));
    const leaf = given.find(({ der }) => equalBytes(publicKeyOf(der), own));
    if (leaf === undefined)
      throw refused('None of the certificates is of this key: import the answer to the last request');
    const fault = keyFault(leaf.key);
    if (fault !== undefined) throw refused(`The key is refused: ${fault}`);
    if (leaf.keyUsage?.sign === false) throw refused(`${leaf.subject} is not for signing documents`);
    const time = timeFault(leaf, now());
    if (time !== undefined) throw refused(time);
    if (isSelfIssued(leaf))
      throw refused('This certificate is self-made: one that nobody vouches for is made here, not imported');
    const roots: Certificate[] = [];
    for (const one of given) if (isSelfIssued(one) && (await signedBy(one, one))) roots.push(one);
    const chain = await findChain(leaf, { others: given, trusted: roots, at: now(), signedBy });
    if (!chain.found) {
      const hint = roots.length === 0 ? 'its root certificate is missing: add it to the file' : chain.reason;
      throw refused(`No chain leads from ${leaf.subject} to a root: ${hint}`);
    }
    const [, ...above] = chain.chain;
    return {
      certificate: pemOf(leaf.der, 'CERTIFICATE'),
      chain: above.map(({ der }) => pemOf(der, 'CERTIFICATE')).join(''),
    };
  };

  const read = (pem: string): Certificate[] => {
    try {
      const found = certificatesOf(pem);
      if (found.length > 0) return found;
    } catch (error) {
      throw refused(`A certificate cannot be read: ${(error as Error).message}`);
    }
    throw refused('There is no certificate (-----BEGIN CERTIFICATE-----) in the file');
  };

  return {
    show: view,
    async request(subject, kind) {
      const key = await newPackKey(kind);
      const request = certificateRequest(key, subject);
      const next = { request, wrapped: wrapKey(pkcs8Pem(key), 'key/pack_next') };
      await vault.change(keys => ({ ...keys, pack_next: next }));
      return request;
    },
    async importChain(pem) {
      const next = vault.keys().pack_next;
      if (next === undefined)
        throw refused(
          'No request that this could answer was made here: make one first, or import the key with it (PKCS#12)',
        );
      const key = createPrivateKey(unwrapKey(next.wrapped, 'key/pack_next'));
      const { certificate, chain } = await judge(key, read(pem));
      await install(key, certificate, chain, true);
      return view();
    },
    async importPkcs12(file, password, more) {
      const { key, certificates } = await readPkcs12(file, password);
      const { certificate, chain } = await judge(key, [
        ...certificates.map(der => readOne(der)),
        ...(more === undefined ? [] : read(more)),
      ]);
      await install(key, certificate, chain);
      return view();
    },
    async makeOwn(kind, name) {
      const key = await newPackKey(kind);
      await install(key, selfMadeCertificate(key, selfMadeSubject(ledgerId, name), now()));
      return view();
    },
  };
}

function readOne(der: Uint8Array): Certificate {
  try {
    return readCertificate(der);
  } catch (error) {
    throw refused(`A certificate cannot be read: ${(error as Error).message}`);
  }
}

function publicKeyOf(der: Uint8Array): Uint8Array {
  try {
    return spkiOf(createPublicKey(pemOf(der, 'CERTIFICATE')));
  } catch {
    return new Uint8Array(0);
  }
}

const PKCS12_LIMIT = 256 * 1024;

/** Its one private key and its certificates in DER. Throws certificate_invalid. */
async function readPkcs12(
  file: Uint8Array,
  password: string,
): Promise<{ key: KeyObject; certificates: Uint8Array[] }> {
  if (file.length > PKCS12_LIMIT) throw refused('This is too large for a PKCS#12 file');
  const { default: forge } = await import('node-forge');
  const der = (node: unknown): Uint8Array =>
    new Uint8Array(Buffer.from(forge.asn1.toDer(node as never).getBytes(), 'latin1'));
  let bags: { key: unknown; asn1: unknown; cert: unknown; type: string }[];
  try {
    const parsed = forge.asn1.fromDer(Buffer.from(file).toString('latin1'));
    const p12 = forge.pkcs12.pkcs12FromAsn1(parsed, false, password);
    bags = p12.safeContents.flatMap(({ safeBags }) => safeBags) as never;
  } catch (error) {
    const wrong = /MAC could not be verified|Invalid password|decrypt/i.test((error as Error).message);
    throw refused(
      wrong ? 'The password does not open this PKCS#12 file' : 'This is not a PKCS#12 file that can be read',
    );
  }
  const { keyBag, pkcs8ShroudedKeyBag, certBag } = forge.pki.oids as Record<string, string>;
  const keys = bags.filter(({ type }) => type === keyBag || type === pkcs8ShroudedKeyBag);
  if (keys.length !== 1) throw refused(`The file holds ${keys.length} private keys, not one`);
  // forge reads RSA alone; of other keys it answers the PKCS#8 as it stands.
  const [bag] = keys;
  const pkcs8 =
    bag!.key === null || bag!.key === undefined
      ? der(bag!.asn1)
      : der(forge.pki.wrapRsaPrivateKey(forge.pki.privateKeyToAsn1(bag!.key as never)));
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' });
  } catch {
    throw refused('The private key in the file cannot be read');
  }
  const certificates = bags
    .filter(({ type }) => type === certBag)
    .map(({ cert, asn1 }) =>
      der(cert === null || cert === undefined ? asn1 : forge.pki.certificateToAsn1(cert as never)),
    );
  return { key, certificates };
}
