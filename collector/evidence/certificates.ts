/**
 * X.509 for core's rules (core/pack/x509.ts), by PKI.js and WebCrypto: reads certificates and revocation lists, checks
 * who signed them. Nothing here trusts. Loaded where packs are signed or checked, never at start.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import {
  type BasicConstraints,
  CertificateRevocationList,
  type ExtKeyUsage,
  getCrypto,
  Certificate as ParsedCertificate,
  type RelativeDistinguishedNames,
} from 'pkijs';
import type { Revocation } from '../../core/pack/cms.ts';
import {
  type Certificate,
  MOST_CERTIFICATES,
  type PublicKeyKind,
  type SignedBy,
} from '../../core/pack/x509.ts';
import { hex } from '../../core/proof/bytes.ts';
import { bytesOf, itemsOf, pemBlocks, readDer } from './der.ts';

const OID = {
  keyUsage: '2.5.29.15',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  extendedKeyUsage: '2.5.29.37',
  rsa: '1.2.840.113549.1.1.1',
  ec: '1.2.840.10045.2.1',
} as const;
/** Extensions that the chain rules follow, or that do not narrow what a certificate is for here. */
const UNDERSTOOD: ReadonlySet<string> = new Set([
  OID.keyUsage,
  OID.basicConstraints,
  OID.extendedKeyUsage,
  '2.5.29.14', // subjectKeyIdentifier
  '2.5.29.17', // subjectAltName
  '2.5.29.32', // certificatePolicies
  '2.5.29.35', // authorityKeyIdentifier
]);
const CURVES: Record<string, string> = {
  '1.2.840.10045.3.1.7': 'P-256',
  '1.3.132.0.34': 'P-384',
  '1.3.132.0.35': 'P-521',
};
const NAMES: Record<string, string> = {
  '2.5.4.3': 'CN',
  '2.5.4.5': 'serialNumber',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '2.5.4.97': 'organizationIdentifier',
  '1.2.840.113549.1.9.1': 'emailAddress',
};
/** Signatures of certificates and lists by these alone: no SHA-1, no MD5. */
const SIGNATURES: ReadonlySet<string> = new Set([
  '1.2.840.113549.1.1.10',
  '1.2.840.113549.1.1.11',
  '1.2.840.113549.1.1.12',
  '1.2.840.113549.1.1.13',
  '1.2.840.10045.4.3.2',
  '1.2.840.10045.4.3.3',
  '1.2.840.10045.4.3.4',
]);

const parsed = new WeakMap<Certificate, ParsedCertificate>();

export const engine = () => getCrypto(true);
export const sha256Hex = (bytes: Uint8Array): string => hex(sha256(bytes));

/** Control characters of a name are shown as `?`: a certificate must not write to anyone's terminal. */
const nameOf = (name: RelativeDistinguishedNames): string =>
  name.typesAndValues
    .map(({ type, value }) => `${NAMES[type] ?? type}=${String(value.valueBlock.value ?? '')}`)
    .join(', ')
    .replaceAll(/[\p{Cc}\p{Cf}]/gu, '?')
    .slice(0, 512);

function keyKind({
  subjectPublicKeyInfo: { algorithm, subjectPublicKey },
}: ParsedCertificate): PublicKeyKind {
  if (algorithm.algorithmId === OID.ec) {
    const curve = String(algorithm.algorithmParams?.valueBlock?.toString() ?? '');
    return { kind: 'ecdsa', curve: CURVES[curve] ?? curve };
  }
  if (algorithm.algorithmId !== OID.rsa) {
    return {
      kind: 'other',
      name: algorithm.algorithmId === '1.3.101.112' ? 'Ed25519' : algorithm.algorithmId,
    };
  }
  const [modulus] = itemsOf(readDer(subjectPublicKey.valueBlock.valueHexView));
  const bytes = modulus === undefined ? new Uint8Array(0) : bytesOf(modulus).slice(-modulus.lenBlock.length);
  const first = bytes.findIndex(byte => byte !== 0);
  return { kind: 'rsa', bits: first < 0 ? 0 : (bytes.length - first) * 8 - Math.clz32(bytes[first]!) + 24 };
}

