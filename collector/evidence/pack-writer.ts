/**
 * Writes one evidence pack from a source into an open file: the tree of docs/spec/pack.md, each file streamed once.
 * Rules: nothing but the zip is written; memory is a page of records and a few numbers each for approvals, blobs,
 * evals and ranges; equal scope and checkpoint give an equal checksums.txt.
 */
import type { FileHandle } from 'node:fs/promises';
import { TrailmixError } from '../../core/api/errors.ts';
import type { CheckpointView, RecordView } from '../../core/api/views.ts';
import { Approvals } from '../../core/pack/approvals.ts';
import { blobRefs, JCS_BLOB_LIMIT, mayHoldBlobs } from '../../core/pack/blobs.ts';
import { checkpointParts, consistencyText } from '../../core/pack/checkpoint.ts';
import { evalCount, evalLines } from '../../core/pack/evals.ts';
import { hmacOf } from '../../core/pack/hmac.ts';
import { publicKeyPem } from '../../core/pack/keys.ts';
import {
  byPath,
  CHECKSUMS,
  CMS,
  checksumsText,
  MANIFEST,
  type Manifest,
  roleOf,
} from '../../core/pack/manifest.ts';
import { type PackPolicy, policyFile } from '../../core/pack/policies.ts';
import { restoredFrom } from '../../core/pack/restore.ts';
import { JCS_BLOB_TYPE } from '../../core/proof/blob.ts';
import { fromBase64, fromUtf8, hex, utf8 } from '../../core/proof/bytes.ts';
import { keyId } from '../../core/proof/hash.ts';
import { type JsonObject, type JsonValue, jcs } from '../../core/proof/jcs.ts';
import { multiproofHeader, multiproofLine, multiproofNodes, nodePlan } from '../../core/proof/multiproof.ts';
import { parseNote } from '../../core/proof/note.ts';
import { headOf } from '../../core/proof/record.ts';
import { consistencyPlan, type NodeId, proofOfPlan } from '../../core/proof/tree.ts';
import type { ScopeRange } from '../ports.ts';
import { signCms } from './cms.ts';
import { readmeText } from './readme.ts';
import type { ReportFacts } from './report/facts.ts';
import { approvalRows, ReportTally } from './report/tally.ts';
import { SeqRanges } from './seqs.ts';
import type { PackSource, PolicyVersion } from './source.ts';
import { sha256 } from './verifier-host.ts';
import type { Window } from './window.ts';
import { type Written, ZipWriter } from './zip-writer.ts';

export type PackPlan = {
  readonly window: Window;
  readonly scope: ScopeRange;
  readonly checkpoint: CheckpointView;
  /** Label of the custody of the ledger's keys, for the summary. */
  readonly custody: string;
  readonly signer: { privateKeyPem: string; certificatePem: string };
  /** Signing time that the CMS claims. */
  readonly at: Date;
  readonly version: string;
  /** Makes summary.pdf, off this thread. */
  readonly report: (facts: ReportFacts) => Promise<Uint8Array>;
};

export type PackProgress = (at: { step: string; done: number; total: number }) => void;

/** Records at once: about ten milliseconds of this thread, between which ingest goes on. */
const PAGE = 200;
/** More bytes than a line of events.jsonl can have: record and seal. */
const LINE_AT_MOST = 68_000;
const NODES_AT_ONCE = 256;

/** Answers pack_id, size of the file and number of events. Rejects when the signal is aborted. */
export async function writePack(
  source: PackSource,
  plan: PackPlan,
  file: FileHandle,
  signal: AbortSignal | undefined,
  progress: PackProgress,
): Promise<{ packId: string; bytes: number; events: number }> {
  return new PackWriter(source, plan, new ZipWriter(file, signal), progress).write();
}

class PackWriter {
  readonly #source: PackSource;
  readonly #plan: PackPlan;
  readonly #zip: ZipWriter;
  readonly #progress: PackProgress;
  readonly #written: Written[] = [];
  readonly #seqs = new SeqRanges();
  readonly #approvals = new Approvals(sha256, hmacOf(sha256));
  readonly #blobs = new Map<string, string>();
  /** Seqs of records with evals: their file is written after events.jsonl. */
  readonly #evals: number[] = [];
  readonly #erased: RecordView[] = [];
  /** Key records inside the scope: only where the pack is of the ledger's own records. */
  readonly #keyRecords: RecordView[] = [];
  readonly #policyHashes = new Set<string>();
  readonly #tally: ReportTally;
  #events = 0;

