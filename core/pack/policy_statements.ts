/**
 * Who saved the policies of a pack, who put them in force and what was tried of them: the records policy.* and ledger.settings
 * by rising seq, judged by the people in force at each. Spec: docs/spec/policy.md; docs/spec/pack.md, "Policy statements".
 * Rules: a statement is judged when its record passes, its signature goes to the queue; a few facts are kept of each set.
 */
import { policyHash } from '../proof/binding.ts';
import { hex, utf8 } from '../proof/bytes.ts';
import type { Sha256 } from '../proof/hash.ts';
import type { JsonObject, JsonValue } from '../proof/jcs.ts';
import { reportSha256, sourcesSha256 } from '../proof/policy.ts';
import { asObject, asText } from './approval_line.ts';
import type { FindingCode, Findings } from './findings.ts';
import type { People } from './people.ts';
import { type Members, membersOf, PersonFault, type Place } from './person_form.ts';
import { isImpactSum } from './policy_impact.ts';
import { isOfItsTime, isOwnRequest, type PolicyCheck, planImpact, planPolicy } from './policy_rules.ts';
import type { SignatureQueue } from './signatures.ts';

/** One activation that a pack carries, and how far it is shown who stands behind it. */
export type PolicyInForce = {
  readonly hash: string;
  readonly environment: string;
  readonly version: number;
  readonly seq: number;
  /** A person, a name from before anybody was enrolled, or `collector`: the app itself. Empty in older records. */
  readonly by: string;
  /** Who saved the set. */
  readonly author?: string;
  /** The first of two people. */
  readonly proposed_by?: string;
  /** Whether two people were asked for. */
  readonly four_eyes: boolean;
  /**
   * `signed`: by who put it in force; `unsigned`: nobody was enrolled yet; `app`: the policy that came with the app, put in
   * force by it; `not_shown`: a signature or record is missing.
   */
  readonly stands: 'signed' | 'unsigned' | 'app' | 'not_shown';
  /** Impact reports of the set in the pack. */
  impacts: number;
};

/** The setting of environments that ask for two people, in `ledger.settings`. */
const FOUR_EYES = 'policy_four_eyes';
/** The app itself, as `by` says it. */
const BY_APP = 'collector';
/** Activations that a report lists. */
const MOST_LISTED = 1000;
/** Records that stand in extras only beside an activation of their set. */
const OF_A_SET: ReadonlySet<string> = new Set([
  'policy.saved',
  'policy.proposed',
  'policy.withdrawn',
  'policy.candidate',
  'policy.shadowed',
  'policy.impact',
]);

const FINDING: { readonly [code: string]: FindingCode } = {
  statement_invalid: 'policy_statement_wrong',
  signature_invalid: 'policy_signature_wrong',
  person_key_unknown: 'policy_signer_unknown',
  role_missing: 'policy_role_wrong',
};

type Saved = { readonly seq: number; readonly by: string; readonly sources: string };
type Proposed = { readonly seq: number; readonly hash: string; readonly signature: string };
type Part = { readonly path: string; readonly sha256: string; readonly text?: JsonValue };

const listOf = (value: JsonValue | undefined): readonly JsonValue[] => (Array.isArray(value) ? value : []);

export class PolicyStatements {
  readonly #sha256: Sha256;
  readonly #place: Place;
  readonly #people: People;
  readonly #signatures: Pick<SignatureQueue, 'push'>;
  #fourEyes: ReadonlySet<string> = new Set();
  readonly #saved = new Map<string, Saved>();
  /** Sources of each set that was saved or put in force. */
  readonly #sources = new Map<string, string>();
  /** Sets that came with the app. */
  readonly #ofApp = new Set<string>();
  /** By environment. */
  readonly #active = new Map<string, string>();
  readonly #proposed = new Map<string, Proposed>();
  readonly #activated = new Set<string>();
  readonly #extras: { readonly hash: string; readonly where: string }[] = [];
  readonly #impacts: { readonly hash: string; readonly sources: JsonValue; readonly where: string }[] = [];
  readonly #listed: PolicyInForce[] = [];
  #isHidden = false;
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

