/**
 * Time-stamps by RFC 3161: requests, replies, and what a token says, by PKI.js and WebCrypto. Trusts nothing but what is
 * given. Format: docs/spec/pack.md, "Time". No network here: authorities.ts asks.
 */
import { OctetString } from 'asn1js';
import { AlgorithmIdentifier, SignedData, TSTInfo } from 'pkijs';
import type { CheckTimestamp, TimestampFault, TimestampResult } from '../../core/pack/timestamp.ts';
import {
  type Certificate,
  findChain,
  isForTimeStampingOnly,
  MOST_CERTIFICATES,
  timeFault,
} from '../../core/pack/x509.ts';
import { equalBytes, hex } from '../../core/proof/bytes.ts';
import { certificatesOf, engine, parsedOf, readCertificate, signedBy } from './certificates.ts';
import { OID } from './cms.ts';
import {
  bytesOf,
  contentOf,
  itemsOf,
  NULL,
  octets,
  oid,
  oidText,
  pemOf,
  readDer,
  sequence,
  small,
  TAG,
  tlv,
} from './der.ts';

/** Most bytes of a reply: in base64 it still fits a record without becoming a blob. */
export const REPLY_LIMIT = 40 * 1024;
const TST_INFO = '1.2.840.113549.1.9.16.1.4';
const SIGNING_CERTIFICATE = '1.2.840.113549.1.9.16.2.12';
const HASHES: Record<string, string> = {
  '2.16.840.1.101.3.4.2.1': 'SHA-256',
  '2.16.840.1.101.3.4.2.2': 'SHA-384',
  '2.16.840.1.101.3.4.2.3': 'SHA-512',
};
/** PKIFailureInfo, by bit (RFC 3161, 2.4.2). */
const FAILURES: Record<number, string> = {
  0: 'it does not know the hash algorithm',
  2: 'it does not permit this request',
  5: 'it found the request malformed',
  14: 'its time source is not available',
  15: 'it does not have this policy',
  16: 'it does not have this extension',
  17: 'it could not answer with what was asked',
  25: 'it had a failure of its own',
};

class StampError extends Error {
  readonly fault: TimestampFault;
  constructor(fault: TimestampFault, message: string) {
    super(message);
    this.fault = fault;
  }
}

export type TimestampRequest = { readonly digest: Uint8Array; readonly nonce: Uint8Array };

/** A TimeStampReq over a SHA-256 digest, with a fresh nonce of 16 bytes, asking for the certificate. */
export function makeRequest(digest: Uint8Array): Uint8Array {
  const nonce = crypto.getRandomValues(new Uint8Array(16));
  // A positive INTEGER without a leading zero byte.
  nonce[0] = (nonce[0]! & 0x3f) | 0x40;
  return sequence(
    small(1),
    sequence(sequence(oid(OID.sha256), NULL), octets(digest)),
    tlv(TAG.integer, nonce),
    Uint8Array.of(0x01, 0x01, 0xff),
  );
}

/** Throws where it is no request as `makeRequest` writes them. */
export function readRequest(bytes: Uint8Array): TimestampRequest {
  const [, imprint, nonce] = itemsOf(readDer(bytes));
  const digest = itemsOf(imprint)[1];
  if (digest === undefined || nonce === undefined) throw new Error('not a time-stamp request of ours');
  const read = { digest: contentOf(digest), nonce: contentOf(nonce) };
  if (read.digest.length !== 32 || read.nonce.length !== 16)
    throw new Error('not a time-stamp request of ours');
  return read;
}

/** The token of a TimeStampResp. Throws with the authority's words where it refused. */
export function tokenOf(reply: Uint8Array): Uint8Array {
  const [first, second] = itemsOf(readDer(reply));
  if (oidText(first) === OID.signedData) return reply;
  const info = itemsOf(first);
  const status = info[0] === undefined ? 99 : (contentOf(info[0])[0] ?? 99);
  if (status > 1 || second === undefined) {
    const bits = info.find(node => node.idBlock.tagClass === 1 && node.idBlock.tagNumber === 3);
    const text = info
      .flatMap(node => itemsOf(node))
      .map(node => new TextDecoder().decode(contentOf(node)))
      .join(' ')
      .replaceAll(/[\p{Cc}\p{Cf}]/gu, '?')
      .slice(0, 200);
    const failure = bits === undefined ? undefined : FAILURES[firstBit(contentOf(bits).slice(1))];
    throw new StampError(
      'form',
      `The authority refused (status ${status}): ${failure ?? 'it does not say why'}${text === '' ? '' : ` "${text}"`}`,
    );
  }
  return bytesOf(second);
}