  constructor(source: PackSource, plan: PackPlan, zip: ZipWriter, progress: PackProgress) {
    this.#source = source;
    this.#plan = plan;
    this.#zip = zip;
    this.#progress = progress;
    this.#tally = new ReportTally();
  }

  async write(): Promise<{ packId: string; bytes: number; events: number }> {
    const { scope, checkpoint, window } = this.#plan;
    await this.#add('events.jsonl', this.#eventLines(), { atMost: scope.count * LINE_AT_MOST });
    this.#progress({ step: 'proof', done: scope.count, total: scope.count });
    const policies = await this.#policies();
    const extras = await this.#extraRecords(policies);
    const extraSeqs = extras.map(({ seq }) => seq);
    for (const record of extras) this.#approvals.take(record as JsonObject, false, '');
    await this.#add('extras.jsonl', utf8(extras.map(record => `${jcs(record)}\n`).join('')));
    const heads = await this.#heads(new Set(extraSeqs));
    await this.#add('heads.jsonl', utf8(heads.map(({ line }) => `${jcs(line)}\n`).join('')));

    const include = new Set(window.include);
    const approvalLines = include.has('approvals') ? this.#approvals.lines() : [];
    await this.#add('approvals.jsonl', bytesOf(approvalLines));
    await this.#add('evals.jsonl', include.has('evals') ? this.#evalLines() : new Uint8Array(0));
    for (const path of ['replays.jsonl', 'queries.jsonl', 'disclosures.jsonl'])
      await this.#add(path, new Uint8Array(0));
    await this.#addBlobs(extras);
    await this.#addPolicies(include.has('policies') ? policies : []);

    const note = utf8(checkpoint.note);
    const parts = checkpointParts(note);
    await this.#add('checkpoint.note', note);
    await this.#add('checkpoint.body', parts.body);
    await this.#add('checkpoint.sig', parts.signature);
    const others = [...extraSeqs, ...heads.map(({ seq }) => seq)].sort((a, b) => a - b);
    await this.#add('proofs/multiproof.jsonl', this.#proofLines(others), { atMost: 64 * checkpoint.size });
    await this.#consistency();
    for (const [id, key] of ledgerKeys([...this.#keyRecords, ...extras]))
      await this.#add(`keys/${id}.pem`, utf8(publicKeyPem(key)));

    this.#progress({ step: 'summary', done: scope.count, total: scope.count });
    const restored = restoredDetail([...this.#keyRecords, ...extras]);
    await this.#add(
      'summary.pdf',
      await this.#plan.report({ ...(await this.#facts(policies)), ...(restored && { restored }) }),
    );
    await this.#add(
      'README-VERIFY.txt',
      utf8(readmeText({ ...this.#readmeFacts(note), ...(restored && { restored }) })),
    );
    return this.#seal();
  }

  async #add(
    path: string,
    content: Parameters<ZipWriter['add']>[1],
    options: Parameters<ZipWriter['add']>[2] = {},
  ): Promise<Written> {
    const written = await this.#zip.add(path, content, options);
    this.#written.push(written);
    return written;
  }

  /** Records of the scope in pages, those of other apps left out. */
  async *#pages(): AsyncGenerator<RecordView[], void> {
    const { scope, window } = this.#plan;
    if (scope.count === 0) return;
    for (let from = scope.firstSeq; from <= scope.lastSeq; ) {
      const to = Math.min(from + PAGE - 1, scope.lastSeq);
      const records = await this.#source.records(from, to);
      yield records.filter(({ app_id }) => app_id === window.appId);
      from = to + 1;
    }
  }

  async *#eventLines(): AsyncGenerator<Uint8Array, void> {
    const { scope } = this.#plan;
    let done = 0;
    for await (const page of this.#pages()) {
      let text = '';
      for (const record of page) {
        done++;
        if (record.source === undefined) {
          this.#erased.push(record);
          continue;
        }
        const line = jcs(record);
        text += `${line}\n`;
        this.#event(record, line);
      }
      this.#progress({ step: 'events', done, total: scope.count });
      if (text !== '') yield utf8(text);
    }
    if (done !== scope.count) {
      throw new TrailmixError('ledger_damaged', {
        message: `${scope.count} records were expected, ${done} were read`,
      });
    }
  }

  #event(record: RecordView, line: string): void {
    this.#events++;
    this.#seqs.push(record.seq);
    const value = record as JsonObject;
    this.#approvals.take(value, true, '');
    this.#tally.take(value);
    if (mayHoldBlobs(line)) this.#nameBlobs(value);
    if (evalCount(value) > 0) this.#evals.push(record.seq);
    if (record.seq === 0 || record.event_type.startsWith('key.')) this.#keyRecords.push(record);
    if (record.event_type === 'decision.recorded') {
      const { policy } = value.decision as { policy?: { hash?: string } };
      if (policy?.hash !== undefined) this.#policyHashes.add(policy.hash);
    }
  }

  #nameBlobs(value: JsonValue): void {
    for (const { sha256: digest, type } of blobRefs(value)) this.#blobs.set(digest, type);
  }

  /** Those in force at the beginning of the scope or later, and those that decisions cite. */
  async #policies(): Promise<PolicyVersion[]> {
    const { scope, checkpoint } = this.#plan;
    const all = await this.#source.policies(checkpoint.size);
    if (scope.count === 0) return [];
    const atStart = all.filter(({ seq }) => seq < scope.firstSeq).at(-1);
    return all.filter(
      policy =>
        policy === atStart ||
        (policy.seq > scope.firstSeq && policy.seq < scope.lastSeq) ||
        this.#policyHashes.has(policy.hash),
    );
  }

