/**
 * The verifier: an evidence pack in, four verdicts out. Needs no ledger and no network; the host injects hashing,
 * inflating and signature checks, so one core runs in Node and in a browser. Format: docs/spec/pack.md.
 * Rules: nothing is believed because the pack says so; each file is read once as a stream; memory does not grow with
 * the number of events (it does, by a few facts each, with approvals, blobs, sessions and open streams).
 * Throws TrailmixError pack_unreadable where the file is no pack at all; everything else is a finding.
 */
import { TrailmixError } from '../api/errors.ts';
import { isBlobRef } from '../proof/blob.ts';
import { equalBytes, fromUtf8, hex } from '../proof/bytes.ts';
import type { Checkpoint } from '../proof/checkpoint.ts';
import type { Sha256, VerifyEd25519 } from '../proof/hash.ts';
import type { JsonObject } from '../proof/jcs.ts';
import { MultiproofMerge, parseMultiproofHeader, parseMultiproofLine } from '../proof/multiproof.ts';
import { recordLeaf } from '../proof/tree.ts';
import { type ApprovalCounts, Approvals } from './approvals.ts';
import { BlobWatch, mayHoldBlobs } from './blobs.ts';
import {
  checkConsistencyNames,
  checkKeyFiles,
  checkSignature,
  checkSince,
  readCheckpoint,
  type Since,
} from './checkpoint.ts';
import type { CheckCms } from './cms.ts';
import { ScopeCheck } from './completeness.ts';
import { evalCount, evalLines } from './evals.ts';
import { PackFiles, type Sha256Stream } from './files.ts';
import { Findings, type Verdicts } from './findings.ts';
import { hmacOf } from './hmac.ts';
import { KeyChain } from './keys.ts';
import { LineCursor, LineError } from './lines.ts';
import {
  CHECKSUMS,
  CMS,
  MANIFEST,
  type Manifest,
  ManifestError,
  parseChecksums,
  parseManifest,
  UNCOVERED,
} from './manifest.ts';
import { PolicyWatch, parsePolicies } from './policies.ts';
import {
  authOf,
  type ReadRecord,
  RecordChecker,
  RecordError,
  readHeadLine,
  readRecordLine,
} from './records.ts';
import { oneByOne, SignatureQueue, type VerifyBatch } from './signatures.ts';
import { Streams } from './streams.ts';
import { type Crc32, type InflateRaw, openZip, type RandomAccess, type ZipLimits } from './zip.ts';

