/**
 * The verifier: an evidence pack in, four verdicts out. Needs no ledger and no network; the host injects hashing,
 * inflating and signature checks, so one core runs in Node and in a browser. Format: docs/spec/pack.md.
 * Rules: nothing is believed because the pack says so; each file is read once as a stream; memory does not grow with
 * the number of events (it does, by a few facts each, with approvals, blobs, sessions and open streams).
 * Throws TrailmixError pack_unreadable where the file is no pack at all; everything else is a finding.
 */
import { TrailmixError } from '../api/errors.ts';
import { fromUtf8, hex } from '../proof/bytes.ts';
import { PackFiles } from './files.ts';
import { Findings, type Verdicts } from './findings.ts';
import { type Given, noCounts, type PackCounts, type Trust, type VerifyHost } from './host.ts';
import {
  CHECKSUMS,
  CMS,
  MANIFEST,
  type Manifest,
  parseChecksums,
  parseManifest,
  UNCOVERED,
} from './manifest.ts';
import { PackVerifier, reading } from './pass.ts';
import { openZip, type RandomAccess } from './zip.ts';

export type { Trust, VerifyHost } from './host.ts';

/** Whose pack it says it is, and how far that was checked. */
export type PackOrigin = {
  ledger_id: string;
  tenant_id: string;
  app_id: string;
  scope: Manifest['scope'];
  checkpoint: { size: number; root: string };
  /** Hex SHA-256 of checksums.txt. */
  pack_id: string;
  signed_by?: { subject: string; certificate_sha256: string; self_made: boolean };
  /** Keys and certificate were compared with what came apart from the pack. */
  trusted: boolean;
};

export type PackReport = { verdicts: Verdicts; counts: PackCounts; origin?: PackOrigin };

/** Verifies a pack. Throws pack_unreadable. */
export async function verifyPack(
  source: RandomAccess,
  host: VerifyHost,
  given: Given = {},
): Promise<PackReport> {
  const findings = new Findings();
  const zip = await openZip(source, host.inflateRaw, {
    ...(host.limits === undefined ? {} : { limits: host.limits }),
    ...(host.crc32 === undefined ? {} : { crc32: host.crc32 }),
  });
  const files = new PackFiles(zip, host.sha256Stream, findings);
  const checksumsBytes = await files.read(CHECKSUMS);
  const manifestBytes = await files.read(MANIFEST);
  if (!files.has(CHECKSUMS) || !files.has(MANIFEST)) {
    throw new TrailmixError('pack_unreadable', {
      where: files.has(CHECKSUMS) ? MANIFEST : CHECKSUMS,
      message: `Not an evidence pack: ${files.has(CHECKSUMS) ? MANIFEST : CHECKSUMS} is missing`,
    });
  }
  const checksums = reading(
    findings,
    'checksums_form',
    CHECKSUMS,
    () => checksumsBytes && parseChecksums(checksumsBytes),
  );
  const manifest = reading(
    findings,
    'manifest_form',
    MANIFEST,
    () => manifestBytes && parseManifest(manifestBytes),
  );
  files.checkNames(manifest, checksums ?? new Map());
  const signedBy = await checkCms(host, files, checksumsBytes, given.trust, findings);
  findings.add(files.has('META-INF/checksums.tsr') ? 'timestamp_unchecked' : 'time_not_shown', 'META-INF');

  let counts = noCounts();
  if (manifest !== undefined) {
    counts = await new PackVerifier(host, files, manifest, findings).run(given);
  }
  if (checksums !== undefined) await files.checkHashes(checksums);
  const report: PackReport = { verdicts: findings.verdicts(), counts };
  if (manifest !== undefined && checksumsBytes !== undefined) {
    const { ledger_id, tenant_id, app_id, scope, checkpoint } = manifest;
    report.origin = {
      ledger_id,
      tenant_id,
      app_id,
      scope,
      checkpoint,
      pack_id: hex(host.sha256(checksumsBytes)),
      ...(signedBy === undefined ? {} : { signed_by: signedBy }),
      trusted: given.trust !== undefined && report.verdicts.integrity.result === 'pass',
    };
  }
  return report;
}

async function checkCms(
  host: VerifyHost,
  files: PackFiles,
  checksums: Uint8Array | undefined,
  trust: Trust | undefined,
  findings: Findings,
): Promise<PackOrigin['signed_by']> {
  for (const path of files.paths) {
    if (UNCOVERED.has(path) && path !== CMS && path !== 'mimetype') findings.add('meta_unchecked', path);
  }
  const mimetype = await files.read('mimetype', 256);
  if (mimetype !== undefined && fromUtf8(mimetype) !== 'application/vnd.etsi.asic-e+zip') {
    findings.add('file_role_wrong', 'mimetype');
  }
  if (host.checkCms === undefined) {
    findings.add('cms_unchecked', CMS);
    findings.add('signer_unknown', CMS);
    return undefined;
  }
  const signature = await files.read(CMS, 2 ** 20);
  if (signature === undefined || checksums === undefined) {
    findings.add('cms_missing', CMS);
    return undefined;
  }
  const result = await host.checkCms(signature, checksums, trust?.certificates);
  if (!result.valid) {
    findings.add('cms_invalid', CMS, `${result.reason}.`);
    return undefined;
  }
  if (result.trusted === undefined) findings.add('signer_untrusted', CMS);
  else if (!result.trusted) findings.add('cms_signer_wrong', CMS);
  if (result.selfMade) findings.add('certificate_self_made', CMS, `${result.subject}.`);
  return {
    subject: result.subject,
    certificate_sha256: result.certificateSha256,
    self_made: result.selfMade,
  };
}