  async #extraRecords(policies: readonly PolicyVersion[]): Promise<RecordView[]> {
    const { scope, checkpoint, window } = this.#plan;
    const { size } = checkpoint;
    const activations = new Set(policies.map(({ seq }) => seq));
    const erased = new Set(this.#erased.map(({ seq }) => seq));
    const seqs = new Set<number>();
    const maybe: number[] = [];
    for (const { seq, event_type } of await this.#source.ledgerRecords(size)) {
      if (event_type.startsWith('erasure.')) maybe.push(seq);
      else if (!event_type.startsWith('policy.') || activations.has(seq)) seqs.add(seq);
    }
    for (const seq of maybe) {
      const [record] = await this.#source.records(seq, seq);
      const named = (record as { erasure?: { seq?: number } } | undefined)?.erasure?.seq;
      if (named !== undefined && erased.delete(named)) seqs.add(seq);
    }
    if (erased.size > 0) throw new TrailmixError('at_before_erasure');
    for (const decision of this.#approvals.unfinished()) {
      for (const seq of await this.#source.decisionRecords(decision, size)) seqs.add(seq);
    }
    const inScope = ({ app_id, app_seq }: RecordView): boolean =>
      app_id === window.appId && app_seq >= scope.firstAppSeq && app_seq <= scope.lastAppSeq;
    const records: RecordView[] = [];
    for (const seq of [...seqs].sort((a, b) => a - b)) {
      const [record] = await this.#source.records(seq, seq);
      if (record !== undefined && !inScope(record)) records.push(record);
    }
    return records;
  }

  /** Boundary heads (unless extras hold the record), and heads of erased bodies. By seq. */
  async #heads(extras: ReadonlySet<number>): Promise<{ seq: number; line: JsonObject }[]> {
    const { before, after } = this.#plan.scope;
    const lines = this.#erased.map(record => headLine('erased', record));
    for (const [role, seq] of [['before', before] as const, ['after', after] as const]) {
      if (seq === undefined || extras.has(seq)) continue;
      const [record] = await this.#source.records(seq, seq);
      if (record !== undefined) lines.push(headLine(role, record));
    }
    return lines.sort((a, b) => a.seq - b.seq);
  }