const firstBit = (bytes: Uint8Array): number =>
  bytes.findIndex(byte => byte !== 0) * 8 + Math.clz32(bytes.find(byte => byte !== 0) ?? 0) - 24;

type Token = {
  info: TSTInfo;
  digest: Uint8Array;
  nonce: Uint8Array | undefined;
  signer: Certificate;
  certificates: readonly Certificate[];
};

/** Reads a token and checks that its signer's certificate made it. Throws StampError. */
async function openToken(token: Uint8Array): Promise<Token> {
  const tree = readDer(token);
  const signedData = SignedData.fromBER(bytesOf(itemsOf(itemsOf(tree)[1])[0]!));
  const [signerInfo, ...more] = signedData.signerInfos;
  const { encapContentInfo } = signedData;
  if (encapContentInfo.eContentType !== TST_INFO || signerInfo === undefined || more.length > 0)
    throw new StampError('form', 'It is no time-stamp token with one signature');
  const content = encapContentInfo.eContent?.getValue();
  if (content === undefined) throw new StampError('form', 'It holds no time-stamp');
  const info = TSTInfo.fromBER(content);
  const set = itemsOf(itemsOf(itemsOf(tree)[1])[0]).find(
    node => node.idBlock.tagClass === 3 && node.idBlock.tagNumber === 0,
  );
  if (itemsOf(set).length > MOST_CERTIFICATES) throw new StampError('form', 'It holds too many certificates');
  const certificates = itemsOf(set)
    .filter(node => node.idBlock.tagClass === 1)
    .map(node => readCertificate(bytesOf(node)));

  const hash = HASHES[signerInfo.digestAlgorithm.algorithmId];
  const attributes = new Map(signerInfo.signedAttrs?.attributes.map(one => [one.type, one.values[0]]));
  const digest = attributes.get(OID.messageDigest);
  const type = attributes.get(OID.contentType);
  if (
    hash === undefined ||
    signerInfo.signedAttrs === undefined ||
    digest === undefined ||
    type === undefined
  )
    throw new StampError('form', 'Its signature has not the form of RFC 3161');
  const real = new Uint8Array(await crypto.subtle.digest(hash, new Uint8Array(content)));
  if (oidText(type) !== TST_INFO || !equalBytes(contentOf(digest), real))
    throw new StampError('signature', 'What is signed is not what it says');
  const signer = await signerOf(
    certificates,
    attributes.get(SIGNING_CERTIFICATE),
    attributes.get(OID.signingCertificateV2),
  );
  if (signer === undefined)
    throw new StampError('form', "It does not hold the authority's certificate, or does not name it");
  const signed = new Uint8Array(signerInfo.signedAttrs.encodedValue);
  const made = await engine()
    .verifyWithPublicKey(
      signed,
      new OctetString({ valueHex: signerInfo.signature.valueBlock.valueHexView }),
      parsedOf(signer).subjectPublicKeyInfo,
      new AlgorithmIdentifier(signerInfo.signatureAlgorithm),
      hash,
    )
    .catch(() => false);
  if (!made) throw new StampError('signature', "The authority's certificate did not make it");
  const imprint = info.messageImprint;
  if (imprint.hashAlgorithm.algorithmId !== OID.sha256)
    throw new StampError('imprint', 'It is over a digest other than SHA-256');
  const nonce = info.nonce?.valueBlock.valueHexView;
  return {
    info,
    digest: imprint.hashedMessage.valueBlock.valueHexView.slice(),
    nonce: nonce === undefined ? undefined : Uint8Array.from(nonce),
    signer,
    certificates,
  };
}