/** Throws where it is no certificate that can be read. */
export function readCertificate(der: Uint8Array): Certificate {
  const tree = readDer(der);
  const certificate = ParsedCertificate.fromBER(der);
  const fields = itemsOf(itemsOf(tree)[0]);
  // An explicit version comes first in a version 3 certificate.
  const from = fields[0]?.idBlock.tagClass === 3 ? 1 : 0;
  const [serial, issuer, subject] = [fields[from], fields[from + 2], fields[from + 4]];
  if (serial === undefined || issuer === undefined || subject === undefined)
    throw new Error('not a certificate');
  const extensions = new Map<string, NonNullable<ParsedCertificate['extensions']>[number]>();
  for (const extension of certificate.extensions ?? []) {
    if (extensions.has(extension.extnID)) throw new Error('a certificate has an extension twice');
    extensions.set(extension.extnID, extension);
  }
  const basic = extensions.get(OID.basicConstraints)?.parsedValue as BasicConstraints | undefined;
  const pathLength = basic?.pathLenConstraint;
  const usage = extensions.get(OID.keyUsage);
  const extended = extensions.get(OID.extendedKeyUsage);
  const read: Certificate = {
    der,
    sha256: sha256Hex(der),
    subject: nameOf(certificate.subject),
    issuer: nameOf(certificate.issuer),
    subjectDer: hex(bytesOf(subject)),
    issuerDer: hex(bytesOf(issuer)),
    serial: hex(bytesOf(serial).slice(-serial.lenBlock.length)),
    notBefore: certificate.notBefore.value.getTime(),
    notAfter: certificate.notAfter.value.getTime(),
    ca: basic?.cA === true,
    ...(pathLength === undefined ? {} : { pathLength: Number(pathLength) }),
    ...(usage === undefined ? {} : { keyUsage: usageOf(usage.extnValue.valueBlock.valueHexView) }),
    ...(extended === undefined
      ? {}
      : {
          extendedKeyUsage: {
            critical: extended.critical,
            oids: (extended.parsedValue as ExtKeyUsage).keyPurposes,
          },
        }),
    notUnderstood: [...extensions.values()]
      .filter(
        ({ extnID, critical }) => (critical && !UNDERSTOOD.has(extnID)) || extnID === OID.nameConstraints,
      )
      .map(({ extnID }) => extnID),
    key: keyKind(certificate),
  };
  parsed.set(read, certificate);
  return read;
}

/** keyUsage as a BIT STRING in DER: digitalSignature 0, nonRepudiation 1, keyCertSign 5, cRLSign 6. */
function usageOf(der: Uint8Array): NonNullable<Certificate['keyUsage']> {
  const bits = der[3] ?? 0;
  return { sign: (bits & 0xc0) !== 0, certSign: (bits & 0x04) !== 0, crlSign: (bits & 0x02) !== 0 };
}

export const parsedOf = (certificate: Certificate): ParsedCertificate => parsed.get(certificate)!;

/** The certificates of a PEM text. Throws where one cannot be read, or there are too many. */
export function certificatesOf(pem: string): Certificate[] {
  const blocks = pemBlocks(pem, 'CERTIFICATE');
  if (blocks.length > MOST_CERTIFICATES) throw new Error(`more than ${MOST_CERTIFICATES} certificates`);
  return blocks.map(readCertificate);
}

export const signedBy: SignedBy = async (child, issuer) => {
  const { tbsView, signatureValue, signatureAlgorithm, signature } = parsedOf(child);
  if (!SIGNATURES.has(signatureAlgorithm.algorithmId)) return false;
  if (signature.algorithmId !== signatureAlgorithm.algorithmId) return false;
  try {
    const { subjectPublicKeyInfo } = parsedOf(issuer);
    return await engine().verifyWithPublicKey(
      new Uint8Array(tbsView),
      signatureValue,
      subjectPublicKeyInfo,
      signatureAlgorithm,
    );
  } catch {
    return false;
  }
};

/**
 * By lists from outside the pack. A list counts where the issuer of the certificate signed it; an older one is as good as it is,
 * for what it names as revoked. `unknown` where no list of the issuer is there.
 */
export async function revocationOf(
  certificate: Certificate,
  issuer: Certificate | undefined,
  crls: string | undefined,
): Promise<{ revocation: Revocation; revokedAt?: number }> {
  if (issuer === undefined || crls === undefined) return { revocation: 'unknown' };
  let revocation: Revocation = 'unknown';
  for (const der of pemBlocks(crls, 'X509 CRL').slice(0, MOST_CERTIFICATES)) {
    const list = CertificateRevocationList.fromBER(der);
    if (!SIGNATURES.has(list.signatureAlgorithm.algorithmId)) continue;
    const tbs = itemsOf(itemsOf(readDer(der))[0]);
    const name = tbs[tbs[0]?.idBlock.tagNumber === 2 ? 2 : 1];
    if (name === undefined || hex(bytesOf(name)) !== issuer.subjectDer) continue;
    const valid = await engine()
      .verifyWithPublicKey(
        new Uint8Array(list.tbsView),
        list.signatureValue,
        parsedOf(issuer).subjectPublicKeyInfo,
        list.signatureAlgorithm,
      )
      .catch(() => false);
    if (!valid) continue;
    const found = list.revokedCertificates?.find(
      ({ userCertificate }) => hex(userCertificate.valueBlock.valueHexView) === certificate.serial,
    );
    if (found !== undefined)
      return { revocation: 'revoked', revokedAt: found.revocationDate.value.getTime() };
    revocation = 'good';
  }
  return { revocation };
}
