/**
 * One pass over the records of a pack, by rising seq, and what follows from it. Memory is a page of lines and a few
 * facts each for approvals, blobs, sessions and open streams. Format: docs/spec/pack.md.
 */
import { TrailmixError } from '../api/errors.ts';
import { equalBytes } from '../proof/bytes.ts';
import type { Checkpoint } from '../proof/checkpoint.ts';
import type { JsonObject } from '../proof/jcs.ts';
import { Approvals } from './approvals.ts';
import { BlobWatch, mayHoldBlobs } from './blobs.ts';
import { checkConsistencyNames, checkKeyFiles, checkSignature, readCheckpoint } from './checkpoint.ts';
import { ScopeCheck } from './completeness.ts';
import { DerivedFiles } from './derived.ts';
import { readEpochs } from './epochs.ts';
import { erasedBy, erasedTypes } from './erasure.ts';
import { ErasureStatements } from './erasure_statements.ts';
import type { PackFiles } from './files.ts';
import type { Findings } from './findings.ts';
import { hmacOf } from './hmac.ts';
import { type Given, noCounts, type PackCounts, type VerifyHost } from './host.ts';
import { KeyChain } from './keys.ts';
import { type Manifest, ManifestError } from './manifest.ts';
import { RecordSource, TreeCheck } from './merge.ts';
import { PolicyWatch, parsePolicies } from './policies.ts';
import { largeMembers, wholeRecord } from './policy_large.ts';
import { type PolicyInForce, PolicyStatements } from './policy_statements.ts';
import { PackQueries, type QueryLine } from './queries.ts';
import { authOf, type ReadRecord, RecordChecker } from './records.ts';
import { ReportCheck } from './report_pdf.ts';
import { type RestoredFrom, restoredFrom } from './restore.ts';
import { Sessions } from './sessions.ts';
import { oneByOne, SignatureQueue } from './signatures.ts';
import { checkSince, type SinceReport } from './since.ts';
import { Streams } from './streams.ts';