  async *#evalLines(): AsyncGenerator<Uint8Array, void> {
    const PER_READ = 100;
    for (let i = 0; i < this.#evals.length; i += PER_READ) {
      let text = '';
      for (const seq of this.#evals.slice(i, i + PER_READ)) {
        const [record] = await this.#source.records(seq, seq);
        for (const line of evalLines(record as JsonObject)) text += `${line}\n`;
      }
      yield utf8(text);
    }
  }

  /** Blobs that records name, and those that JSON blobs name in turn. Stored: uploads are often compressed already. */
  async #addBlobs(extras: readonly RecordView[]): Promise<void> {
    for (const record of extras) this.#nameBlobs(record as JsonObject);
    for (const [digest, type] of this.#blobs) {
      if (type !== JCS_BLOB_TYPE) continue;
      const chunks: Uint8Array[] = [];
      let length = 0;
      for await (const chunk of this.#source.blob(digest)) {
        length += chunk.length;
        if (length > JCS_BLOB_LIMIT)
          throw new TrailmixError('ledger_damaged', { message: `blob ${digest} is too large` });
        chunks.push(chunk);
      }
      const text = fromUtf8(Buffer.concat(chunks));
      if (mayHoldBlobs(text)) this.#nameBlobs(JSON.parse(text) as JsonValue);
    }
    for (const digest of [...this.#blobs.keys()].sort()) {
      await this.#add(`blobs/${digest}`, this.#source.blob(digest), { store: true });
    }
  }

  async #addPolicies(versions: readonly PolicyVersion[]): Promise<void> {
    const byHash = new Map<string, PackPolicy & { versions: { version: number; seq: number }[] }>();
    const texts = new Map<string, string>();
    for (const { hash, version, seq, files, entrypoint, capabilities_sha256, wasm_sha256 } of versions) {
      const known = byHash.get(hash);
      if (known !== undefined) {
        known.versions.push({ version, seq });
        continue;
      }
      const listed = files.map(({ path, sha256: digest, text }, n) => {
        const file = policyFile(hash, n, path);
        texts.set(file, text);
        return { path, sha256: digest, file };
      });
      byHash.set(hash, {
        hash,
        entrypoint,
        capabilities_sha256,
        wasm_sha256,
        files: listed,
        versions: [{ version, seq }],
      });
    }
    const policies = [...byHash.values()].sort((a, b) => (a.hash < b.hash ? -1 : 1));
    await this.#add('policies.json', utf8(jcs({ v: 1, policies } as unknown as JsonValue)));
    for (const [file, text] of texts) await this.#add(file, utf8(text));
  }

  async *#proofLines(others: readonly number[]): AsyncGenerator<Uint8Array, void> {
    const { size } = this.#plan.checkpoint;
    yield utf8(multiproofHeader(size));
    let batch: NodeId[] = [];
    for (const node of multiproofNodes(this.#seqs.with(others), size)) {
      batch.push(node);
      if (batch.length < NODES_AT_ONCE) continue;
      yield utf8(await this.#nodeLines(batch, size));
      batch = [];
    }
    if (batch.length > 0) yield utf8(await this.#nodeLines(batch, size));
  }

  async #nodeLines(nodes: readonly NodeId[], size: number): Promise<string> {
    const plans = nodes.map(node => nodePlan(node, size));
    const hashes = await this.#source.nodes(
      plans.flatMap(({ nodes }) => nodes.map(({ level, index }) => [level, index] as const)),
    );
    let at = 0;
    return nodes
      .map((node, i) => {
        const plan = plans[i]!;
        const part = hashes.slice(at, at + plan.nodes.length);
        at += plan.nodes.length;
        return multiproofLine(node, proofOfPlan(sha256, plan, part)[0]!);
      })
      .join('');
  }

  /** From the checkpoint of each earlier export of this app to this one. */
  async #consistency(): Promise<void> {
    const { checkpoint, window } = this.#plan;
    for (const old of await this.#source.earlierSizes(window.appId, checkpoint.size)) {
      const plan = consistencyPlan(old, checkpoint.size);
      const hashes = await this.#source.nodes(plan.nodes.map(({ level, index }) => [level, index] as const));
      await this.#add(
        `consistency/${old}-${checkpoint.size}`,
        utf8(consistencyText(proofOfPlan(sha256, plan, hashes))),
      );
    }
  }

  async #facts(policies: readonly PolicyVersion[]): Promise<ReportFacts> {
    const { window, checkpoint, scope, custody, signer, version } = this.#plan;
    const [head] = await this.#source.records(checkpoint.size - 1, checkpoint.size - 1);
    return {
      ledgerId: this.#source.ledgerId,
      tenantId: this.#source.tenantId,
      appId: window.appId,
      requested: window.requested,
      from: window.from,
      to: window.to,
      firstAppSeq: scope.firstAppSeq,
      lastAppSeq: scope.lastAppSeq,
      firstSeq: scope.firstSeq,
      lastSeq: scope.lastSeq,
      hasBefore: scope.before !== undefined || scope.firstAppSeq === 1,
      hasAfter: scope.after !== undefined,
      checkpoint: { size: checkpoint.size, root: checkpoint.root, at: checkpoint.at },
      chainHead: { seq: checkpoint.size - 1, hash: head?.hash_self ?? '' },
      custody,
      certificate: fingerprint(signer.certificatePem),
      policies: [...new Set(policies.map(({ hash }) => hash))].map(hash => {
        const last = policies.filter(policy => policy.hash === hash).at(-1)!;
        return { version: last.version, hash };
      }),
      blobs: this.#blobs.size,
      erased: this.#erased.length,
      approvals: this.#approvals.counts(),
      approvalRows: approvalRows(this.#approvals.told()),
      decisions: { ...this.#approvals.decisions },
      ...this.#tally.facts(),
      version,
    };
  }

  #readmeFacts(note: Uint8Array): Parameters<typeof readmeText>[0] {
    const { window, scope, checkpoint } = this.#plan;
    return {
      ledgerId: this.#source.ledgerId,
      tenantId: this.#source.tenantId,
      appId: window.appId,
      from: window.from,
      to: window.to,
      events: scope.count,
      size: checkpoint.size,
      logId: parseNote(note).lines[0]!.id,
    };
  }

  async #seal(): Promise<{ packId: string; bytes: number; events: number }> {
    const { window, scope, checkpoint, signer, at } = this.#plan;
    const files = this.#written
      .map(({ path, sha256: digest, bytes }) => ({ path, sha256: digest, bytes, role: roleOf(path)! }))
      .sort(byPath);
    const manifest: Manifest = {
      v: 1,
      ledger_id: this.#source.ledgerId,
      tenant_id: this.#source.tenantId,
      app_id: window.appId,
      scope: {
        by: 'received_at',
        requested: window.requested,
        from: window.from,
        to: window.to,
        first_app_seq: scope.firstAppSeq,
        last_app_seq: scope.lastAppSeq,
      },
      checkpoint: { size: checkpoint.size, root: checkpoint.root },
      include: window.include,
      files,
      withheld: [],
    };
    const written = await this.#zip.add(MANIFEST, utf8(jcs(manifest as unknown as JsonValue)));
    const checksums = utf8(checksumsText([...files, written]));
    await this.#zip.add(CHECKSUMS, checksums);
    await this.#zip.add(CMS, signCms(checksums, signer, at));
    return { packId: hex(sha256(checksums)), bytes: await this.#zip.finish(), events: this.#events };
  }
}

