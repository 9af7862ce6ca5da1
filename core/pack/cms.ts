/** What a host that can read CMS tells the verifier about META-INF/checksums.p7s. core itself reads no ASN.1. */

export type CmsResult =
  | { readonly valid: false; readonly reason: string }
  | {
      readonly valid: true;
      /** As a person reads it: `CN=..., O=...`. */
      readonly subject: string;
      /** Hex SHA-256 of the certificate's DER. */
      readonly certificateSha256: string;
      /** Issuer and subject are the same key. */
      readonly selfMade: boolean;
      /** Whether it is one of the trusted certificates; undefined where none were given. */
      readonly trusted: boolean | undefined;
    };

/** Checks a detached signature (DER) over the content. `trusted`: PEM certificates from outside the pack. */
export type CheckCms = (
  signature: Uint8Array,
  content: Uint8Array,
  trusted: string | undefined,
) => Promise<CmsResult>;