/** A file that cannot be read in its one form becomes a finding. */
export function reading<T>(
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

/** Characters of the records behind approvals that are kept in part: a pack with more is refused. */
const APPROVAL_LIMIT = 2 ** 29;
/** Kept of a decision: what a binding repeats, never its payload. */
const DECISION_KEPT = 2048;
/** Kept of a record on a policy. */
const POLICY_KEPT = 512;

/** One pass over the records of a pack, by rising seq, and what follows from it. */
export class PackVerifier {
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
  readonly #statements: PolicyStatements;
  readonly #blobs = new BlobWatch();
  readonly #sessions: Sessions;
  readonly #erasures = new Set<number>();
  readonly #erased: ErasureStatements;
  readonly #extras: { value: JsonObject; where: string }[] = [];
  readonly #derived: DerivedFiles;
  readonly #asked: PackQueries;
  readonly #counts = noCounts();
  #restored: RestoredFrom | undefined;
  #report: ReportCheck | undefined;
  #approvalsHeld = 0;

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
    this.#approvals = new Approvals(host.sha256, hmacOf(host.sha256), {
      ledgerId: manifest.ledger_id,
      tenantId: manifest.tenant_id,
    });
    this.#derived = new DerivedFiles(files, manifest.include, findings);
    this.#sessions = new Sessions(host.sha256);
    this.#asked = new PackQueries(host.sha256Stream, this.#sessions);
    const signing = {
      sha256: host.sha256,
      place: { ledger_id: manifest.ledger_id, tenant_id: manifest.tenant_id },
      people: this.#approvals.people,
      signatures: this.#signatures,
    };
    this.#statements = new PolicyStatements(signing);
    this.#erased = new ErasureStatements(signing);
  }

  /** Activations of policies in the pack, and who stands behind each. */
  get policiesInForce(): readonly PolicyInForce[] {
    return this.#statements.inForce;
  }

  /** What queries.jsonl must say, once `run` is done. */
  queries: readonly QueryLine[] = [];

  /** What was found of the older pack that was given. */
  since: SinceReport | undefined;

  /** Lowest and highest seq of the scope, -1 where it is empty. */
  get range(): { first: number; last: number } {
    return { first: this.#scope.firstSeq, last: this.#scope.lastSeq };
  }

  async run(given: Given): Promise<PackCounts> {
    const { sha256 } = this.#host;
    const findings = this.#findings;
    const files = this.#files;
    const manifest = this.#manifest;
    const checkpoint = await readCheckpoint(files, manifest, findings);
    this.#report = ReportCheck.of(await files.read('summary.pdf'), this.#sessions, findings);
    await this.#records(checkpoint?.checkpoint);
    await this.#signatures.drain();

    const epochs = await readEpochs(this.#host, files, this.#restored, findings);
    if (checkpoint !== undefined) {
      await checkSignature(this.#host, checkpoint, this.#keys, given.trust?.vkeys, findings);
      if (given.since !== undefined) {
        const parts = {
          files,
          checkpoint: checkpoint.checkpoint,
          epochs,
          ownKeys: this.#keys.checkpointKeys.map(({ publicKey }) => publicKey),
          vkeys: given.trust?.vkeys,
        };
        this.since = await checkSince(this.#host, parts, given.since, findings);
      }
    }
    await checkKeyFiles(files, manifest, this.#keys, findings);
    checkConsistencyNames(manifest, epochs, findings);
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
    this.#statements.finish(findings);
    await this.#approvals.finish(
      { ledgerId: manifest.ledger_id, tenantId: manifest.tenant_id },
      this.#host.verifyEd25519,
      findings,
    );
    const signed = this.#statements.isSigned || this.#erased.isSigned;
    this.#approvals.checkRoot(given.trust, signed, findings);
    this.queries = this.#asked.lines(manifest, this.#streams);
    await this.#derived.finish(this.#approvals.lines(), this.queries);
    this.#report?.finish(this.#approvals.told(), findings);
    this.#checkExtras();
    const blobs = manifest.files.filter(({ role }) => role === 'blob');
    await this.#blobs.finish(blobs, async path => (await files.read(path)) ?? new Uint8Array(0), findings);
    const counts = this.#counts;
    counts.sessions = this.#sessions.size;
    counts.evals = this.#derived.evals;
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
      new RecordSource('events', this.#progress(total), findings),
      new RecordSource('extras', this.#files.stream('extras.jsonl'), findings),
      new RecordSource('heads', this.#files.stream('heads.jsonl'), findings),
    ];
    for (const source of sources) await source.advance();
    for (let count = 1; ; count++) {
      let next: RecordSource | undefined;
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
    const hidden = record.role === 'erased' || record.role === 'withheld';
    if (file === 'events' || hidden) this.#asked.seen(head.seq);
    if (record.bodyJcs === undefined) {
      if (file === 'extras') findings.add('body_missing', where);
      if (hidden) {
        this.#approvals.hide(head.event_type);
        this.#statements.hide(head.event_type);
      }
      if (record.role === 'erased') this.#erased.gone(head.seq, record.seal.hash_self);
      return undefined;
    }
    const inScope = file === 'events';
    if (this.#restored === undefined && (head.seq === 0 || head.event_type === 'restore.accepted')) {
      this.#restored = restoredFrom(value);
      if (this.#restored !== undefined) findings.add('restored', where, this.#restored.detail);
    }
    if (mayHoldBlobs(line)) this.#blobs.take(value, where, findings);
    this.#hold(value, line);
    this.#approvals.take(value, inScope, where, findings);
    this.#erased.take(value, where, findings);
    if (inScope) {
      this.#counts.events++;
      this.#report?.figures.take(value);
      if (authOf(value) === 'none') {
        this.#counts.unverified++;
        findings.add('unkeyed_events', where);
      }
      this.#asked.take(value, this.#streams.take(value, where, findings));
    } else this.#extra(value, where, head.seq);
    const large = largeMembers(value);
    if (large.length > 0) return this.#largePolicy(value, large, inScope, where);
    this.#policies.take(value, inScope, where, findings);
    this.#statements.take(value, inScope, where, findings);
    return inScope ? this.#derived.take(value) : undefined;
  }

  #hold(value: JsonObject, line: string): void {
    const type = String(value.event_type);
    if (type === 'decision.recorded') this.#approvalsHeld += Math.min(line.length, DECISION_KEPT);
    else if (type.startsWith('policy.')) this.#approvalsHeld += Math.min(line.length, POLICY_KEPT);
    else if (/^(?:approval|intent|outcome)\./.test(type)) this.#approvalsHeld += line.length;
    if (this.#approvalsHeld > (this.#host.approvalLimit ?? APPROVAL_LIMIT)) {
      throw new TrailmixError('pack_unreadable', {
        message: 'The pack holds more approvals than this verifier keeps',
      });
    }
  }

  /** A record on a policy that is too large: its members are read where they lie. */
  async #largePolicy(
    value: JsonObject,
    large: readonly string[],
    inScope: boolean,
    where: string,
  ): Promise<void> {
    const read = (sha256: string) => this.#files.read(`blobs/${sha256}`);
    const { record, unread } = await wholeRecord(value, large, read);
    if (unread.includes('policy')) this.#findings.add('policy_unrecorded', where, 'Its blob cannot be read.');
    this.#policies.take(record, inScope, where, this.#findings);
    this.#statements.take(record, inScope, where, this.#findings);
  }

  #extra(value: JsonObject, where: string, seq: number): void {
    const type = String(value.event_type);
    if (type === 'outcome.recorded') this.#asked.outcome(value);
    if (type.startsWith('erasure.')) {
      for (const erased of erasedBy(value)) if (erased < seq) this.#erasures.add(erased);
      for (const hidden of erasedTypes(value)) this.#approvals.hide(hidden);
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
