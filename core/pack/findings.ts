/**
 * The one table of what a verifier can find: code -> verdict, level and plain words, and the rules that turn findings
 * into four verdicts and an exit code. Format: docs/spec/pack.md, "Verdicts".
 * Rules: a fail beats not_shown, not_shown beats pass, a warning changes no verdict; nothing is dropped without being
 * counted (`more`).
 */

import { plainText } from './plain_text.ts';

export type Verdict = 'integrity' | 'completeness' | 'time' | 'identity';
export type Level = 'fail' | 'not_shown' | 'warning';
type Row = { readonly verdict: Verdict; readonly level: Level; readonly message: string };

const row = (verdict: Verdict, level: Level, message: string): Row => ({ verdict, level, message });
const broken = (message: string): Row => row('integrity', 'fail', message);
const incomplete = (message: string): Row => row('completeness', 'fail', message);

export const findingTable = {
  // The files
  checksums_form: broken('checksums.txt is not in the one accepted form.'),
  manifest_form: broken('manifest.json is not in the one accepted form.'),
  manifest_disagrees: broken(
    'manifest.json and checksums.txt do not name the same files with the same hashes.',
  ),
  file_missing: broken('A file that the manifest names is not in the pack.'),
  file_unlisted: broken('The pack holds a file that its manifest does not name.'),
  file_hash_wrong: broken('A file is not the one that was signed: its SHA-256 differs.'),
  file_role_wrong: broken('A file stands under a name or role that the format does not know.'),
  line_form: broken('A line is not canonical JSON (RFC 8785), or too long.'),
  cms_missing: broken('The signature over checksums.txt (META-INF/checksums.p7s) is missing.'),
  cms_invalid: broken('The signature over checksums.txt does not verify.'),
  cms_signer_wrong: broken('The pack is signed by another certificate than the one you trust (org.pem).'),
  cms_unchecked: row(
    'integrity',
    'not_shown',
    'The signature over checksums.txt was not checked here; use openssl or `trailmix verify`.',
  ),
  container_incomplete: broken(
    'The pack is half an ASiC-E container: mimetype, its manifest and its signature belong together.',
  ),
  mimetype_wrong: broken('mimetype is not first, stored and of the one content that it has.'),
  asic_manifest_wrong: broken(
    'The ASiC manifest does not name exactly the files of checksums.txt with their hashes.',
  ),
  asic_signature_wrong: broken('The CAdES signature over the ASiC manifest does not verify.'),
  asic_signer_differs: broken('The two signatures of the pack are not by the same certificate.'),
  file_damaged: broken('A file cannot be read: its bytes in the zip are damaged.'),
  // The records
  record_form: broken('A record does not have the members that every record has.'),
  record_foreign: broken('A record belongs to another ledger, tenant or app than the pack.'),
  seq_twice: broken('The same sequence number stands twice.'),
  seq_order: broken('The records are not in the order of their sequence numbers.'),
  head_hash_wrong: broken('A record was changed: its head does not give its hash.'),
  body_hash_wrong: broken('A record was changed: its content does not give the hash in its head.'),
  body_missing: broken(
    'The content of a record is missing, and nothing says that it was erased or withheld.',
  ),
  signature_wrong: broken('The signature of a record does not verify.'),
  key_wrong: broken('A record is signed by another key than the one in force.'),
  key_rotation_wrong: broken('A change of key is not signed by both keys.'),
  keys_missing: broken('The record that names the signing keys (seq 0) is missing or unusable.'),
  key_file_wrong: broken('A key file is not the public key that its name and the ledger say.'),
  chain_broken: broken('A record does not continue the one before it: its hash_prev is wrong.'),
  time_falls: broken('A record was received before the one that precedes it.'),
  app_seq_falls: broken('The numbers of an app do not rise with the sequence.'),
  reserved_type: broken('An event of a kind that only the collector records came from elsewhere.'),
  extra_unknown: broken('extras.jsonl holds a record that nothing in the pack calls for.'),
  blob_missing: broken('A large value that a record names is not in the pack.'),
  blob_wrong: broken('A large value does not have the size or form that the record says.'),
  blob_unreferenced: row('integrity', 'warning', 'The pack holds a large value that no record names.'),
  // The tree
  checkpoint_form: broken('The checkpoint is not in the one accepted form.'),
  checkpoint_wrong: broken('The checkpoint is of another ledger, size or root than the manifest says.'),
  checkpoint_signature_wrong: broken("The checkpoint's signature does not verify."),
  checkpoint_key_wrong: broken(
    'The checkpoint is not signed by the key that the ledger names or that you trust.',
  ),
  checkpoint_files_differ: broken('checkpoint.body and checkpoint.sig are not those of checkpoint.note.'),
  beyond_checkpoint: broken('A record lies beyond the checkpoint.'),
  proof_wrong: broken('multiproof.jsonl does not fit the records of the pack.'),
  root_wrong: broken('The records and the proof do not give the root that the checkpoint signs.'),
  keys_untrusted: row(
    'integrity',
    'not_shown',
    'Nothing from outside the pack says that its keys are genuine: verify with --trust.',
  ),
  // Policies, approvals, what is derived
  policy_form: broken('policies.json is not in the one accepted form.'),
  policy_hash_wrong: broken('A policy was exchanged: its parts do not give its policy hash.'),
  policy_unrecorded: broken('A policy, or a decision under it, is not backed by a recorded activation.'),
  policy_missing: broken('A decision was made under a policy that the pack does not hold.'),
  policy_files_absent: row(
    'completeness',
    'not_shown',
    'The sources of a policy were not exported; only its hash is shown.',
  ),
  policy_statement_wrong: broken(
    'What a person signed about a policy is not what was recorded: another set, environment, text or time.',
  ),
  policy_role_wrong: broken('A policy was saved or put in force by a person without the role for it.'),
  policy_own_request: broken(
    'A policy came into force by its own author or proposer where a second pair of eyes was asked for.',
  ),
  policy_too_few: broken('A policy was put in force by one person where two were asked for.'),
  policy_impact_wrong: broken(
    'The figures of an impact report do not add up, were changed, or are not of the set that it names.',
  ),
  policy_record_missing: incomplete(
    'A record behind a policy in force is not in the pack: its saving, or its proposal by the first of two people.',
  ),
  policy_statement_absent: row(
    'completeness',
    'not_shown',
    'Who wrote a policy in force is not shown: the record of its saving is not in the pack, which older collectors left out.',
  ),
  erasure_statement_wrong: broken(
    'What a person signed about an erasure or a retention rule is not what was recorded: other records, another reason, rule or time.',
  ),
  erasure_role_wrong: broken(
    'Bodies were erased, or a retention rule set, by a person without the role for it.',
  ),
  erasure_record_wrong: broken(
    'An erasure names other records than those whose content is gone, or a rule that was not in force.',
  ),
  approval_binding_wrong: broken('An approval is not bound to the call that was decided.'),
  approval_answer_wrong: broken('An answer to an approval does not belong to it, or came too late.'),
  approval_shown_wrong: broken('What is said to have been shown to a person is not what was asked.'),
  approval_review_wrong: broken(
    'An answer does not belong to a review that its signer opened, or to what was shown in it.',
  ),
  approval_too_early: broken('An approval was accepted before the minimum time for reading it had passed.'),
  approval_own_request: broken('A person approved what they had asked for.'),
  approval_role_wrong: broken('A person answered without one of the roles that the rule asks for.'),
  approval_person_twice: broken('A person was counted twice for the same approval.'),
  approval_too_few: broken('A call was let through with fewer people than the rule asks for.'),
  intent_wrong: broken('A call was let through without a valid approval behind it.'),
  outcome_wrong: broken('An outcome does not belong to a decision that let the call through.'),
  args_digest_wrong: broken('The arguments in a decision do not give the digest that was decided on.'),
  approval_record_missing: incomplete('A record behind an approval is not in the pack.'),
  derived_wrong: broken('A derived file does not say what the records say.'),
  report_figures_wrong: broken('summary.pdf gives other figures than the records do.'),
  report_figures_unchecked: row(
    'integrity',
    'not_shown',
    'The figures of summary.pdf are of a later version, and were not compared with the records.',
  ),
  // Completeness
  app_seq_gap: incomplete("A record of this app is missing: the app's own numbers have a gap."),
  scope_wrong: incomplete('The scope in the manifest is not that of the records.'),
  out_of_scope: incomplete('A record lies outside the time window of the pack.'),
  before_missing: incomplete(
    'What precedes the scope is not shown: the record before it is missing or does not fit.',
  ),
  after_missing: incomplete(
    'What follows the scope is not shown: the record after it is missing or does not fit.',
  ),
  after_not_shown: row(
    'completeness',
    'not_shown',
    'The record after the scope lies beyond the pinned checkpoint.',
  ),
  epoch_end: row('completeness', 'not_shown', 'The ledger was closed before a record came after the scope.'),
  selection: row(
    'completeness',
    'not_shown',
    'The pack is a selection, not a window of all that was received.',
  ),
  stream_gap: incomplete(
    'A producer numbered its events, and a number is missing that it did not report as dropped.',
  ),
  stream_duplicate: incomplete('A producer used the same number twice.'),
  stream_open: row(
    'completeness',
    'warning',
    "A producer's numbering begins before the window or does not end in it.",
  ),
  stream_hidden: row(
    'completeness',
    'warning',
    'A missing number of a producer may lie in an erased or withheld record.',
  ),
  stream_dropped: row('completeness', 'warning', 'A producer reported that it dropped events.'),
  stream_unjudged: row(
    'completeness',
    'not_shown',
    'Too many numberings are open at once to judge them all.',
  ),
  body_erased: row(
    'completeness',
    'warning',
    'The content of a record was erased; its place in the chain is proved.',
  ),
  approval_hidden: row(
    'completeness',
    'not_shown',
    'An approval cannot be judged whole: a record behind it was erased or withheld.',
  ),
  body_withheld: row(
    'completeness',
    'warning',
    'The content of a record was withheld; its place in the chain is proved.',
  ),
  restored: row(
    'completeness',
    'warning',
    'This ledger continues from a backup; records of the old one may be lost.',
  ),
  since_inconsistent: row(
    'completeness',
    'fail',
    'History was rewritten since the older pack: its checkpoint is not a beginning of this one.',
  ),
  since_missing: row('completeness', 'not_shown', 'The pack holds no proof that it continues the older one.'),
  restore_signature_wrong: incomplete(
    'The restore, or the checkpoint that it cites, is not signed by the key of the old ledger that the older pack names.',
  ),
  restore_keys_wrong: incomplete(
    'What the pack says of the keys of a ledger before this one does not hold: form, proof or signatures.',
  ),
  restore_unsigned: row(
    'completeness',
    'not_shown',
    'Whether the old ledger itself signed the restore is not shown: neither the older pack nor this one shows the key.',
  ),
  restored_behind: row('completeness', 'fail', 'The ledger was restored to a state before the older pack.'),
  epoch_changed: row('completeness', 'not_shown', 'The older pack is of another ledger.'),
  // Witnesses
  witness_missing: row(
    'completeness',
    'not_shown',
    'Fewer of the witnesses that you named have cosigned this history than you ask for.',
  ),
  witness_earlier: row(
    'completeness',
    'warning',
    'The witnesses that you named cosigned an earlier state, which does not cover all of this pack.',
  ),
  witness_unchecked: row(
    'completeness',
    'not_shown',
    'A cosignature of a witness was not checked here: this verifier has no ML-DSA.',
  ),
  witness_untrusted: row(
    'completeness',
    'warning',
    'The pack has cosignatures, and nothing from outside it names the witnesses: put witness_policy.json into --trust.',
  ),
  witness_signature_wrong: broken('A cosignature of a witness that you named does not verify.'),
  witness_note_wrong: broken('META-INF/cosignatures.note is not over the checkpoint of this pack.'),
  witness_inconsistent: incomplete(
    'A witness that you named cosigned another history of this ledger: it was rewritten.',
  ),
  // Time
  time_not_shown: row(
    'time',
    'not_shown',
    'No outside party dated this pack: all times are those of the collector.',
  ),
  time_by_anchors: row(
    'time',
    'warning',
    'No outside party dated the pack itself; stamped checkpoints show by when its records were there.',
  ),
  time_partly_shown: row(
    'time',
    'not_shown',
    'Stamped checkpoints show by when the first of its records were there; no outside party dated the later ones.',
  ),
  timestamp_unchecked: row(
    'time',
    'not_shown',
    'A time-stamp was not checked here; use openssl or `trailmix verify`.',
  ),
  timestamp_form: row('time', 'fail', 'A time-stamp is not in the form of RFC 3161.'),
  timestamp_wrong: row('time', 'fail', 'A time-stamp is over other bytes than those it stands beside.'),
  timestamp_signature_wrong: row('time', 'fail', "A time-stamp's signature does not verify."),
  timestamp_purpose_wrong: row(
    'time',
    'fail',
    'A time-stamp is by a certificate that is not for time-stamping, critically and alone.',
  ),
  timestamp_expired: row(
    'time',
    'fail',
    "The time-stamping authority's certificate was not valid at the time that it gives.",
  ),
  timestamp_untrusted: row(
    'time',
    'not_shown',
    'Nothing from outside the pack says that the time-stamping authority is genuine: put its root as tsa-root.pem into --trust.',
  ),
  anchor_wrong: row(
    'time',
    'fail',
    'A stamped checkpoint is not one of this ledger, or the pack does not prove that it continues it.',
  ),
  // Identity
  signer_untrusted: row(
    'identity',
    'not_shown',
    'Nothing from outside the pack says whose certificate signed it: verify with --trust.',
  ),
  signer_unknown: row('identity', 'not_shown', 'Who signed the pack was not checked here.'),
  certificate_self_made: row(
    'identity',
    'warning',
    'The signing certificate was made by the collector itself; it is as good as the way you got org.pem.',
  ),
  certificate_expired: row(
    'identity',
    'not_shown',
    'The signing certificate has expired, and no trusted time-stamp shows that it signed before.',
  ),
  certificate_revoked: row(
    'identity',
    'fail',
    'The signing certificate was revoked, and no trusted time-stamp shows that it signed before.',
  ),
  certificate_revoked_later: row(
    'identity',
    'warning',
    'The signing certificate was revoked after a trusted time-stamp shows that it signed.',
  ),
  unkeyed_events: row(
    'identity',
    'fail',
    'Events came without an API key: anyone on that machine may have sent them.',
  ),
  approval_unsigned: row(
    'identity',
    'not_shown',
    'An approval carries no signature of the person who gave it.',
  ),
  approval_signature_missing: row(
    'identity',
    'fail',
    'An answer carries no signature although people were enrolled when it was given.',
  ),
  approval_signer_unknown: row(
    'identity',
    'fail',
    'An answer is signed by a key that was not in force for the person it names.',
  ),
  approval_signature_wrong: row('identity', 'fail', 'The signature of a person does not verify.'),
  policy_signature_missing: row(
    'identity',
    'fail',
    'A policy was saved, proposed or put in force without a signature although people were enrolled.',
  ),
  policy_signer_unknown: row(
    'identity',
    'fail',
    'A statement on a policy is signed by a key that was not in force for the person it names.',
  ),
  policy_signature_wrong: row(
    'identity',
    'fail',
    "A person's signature under a statement on a policy does not verify.",
  ),
  policy_by_app: row(
    'identity',
    'warning',
    'The app put the policy that came with it in force by itself, after people were enrolled: nobody signed for it.',
  ),
  erasure_signature_missing: row(
    'identity',
    'not_shown',
    'Bodies were erased, or the rule behind it set, without a signature although people were enrolled: who asked for it is what the collector says.',
  ),
  erasure_signer_unknown: row(
    'identity',
    'fail',
    'A statement on an erasure or a retention rule is signed by a key that was not in force for the person it names.',
  ),
  erasure_signature_wrong: row(
    'identity',
    'fail',
    "A person's signature under an erasure or a retention rule does not verify.",
  ),
  person_record_wrong: row(
    'identity',
    'fail',
    'A record about a person (enrolment, change, reset, leaving, delegation) does not count: it is not signed as it must be.',
  ),
  people_root_wrong: row(
    'identity',
    'fail',
    'The first person enrolled is not the one that you trust (people_root in trust.json).',
  ),
  people_untrusted: row(
    'identity',
    'not_shown',
    'Nothing from outside the pack says that its people are who they are said to be: verify with --trust.',
  ),
  four_eyes_off: row(
    'identity',
    'not_shown',
    'Only one approver was enrolled, who answered alone: four-eyes was not in force.',
  ),
  person_recovered: row(
    'identity',
    'warning',
    "A person's key was replaced by the recovery phrase, without an admin's signature.",
  ),
} as const satisfies Record<string, Row>;