  /** The activations of the pack by seq, the first 1000. */
  get inForce(): readonly PolicyInForce[] {
    return this.#listed;
  }

  /** A body of this type is erased or withheld: what it would have said is not shown. */
  hide(eventType: string): void {
    if (eventType.startsWith('policy.')) this.#isHidden = true;
  }

  /** Takes any record that has its body. `inScope`: it stands in events.jsonl. */
  take(record: JsonObject, inScope: boolean, where: string, findings: Findings): void {
    const type = asText(record.event_type);
    if (type === 'ledger.settings') {
      const environments = asObject(record.settings)[FOUR_EYES];
      if (environments !== undefined) this.#fourEyes = new Set(listOf(environments).map(asText));
      return;
    }
    if (!type.startsWith('policy.')) return;
    const policy = asObject(record.policy);
    if (!inScope && OF_A_SET.has(type)) {
      const { hash } = { ...policy, ...asObject(record.shadow) };
      const tried = asObject(asObject(record.impact).report).policy_hash;
      this.#extras.push({ hash: asText(type === 'policy.impact' ? tried : hash), where });
    }
    if (type === 'policy.saved') this.#save(record, policy, where, findings);
    else if (type === 'policy.proposed') this.#propose(record, policy, where, findings);
    else if (type === 'policy.withdrawn') this.#proposed.delete(environmentOf(policy));
    else if (type === 'policy.activated') this.#activate(record, policy, where, findings);
    else if (type === 'policy.impact') this.#impact(record, where, findings);
  }

  /** Once every record has passed. */
  finish(findings: Findings): void {
    for (const { hash, where } of this.#extras) {
      if (!this.#activated.has(hash))
        findings.add('extra_unknown', where, 'No policy of the pack is its set.');
    }
    for (const { hash, sources, where } of this.#impacts) {
      const known = this.#sources.get(hash);
      if (known !== undefined && known !== sources) {
        findings.add('policy_impact_wrong', where, 'It names other sources than those of its set.');
      }
      for (const listed of this.#listed) if (listed.hash === hash) listed.impacts++;
    }
  }

  #save(record: JsonObject, policy: JsonObject, where: string, findings: Findings): void {
    const hash = asText(policy.hash);
    const sources = this.#parts(policy, record.files, where, findings);
    if (policy.sources_sha256 !== sources) findings.add('policy_hash_wrong', where, 'Its sources.');
    const expected = {
      act: 'save' as const,
      environment: '',
      message: asText(policy.message),
      policy_hash: hash,
      replaces: '',
      sources_sha256: sources,
      by: asText(record.by),
    };
    const [only] = this.#said(record, 1, where, findings);
    this.#judge(only, said => planPolicy(said, expected, this.#context(record)), record, where, findings);
    if (only === undefined) this.#unsigned(record, where, findings);
    // The same set again is the one that was saved first.
    if (!this.#saved.has(hash)) {
      this.#saved.set(hash, { seq: Number(record.seq), by: asText(record.by), sources });
    }
  }

  #propose(record: JsonObject, policy: JsonObject, where: string, findings: Findings): void {
    const { hash, environment, replaces, message } = policy;
    const sources = this.#sources.get(asText(hash));
    const expected = {
      act: 'activate' as const,
      environment: asText(environment),
      message: asText(message),
      policy_hash: asText(hash),
      replaces: asText(replaces),
      by: asText(record.by),
      ...(sources === undefined ? {} : { sources_sha256: sources }),
    };
    const [only] = this.#said(record, 1, where, findings);
    this.#judge(only, said => planPolicy(said, expected, this.#context(record)), record, where, findings);
    if (only === undefined) this.#unsigned(record, where, findings);
    const signature = asText(asObject(only as JsonValue | undefined).signature);
    this.#proposed.set(environmentOf(policy), { seq: Number(record.seq), hash: asText(hash), signature });
  }