function headLine(
  role: 'before' | 'after' | 'erased',
  record: RecordView,
): { seq: number; line: JsonObject } {
  const { hash_self, key_id, signature } = record as RecordView & { key_id: string; signature: string };
  return {
    seq: record.seq,
    line: { role, head: headOf(record) as unknown as JsonObject, hash_self, key_id, signature },
  };
}

/** Every event and checkpoint key that the records name: [key_id, base64]. */
function ledgerKeys(extras: readonly RecordView[]): Map<string, string> {
  const keys = new Map<string, string>();
  for (const record of extras) {
    const names =
      record.seq === 0
        ? ['event_key', 'checkpoint_key']
        : record.event_type.startsWith('key.')
          ? ['new_key', 'new_checkpoint_key']
          : [];
    for (const name of names) {
      const key = (record as Record<string, unknown>)[name];
      if (typeof key === 'string') keys.set(keyId(sha256, fromBase64(key)), key);
    }
  }
  return new Map([...keys].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What record 0 says of the ledger that this one continues, when it does. */
function restoredDetail(records: readonly RecordView[]): string | undefined {
  const first = records.find(({ seq }) => seq === 0);
  return first === undefined ? undefined : restoredFrom(first as JsonObject)?.detail;
}

function* bytesOf(lines: Iterable<string>): Generator<Uint8Array> {
  for (const line of lines) yield utf8(line);
}

function fingerprint(pem: string): string {
  return hex(sha256(Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64')));
}