export type VerifyHost = {
  readonly sha256: Sha256;
  readonly sha256Stream: Sha256Stream;
  readonly verifyEd25519: VerifyEd25519;
  readonly inflateRaw: InflateRaw;
  /** Faster ways for the same, where the host has them. */
  readonly verifyBatch?: VerifyBatch;
  readonly crc32?: Crc32;
  /** Absent where the host reads no CMS (a browser): the verdict then says that it was not checked. */
  readonly checkCms?: CheckCms;
  readonly limits?: Partial<ZipLimits>;
  /** Bytes of events.jsonl read so far, of how many. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: { readonly aborted: boolean };
};

/** What the verifier was given apart from the pack. */
export type Trust = {
  /** C2SP vkeys of checkpoint keys. */
  readonly vkeys: readonly string[];
  /** PEM certificates that may sign packs. */
  readonly certificates?: string;
};

export type PackCounts = {
  events: number;
  sessions: number;
  decisions: { allow: number; deny: number; approve: number; failed: number };
  approvals: ApprovalCounts;
  evals: number;
  blobs: number;
  unverified: number;
};

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

const noCounts = (): PackCounts => ({
  events: 0,
  sessions: 0,
  decisions: { allow: 0, deny: 0, approve: 0, failed: 0 },
  approvals: { approved: 0, denied: 0, expired: 0, waiting: 0, consumed: 0 },
  evals: 0,
  blobs: 0,
  unverified: 0,
});

/** Verifies a pack. Throws pack_unreadable. */
export async function verifyPack(
  source: RandomAccess,
  host: VerifyHost,
  given: { readonly trust?: Trust; readonly since?: Since } = {},
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

function reading<T>(
  findings: Findings,
  code: 'checksums_form' | 'manifest_form' | 'policy_form',
  where: string,
  read: () => T | undefined,
): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    findings.add(code, where, `${error.message}.`);
    return undefined;
  }
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

const EMPTY_FILES = ['replays.jsonl', 'queries.jsonl', 'disclosures.jsonl'] as const;

/** One pass over the records of a pack, by rising seq, and what follows from it. */
class PackVerifier {
  readonly #host: VerifyHost;
  readonly #files: PackFiles;
  readonly #manifest: Manifest;
  readonly #findings: Findings;
  readonly #signatures: SignatureQueue;
  readonly #keys: KeyChain;
  readonly #checker: RecordChecker;
  readonly #scope: ScopeCheck;
  readonly #streams = new Streams();
  readonly #approvals: Approvals;
  readonly #policies = new PolicyWatch();
  readonly #blobs = new BlobWatch();
  readonly #sessions = new Set<string>();
  readonly #erasures = new Set<number>();
  readonly #extras: { value: JsonObject; where: string }[] = [];
  readonly #evals: LineCursor;
  readonly #counts = noCounts();

  constructor(host: VerifyHost, files: PackFiles, manifest: Manifest, findings: Findings) {
    this.#host = host;
    this.#files = files;
    this.#manifest = manifest;
    this.#findings = findings;
    this.#signatures = new SignatureQueue(host.verifyBatch ?? oneByOne(host.verifyEd25519), findings);
    this.#keys = new KeyChain(host.sha256, findings, this.#signatures);
    this.#checker = new RecordChecker({
      sha256: host.sha256,
      findings,
      keys: this.#keys,
      signatures: this.#signatures,
      ledgerId: manifest.ledger_id,
      tenantId: manifest.tenant_id,
    });
    this.#scope = new ScopeCheck(manifest);
    this.#approvals = new Approvals(host.sha256, hmacOf(host.sha256));
    this.#evals = new LineCursor('evals.jsonl', files.stream('evals.jsonl'));
  }

  async run(given: { readonly trust?: Trust; readonly since?: Since }): Promise<PackCounts> {
    const { sha256 } = this.#host;
    const findings = this.#findings;
    const files = this.#files;
    const manifest = this.#manifest;
    const checkpoint = await readCheckpoint(files, manifest, findings);
    await this.#records(checkpoint?.checkpoint);
    await this.#signatures.drain();

    if (checkpoint !== undefined) {
      await checkSignature(this.#host, checkpoint, this.#keys, given.trust?.vkeys, findings);
      if (given.since !== undefined) {
        await checkSince(this.#host, files, checkpoint.checkpoint, given.since, findings);
      }
    }
    await checkKeyFiles(files, manifest, this.#keys, findings);
    checkConsistencyNames(manifest, findings);
    this.#scope.finish(this.#erasures, findings);
    const edges = {
      before: this.#scope.hasBefore,
      after: this.#scope.hasAfter,
      hidden: this.#scope.hidden > 0,
    };
    this.#streams.finish(edges, findings);
    const policiesBytes = await files.read('policies.json');
    const policies = reading(
      findings,
      'policy_form',
      'policies.json',
      () => policiesBytes && parsePolicies(policiesBytes),
    );
    this.#policies.finish(sha256, policies ?? [], manifest, findings);
    this.#approvals.finish({ ledgerId: manifest.ledger_id, tenantId: manifest.tenant_id }, findings);
    await this.#derived();
    this.#checkExtras();
    const blobs = manifest.files.filter(({ role }) => role === 'blob');
    await this.#blobs.finish(blobs, async path => (await files.read(path)) ?? new Uint8Array(0), findings);
    const counts = this.#counts;
    counts.sessions = this.#sessions.size;
    counts.blobs = blobs.length;
    counts.decisions = { ...this.#approvals.decisions };
    counts.approvals = this.#approvals.counts();
    return counts;
  }

  /** Merges events, extras, heads and proof by seq. */
  async #records(checkpoint: Checkpoint | undefined): Promise<void> {
    const { sha256, onProgress, signal } = this.#host;
    const findings = this.#findings;
    const tree = new TreeCheck(sha256, this.#files, this.#manifest.checkpoint.size, findings);
    await tree.start();
    const total = this.#files.bytes('events.jsonl');
    const sources = [
      new Source('events', this.#progress(total), findings),
      new Source('extras', this.#files.stream('extras.jsonl'), findings),
      new Source('heads', this.#files.stream('heads.jsonl'), findings),
    ];
    for (const source of sources) await source.advance();
    for (let count = 1; ; count++) {
      let next: Source | undefined;
      for (const source of sources) {
        if (
          source.record !== undefined &&
          (next?.record === undefined || source.record.head.seq < next.record.head.seq)
        ) {
          next = source;
        }
      }
      const record = next?.record;
      if (next === undefined || record === undefined) break;
      const step = tree.leaf(record);
      if (step !== undefined) await step;
      const taken = this.#take(record, next.line);
      if (taken !== undefined) await taken;
      if (this.#signatures.full) await this.#signatures.room();
      if (!next.advanceNow()) await next.advance();
      if (count % 4096 === 0 && signal?.aborted === true)
        throw new TrailmixError('export_cancelled', { message: 'The check was cancelled' });
    }
    onProgress?.(total, total);
    const root = await tree.root();
    if (root !== undefined && checkpoint !== undefined && !equalBytes(root, checkpoint.root)) {
      findings.add('root_wrong', 'proofs/multiproof.jsonl');
    }
    if (
      this.#manifest.checkpoint.size > 0 &&
      this.#keys.all.length === 0 &&
      findings.count('keys_missing') === 0
    ) {
      findings.add('keys_missing', 'extras.jsonl');
    }
  }

  async *#progress(total: number): AsyncGenerator<Uint8Array, void> {
    let done = 0;
    for await (const chunk of this.#files.stream('events.jsonl')) {
      done += chunk.length;
      this.#host.onProgress?.(done, total);
      yield chunk;
    }
  }

  #take(record: ReadRecord, line: string): Promise<void> | undefined {
    const findings = this.#findings;
    const { value, where, file, head } = record;
    this.#checker.check(record);
    this.#scope.take(record, findings);
    if (record.bodyJcs === undefined) {
      if (file === 'extras') findings.add('body_missing', where);
      return undefined;
    }
    const inScope = file === 'events';
    if (mayHoldBlobs(line)) this.#blobs.take(value, where, findings);
    this.#approvals.take(value, inScope, where, findings);
    if (inScope) {
      this.#counts.events++;
      if (typeof value.session_id === 'string') this.#sessions.add(value.session_id);
      if (authOf(value) === 'none') {
        this.#counts.unverified++;
        findings.add('unkeyed_events', where);
      }
      this.#streams.take(value, where, findings);
    } else this.#extra(value, where, head.seq);
    if (head.event_type === 'policy.activated' && isBlobRef(value.policy)) {
      return this.#activation(value, value.policy.$blob.sha256, inScope, where);
    }
    this.#policies.take(value, inScope, where, findings);
    const evals = inScope && this.#manifest.include.includes('evals') ? evalCount(value) : 0;
    return evals > 0 ? this.#compareEvals(value) : undefined;
  }

  /** A policy too large for its record. */
  async #activation(value: JsonObject, sha256: string, inScope: boolean, where: string): Promise<void> {
    const bytes = await this.#files.read(`blobs/${sha256}`);
    let policy: JsonObject = {};
    try {
      policy = JSON.parse(fromUtf8(bytes ?? new Uint8Array(0))) as JsonObject;
    } catch {
      this.#findings.add('policy_unrecorded', where, 'Its blob cannot be read.');
    }
    this.#policies.take({ ...value, policy }, inScope, where, this.#findings);
  }

  #extra(value: JsonObject, where: string, seq: number): void {
    const type = String(value.event_type);
    const erased = (value.erasure as JsonObject | undefined)?.seq;
    if (type.startsWith('erasure.') && typeof erased === 'number' && erased < seq) this.#erasures.add(erased);
    if (
      type === 'ledger.restored' ||
      type === 'restore.accepted' ||
      (seq === 0 && value.restored !== undefined)
    ) {
      this.#findings.add('restored', where);
    }
    if (/^(?:decision|approval|intent|outcome)\./.test(type))
      this.#extras.push({ value: extraIdentity(value), where });
    else if (!/^(?:erasure|ledger|key|policy|person|restore)\./.test(type))
      this.#findings.add('extra_unknown', where, `${type}.`);
  }

  /** Those of the gate must stand behind an approval in scope: known only when all have passed. */
  #checkExtras(): void {
    for (const { value, where } of this.#extras) {
      if (!this.#approvals.calledFor(value)) this.#findings.add('extra_unknown', where);
    }
  }

  async #compareEvals(value: JsonObject): Promise<void> {
    for (const expected of evalLines(value)) {
      this.#counts.evals++;
      const line = await nextLine(this.#evals);
      if (line !== expected && this.#findings.count('derived_wrong') < 20) {
        this.#findings.add('derived_wrong', `evals.jsonl:${this.#evals.line}`);
      }
    }
  }

  async #derived(): Promise<void> {
    const findings = this.#findings;
    if ((await nextLine(this.#evals)) !== undefined) {
      findings.add('derived_wrong', `evals.jsonl:${this.#evals.line}`, 'A line too many.');
    }
    const cursor = new LineCursor('approvals.jsonl', this.#files.stream('approvals.jsonl'));
    if (this.#manifest.include.includes('approvals')) {
      for (const expected of this.#approvals.lines()) {
        if (`${await nextLine(cursor)}\n` !== expected) {
          findings.add('derived_wrong', `approvals.jsonl:${cursor.line}`);
          break;
        }
      }
    }
    if (findings.count('derived_wrong') === 0 && (await nextLine(cursor)) !== undefined) {
      findings.add('derived_wrong', `approvals.jsonl:${cursor.line}`, 'A line too many.');
    }
    for (const path of EMPTY_FILES)
      if (this.#files.bytes(path) > 0) findings.add('derived_wrong', path, 'It should be empty.');
  }
}

/** What `calledFor` needs of an extra record; the rest of it is not kept. */
const extraIdentity = ({ approval, intent, decision, outcome }: JsonObject): JsonObject => {
  const pick = (value: unknown, name: string): JsonObject => {
    const found = typeof value === 'object' && value !== null ? (value as JsonObject)[name] : undefined;
    return typeof found === 'string' ? { [name]: found } : {};
  };
  return {
    approval: pick(approval, 'id'),
    intent: pick(intent, 'approval_id'),
    decision: pick(decision, 'approval_id'),
    outcome: pick(outcome, 'intent_id'),
  };
};

/** A bad line of a derived file reads as one that no record could give. */
async function nextLine(cursor: LineCursor): Promise<string | undefined> {
  try {
    let line = cursor.next();
    while (line === undefined && (await cursor.fill())) line = cursor.next();
    return line;
  } catch (error) {
    if (error instanceof LineError) return '';
    throw error;
  }
}

/** One file of records: its current one, and the next. Lines that are no records become findings and are passed over. */
class Source {
  record: ReadRecord | undefined;
  line = '';
  readonly #file: 'events' | 'extras' | 'heads';
  readonly #cursor: LineCursor;
  readonly #findings: Findings;

  constructor(file: 'events' | 'extras' | 'heads', chunks: AsyncIterable<Uint8Array>, findings: Findings) {
    this.#file = file;
    this.#cursor = new LineCursor(`${file}.jsonl`, chunks);
    this.#findings = findings;
  }

  /** Takes the next record of the lines at hand; false where more must be read. */
  advanceNow(): boolean {
    for (let line = this.#cursor.next(); line !== undefined; line = this.#cursor.next()) {
      const where = `${this.#cursor.path}:${this.#cursor.line}`;
      try {
        this.record =
          this.#file === 'heads' ? readHeadLine(line, where) : readRecordLine(line, this.#file, where);
        this.line = line;
        return true;
      } catch (error) {
        if (!(error instanceof RecordError)) throw error;
        this.#findings.add(error.code, where, error.message);
      }
    }
    this.record = undefined;
    return false;
  }

  async advance(): Promise<void> {
    try {
      while (await this.#cursor.fill()) if (this.advanceNow()) return;
    } catch (error) {
      if (!(error instanceof LineError)) throw error;
      this.#findings.add('line_form', `${this.#cursor.path}:${error.line}`, `${error.message}.`);
    }
    this.record = undefined;
  }
}

/** Merges leaves and multiproof.jsonl into the root. The first fault ends it. */
class TreeCheck {
  readonly #sha256: Sha256;
  readonly #cursor: LineCursor;
  readonly #size: number;
  readonly #findings: Findings;
  #merge: MultiproofMerge | undefined;
  #node: ReturnType<typeof parseMultiproofLine> | undefined;
  #first = 0;

  constructor(sha256: Sha256, files: PackFiles, size: number, findings: Findings) {
    this.#sha256 = sha256;
    this.#size = size;
    this.#findings = findings;
    this.#cursor = new LineCursor('proofs/multiproof.jsonl', files.stream('proofs/multiproof.jsonl'));
  }

  async start(): Promise<void> {
    try {
      const header = await this.#line();
      const size = parseMultiproofHeader(header ?? '');
      if (size !== this.#size) throw new Error(`it is for ${size} leaves, not ${this.#size}`);
      this.#merge = new MultiproofMerge(this.#sha256, size);
      await this.#next();
    } catch (error) {
      this.#fault(error);
    }
  }

  /** A promise only where proof lines come before this leaf. */
  leaf({ head, seal, where }: ReadRecord): Promise<void> | undefined {
    if (head.seq >= this.#size) {
      this.#findings.add('beyond_checkpoint', where);
      return undefined;
    }
    if (this.#merge === undefined) return undefined;
    if (this.#node !== undefined && this.#first < head.seq)
      return this.#nodesThenLeaf(head.seq, seal.hash_self);
    try {
      this.#merge.leaf(head.seq, recordLeaf(this.#sha256, seal.hash_self));
    } catch (error) {
      this.#fault(error);
    }
    return undefined;
  }

  async root(): Promise<Uint8Array | undefined> {
    try {
      while (this.#merge !== undefined && this.#node !== undefined) await this.#push();
      return this.#merge?.root();
    } catch (error) {
      this.#fault(error);
      return undefined;
    }
  }

  async #nodesThenLeaf(seq: number, hashSelf: string): Promise<void> {
    try {
      while (this.#node !== undefined && this.#first < seq) await this.#push();
      this.#merge?.leaf(seq, recordLeaf(this.#sha256, hashSelf));
    } catch (error) {
      this.#fault(error);
    }
  }

  async #push(): Promise<void> {
    const { node, hash } = this.#node!;
    this.#merge?.node(node, hash);
    await this.#next();
  }

  async #next(): Promise<void> {
    const line = await this.#line();
    this.#node = line === undefined ? undefined : parseMultiproofLine(line);
    if (this.#node !== undefined) this.#first = this.#node.node.index * 2 ** this.#node.node.level;
  }

  async #line(): Promise<string | undefined> {
    let line = this.#cursor.next();
    while (line === undefined && (await this.#cursor.fill())) line = this.#cursor.next();
    return line;
  }

  #fault(error: unknown): void {
    this.#merge = undefined;
    this.#findings.add(
      'proof_wrong',
      `proofs/multiproof.jsonl:${this.#cursor.line}`,
      `${(error as Error).message}.`,
    );
  }
}