  #activate(record: JsonObject, policy: JsonObject, where: string, findings: Findings): void {
    const { hash, version } = policy;
    if (typeof hash !== 'string' || typeof version !== 'number') return; // policies.ts says so.
    const environment = environmentOf(policy);
    const sources = this.#parts(policy, policy.files, where, findings);
    const by = asText(record.by);
    const replaces = asText(policy.replaces);
    const isApp = record.signed === undefined && by === BY_APP;
    if (isApp || policy.built_in === true) this.#ofApp.add(hash);
    const signed = this.#said(record, 2, where, findings);
    const asked = this.#fourEyes.has(environment);
    const isShown = this.#savingShown(hash, policy.saved_seq, signed.length > 0, where, findings);

    const expected = {
      act: 'activate' as const,
      environment,
      policy_hash: hash,
      replaces,
      sources_sha256: sources,
    };
    const last = signed.at(-1);
    const first = signed.length > 1 ? signed[0] : undefined;
    const own = { ...expected, by, message: asText(policy.message) };
    const plan = (said: Members) => planPolicy(said, own, this.#context(record));
    const isSigned = this.#judge(last, plan, record, where, findings);
    let proposedBy: string | undefined;
    if (first !== undefined) {
      proposedBy = asText(asObject(first.statement as JsonValue).by);
      const proposed = this.#proposed.get(environment);
      const answers = proposed?.hash === hash && proposed.signature === first.signature;
      if (!answers) this.#missing(where, findings, 'Its proposal.');
      // Whoever proposed may have another key by now.
      const context = this.#context(answers ? proposed : record);
      this.#judge(first, said => planPolicy(said, expected, context), undefined, where, findings);
      if (isOwnRequest(by, proposedBy, this.#saved.get(hash)?.by))
        findings.add('policy_own_request', where, `${by}.`);
    } else if (asked && last !== undefined) findings.add('policy_too_few', where);
    if (last === undefined) this.#unsigned(record, where, findings, isApp ? environment : undefined);

    this.#proposed.delete(environment);
    this.#active.set(environment, hash);
    this.#activated.add(hash);
    const isEnrolled = this.#people.enrolledAt(Number(record.seq)) > 0;
    const unsigned = isApp ? 'app' : isEnrolled ? 'not_shown' : 'unsigned';
    const author = this.#saved.get(hash)?.by;
    if (this.#listed.length < MOST_LISTED) {
      this.#listed.push({
        hash,
        environment,
        version,
        seq: Number(record.seq),
        by,
        ...(author === undefined ? {} : { author }),
        ...(proposedBy === undefined ? {} : { proposed_by: proposedBy }),
        four_eyes: asked,
        stands: record.signed === undefined ? unsigned : isSigned && isShown ? 'signed' : 'not_shown',
        impacts: 0,
      });
    }
  }

