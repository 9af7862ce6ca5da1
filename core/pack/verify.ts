/**
 * The verifier: an evidence pack in, four verdicts out. Needs no ledger and no network; the host injects hashing,
 * inflating and signature checks, so one core runs in Node and in a browser. Format: docs/spec/pack.md.
 * Rules: nothing is believed because the pack says so; each file is read once as a stream; memory does not grow with
 * the number of events (it does, by a few facts each, with approvals, blobs, sessions and open streams).
 * Throws TrailmixError pack_unreadable where the file is no pack at all; everything else is a finding.
 */
import { TrailmixError } from '../api/errors.ts';
import { hex } from '../proof/bytes.ts';
import { ASIC_SIGNATURE, checkContainer } from './asice.ts';
import { checkSignature, type PackSigner, signerView } from './cms.ts';
import { type DatedRange, datedRanges } from './dated.ts';
import { PackFiles } from './files.ts';
import { Findings, type Verdicts } from './findings.ts';
import { type Given, noCounts, type PackCounts, type VerifyHost } from './host.ts';
import { CHECKSUMS, MANIFEST, type Manifest, parseChecksums, parseManifest } from './manifest.ts';
import { PackVerifier, reading } from './pass.ts';
import { type Place, placesOf } from './places.ts';
import type { PolicyInForce } from './policy_statements.ts';
import type { QueryLine } from './queries.ts';
import type { SinceReport } from './since.ts';
import { type Stamp, Stamps } from './timestamp.ts';
import { type Witnessed, Witnesses } from './witnesses.ts';
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
  signed_by?: PackSigner;
  /** Keys and certificate were compared with what came apart from the pack. */
  trusted: boolean;
};

/** `stamps` and `witnesses`: the good ones. `queries`: what queries.jsonl says, or must say; from the records.
 * `places`: the records that the first failures point at. `dated`: by when those of the scope were there.
 * `policies`: the first 1000 activations that the pack carries, by seq. */
export type PackReport = {
  verdicts: Verdicts;
  places: readonly Place[];
  counts: PackCounts;
  queries: readonly QueryLine[];
  stamps: Stamp[];
  dated: readonly DatedRange[];
  witnesses: Witnessed[];
  policies: readonly PolicyInForce[];
  since?: SinceReport;
  origin?: PackOrigin;
};

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
  const stamps = new Stamps(host.checkTimestamp, given.trust?.tsaRoots, findings);
  const signedBy = await checkSeal(host, files, { checksums, checksumsBytes }, given, stamps, findings);

  const witnesses = new Witnesses(host, given.trust?.witnesses, findings);
  let counts = noCounts();
  let policies: readonly PolicyInForce[] = [];
  let queries: readonly QueryLine[] = [];
  let since: SinceReport | undefined;
  let dated: readonly DatedRange[] = [];
  if (manifest !== undefined) {
    const { size } = manifest.checkpoint;
    const records = new PackVerifier(host, files, manifest, findings);
    counts = await records.run(given);
    policies = records.policiesInForce;
    queries = records.queries;
    since = records.since;
    await stamps.takeAnchors(files, manifest, host.sha256, witnesses);
    await witnesses.takePack(files, size);
    witnesses.finish(size, records.range.last);
    dated = datedRanges(stamps.list, records.range.first, records.range.last);
  }
  stamps.finish(dated);
  if (checksums !== undefined) await files.checkHashes(checksums);
  const verdicts = findings.verdicts();
  const report: PackReport = {
    verdicts,
    places: await placesOf(files, verdicts),
    counts,
    queries,
    stamps: stamps.list,
    dated,
    witnesses: witnesses.list,
    policies,
  };
  if (since !== undefined) report.since = since;
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

type Checksums = {
  checksums: ReadonlyMap<string, string> | undefined;
  checksumsBytes: Uint8Array | undefined;
};

/** What stands around checksums.txt: its signature, the container's, and who dated them. */
async function checkSeal(
  host: VerifyHost,
  files: PackFiles,
  { checksums, checksumsBytes }: Checksums,
  { trust }: Given,
  stamps: Stamps,
  findings: Findings,
): Promise<PackSigner | undefined> {
  const digest = checksumsBytes && host.sha256(checksumsBytes);
  if (digest !== undefined) await stamps.takePack(files, digest);
  const { checkCms } = host;
  const certificates = {
    ...(trust?.certificates === undefined ? {} : { certificates: trust.certificates }),
    ...(trust?.crls === undefined ? {} : { crls: trust.crls }),
  };
  const container =
    checksums &&
    digest &&
    (await checkContainer(
      files,
      {
        checksums,
        sha256: hex(digest),
        // Trust is asked of checksums.p7s; this one must be by the same certificate.
        check: checkCms && ((signature, content) => checkCms(signature, content, {})),
      },
      findings,
    ));
  if (container?.valid === true && container.timestamp !== undefined) {
    const of = { over: 'signature', where: ASIC_SIGNATURE } as const;
    await stamps.take(container.timestamp, host.sha256(container.value), of);
  }
  const { packTime } = stamps;
  const signed = await checkSignature(
    files,
    {
      checksums: checksumsBytes,
      check: checkCms,
      trust: { ...certificates, ...(packTime === undefined ? {} : { at: packTime }) },
      now: host.now?.(),
    },
    findings,
  );
  if (
    container?.valid === true &&
    signed !== undefined &&
    container.certificateSha256 !== signed.certificateSha256
  ) {
    findings.add('asic_signer_differs', ASIC_SIGNATURE);
  }
  return signed && signerView(signed);
}
