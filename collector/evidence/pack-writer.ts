/**
 * Writes one evidence pack from a source into an open file: the tree of docs/spec/pack.md, each file streamed once.
 * Rules: nothing but the zip is written; memory is that of its contents (pack-contents.ts); equal scope and checkpoint
 * give an equal checksums.txt.
 */
import type { FileHandle } from 'node:fs/promises';
import type { RecordView } from '../../core/api/views.ts';
import {
  ASIC_MANIFEST,
  ASIC_SIGNATURE,
  asicManifestText,
  MIMETYPE,
  MIMETYPE_TEXT,
} from '../../core/pack/asice.ts';
import { checkpointParts, consistencyText } from '../../core/pack/checkpoint.ts';
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
import { QUERIES, queryText } from '../../core/pack/queries.ts';
import { factSentences } from '../../core/pack/query_words.ts';
import { COSIGNATURES } from '../../core/pack/witnesses.ts';
import { isSelfIssued } from '../../core/pack/x509.ts';
import { hex, utf8 } from '../../core/proof/bytes.ts';
import { type JsonObject, type JsonValue, jcs } from '../../core/proof/jcs.ts';
import { multiproofHeader, multiproofLine, multiproofNodes, nodePlan } from '../../core/proof/multiproof.ts';
import { parseNote } from '../../core/proof/note.ts';
import { consistencyPlan, type NodeId, proofOfPlan } from '../../core/proof/tree.ts';
import type { Faults } from '../ledger/faults.ts';
import { sha256 } from '../sha256.ts';
import { certificatesOf } from './certificates.ts';
import { type FarSigner, signCmsBy } from './cms.ts';
import type { EpochProof } from './epoch.ts';
import {
  type ContentsPlan,
  ledgerKeys,
  PackContents,
  type PackProgress,
  restoredDetail,
} from './pack-contents.ts';
import { readmeText } from './readme.ts';
import type { ReportFacts } from './report/facts.ts';
import { reportFacts } from './report/gather.ts';
import type { PackSource, PolicyVersion } from './source.ts';
import { type Written, ZipWriter } from './zip-writer.ts';

export type PackPlan = ContentsPlan & {
  /** Label of the custody of the ledger's keys, for the summary. */
  readonly custody: string;
  readonly signer: FarSigner;
  /** Signing time that the CMS claims. */
  readonly at: Date;
  readonly version: string;
  /** Proofs of the ledger that this one was restored from. */
  readonly epochs?: readonly EpochProof[];
  /** Makes summary.pdf. */
  readonly report: (facts: ReportFacts) => Promise<Uint8Array>;
};

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
  faults?: Faults,
): Promise<{ packId: string; bytes: number; events: number }> {
  return new PackWriter(source, plan, new ZipWriter(file, signal, faults), progress).write();
}

class PackWriter {
  readonly #source: PackSource;
  readonly #plan: PackPlan;
  readonly #zip: ZipWriter;
  readonly #progress: PackProgress;
  readonly #written: Written[] = [];
  readonly #contents: PackContents;

  constructor(source: PackSource, plan: PackPlan, zip: ZipWriter, progress: PackProgress) {
    this.#source = source;
    this.#plan = plan;
    this.#zip = zip;
    this.#progress = progress;
    this.#contents = new PackContents(source, plan, progress);
  }