  /** Whether the record of its saving is here, or it came with the app. Older activations do not say which record it is. */
  #savingShown(
    hash: string,
    savedSeq: JsonValue | undefined,
    isSigned: boolean,
    where: string,
    findings: Findings,
  ): boolean {
    if (this.#ofApp.has(hash)) return true;
    const saved = this.#saved.get(hash);
    if (saved !== undefined && (savedSeq === undefined || savedSeq === saved.seq)) return true;
    if (savedSeq !== undefined) this.#missing(where, findings, 'The saving of its set.');
    else if (isSigned) findings.add('policy_statement_absent', where);
    return false;
  }

  #missing(where: string, findings: Findings, what: string): void {
    findings.add(this.#isHidden ? 'policy_statement_absent' : 'policy_record_missing', where, what);
  }

  #impact(record: JsonObject, where: string, findings: Findings): void {
    const impact = asObject(record.impact);
    const report = asObject(impact.report);
    const digest = reportSha256(this.#sha256, report);
    if (impact.report_sha256 !== digest) findings.add('policy_impact_wrong', where, 'Its hash.');
    if (!isImpactSum(report, Number(record.seq))) findings.add('policy_impact_wrong', where, 'Its sums.');
    const expected = { by: asText(record.by), report_sha256: digest };
    const [only] = this.#said(record, 1, where, findings);
    this.#judge(only, said => planImpact(said, expected, this.#context(record)), record, where, findings);
    if (only === undefined) this.#unsigned(record, where, findings);
    this.#impacts.push({ hash: asText(report.policy_hash), sources: report.sources_sha256 ?? '', where });
  }

  /** What was signed, by at most so many; nothing where the record has no `signed`. */
  #said(record: JsonObject, most: number, where: string, findings: Findings): Members[] {
    if (record.signed === undefined) return [];
    try {
      const list = listOf(record.signed).map(one =>
        membersOf(one, ['signature', 'signed_in', 'statement'], []),
      );
      if (list.length > 0 && list.length <= most) return list;
    } catch (error) {
      if (!(error instanceof PersonFault)) throw error;
    }
    findings.add('policy_statement_wrong', where, 'Its form.');
    return [];
  }

  #context(record: { readonly seq?: JsonValue }) {
    const seq = Number(record.seq);
    return { place: this.#place, signerOf: (id: string) => this.#people.at(id, seq) };
  }

  /** `record`: the one that a statement must be of the same time as. Answers whether it counts, should its signature verify. */
  #judge(
    said: Members | undefined,
    plan: (said: Members) => PolicyCheck,
    record: JsonObject | undefined,
    where: string,
    findings: Findings,
  ): boolean {
    if (said === undefined) return false;
    this.#isSigned = true;
    try {
      const { by, at, publicKey, message, signature } = plan(said);
      this.#signatures.push({ publicKey, message, signature, code: 'policy_signature_wrong', where });
      if (record === undefined || isOfItsTime(at, asText(record.received_at))) return true;
      findings.add('policy_statement_wrong', where, `${by} signed it at another time.`);
    } catch (error) {
      if (!(error instanceof PersonFault)) throw error;
      const isFigures = error.member === 'report_sha256';
      findings.add(isFigures ? 'policy_impact_wrong' : FINDING[error.code]!, where, `${error.message}.`);
    }
    return false;
  }

  /** Nobody signed: right while nobody is enrolled, and where the app replaces what came with it. */
  #unsigned(record: JsonObject, where: string, findings: Findings, byAppIn?: string): void {
    if (record.signed !== undefined || this.#people.enrolledAt(Number(record.seq)) === 0) return;
    const before = byAppIn === undefined ? undefined : this.#active.get(byAppIn);
    const isRight = byAppIn !== undefined && (before === undefined || this.#ofApp.has(before));
    findings.add(isRight ? 'policy_by_app' : 'policy_signature_missing', where);
  }

  /** The digest of a set's sources; a set whose parts do not give its hash is told. */
  #parts(policy: JsonObject, files: JsonValue | undefined, where: string, findings: Findings): string {
    const parts = listOf(files).map((one): Part => {
      const { path, sha256, text } = asObject(one);
      const part = { path: asText(path), sha256: asText(sha256) };
      return text === undefined ? part : { ...part, text };
    });
    const { entrypoint, capabilities_sha256, wasm_sha256 } = policy;
    const hash = policyHash(this.#sha256, {
      entrypoint: asText(entrypoint),
      capabilities_sha256: asText(capabilities_sha256),
      wasm_sha256: asText(wasm_sha256),
      files: parts,
    });
    const isText = ({ text, sha256 }: Part): boolean =>
      text === undefined || (typeof text === 'string' && hex(this.#sha256(utf8(text))) === sha256);
    if (hash !== policy.hash || !parts.every(isText)) findings.add('policy_hash_wrong', where);
    const sources = sourcesSha256(this.#sha256, parts);
    const known = asText(policy.hash);
    if (!this.#sources.has(known)) this.#sources.set(known, sources);
    return sources;
  }
}

const environmentOf = ({ environment }: JsonObject): string =>
  typeof environment === 'string' ? environment : 'prod';
