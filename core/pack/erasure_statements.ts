/**
 * Who asked for the erasures of a pack and set the rules behind them, and whether they name what is gone: the records erasure.* and
 * ledger.settings by rising seq, judged by the people in force at each. Spec: docs/spec/erasure.md, "What a verifier checks".
 * Rules: a statement is judged when its record passes, its signature goes to the queue. Memory: 40 bytes for each body that is gone.
 */
import { equalBytes, fromHex } from '../proof/bytes.ts';
import { type ErasureStatement, erasedDigest, retentionDigest } from '../proof/erasure.ts';
import type { Sha256 } from '../proof/hash.ts';
import type { JsonObject, JsonValue } from '../proof/jcs.ts';
import { asObject, asText } from './approval_line.ts';
import { planErasure, RETENTION_SETTING } from './erasure_rules.ts';
import type { FindingCode, Findings } from './findings.ts';
import type { People } from './people.ts';
import { type Members, membersOf, PersonFault, type Place } from './person_form.ts';
import { isOfItsTime } from './policy_rules.ts';
import type { SignatureQueue } from './signatures.ts';

const FINDING: { readonly [code: string]: FindingCode } = {
  statement_invalid: 'erasure_statement_wrong',
  signature_invalid: 'erasure_signature_wrong',
  person_key_unknown: 'erasure_signer_unknown',
  role_missing: 'erasure_role_wrong',
};
const HASH = /^[0-9a-f]{64}$/;

const listOf = (value: JsonValue | undefined): readonly JsonValue[] => (Array.isArray(value) ? value : []);

/** The rules that hold: days by app. `isShown`: signed, or set while nobody was enrolled. */
type Rules = { readonly days: JsonObject; readonly isShown: boolean };

export class ErasureStatements {
  readonly #sha256: Sha256;
  readonly #place: Place;
  readonly #people: People;
  readonly #signatures: Pick<SignatureQueue, 'push'>;
  readonly #gone = new HashesBySeq();
  #rules: Rules = { days: {}, isShown: true };
  #isSigned = false;

  constructor(parts: {
    readonly sha256: Sha256;
    readonly place: Place;
    readonly people: People;
    readonly signatures: Pick<SignatureQueue, 'push'>;
  }) {
    this.#sha256 = parts.sha256;
    this.#place = parts.place;
    this.#people = parts.people;
    this.#signatures = parts.signatures;
  }

  /** Whether any statement carries a person's signature. */
  get isSigned(): boolean {
    return this.#isSigned;
  }

  /** A head of role `erased`. */
  gone(seq: number, hashSelf: string): void {
    this.#gone.push(seq, hashSelf);
  }

  /** Takes any record that has its body. */
  take(record: JsonObject, where: string, findings: Findings): void {
    const type = asText(record.event_type);
    if (type.startsWith('erasure.')) this.#erasure(record, where, findings);
    else if (type === 'ledger.settings') {
      const days = asObject(record.settings)[RETENTION_SETTING];
      if (days !== undefined) this.#retention(record, asObject(days), where, findings);
    }
  }

  #erasure(record: JsonObject, where: string, findings: Findings): void {
    const { seqs, hashes, reason, apps, days } = asObject(record.erasure);
    const named = namedOf(seqs, hashes);
    if (hashes !== undefined) {
      const isRight =
        named?.seqs.every((seq, i) => this.#gone.agrees(seq, named.hashes[i]!)) &&
        (days === undefined || listOf(apps).every(app => this.#rules.days[asText(app)] === days));
      if (!isRight) findings.add('erasure_record_wrong', where);
    }
    const expected = {
      act: 'erase' as const,
      by: asText(record.by),
      digest: named === undefined ? '' : erasedDigest(this.#sha256, named.seqs, named.hashes),
      reason: asText(reason),
    };
    if (days !== undefined) {
      if (record.signed !== undefined)
        findings.add('erasure_statement_wrong', where, "Nobody signs a rule's erasure anew.");
      else if (!this.#rules.isShown) findings.add('erasure_signature_missing', where, 'Of its rule.');
    } else if (!this.#isShown(record, expected, where, findings))
      findings.add('erasure_signature_missing', where);
  }

  #retention(record: JsonObject, days: JsonObject, where: string, findings: Findings): void {
    const digest = retentionDigest(this.#sha256, days as { [app: string]: number });
    const expected = { act: 'retain' as const, by: asText(record.by), digest, reason: '' };
    this.#rules = { days, isShown: this.#isShown(record, expected, where, findings) };
  }

  /** False only where nobody signed although people were enrolled. What is signed and wrong is a finding. */
  #isShown(
    record: JsonObject,
    expected: Partial<ErasureStatement>,
    where: string,
    findings: Findings,
  ): boolean {
    const seq = Number(record.seq);
    if (record.signed === undefined) return this.#people.enrolledAt(seq) === 0;
    this.#isSigned = true;
    const context = { place: this.#place, signerOf: (id: string) => this.#people.at(id, seq) };
    try {
      const { by, at, ...job } = planErasure(onlySigned(record.signed), expected, context);
      this.#signatures.push({ ...job, code: 'erasure_signature_wrong', where });
      if (!isOfItsTime(at, asText(record.received_at)))
        findings.add('erasure_statement_wrong', where, `${by} signed it at another time.`);
    } catch (error) {
      if (!(error instanceof PersonFault)) throw error;
      findings.add(FINDING[error.code]!, where, `${error.message}.`);
    }
    return true;
  }
}

/** Throws PersonFault. */
function onlySigned(value: JsonValue): Members {
  const [only, ...others] = listOf(value);
  if (only === undefined || others.length > 0)
    throw new PersonFault('statement_invalid', 'It is not signed once');
  return membersOf(only, ['signature', 'signed_in', 'statement'], []);
}

/** Undefined where the two lists are not of one form and length. */
function namedOf(
  seqs: JsonValue | undefined,
  hashes: JsonValue | undefined,
): { readonly seqs: readonly number[]; readonly hashes: readonly string[] } | undefined {
  const [numbers, names] = [listOf(seqs) as readonly number[], listOf(hashes) as readonly string[]];
  const isRight =
    numbers.length > 0 &&
    numbers.length === names.length &&
    numbers.every((seq, i) => Number.isSafeInteger(seq) && (i === 0 ? seq >= 0 : numbers[i - 1]! < seq)) &&
    names.every(name => typeof name === 'string' && HASH.test(name));
  return isRight ? { seqs: numbers, hashes: names } : undefined;
}

/** Hashes of heads that come by rising seq. */
class HashesBySeq {
  readonly #seqs: number[] = [];
  #hashes = new Uint8Array(0);

  /** One that does not come after the one before is passed over. */
  push(seq: number, hash: string): void {
    if (seq <= (this.#seqs.at(-1) ?? -1)) return;
    const at = 32 * this.#seqs.length;
    if (at === this.#hashes.length) {
      const more = new Uint8Array(Math.max(1024, 2 * at));
      more.set(this.#hashes);
      this.#hashes = more;
    }
    this.#hashes.set(fromHex(hash), at);
    this.#seqs.push(seq);
  }

  /** Also where there is none of that seq. */
  agrees(seq: number, hash: string): boolean {
    let [low, high] = [0, this.#seqs.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#seqs[middle]! < seq) low = middle + 1;
      else high = middle;
    }
    return (
      this.#seqs[low] !== seq || equalBytes(this.#hashes.subarray(32 * low, 32 * low + 32), fromHex(hash))
    );
  }
}
