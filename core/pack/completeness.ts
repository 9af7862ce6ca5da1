/**
 * Whether the pack holds every record of its app that was received in its window: consecutive app_seq between a head
 * before and a head after. Format: docs/spec/pack.md, "Scope".
 */
import { validTs } from '../event/time.ts';
import type { Findings } from './findings.ts';
import type { Manifest } from './manifest.ts';
import { paddedFrom, paddedTo } from './padding.ts';
import type { ReadRecord } from './records.ts';

export class ScopeCheck {
  readonly #manifest: Manifest;
  readonly #withheld: ReadonlyMap<number, string>;
  #first: number | undefined;
  #last: number | undefined;
  #before: ReadRecord | undefined;
  #after: ReadRecord | undefined;
  #erased: number[] = [];
  #hidden = 0;
  #closed = false;
  count = 0;
  /** Lowest and highest seq of the scope, -1 where it is empty. */
  firstSeq = -1;
  lastSeq = -1;

  constructor(manifest: Manifest) {
    this.#manifest = manifest;
    this.#withheld = new Map(manifest.withheld.map(({ seq, hash_self }) => [seq, hash_self]));
  }

  /** Bodies in the scope that are not here. */
  get hidden(): number {
    return this.#hidden;
  }

  get hasBefore(): boolean {
    return this.#before !== undefined;
  }

  get hasAfter(): boolean {
    return this.#after !== undefined;
  }

  /** Takes every record of the pack, by rising seq. */
  take(record: ReadRecord, findings: Findings): void {
    const { head, where, file, role } = record;
    if (head.event_type === 'ledger.closed') this.#closed = true;
    if (file === 'extras') {
      // A record behind an approval may be the one before or after: no seq stands twice, so extras carry it alone.
      const { first_app_seq, last_app_seq } = this.#manifest.scope;
      if (head.app_id !== this.#manifest.app_id) return;
      if (head.app_seq === first_app_seq - 1) this.#before = record;
      else if (head.app_seq === last_app_seq + 1) this.#after = record;
      return;
    }
    if (head.app_id !== this.#manifest.app_id) {
      findings.add('record_foreign', where, `It is of app ${head.app_id}.`);
      return;
    }
    if (role === 'before' || role === 'after') {
      const twice = role === 'before' ? this.#before : this.#after;
      if (twice !== undefined) findings.add('record_form', where, `A second head of role ${role}.`);
      if (role === 'before') this.#before = record;
      else this.#after = record;
      return;
    }
    const { scope } = this.#manifest;
    if (head.received_at < scope.from || head.received_at > scope.to) findings.add('out_of_scope', where);
    const expected = this.#last === undefined ? scope.first_app_seq : this.#last + 1;
    if (head.app_seq !== expected && scope.by === 'received_at') {
      findings.add(
        'app_seq_gap',
        where,
        this.#last === undefined
          ? `The first is ${head.app_seq}, not ${expected}.`
          : `${head.app_seq} follows ${this.#last}.`,
      );
    }
    this.#first ??= head.app_seq;
    this.#last = head.app_seq;
    if (this.firstSeq < 0) this.firstSeq = head.seq;
    this.lastSeq = head.seq;
    this.count++;
    if (record.bodyJcs !== undefined) return;
    this.#hidden++;
    if (role === 'erased') this.#erased.push(head.seq);
    else if (role === 'withheld' && this.#withheld.get(head.seq) === record.seal.hash_self) {
      findings.add('body_withheld', where);
    } else findings.add('body_missing', where);
  }

  /** `erasures`: the seqs that erasure records in the pack name. */
  finish(erasures: ReadonlySet<number>, findings: Findings): void {
    const { scope, checkpoint } = this.#manifest;
    for (const seq of this.#erased) {
      findings.add(erasures.has(seq) ? 'body_erased' : 'body_missing', `heads.jsonl:seq ${seq}`);
    }
    if (scope.by !== 'received_at') {
      findings.add('selection', 'manifest.json');
      return;
    }
    const { requested } = scope;
    const asked =
      validTs(requested.from) &&
      validTs(requested.to) &&
      scope.from === paddedFrom(requested.from) &&
      scope.to <= paddedTo(requested.to);
    if (!asked) findings.add('scope_wrong', 'manifest.json', 'It is not the window that was asked for.');
    if (scope.from > scope.to) findings.add('scope_wrong', 'manifest.json', 'It ends before it begins.');
    const last = this.#last ?? scope.first_app_seq - 1;
    if (last !== scope.last_app_seq) {
      findings.add(
        'app_seq_gap',
        'manifest.json',
        `The scope ends with ${scope.last_app_seq}, the records with ${last}.`,
      );
    }
    const before = this.#before?.head;
    const fitsBefore =
      before === undefined
        ? scope.first_app_seq === 1
        : before.app_seq === scope.first_app_seq - 1 && before.received_at < scope.from;
    if (!fitsBefore) findings.add('before_missing', 'heads.jsonl');
    const after = this.#after?.head;
    if (after !== undefined) {
      const fits = after.app_seq === scope.last_app_seq + 1 && after.received_at > scope.to;
      if (!fits) findings.add('after_missing', 'heads.jsonl');
    } else if (this.#closed) findings.add('epoch_end', 'heads.jsonl');
    else findings.add('after_not_shown', 'heads.jsonl', `Its size is ${checkpoint.size}.`);
  }
}
