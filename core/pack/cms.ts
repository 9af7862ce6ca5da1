/**
 * What a host that can read CMS tells the verifier about a signature of a pack, and what follows from it. core itself
 * reads no ASN.1. Format: docs/spec/pack.md, "Signatures" and "Certificates".
 */

import { formatMicros } from '../event/time.ts';
import type { PackFiles } from './files.ts';
import type { Findings } from './findings.ts';
import { CMS } from './manifest.ts';

export type Revocation = 'good' | 'revoked' | 'unknown';

export type CmsResult =
  | { readonly valid: false; readonly reason: string }
  | {
      readonly valid: true;
      /** As a person reads it: `CN=..., O=...`. */
      readonly subject: string;
      readonly issuer: string;
      /** Hex SHA-256 of the certificate's DER. */
      readonly certificateSha256: string;
      /** Issuer and subject are the same key. */
      readonly selfMade: boolean;
      /** Milliseconds since 1970. */
      readonly signingTime: number;
      readonly notAfter: number;
      /** Whether it is, or leads to, one of the trusted certificates; undefined where none were given. */
      readonly trusted: boolean | undefined;
      /** Why not. */
      readonly untrusted?: string;
      /** By the revocation lists that were given. */
      readonly revocation: Revocation;
      /** Milliseconds since 1970. */
      readonly revokedAt?: number;
      /** The signature's own value: what a time-stamp of it is over. */
      readonly value: Uint8Array;
      /** A time-stamp token (DER) over `value`, where the signature carries one. */
      readonly timestamp?: Uint8Array;
    };

export type CmsTrust = {
  /** PEM certificates from outside the pack. */
  readonly certificates?: string;
  /** PEM revocation lists from outside the pack. */
  readonly crls?: string;
  /** When the certificates must have held, ms since 1970; without it, when the signature says that it was made. */
  readonly at?: number;
};

/** Checks a detached signature (DER) over the content. */
export type CheckCms = (signature: Uint8Array, content: Uint8Array, trust: CmsTrust) => Promise<CmsResult>;

/** Who signed a pack, as a report shows it. */
export type PackSigner = {
  subject: string;
  issuer: string;
  certificate_sha256: string;
  self_made: boolean;
  /** As the signature claims it, and until when its certificate is valid; RFC 3339. */
  signed_at: string;
  valid_until: string;
  revocation: Revocation;
};

export type ValidCms = Extract<CmsResult, { valid: true }>;

/** META-INF/checksums.p7s over checksums.txt, against what came apart from the pack. Undefined where it says nothing. */
export async function checkSignature(
  files: PackFiles,
  {
    checksums,
    check,
    trust,
    now,
  }: {
    checksums: Uint8Array | undefined;
    check: CheckCms | undefined;
    /** `at`: the time of a trusted stamp over the pack. */
    trust: CmsTrust;
    now: number | undefined;
  },
  findings: Findings,
): Promise<ValidCms | undefined> {
  if (check === undefined) {
    findings.add('cms_unchecked', CMS);
    findings.add('signer_unknown', CMS);
    return undefined;
  }
  const signature = await files.read(CMS, 2 ** 20);
  if (signature === undefined || checksums === undefined) {
    findings.add('cms_missing', CMS);
    return undefined;
  }
  const result = await check(signature, checksums, trust);
  if (!result.valid) {
    findings.add('cms_invalid', CMS, `${result.reason}.`);
    return undefined;
  }
  if (result.trusted === undefined) findings.add('signer_untrusted', CMS);
  else if (!result.trusted) findings.add('cms_signer_wrong', CMS, `${result.untrusted ?? result.subject}.`);
  if (result.selfMade) findings.add('certificate_self_made', CMS, `${result.subject}.`);
  judgeValidity(result, trust.at, now, findings);
  return result;
}

function judgeValidity(
  { notAfter, revocation, revokedAt = 0 }: ValidCms,
  stamped: number | undefined,
  now: number | undefined,
  findings: Findings,
): void {
  const day = (time: number): string => formatMicros(time * 1000).slice(0, 10);
  if (stamped === undefined && now !== undefined && now > notAfter) {
    findings.add('certificate_expired', CMS, `It was valid until ${day(notAfter)}.`);
  }
  if (revocation !== 'revoked') return;
  const later = stamped !== undefined && stamped < revokedAt;
  findings.add(later ? 'certificate_revoked_later' : 'certificate_revoked', CMS, `On ${day(revokedAt)}.`);
}

export const signerView = (result: ValidCms): PackSigner => ({
  subject: result.subject,
  issuer: result.issuer,
  certificate_sha256: result.certificateSha256,
  self_made: result.selfMade,
  signed_at: formatMicros(result.signingTime * 1000),
  valid_until: formatMicros(result.notAfter * 1000),
  revocation: result.revocation,
});
