/**
 * Detached CMS signatures (RFC 5652) of a pack, in DER, as stock OpenSSL reads them: META-INF/checksums.p7s over
 * checksums.txt, META-INF/signature001.p7s over the ASiC manifest, both CAdES-BASELINE-B (EN 319 122-1).
 * Making and checking build the same structure from the same parts, and a checked one must equal its rebuilt form byte
 * for byte: no byte of it is free. Format: docs/spec/pack.md, "Signatures".
 */
import { type BaseBlock, OctetString } from 'asn1js';
import { AlgorithmIdentifier } from 'pkijs';
import type { CmsResult, CmsTrust } from '../../core/pack/cms.ts';
import {
  type Certificate,
  findChain,
  isSelfIssued,
  keyFault,
  MOST_CERTIFICATES,
} from '../../core/pack/x509.ts';
import { concat, equalBytes, fromHex } from '../../core/proof/bytes.ts';
import {
  certificatesOf,
  engine,
  parsedOf,
  readCertificate,
  revocationOf,
  sha256Hex,
  signedBy,
} from './certificates.ts';
import {
  bytesOf,
  contentOf,
  itemsOf,
  NULL,
  octets,
  oid,
  oidText,
  readDer,
  sequence,
  setOf,
  small,
  TAG,
  tlv,
  utcTime,
} from './der.ts';

export type CmsSigner = {
  readonly certificatePem: string;
  /** Certificates between it and the root, PEM one after another; the root may be among them. */
  readonly chainPem?: string;
  /** RSASSA-PKCS1-v1_5 or ECDSA (DER) with SHA-256, by the certificate's key. */
  sign(bytes: Uint8Array): Uint8Array;
};