/** The certificate that the signed attributes name by its hash (RFC 2634, RFC 5035): that one and no other. */
async function signerOf(
  certificates: readonly Certificate[],
  v1: unknown,
  v2: unknown,
): Promise<Certificate | undefined> {
  const [named, version] = v2 === undefined ? [v1, 1] : [v2, 2];
  // SigningCertificate(V2) -> certs -> the first ESSCertID(v2).
  const first = itemsOf(itemsOf(itemsOf(named as never)[0])[0]);
  const explicit = version === 2 && itemsOf(first[0]).length > 0;
  const algorithm = version === 1 ? 'SHA-1' : explicit ? HASHES[oidText(itemsOf(first[0])[0])] : 'SHA-256';
  const value = first[explicit ? 1 : 0];
  if (algorithm === undefined || value === undefined) return undefined;
  for (const certificate of certificates) {
    const digest = new Uint8Array(await crypto.subtle.digest(algorithm, new Uint8Array(certificate.der)));
    if (equalBytes(digest, contentOf(value))) return certificate;
  }
  return undefined;
}

export const checkTimestamp: CheckTimestamp = async (stamp, digest, { roots, chain: more }) => {
  try {
    const token = await openToken(tokenOf(stamp));
    if (!equalBytes(token.digest, digest)) throw new StampError('imprint', 'Its imprint is of other bytes');
    return await judged(token, roots, more);
  } catch (error) {
    const reason = (error as Error).message;
    if (error instanceof StampError) return { valid: false, fault: error.fault, reason };
    return { valid: false, fault: 'form', reason: `It cannot be read (${reason})` };
  }
};

async function judged(
  { info, signer, certificates }: Token,
  roots: string | undefined,
  more: string | undefined,
): Promise<TimestampResult> {
  const time = info.genTime.getTime();
  if (!isForTimeStampingOnly(signer)) {
    throw new StampError('purpose', `${signer.subject} is not a certificate for time-stamping alone`);
  }
  const expired = timeFault(signer, time);
  if (expired !== undefined) throw new StampError('expired', expired);
  const others = [...certificates, ...(more === undefined ? [] : certificatesOf(more))];
  const trusted = roots === undefined ? undefined : certificatesOf(roots);
  const chain =
    trusted === undefined ? undefined : await findChain(signer, { others, trusted, at: time, signedBy });
  const { accuracy } = info;
  const milliseconds =
    accuracy === undefined
      ? undefined
      : (accuracy.seconds ?? 0) * 1000 + (accuracy.millis ?? 0) + (accuracy.micros ?? 0) / 1000;
  return {
    valid: true,
    time,
    ...(milliseconds === undefined ? {} : { accuracy: milliseconds }),
    authority: signer.subject,
    policy: info.policy,
    serial: hex(info.serialNumber.valueBlock.valueHexView),
    trusted: chain?.found,
    ...(chain?.found === false ? { untrusted: chain.reason } : {}),
  };
}

export type Reply = Extract<TimestampResult, { valid: true }> & {
  /** What it is over. */
  readonly digest: Uint8Array;
  readonly token: Uint8Array;
  /** PEM of the certificates that it brings. */
  readonly chainPem: string;
};

/**
 * A reply as it comes back from an authority, held against its request: imprint, nonce, purpose, validity, signature.
 * Throws StampError or Error with what is wrong, for a person.
 */
export async function readReply(reply: Uint8Array, request: Uint8Array, roots?: string): Promise<Reply> {
  if (reply.length > REPLY_LIMIT) throw new Error(`It is larger than ${REPLY_LIMIT} bytes`);
  const asked = readRequest(request);
  const token = tokenOf(reply);
  const opened = await openToken(token);
  if (!equalBytes(opened.digest, asked.digest))
    throw new Error('The reply is over other bytes than the request');
  if (opened.nonce === undefined || !equalBytes(opened.nonce, asked.nonce))
    throw new Error("The reply's nonce is not the request's: it answers another request, or an old one");
  const result = await judged(opened, roots, undefined);
  if (!result.valid) throw new Error(result.reason);
  return {
    ...result,
    digest: opened.digest,
    token,
    chainPem: opened.certificates.map(({ der }) => pemOf(der, 'CERTIFICATE')).join(''),
  };
}
