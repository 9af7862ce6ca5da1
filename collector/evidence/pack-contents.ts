/**
 * Reads what goes into one evidence pack: records of the scope in pages and, gathered from them, what they rest on.
 * Rules: nothing is written; memory is a page of records and a few numbers each for approvals, blobs, ranges and bodies
 * that are gone.
 */
import { TrailmixError } from '../../core/api/errors.ts';
import type { CheckpointView, RecordView } from '../../core/api/views.ts';
import { Approvals } from '../../core/pack/approvals.ts';
import { blobRefs, JCS_BLOB_LIMIT, mayHoldBlobs } from '../../core/pack/blobs.ts';
import { erasedBy } from '../../core/pack/erasure.ts';
import { evalCount } from '../../core/pack/evals.ts';
import { hmacOf } from '../../core/pack/hmac.ts';
import { PackQueries, type QueryLine } from '../../core/pack/queries.ts';
import type { HeadRole } from '../../core/pack/records.ts';
import { ReportFigures } from '../../core/pack/report_figures.ts';
import { restoredFrom } from '../../core/pack/restore.ts';
import { Sessions } from '../../core/pack/sessions.ts';
import { Streams } from '../../core/pack/streams.ts';
import { JCS_BLOB_TYPE } from '../../core/proof/blob.ts';
import { fromBase64, fromUtf8, utf8 } from '../../core/proof/bytes.ts';
import { keyId } from '../../core/proof/hash.ts';
import { type JsonObject, type JsonValue, jcs } from '../../core/proof/jcs.ts';
import { headOf } from '../../core/proof/record.ts';
import type { PackLine } from '../ledger/pack-lines.ts';
import type { ScopeRange } from '../ports.ts';
import { sha256, sha256Stream } from '../sha256.ts';
import { policySeqs } from './policy_records.ts';
import { SeqList, SeqRanges } from './seqs.ts';
import type { PackSource, PolicyVersion } from './source.ts';
import type { Window } from './window.ts';

/** Records at once: some 700 KB of lines. */
const PAGE = 500;

export type PackProgress = (at: { step: string; done: number; total: number }) => void;
export type ContentsPlan = {
  readonly window: Window;
  readonly scope: ScopeRange;
  readonly checkpoint: CheckpointView;
  /** Seqs of the scope whose bodies are left out, and why. */
  readonly withhold?: { readonly seqs: readonly number[]; readonly reason: string };
};