/** A signer that may be asked across a thread's edge. */
export type FarSigner = Omit<CmsSigner, 'sign'> & {
  sign(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
};

export const OID = {
  data: '1.2.840.113549.1.7.1',
  signedData: '1.2.840.113549.1.7.2',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingTime: '1.2.840.113549.1.9.5',
  signingCertificateV2: '1.2.840.113549.1.9.16.2.47',
  signatureTimestamp: '1.2.840.113549.1.9.16.2.14',
  sha256: '2.16.840.1.101.3.4.2.1',
  rsaEncryption: '1.2.840.113549.1.1.1',
  sha256WithRsa: '1.2.840.113549.1.1.11',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
} as const;

type Parts = {
  /** The signer's first; all in DER. */
  certificates: readonly Certificate[];
  digest: Uint8Array;
  /** UTCTime. */
  signingTime: string;
  signature: Uint8Array;
  timestamp?: Uint8Array;
  /** Packs made before the ASiC container: no signing-certificate-v2, and rsaEncryption as algorithm. */
  plain?: boolean;
};

const attribute = (type: string, value: Uint8Array): Uint8Array => sequence(oid(type), tlv(TAG.set, value));
const sha256Algorithm = (): Uint8Array => sequence(oid(OID.sha256), NULL);

function attributes({ certificates: [signer], digest, signingTime, plain }: Parts): Uint8Array {
  // ESSCertIDv2: SHA-256 is its default and so left out.
  const certificate = sequence(sequence(sequence(octets(fromHex(signer!.sha256)))));
  return setOf(
    attribute(OID.contentType, oid(OID.data)),
    attribute(OID.signingTime, utcTime(signingTime)),
    attribute(OID.messageDigest, octets(digest)),
    ...(plain === true ? [] : [attribute(OID.signingCertificateV2, certificate)]),
  );
}

function algorithmOf({ key }: Certificate, plain: boolean | undefined): Uint8Array {
  if (key.kind === 'ecdsa') return sequence(oid(OID.ecdsaWithSha256));
  return sequence(oid(plain === true ? OID.rsaEncryption : OID.sha256WithRsa), NULL);
}

const implicit = (set: Uint8Array, tag: number): Uint8Array => concat(Uint8Array.of(tag), set.subarray(1));

/** The whole ContentInfo of its parts. */
function contentInfo(parts: Parts): Uint8Array {
  const signer = parts.certificates[0]!;
  const tbs = itemsOf(itemsOf(readDer(signer.der))[0]);
  const from = tbs[0]?.idBlock.tagClass === 3 ? 1 : 0;
  const info = sequence(
    small(1),
    sequence(bytesOf(tbs[from + 2]!), bytesOf(tbs[from]!)),
    sha256Algorithm(),
    implicit(attributes(parts), 0xa0),
    algorithmOf(signer, parts.plain),
    octets(parts.signature),
    ...(parts.timestamp === undefined
      ? []
      : [implicit(setOf(attribute(OID.signatureTimestamp, parts.timestamp)), 0xa1)]),
  );
  const signedData = sequence(
    small(1),
    tlv(TAG.set, sha256Algorithm()),
    sequence(oid(OID.data)),
    implicit(setOf(...parts.certificates.map(({ der }) => der)), 0xa0),
    tlv(TAG.set, info),
  );
  return sequence(oid(OID.signedData), tlv(0xa0, signedData));
}

const latin1 = (bytes: Uint8Array): string => Array.from(bytes, byte => String.fromCharCode(byte)).join('');
const utcText = (time: Date): string => `${time.toISOString().slice(2, 19).replaceAll(/[-:T]/g, '')}Z`;
const sha256 = (bytes: Uint8Array): Uint8Array => fromHex(sha256Hex(bytes));

type Certified = Omit<CmsSigner, 'sign'>;

/** All but the signature. Throws where the certificate's key is refused. */
function unsigned(content: Uint8Array, signer: Certified, at: Date): Parts {
  const [certificate] = certificatesOf(signer.certificatePem);
  if (certificate === undefined) throw new Error('the signer has no certificate');
  const fault = keyFault(certificate.key);
  if (fault !== undefined) throw new Error(fault);
  const between = certificatesOf(signer.chainPem ?? '').filter(
    one => !isSelfIssued(one) && one.sha256 !== certificate.sha256,
  );
  return {
    certificates: [certificate, ...between],
    digest: sha256(content),
    signingTime: utcText(at),
    signature: new Uint8Array(0),
  };
}

/** Signs `content`. `at` is the signing time that it claims, to the second. Throws where the certificate's key is refused. */
export function signCms(content: Uint8Array, signer: CmsSigner, at: Date): Uint8Array {
  const parts = unsigned(content, signer, at);
  return contentInfo({ ...parts, signature: signer.sign(attributes(parts)) });
}

/** As `signCms`, where the key is elsewhere. */
export async function signCmsBy(content: Uint8Array, signer: FarSigner, at: Date): Promise<Uint8Array> {
  const parts = unsigned(content, signer, at);
  return contentInfo({ ...parts, signature: await signer.sign(attributes(parts)) });
}

/** The same signature with a time-stamp token over its value; what was signed stays as it is. Throws where it is none of ours. */
export const withTimestamp = (signature: Uint8Array, token: Uint8Array): Uint8Array =>
  contentInfo({ ...partsOf(signature), timestamp: token });

/** Bytes that a time-stamp of the signature is over. Throws where it is none of ours. */
export const signatureValueOf = (signature: Uint8Array): Uint8Array => partsOf(signature).signature;

/** Takes a signature apart; throws where it is not the one of its parts. */
function partsOf(bytes: Uint8Array): Parts {
  const [, , , set, signers] = itemsOf(itemsOf(itemsOf(readDer(bytes))[1])[0]);
  const [, sid, , signed, , value, unsigned] = itemsOf(itemsOf(signers)[0]);
  if (itemsOf(set).length > MOST_CERTIFICATES) throw new Error('it holds too many certificates');
  const all = itemsOf(set).map(node => readCertificate(bytesOf(node)));
  const named = (certificate: Certificate): boolean => {
    const tbs = itemsOf(itemsOf(readDer(certificate.der))[0]);
    const from = tbs[0]?.idBlock.tagClass === 3 ? 1 : 0;
    return (
      sid !== undefined && equalBytes(sequence(bytesOf(tbs[from + 2]!), bytesOf(tbs[from]!)), bytesOf(sid))
    );
  };
  const signer = all.find(named);
  if (signer === undefined || value === undefined)
    throw new Error("it does not hold its signer's certificate");
  const values = new Map<string, BaseBlock>();
  for (const one of [...itemsOf(signed), ...itemsOf(unsigned)]) {
    const [type, content] = itemsOf(one);
    const [first] = itemsOf(content);
    if (first !== undefined) values.set(oidText(type), first);
  }
  const [time, digest] = [values.get(OID.signingTime), values.get(OID.messageDigest)];
  const timestamp = values.get(OID.signatureTimestamp);
  if (time === undefined || digest === undefined) throw new Error('it lacks a signed attribute');
  const parts: Parts = {
    certificates: [signer, ...all.filter(one => one !== signer)],
    digest: contentOf(digest),
    signingTime: latin1(contentOf(time)),
    signature: contentOf(value),
    ...(timestamp === undefined ? {} : { timestamp: bytesOf(timestamp) }),
    ...(values.has(OID.signingCertificateV2) ? {} : { plain: true }),
  };
  if (!equalBytes(contentInfo(parts), bytes)) throw new Error('it is not in the one accepted form');
  return parts;
}

/** UTCTime as CMS has it: 1950 to 2049. NaN for any other text. */
function timeOf(text: string): number {
  const [, year, month, day, hour, minute, second] =
    /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text)?.map(Number) ?? [];
  if (year === undefined) return Number.NaN;
  return Date.UTC(year < 50 ? 2000 + year : 1900 + year, month! - 1, day, hour, minute, second);
}

