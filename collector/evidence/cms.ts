/**
 * META-INF/checksums.p7s: a detached CMS signature (RFC 5652) over checksums.txt by the vault's RSA-3072 certificate,
 * in DER, as stock OpenSSL reads it. Making and checking build the same structure from the same parts, and a checked
 * one must equal its rebuilt form byte for byte: no byte of it is free.
 */
import { createHash, createPublicKey, sign, timingSafeEqual, verify, X509Certificate } from 'node:crypto';
import forge from 'node-forge';
import type { CmsResult } from '../../core/pack/cms.ts';

const { asn1, pki } = forge;
const MIN_BITS = 3072;

const oid = (value: string): forge.asn1.Asn1 =>
  asn1.create(asn1.Class.UNIVERSAL, asn1.Type.OID, false, asn1.oidToDer(value).getBytes());
const sequence = (...items: forge.asn1.Asn1[]): forge.asn1.Asn1 =>
  asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SEQUENCE, true, items);
const set = (...items: forge.asn1.Asn1[]): forge.asn1.Asn1 =>
  asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SET, true, items);
const tagged = (tag: number, ...items: forge.asn1.Asn1[]): forge.asn1.Asn1 =>
  asn1.create(asn1.Class.CONTEXT_SPECIFIC, tag, true, items);
const primitive = (type: forge.asn1.Type, value: string): forge.asn1.Asn1 =>
  asn1.create(asn1.Class.UNIVERSAL, type, false, value);
const algorithm = (id: string): forge.asn1.Asn1 => sequence(oid(id), primitive(asn1.Type.NULL, ''));
const der = (item: forge.asn1.Asn1): Buffer => Buffer.from(asn1.toDer(item).getBytes(), 'latin1');

const OID = pki.oids as Record<
  'data' | 'signedData' | 'sha256' | 'rsaEncryption' | 'contentType' | 'messageDigest' | 'signingTime',
  string
>;

/** Signed attributes in DER order: contentType, signingTime, messageDigest. */
function attributes(digest: string, signingTime: string): forge.asn1.Asn1[] {
  const attribute = (type: string, value: forge.asn1.Asn1) => sequence(oid(type), set(value));
  return [
    attribute(OID.contentType, oid(OID.data)),
    attribute(OID.signingTime, primitive(asn1.Type.UTCTIME, signingTime)),
    attribute(OID.messageDigest, primitive(asn1.Type.OCTETSTRING, digest)),
  ];
}

type Parts = { certificate: forge.asn1.Asn1; digest: string; signingTime: string; signature: string };

/** The whole ContentInfo of its parts. */
function contentInfo({ certificate, digest, signingTime, signature }: Parts): forge.asn1.Asn1 {
  const { issuer, serial } = issuerAndSerial(certificate);
  const signer = sequence(
    primitive(asn1.Type.INTEGER, '\x01'),
    sequence(issuer, serial),
    algorithm(OID.sha256),
    tagged(0, ...attributes(digest, signingTime)),
    algorithm(OID.rsaEncryption),
    primitive(asn1.Type.OCTETSTRING, signature),
  );
  const signedData = sequence(
    primitive(asn1.Type.INTEGER, '\x01'),
    set(algorithm(OID.sha256)),
    sequence(oid(OID.data)),
    tagged(0, certificate),
    set(signer),
  );
  return sequence(oid(OID.signedData), tagged(0, signedData));
}

const items = (node: forge.asn1.Asn1 | undefined): forge.asn1.Asn1[] =>
  Array.isArray(node?.value) ? node.value : [];

function issuerAndSerial(certificate: forge.asn1.Asn1): { issuer: forge.asn1.Asn1; serial: forge.asn1.Asn1 } {
  const fields = items(items(certificate)[0]);
  // An explicit version comes first in a version 3 certificate.
  const from = fields[0]?.tagClass === asn1.Class.CONTEXT_SPECIFIC ? 1 : 0;
  const [serial, issuer] = [fields[from], fields[from + 2]];
  if (serial === undefined || issuer === undefined) throw new Error('not a certificate');
  return { issuer, serial };
}