export type FindingCode = keyof typeof findingTable;

export type Finding = {
  code: FindingCode;
  level: Level;
  /** A path in the pack, with `:<line or seq>` where there is one. */
  where: string;
  message: string;
};

export type VerdictResult = { result: 'pass' | 'fail' | 'not_shown'; findings: Finding[] };
export type Verdicts = { [V in Verdict]: VerdictResult };

export const VERDICTS: readonly Verdict[] = ['integrity', 'completeness', 'time', 'identity'];
/** Characters of where and why. */
const TEXT = 1000;
/** Findings of one code that are kept one by one; further ones are counted in the last kept one's message. */
export const KEPT_PER_CODE = 20;

/** Collects findings in the order they come. */
export class Findings {
  readonly #kept: Finding[] = [];
  /** Those that are kept, as they were added. */
  readonly plain: { code: FindingCode; where: string; detail?: string }[] = [];
  readonly #counts = new Map<FindingCode, number>();

  /** `detail` is added to the table's sentence. It never holds a payload. Texts of the pack in it are made plain. */
  add(code: FindingCode, place: string, more?: string): void {
    const count = (this.#counts.get(code) ?? 0) + 1;
    this.#counts.set(code, count);
    if (count > KEPT_PER_CODE) return;
    const where = plainText(place, TEXT);
    const detail = more === undefined ? undefined : plainText(more, TEXT);
    const { level, message } = findingTable[code];
    this.plain.push({ code, where, ...(detail === undefined ? {} : { detail }) });
    this.#kept.push({ code, level, where, message: detail === undefined ? message : `${message} ${detail}` });
  }

  count(code: FindingCode): number {
    return this.#counts.get(code) ?? 0;
  }

  /** Number of findings that fail. */
  get failures(): number {
    let sum = 0;
    for (const [code, count] of this.#counts) if (findingTable[code].level === 'fail') sum += count;
    return sum;
  }

  verdicts(): Verdicts {
    const verdict = (name: Verdict): VerdictResult => {
      const findings = this.#kept.filter(({ code }) => findingTable[code].verdict === name);
      const last = new Map(findings.map(finding => [finding.code, finding]));
      const told = findings.map(finding => {
        const more = this.count(finding.code) - KEPT_PER_CODE;
        return more > 0 && last.get(finding.code) === finding
          ? { ...finding, message: `${finding.message} (and ${more} more)` }
          : finding;
      });
      const has = (level: Level) => findings.some(finding => finding.level === level);
      return { result: has('fail') ? 'fail' : has('not_shown') ? 'not_shown' : 'pass', findings: told };
    };
    return {
      integrity: verdict('integrity'),
      completeness: verdict('completeness'),
      time: verdict('time'),
      identity: verdict('identity'),
    };
  }
}

/** 1 on any fail; else 3 on any not_shown or warning; else 0. (2, unusable input, is the caller's.) */
export function exitCode(verdicts: Verdicts): 0 | 1 | 3 {
  const findings = VERDICTS.flatMap(name => verdicts[name].findings);
  if (findings.some(({ level }) => level === 'fail')) return 1;
  return findings.length > 0 ? 3 : 0;
}
