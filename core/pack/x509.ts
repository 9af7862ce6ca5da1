/**
 * Certificates as the verifier sees them, and when one leads to another that is trusted. A host reads ASN.1 and checks
 * signatures; the rules are here. Format: docs/spec/pack.md, "Certificates" (a part of RFC 5280, section 6).
 * Rules: only certificates from outside the pack are trusted, by their bytes, never by their name; what is critical and
 * not understood refuses; work is bounded whatever a pack holds.
 */

export type PublicKeyKind =
  | { readonly kind: 'rsa'; readonly bits: number }
  | { readonly kind: 'ecdsa'; readonly curve: string }
  | { readonly kind: 'other'; readonly name: string };

export type Certificate = {
  readonly der: Uint8Array;
  /** Hex SHA-256 of `der`. */
  readonly sha256: string;
  /** As a person reads it: `CN=..., O=...`. */
  readonly subject: string;
  readonly issuer: string;
  /** Hex of the names' DER: what is compared. */
  readonly subjectDer: string;
  readonly issuerDer: string;
  /** Hex, as in the certificate. */
  readonly serial: string;
  /** Milliseconds since 1970, both inclusive. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly ca: boolean;
  readonly pathLength?: number;
  /** Absent where the certificate does not limit its key. */
  readonly keyUsage?: { readonly sign: boolean; readonly certSign: boolean; readonly crlSign: boolean };
  readonly extendedKeyUsage?: { readonly critical: boolean; readonly oids: readonly string[] };
  /** Extensions that forbid use by whoever does not understand them: critical ones, and name constraints. */
  readonly notUnderstood: readonly string[];
  readonly key: PublicKeyKind;
};

/** Whether the issuer's key made the signature of `child`. */
export type SignedBy = (child: Certificate, issuer: Certificate) => Promise<boolean>;

export type Chain =
  | { readonly found: true; readonly chain: readonly Certificate[] }
  | { readonly found: false; readonly reason: string };

const LONGEST = 8;
/** Signatures that are checked for one chain, at most. */
const MOST_CHECKS = 64;
/** Certificates that a signature or trust file may bring. */
export const MOST_CERTIFICATES = 64;

export const isSelfIssued = (certificate: Certificate): boolean =>
  certificate.subjectDer === certificate.issuerDer;

/** Why a certificate does not hold at that time (ms since 1970), or undefined. */
export function timeFault(certificate: Certificate, at: number): string | undefined {
  if (at < certificate.notBefore) return `${certificate.subject} was not valid yet`;
  if (at > certificate.notAfter) return `${certificate.subject} had expired`;
  return undefined;
}

/** Why a key is too weak or of a kind that no pack is signed with, or undefined. */
export function keyFault(key: PublicKeyKind): string | undefined {
  if (key.kind === 'rsa') return key.bits >= 3072 ? undefined : `RSA of ${key.bits} bits is less than 3072`;
  if (key.kind === 'ecdsa')
    return key.curve === 'P-256' || key.curve === 'P-384'
      ? undefined
      : `ECDSA on ${key.curve} is not accepted`;
  return `${key.name} is not accepted: stock OpenSSL 3.0 checks ECDSA and RSA in CMS, not Ed25519`;
}

function issuerFault(issuer: Certificate, below: number, at: number): string | undefined {
  if (!issuer.ca) return `${issuer.subject} is no authority`;
  if (issuer.keyUsage !== undefined && !issuer.keyUsage.certSign)
    return `${issuer.subject} may not sign certificates`;
  if (issuer.pathLength !== undefined && issuer.pathLength < below)
    return `${issuer.subject} allows no such long chain`;
  if (issuer.notUnderstood.length > 0)
    return `${issuer.subject} has constraints that are not understood (${issuer.notUnderstood.join(', ')})`;
  return timeFault(issuer, at);
}

/**
 * A chain from the certificate to a trusted one (itself, where it is trusted). `others` come with the signature and
 * are only a way. `at`: ms since 1970, when all of a chain must hold; one that is itself trusted is so by its bytes alone.
 */
export async function findChain(
  leaf: Certificate,
  {
    others,
    trusted,
    at,
    signedBy,
  }: {
    others: readonly Certificate[];
    trusted: readonly Certificate[];
    at: number;
    signedBy: SignedBy;
  },
): Promise<Chain> {
  const roots = new Set(trusted.map(({ sha256 }) => sha256));
  if (roots.has(leaf.sha256)) return { found: true, chain: [leaf] };
  let reason = `no trusted certificate leads to ${leaf.subject}`;
  const own = leaf.notUnderstood.length > 0 ? 'has constraints that are not understood' : undefined;
  if (own !== undefined) return { found: false, reason: `${leaf.subject} ${own}` };
  const early = timeFault(leaf, at);
  if (early !== undefined) return { found: false, reason: early };
  let checks = 0;
  const walk = async (chain: readonly Certificate[]): Promise<readonly Certificate[] | undefined> => {
    const last = chain.at(-1)!;
    if (roots.has(last.sha256)) return chain;
    if (chain.length >= LONGEST) return undefined;
    // Trusted ones first: a look-alike that comes with the pack cannot shadow the one that is trusted.
    for (const issuer of [...trusted, ...others]) {
      if (issuer.subjectDer !== last.issuerDer || chain.some(({ sha256 }) => sha256 === issuer.sha256))
        continue;
      const fault = issuerFault(issuer, chain.slice(1).filter(one => !isSelfIssued(one)).length, at);
      if (fault !== undefined) {
        reason = fault;
        continue;
      }
      if (++checks > MOST_CHECKS) return undefined;
      if (!(await signedBy(last, issuer))) {
        reason = `${issuer.subject} did not sign ${last.subject}, although that is the name it gives`;
        continue;
      }
      const whole = await walk([...chain, issuer]);
      if (whole !== undefined) return whole;
    }
    return undefined;
  };
  const chain = await walk([leaf]);
  return chain === undefined ? { found: false, reason } : { found: true, chain };
}

/** The extended key usage that a time-stamping certificate must have, alone and critical (RFC 3161, 2.3). */
export const TIME_STAMPING = '1.3.6.1.5.5.7.3.8';

export const isForTimeStampingOnly = ({ extendedKeyUsage: usage }: Certificate): boolean =>
  usage?.critical === true && usage.oids.length === 1 && usage.oids[0] === TIME_STAMPING;