  async write(): Promise<{ packId: string; bytes: number; events: number }> {
    const { scope, checkpoint, window } = this.#plan;
    await this.#zip.add(MIMETYPE, utf8(MIMETYPE_TEXT), { store: true });
    await this.#add('events.jsonl', this.#contents.eventLines(), { atMost: scope.count * LINE_AT_MOST });
    this.#progress({ step: 'proof', done: scope.count, total: scope.count });
    const policies = await this.#contents.policies();
    const extras = await this.#contents.extraRecords(policies);
    const extraSeqs = extras.map(({ seq }) => seq);
    for (const record of extras) this.#contents.approvals.take(record as JsonObject, false, '');
    await this.#add('extras.jsonl', utf8(extras.map(record => `${jcs(record)}\n`).join('')));
    const edges = this.#contents.edges(new Set(extraSeqs));
    await this.#add('heads.jsonl', this.#contents.headLines(edges));

    const include = new Set(window.include);
    const approvalLines = include.has('approvals') ? this.#contents.approvals.lines() : [];
    await this.#add('approvals.jsonl', bytesOf(approvalLines));
    await this.#add('evals.jsonl', include.has('evals') ? this.#contents.evalLines() : new Uint8Array(0));
    const queries = this.#contents.queries(extras);
    await this.#add(QUERIES, utf8(queries.map(line => `${queryText(line)}\n`).join('')));
    for (const path of ['replays.jsonl', 'disclosures.jsonl']) await this.#add(path, new Uint8Array(0));
    await this.#addBlobs(extras);
    await this.#addPolicies(include.has('policies') ? policies : []);

    const note = utf8(checkpoint.note);
    const parts = checkpointParts(note);
    await this.#add('checkpoint.note', note);
    await this.#add('checkpoint.body', parts.body);
    await this.#add('checkpoint.sig', parts.signature);
    const others = [...extraSeqs, ...edges.map(({ seq }) => seq)].sort((a, b) => a - b);
    await this.#add('proofs/multiproof.jsonl', this.#proofLines(others), { atMost: 64 * checkpoint.size });
    const { continues, anchors } = await this.#consistency();
    for (const [id, key] of ledgerKeys([...this.#contents.keyRecords, ...extras]))
      await this.#add(`keys/${id}.pem`, utf8(publicKeyPem(key)));

    this.#progress({ step: 'summary', done: scope.count, total: scope.count });
    const restored = restoredDetail([...this.#contents.keyRecords, ...extras]);
    const facts = factSentences(queries);
    const readme = { ...this.#readmeFacts(note), facts, ...(restored && { restored }) };
    const certificate = fingerprint(this.#plan.signer.certificatePem);
    const given = { policies, extras, readme, certificate, continues, anchors };
    const told = await reportFacts(this.#source, this.#plan, this.#contents, given);
    await this.#add('summary.pdf', await this.#plan.report(told));
    await this.#add('README-VERIFY.txt', utf8(readmeText(readme)));
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

  /** Stored: uploads are often compressed already. */
  async #addBlobs(extras: readonly RecordView[]): Promise<void> {
    for (const digest of await this.#contents.allBlobs(extras)) {
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
    for (const node of multiproofNodes(this.#contents.seqs.with(others), size)) {
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

  /** From the checkpoint of each earlier export of this app, and from each stamped one, to this one. */
  async #consistency(): Promise<{ continues: number[]; anchors: number }> {
    const { checkpoint, window } = this.#plan;
    const anchors = await this.#source.anchors(checkpoint.size);
    const sizes = new Set(await this.#source.earlierSizes(window.appId, checkpoint.size));
    for (const { checkpoint: old, tsr, lines = [] } of anchors) {
      if (old.size < checkpoint.size) sizes.add(old.size);
      const note = utf8(old.note + lines.join(''));
      await this.#add(`anchors/${old.size}.note`, note);
      await this.#add(`anchors/${old.size}.body`, checkpointParts(note).body);
      if (tsr !== undefined) await this.#add(`anchors/${old.size}.tsr`, tsr);
    }
    const continues = [...sizes].sort((a, b) => a - b);
    for (const old of continues) {
      const plan = consistencyPlan(old, checkpoint.size);
      const hashes = await this.#source.nodes(plan.nodes.map(({ level, index }) => [level, index] as const));
      await this.#add(
        `consistency/${old}-${checkpoint.size}`,
        utf8(consistencyText(proofOfPlan(sha256, plan, hashes))),
      );
    }
    for (const { path, text } of this.#plan.epochs ?? []) await this.#add(path, utf8(text));
    return { continues, anchors: anchors.length };
  }

  #readmeFacts(note: Uint8Array): Omit<Parameters<typeof readmeText>[0], 'facts'> {
    const { window, scope, checkpoint, signer } = this.#plan;
    const [certificate] = certificatesOf(signer.certificatePem);
    return {
      ...(certificate === undefined || isSelfIssued(certificate) ? {} : { issuer: certificate.issuer }),
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
      withheld: this.#contents.withheld.map(({ seq, hash_self }) => ({
        seq,
        hash_self,
        reason: this.#plan.withhold?.reason ?? '',
      })),
    };
    const written = await this.#zip.add(MANIFEST, utf8(jcs(manifest as unknown as JsonValue)));
    const checksums = utf8(checksumsText([...files, written]));
    const sums = await this.#zip.add(CHECKSUMS, checksums);
    await this.#zip.add(CMS, await signCmsBy(checksums, signer, at));
    const container = utf8(asicManifestText([...files, written, sums]));
    await this.#zip.add(ASIC_MANIFEST, container);
    await this.#zip.add(ASIC_SIGNATURE, await signCmsBy(container, signer, at));
    const lines = (await this.#source.cosignatures?.(checkpoint.size)) ?? [];
    if (lines.length > 0) await this.#zip.add(COSIGNATURES, utf8(checkpoint.note + lines.join('')));
    return { packId: hex(sha256(checksums)), bytes: await this.#zip.finish(), events: this.#contents.events };
  }
}

function* bytesOf(lines: Iterable<string>): Generator<Uint8Array> {
  for (const line of lines) yield utf8(line);
}

function fingerprint(pem: string): string {
  return hex(sha256(Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64')));
}