export class PackContents {
  readonly #source: PackSource;
  readonly #plan: ContentsPlan;
  readonly #progress: PackProgress;
  /** Numbers within the app of records with evals: their file is written after events.jsonl. */
  readonly #evals = new SeqRanges();
  readonly #policyHashes = new Set<string>();
  /** Of the scope: with their bodies or as heads, all are in the pack. */
  readonly seqs = new SeqRanges();
  readonly approvals: Approvals;
  /** Digest of each blob that was met, with its type. */
  readonly blobs = new Map<string, string>();
  readonly erased = new SeqList();
  /** Whole bodies that are left out. */
  readonly withheld: { readonly seq: number; readonly hash_self: string }[] = [];
  /** Key records inside the scope: only where the pack is of the ledger's own records. */
  readonly keyRecords: RecordView[] = [];
  readonly #sessions = new Sessions(sha256);
  readonly figures = new ReportFigures(this.#sessions);
  readonly #asked = new PackQueries(sha256Stream, this.#sessions);
  readonly #streams = new Streams();
  /** Records with their body. */
  events = 0;

  constructor(source: PackSource, plan: ContentsPlan, progress: PackProgress) {
    this.approvals = new Approvals(sha256, hmacOf(sha256), source);
    this.#source = source;
    this.#plan = plan;
    this.#progress = progress;
  }

  /** Lines of events.jsonl; what the rest of the pack needs is gathered as they pass. Read to its end before the rest. */
  async *eventLines(): AsyncGenerator<Uint8Array, void> {
    const { scope, window } = this.#plan;
    const withhold = new Set(this.#plan.withhold?.seqs);
    let done = 0;
    for (let from = scope.firstAppSeq; scope.count > 0 && from <= scope.lastAppSeq; from += PAGE) {
      const to = Math.min(from + PAGE - 1, scope.lastAppSeq);
      let text = '';
      for (const record of await this.#source.lines(window.appId, from, to)) {
        done++;
        this.seqs.push(record.seq);
        this.#asked.seen(record.seq);
        if (record.line === undefined) {
          this.erased.push(record.seq);
          this.approvals.hide(record.eventType);
        } else if (withhold.has(record.seq)) {
          const { hash_self } = JSON.parse(record.line) as { hash_self: string };
          this.withheld.push({ seq: record.seq, hash_self });
          this.approvals.hide(record.eventType);
        } else {
          text += `${record.line}\n`;
          this.#event(record);
        }
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

  #event({ seq, appSeq, eventType, value, blobs }: PackLine): void {
    this.events++;
    this.approvals.take(value, true, '');
    this.figures.take(value);
    this.#asked.take(value, this.#streams.take(value, ''));
    if (blobs) this.#nameBlobs(value);
    if (evalCount(value) > 0) this.#evals.push(appSeq);
    if (seq === 0 || eventType.startsWith('key.')) this.keyRecords.push(value as RecordView);
    if (eventType === 'decision.recorded') {
      const { policy } = value.decision as { policy?: { hash?: string } };
      if (policy?.hash !== undefined) this.#policyHashes.add(policy.hash);
    }
  }

  #nameBlobs(value: JsonValue): void {
    for (const { sha256: digest, type } of blobRefs(value)) this.blobs.set(digest, type);
  }

  /** Those in force at the beginning of the scope or later, and those that decisions cite. */
  async policies(): Promise<PolicyVersion[]> {
    const { scope, checkpoint } = this.#plan;
    const all = await this.#source.policies(checkpoint.size);
    if (scope.count === 0) return [];
    const before = all.filter(({ seq }) => seq < scope.firstSeq);
    const atStart = new Set(new Map(before.map(policy => [policy.environment ?? 'prod', policy])).values());
    return all.filter(
      policy =>
        atStart.has(policy) ||
        (policy.seq > scope.firstSeq && policy.seq < scope.lastSeq) ||
        this.#policyHashes.has(policy.hash),
    );
  }

  /** Records from outside the scope that those in it rest on, by seq. */
  async extraRecords(policies: readonly PolicyVersion[]): Promise<RecordView[]> {
    const { scope, checkpoint, window } = this.#plan;
    const { size } = checkpoint;
    const onPolicies = policySeqs(policies, await this.#source.policyRecords(size));
    const seqs = new Set<number>();
    /** Records that say what was erased. */
    const erasures: number[] = [];
    for (const { seq, event_type } of await this.#source.ledgerRecords(size)) {
      if (event_type.startsWith('erasure.')) erasures.push(seq);
      else if (!event_type.startsWith('policy.') || onPolicies.has(seq)) seqs.add(seq);
    }
    /** Erased ones behind approvals of the scope. */
    const behind = new Set<number>();
    for (const decision of this.approvals.unfinished()) await this.#behind(decision, size, behind, seqs);
    for (const seq of erasures) {
      const [record] = await this.#source.records(seq, seq);
      for (const named of record === undefined ? [] : erasedBy(record as JsonObject)) {
        if (this.erased.crossOff(named) || behind.has(named)) seqs.add(seq);
      }
    }
    if (this.erased.left > 0) throw new TrailmixError('at_before_erasure');
    const inScope = ({ app_id, app_seq }: RecordView): boolean =>
      app_id === window.appId && app_seq >= scope.firstAppSeq && app_seq <= scope.lastAppSeq;
    const records: RecordView[] = [];
    for (const seq of [...seqs].sort((a, b) => a - b)) {
      const [record] = await this.#source.records(seq, seq);
      if (record !== undefined && !inScope(record)) records.push(record);
    }
    return records;
  }

  /** The records of a decision, into `seqs`; those that are erased, into `erased`. No outcome whose use is not shown. */
  async #behind(decision: string, size: number, erased: Set<number>, seqs: Set<number>): Promise<void> {
    const found: RecordView[] = [];
    let intentGone = false;
    const { withhold } = this.#plan;
    for (const seq of await this.#source.decisionRecords(decision, size)) {
      const [record] = await this.#source.records(seq, seq);
      const hidden = record?.source === undefined || withhold?.seqs.includes(seq) === true;
      if (!hidden) {
        found.push(record);
        continue;
      }
      if (record?.event_type === 'intent.recorded') intentGone = true;
      erased.add(seq);
    }
    for (const { seq, event_type } of found)
      if (!(intentGone && event_type === 'outcome.recorded')) seqs.add(seq);
  }

  /** What queries.jsonl says. Once, after the records of the scope. */
  queries(extras: readonly RecordView[]): QueryLine[] {
    const { window, checkpoint } = this.#plan;
    for (const record of extras)
      if (record.event_type === 'outcome.recorded') this.#asked.outcome(record as JsonObject);
    const { from, to } = window;
    const asked = { app_id: window.appId, scope: { by: 'received_at' as const, from, to }, checkpoint };
    return this.#asked.lines(asked, this.#streams);
  }

  /** The heads around the scope, unless extras hold their records. By seq. */
  edges(extras: ReadonlySet<number>): { role: HeadRole; seq: number }[] {
    const { before, after } = this.#plan.scope;
    const around = [['before', before] as const, ['after', after] as const];
    return around.flatMap(([role, seq]) => (seq === undefined || extras.has(seq) ? [] : [{ role, seq }]));
  }

  /** Lines of heads.jsonl, by seq: of the scope's edges, and of bodies that are erased or withheld. */
  async *headLines(edges: readonly { role: HeadRole; seq: number }[]): AsyncGenerator<Uint8Array, void> {
    const roles = new Map<number, HeadRole>(this.withheld.map(({ seq }) => [seq, 'withheld']));
    for (const { role, seq } of edges) roles.set(seq, role);
    const seqs = new SeqRanges();
    const few = [...roles.keys()].sort((a, b) => a - b);
    let next = 0;
    for (const seq of this.erased) {
      while (next < few.length && few[next]! < seq) seqs.push(few[next++]!);
      seqs.push(seq);
    }
    while (next < few.length) seqs.push(few[next++]!);
    for (const [from, end] of seqs.pairs(PAGE)) {
      const records = await this.#source.records(from, end - 1);
      yield utf8(
        records.map(record => `${jcs(headLine(roles.get(record.seq) ?? 'erased', record))}\n`).join(''),
      );
    }
  }

  /** Lines of evals.jsonl, from records read again. */
  async *evalLines(): AsyncGenerator<Uint8Array, void> {
    const { appId } = this.#plan.window;
    for (const [from, end] of this.#evals.pairs(PAGE)) {
      yield utf8(await this.#source.evals(appId, from, end - 1));
    }
  }

  /** Digests, sorted, of the blobs that records name and those that JSON blobs name in turn. */
  async allBlobs(extras: readonly RecordView[]): Promise<string[]> {
    for (const record of extras) this.#nameBlobs(record as JsonObject);
    for (const [digest, type] of this.blobs) {
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
    return [...this.blobs.keys()].sort();
  }
}

function headLine(role: HeadRole, record: RecordView): JsonObject {
  const { hash_self, key_id, signature } = record as RecordView & { key_id: string; signature: string };
  return { role, head: headOf(record) as unknown as JsonObject, hash_self, key_id, signature };
}

/** Every event and checkpoint key that the records name: [key_id, base64]. */
export function ledgerKeys(extras: readonly RecordView[]): Map<string, string> {
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
export function restoredDetail(records: readonly RecordView[]): string | undefined {
  const first = records.find(({ seq }) => seq === 0);
  return first === undefined ? undefined : restoredFrom(first as JsonObject)?.detail;
}