/** Checks a signature as `signCms` makes it. Nothing here trusts but what `trust` brings. */
export async function checkCms(
  signature: Uint8Array,
  content: Uint8Array,
  trust: CmsTrust,
): Promise<CmsResult> {
  try {
    return await check(signature, content, trust);
  } catch (error) {
    return {
      valid: false,
      reason: `It is not a signature of the form expected (${(error as Error).message})`,
    };
  }
}

async function check(bytes: Uint8Array, content: Uint8Array, trust: CmsTrust): Promise<CmsResult> {
  const parts = partsOf(bytes);
  const [signer, ...others] = parts.certificates;
  if (signer === undefined) return { valid: false, reason: 'It holds no certificate' };
  if (!equalBytes(parts.digest, sha256(content))) return { valid: false, reason: 'It is over another file' };
  const fault = keyFault(signer.key);
  if (fault !== undefined) return { valid: false, reason: `Its key is not accepted: ${fault}` };
  if (signer.keyUsage?.sign === false)
    return { valid: false, reason: 'Its certificate is not for signing documents' };
  const signingTime = timeOf(parts.signingTime);
  if (Number.isNaN(signingTime)) return { valid: false, reason: 'Its signing time is none' };
  const made = await verifySignature(signer, attributes(parts), parts.signature);
  if (!made) return { valid: false, reason: 'The certificate did not make it' };

  const selfMade = isSelfIssued(signer) && (await signedBy(signer, signer));
  // Without signing-certificate-v2 nothing but its own signature holds the certificate's bytes.
  if (parts.plain === true && !selfMade)
    return { valid: false, reason: 'Its certificate is damaged, or not self-made' };
  const roots = trust.certificates === undefined ? undefined : certificatesOf(trust.certificates);
  const chain =
    roots === undefined
      ? undefined
      : await findChain(signer, { others, trusted: roots, at: trust.at ?? signingTime, signedBy });
  const { revocation, revokedAt } = await revocationOf(
    signer,
    chain?.found === true ? chain.chain[1] : undefined,
    trust.crls,
  );
  return {
    valid: true,
    subject: signer.subject,
    issuer: signer.issuer,
    certificateSha256: signer.sha256,
    selfMade,
    signingTime,
    notAfter: signer.notAfter,
    trusted: chain?.found,
    ...(chain?.found === false ? { untrusted: chain.reason } : {}),
    revocation,
    ...(revokedAt === undefined ? {} : { revokedAt }),
    value: parts.signature,
    ...(parts.timestamp === undefined ? {} : { timestamp: parts.timestamp }),
  };
}

/** Whether the certificate's key made the signature over the bytes, with SHA-256. */
async function verifySignature(signer: Certificate, bytes: Uint8Array, value: Uint8Array): Promise<boolean> {
  const algorithmId = signer.key.kind === 'ecdsa' ? OID.ecdsaWithSha256 : OID.sha256WithRsa;
  try {
    return await engine().verifyWithPublicKey(
      new Uint8Array(bytes),
      new OctetString({ valueHex: new Uint8Array(value) }),
      parsedOf(signer).subjectPublicKeyInfo,
      new AlgorithmIdentifier({ algorithmId }),
      'SHA-256',
    );
  } catch {
    return false;
  }
}