const utcTime = (time: Date): string => `${time.toISOString().slice(2, 19).replaceAll(/[-:T]/g, '')}Z`;

/** Signs `content`. `at` is the signing time that it claims, to the second. */
export function signCms(
  content: Uint8Array,
  signer: { privateKeyPem: string; certificatePem: string },
  at: Date,
): Uint8Array {
  const digest = createHash('sha256').update(content).digest().toString('latin1');
  const signingTime = utcTime(at);
  const certificate = pki.certificateToAsn1(pki.certificateFromPem(signer.certificatePem));
  // RSASSA-PKCS1-v1_5 by the host: forge's own takes a third of a second.
  const signature = sign(
    'sha256',
    der(set(...attributes(digest, signingTime))),
    signer.privateKeyPem,
  ).toString('latin1');
  return der(contentInfo({ certificate, digest, signingTime, signature }));
}

/** Checks a signature as `signCms` makes it. Nothing here trusts: `trusted` says which certificates are known. */
export async function checkCms(
  signature: Uint8Array,
  content: Uint8Array,
  trusted: string | undefined,
): Promise<CmsResult> {
  try {
    return check(Buffer.from(signature), content, trusted);
  } catch (error) {
    return {
      valid: false,
      reason: `It is not a signature of the form expected (${(error as Error).message})`,
    };
  }
}

function check(bytes: Buffer, content: Uint8Array, trusted: string | undefined): CmsResult {
  const info = asn1.fromDer(bytes.toString('latin1'), { strict: true, parseAllBytes: true } as never);
  const [, , , certificates, signers] = items(items(items(info)[1])[0]);
  const [certificate, ...others] = items(certificates);
  const [, , , signed, , value] = items(items(signers)[0]);
  const [, time, digestAttribute] = items(signed);
  const text = (node: forge.asn1.Asn1 | undefined): string =>
    typeof node?.value === 'string' ? node.value : '';
  if (certificate === undefined || others.length > 0)
    return { valid: false, reason: 'It does not hold one certificate' };
  const parts: Parts = {
    certificate,
    digest: text(items(items(digestAttribute)[1])[0]),
    signingTime: text(items(items(time)[1])[0]),
    signature: text(value),
  };
  if (!der(contentInfo(parts)).equals(bytes))
    return { valid: false, reason: 'It is not in the one accepted form' };

  const digest = createHash('sha256').update(content).digest();
  const claimed = Buffer.from(parts.digest, 'latin1');
  if (claimed.length !== 32 || !timingSafeEqual(claimed, digest)) {
    return { valid: false, reason: 'It is over another checksums.txt' };
  }
  const raw = der(certificate);
  const x509 = new X509Certificate(raw);
  const key = createPublicKey(x509.publicKey.export({ type: 'spki', format: 'pem' }));
  if (key.asymmetricKeyType !== 'rsa' || (key.asymmetricKeyDetails?.modulusLength ?? 0) < MIN_BITS) {
    return { valid: false, reason: 'Its key is not RSA of at least 3072 bits' };
  }
  const signedBytes = der(set(...attributes(parts.digest, parts.signingTime)));
  if (!verify('sha256', signedBytes, key, Buffer.from(parts.signature, 'latin1'))) {
    return { valid: false, reason: 'The certificate did not make it' };
  }
  // KNOWN GAP: certificates of an authority come with their own issue; until then one that did not sign itself is refused.
  if (!x509.raw.equals(raw) || !x509.verify(key)) {
    return { valid: false, reason: 'Its certificate is damaged, or not self-made' };
  }
  return {
    valid: true,
    subject: x509.subject.split('\n').join(', '),
    certificateSha256: createHash('sha256').update(raw).digest('hex'),
    selfMade: true,
    trusted: trusted === undefined ? undefined : certificatesOf(trusted).some(known => known.equals(raw)),
  };
}

function certificatesOf(pem: string): Buffer[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map(block => new X509Certificate(block).raw);
}
