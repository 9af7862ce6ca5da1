/**
 * The pack as an ASiC-E container (ETSI EN 319 162-1): mimetype first and stored, one ASiCManifest over every file that
 * checksums.txt covers and over checksums.txt, and its CAdES signature. Format: docs/spec/pack.md, "Container".
 * Rules: the manifest has exactly one text for given checksums, so checking is writing it again and comparing.
 */
import { base64, equalBytes, fromHex, utf8 } from '../proof/bytes.ts';
import type { CheckCms, CmsResult } from './cms.ts';
import type { PackFiles } from './files.ts';
import type { Findings } from './findings.ts';
import { byPath, CHECKSUMS } from './manifest.ts';

export const MIMETYPE = 'mimetype';
export const MIMETYPE_TEXT = 'application/vnd.etsi.asic-e+zip';
export const ASIC_MANIFEST = 'META-INF/ASiCManifest001.xml';
export const ASIC_SIGNATURE = 'META-INF/signature001.p7s';

const CONTAINER = [MIMETYPE, ASIC_MANIFEST, ASIC_SIGNATURE] as const;
const SIGNATURE_LIMIT = 2 ** 20;

/** `files`: what checksums.txt names, and checksums.txt itself. A path needs no escaping (docs/spec/pack.md, "Zip"). */
export function asicManifestText(
  files: readonly { readonly path: string; readonly sha256: string }[],
): string {
  const references = [...files]
    .sort(byPath)
    .map(
      ({ path, sha256 }) =>
        `<asic:DataObjectReference URI="${path}">` +
        '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>' +
        `<ds:DigestValue>${base64(fromHex(sha256))}</ds:DigestValue></asic:DataObjectReference>\n`,
    );
  return (
    '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n' +
    '<asic:ASiCManifest xmlns:asic="http://uri.etsi.org/02918/v1.2.1#" xmlns:ds="http://www.w3.org/2000/09/xmldsig#">\n' +
    `<asic:SigReference URI="${ASIC_SIGNATURE}" MimeType="application/pkcs7-signature"/>\n` +
    `${references.join('')}</asic:ASiCManifest>\n`
  );
}

/**
 * Checks the container around checksums.txt; packs made before it (without any of its three files) have nothing to check.
 * Answers what the host says about the CAdES signature, where there is one.
 */
export async function checkContainer(
  files: PackFiles,
  {
    checksums,
    sha256,
    check,
  }: {
    /** What checksums.txt names. */
    checksums: ReadonlyMap<string, string>;
    /** Hex SHA-256 of checksums.txt. */
    sha256: string;
    /** Absent where the host reads no CMS. */
    check: ((signature: Uint8Array, content: Uint8Array) => ReturnType<CheckCms>) | undefined;
  },
  findings: Findings,
): Promise<CmsResult | undefined> {
  const present = CONTAINER.filter(path => files.has(path));
  if (present.length === 0) return undefined;
  for (const path of CONTAINER) if (!files.has(path)) findings.add('container_incomplete', path);
  const mimetype = await files.read(MIMETYPE, 256);
  if (mimetype !== undefined && !(files.standsFirst(MIMETYPE) && equalBytes(mimetype, utf8(MIMETYPE_TEXT)))) {
    findings.add('mimetype_wrong', MIMETYPE);
  }
  const manifest = await files.read(ASIC_MANIFEST);
  const signature = await files.read(ASIC_SIGNATURE, SIGNATURE_LIMIT);
  if (manifest !== undefined) {
    const rows = [...checksums].map(([path, digest]) => ({ path, sha256: digest }));
    const expected = asicManifestText([...rows, { path: CHECKSUMS, sha256 }]);
    if (!equalBytes(manifest, utf8(expected))) findings.add('asic_manifest_wrong', ASIC_MANIFEST);
  }
  if (manifest === undefined || signature === undefined) return undefined;
  if (check === undefined) {
    findings.add('cms_unchecked', ASIC_SIGNATURE);
    return undefined;
  }
  const result = await check(signature, manifest);
  if (!result.valid) findings.add('asic_signature_wrong', ASIC_SIGNATURE, `${result.reason}.`);
  return result;
}
