/**
 * Decisions, approvals, intents and outcomes, put together from their records: what approvals.jsonl says, and whether
 * each call that was let through had a valid approval behind it. Writer and verifier share this code.
 * Format: docs/spec/pack.md, "approvals.jsonl". Rules: only records count; memory is a few facts for each approval.
 */
import { argsDigest, type Binding, bindingHash, makeBinding, shownDigest } from '../proof/binding.ts';
import { isBlobRef } from '../proof/blob.ts';
import { fromHex } from '../proof/bytes.ts';
import type { HmacSha256, Sha256, VerifyEd25519 } from '../proof/hash.ts';
import { type JsonObject, jcs } from '../proof/jcs.ts';
import { judgeAnswers, type Signed } from './answers.ts';
import { type Approval, asObject, asText, lineOf, statusOf } from './approval_line.ts';
import { followsFromHidden } from './erasure.ts';
import { Findings } from './findings.ts';
import type { ApprovalCounts, Trust } from './host.ts';
import { PEOPLE_EVENTS, People, type PersonRecord } from './people.ts';
import { PersonFault } from './person_form.ts';

/** A record with its body: head, body and seal members flat. */
type Flat = JsonObject & { readonly seq: number; readonly received_at: string; readonly event_type: string };

/** Kept of a decision or a question: what a binding repeats. The payload is not kept. */
const boundMembers = (value: JsonObject): JsonObject => {
  const { app_id, session_id, actor_id, name, risk } = value;
  return {
    app_id: app_id ?? '',
    session_id: session_id ?? '',
    actor_id: actor_id ?? '',
    name: name ?? '',
    risk: risk ?? '',
  };
};

export class Approvals {
  readonly #sha256: Sha256;
  readonly #hmac: HmacSha256;
  readonly #approvals = new Map<string, Approval>();
  readonly #byIntent = new Map<string, Approval>();
  /** Decisions that did not simply allow. */
  readonly #gated = new Set<string>();
  readonly decisions = { allow: 0, deny: 0, approve: 0, failed: 0 };
  readonly people: People;
  /** Event types of bodies that were erased or withheld. */
  readonly #hidden = new Set<string>();
  /** Signatures in records about people: verified at the end. */
  readonly #peopleSigned: Signed[] = [];

  constructor(
    sha256: Sha256,
    hmac: HmacSha256,
    place: { readonly ledgerId: string; readonly tenantId: string },
  ) {
    this.#sha256 = sha256;
    this.#hmac = hmac;
    this.people = new People({ ledger_id: place.ledgerId, tenant_id: place.tenantId }, sha256);
  }

  /** A body of this type is erased or withheld: what follows from that is not shown, and fails nothing. */
  hide(eventType: string): void {
    this.#hidden.add(eventType);
  }

  /** Takes a record that has its body: those in scope by rising seq, then (or among them) the others. */
  take(value: JsonObject, inScope: boolean, where: string, findings?: Findings): void {
    const record = value as Flat;
    switch (record.event_type) {
      case 'decision.recorded':
        this.#decision(record, inScope, where, findings);
        break;
      case 'approval.asked': {
        const approval = asObject(record.approval);
        const entry = this.#of(asText(approval.id), inScope);
        entry.decisionId = asText(approval.decision_id);
        entry.asked = {
          seq: record.seq,
          at: record.received_at,
          record: boundMembers(record),
          binding: asObject(approval.binding),
          bindingHash: asText(approval.binding_hash),
        };
        break;
      }
      case 'approval.answered': {
        const approval = asObject(record.approval);
        const entry = this.#of(asText(approval.id), inScope);
        entry.decisionId ??= asText(approval.decision_id);
        const sample = record.sample === true;
        entry.answers.push({ seq: record.seq, at: record.received_at, approval, sample });
        break;
      }
      case 'approval.opened':
        this.#opened(record, inScope, where, findings);
        break;
      case 'approval.cancelled': {
        const approval = asObject(record.approval);
        const entry = this.#of(asText(approval.id), inScope);
        entry.decisionId ??= asText(approval.decision_id);
        entry.cancelled = { seq: record.seq };
        break;
      }
      case 'approval.expired': {
        const approval = asObject(record.approval);
        const entry = this.#of(asText(approval.id), inScope);
        entry.decisionId ??= asText(approval.decision_id);
        entry.expired = { seq: record.seq };
        break;
      }
      case 'intent.recorded': {
        const intent = asObject(record.intent);
        const entry = this.#of(asText(intent.approval_id), inScope);
        entry.decisionId ??= asText(intent.decision_id);
        const id = asText(record.event_id);
        entry.intents.push({ seq: record.seq, at: record.received_at, id, intent });
        this.#byIntent.set(id, entry);
        this.#adopt(entry, id);
        break;
      }
      case 'outcome.recorded': {
        const outcome = asObject(record.outcome);
        const intentId = asText(outcome.intent_id);
        if (intentId === '') {
          // Allowed calls need no intent; a denied one has no outcome, and one that was asked about needs its use.
          if (this.#gated.has(asText(outcome.decision_id))) findings?.add('outcome_wrong', where);
          break;
        }
        const entry = this.#byIntent.get(intentId) ?? this.#of(`?${intentId}`, inScope);
        if (inScope) entry.inScope = true;
        entry.decisionId ??= asText(outcome.decision_id);
        entry.outcome = { seq: record.seq, id: asText(record.event_id), outcome };
        break;
      }
      default:
        if (PEOPLE_EVENTS.has(record.event_type)) this.#person(record, where, findings);
    }
  }

  /** A record about people that does not count is told, and changes nothing. */
  #person(record: Flat, where: string, findings?: Findings): void {
    try {
      const { checks, apply } = this.people.step(record as PersonRecord);
      apply();
      if (findings === undefined) return;
      for (const { publicKey, message, signature } of checks) {
        this.#peopleSigned.push({ publicKey, message, signature, code: 'person_record_wrong', where });
      }
    } catch (error) {
      if (!(error instanceof PersonFault)) throw error;
      findings?.add('person_record_wrong', where, `${error.message}.`);
    }
  }

  /** What was shown must be what was asked: the digest is recomputed, and the arguments against the decision's digest. */
  #opened(record: Flat, inScope: boolean, where: string, findings?: Findings): void {
    const approval = asObject(record.approval);
    const entry = this.#of(asText(approval.id), inScope);
    entry.decisionId ??= asText(approval.decision_id);
    entry.opened.set(asText(approval.review_id), {
      seq: record.seq,
      by: asText(approval.by),
      openedAt: asText(approval.opened_at),
      notBefore: asText(approval.not_before),
      shownDigest: asText(approval.shown_digest),
      challenge: asText(asObject(approval.challenge).kind),
    });
    const { shown } = record;
    if (findings === undefined || isBlobRef(shown)) return;
    const { binding_hash, payload } = asObject(shown);
    const { argsSalt, decision } = entry.decision ?? { argsSalt: '', decision: {} as JsonObject };
    const right =
      binding_hash === approval.binding_hash &&
      shownDigest(this.#sha256, shown ?? {}) === approval.shown_digest &&
      (isBlobRef(payload) ||
        (/^[0-9a-f]{64}$/.test(argsSalt) &&
          argsDigest(this.#hmac, fromHex(argsSalt), payload ?? {}) === decision.args_digest));
    if (right) return;
    if (entry.decision === undefined && this.#hidden.has('decision.recorded'))
      findings.add('approval_hidden', where);
    else findings.add('approval_shown_wrong', where);
  }

  /** decision_ids of the approvals in scope some of whose records are still to be found. */
  unfinished(): string[] {
    return this.#inScope()
      .filter(({ decision, asked, outcome }) => !(decision && asked && outcome))
      .map(({ decisionId }) => decisionId ?? '')
      .filter(id => id !== '');
  }

  counts(): ApprovalCounts {
    const counts: ApprovalCounts = {
      approved: 0,
      denied: 0,
      expired: 0,
      waiting: 0,
      consumed: 0,
      cancelled: 0,
    };
    for (const approval of this.#inScope()) counts[statusOf(approval)]++;
    return counts;
  }

  /** The lines of approvals.jsonl, newlines included, in order of the questions. */
  *lines(): Generator<string> {
    for (const line of this.told()) yield `${jcs(line)}\n`;
  }

  /** What each line of approvals.jsonl says, in their order. */
  *told(): Generator<JsonObject> {
    for (const approval of this.#inScope()) yield lineOf(approval, this.people);
  }

  /** Whether a decision, approval, intent or outcome outside the scope is behind an approval inside it. */
  calledFor(value: JsonObject): boolean {
    const id =
      asText(asObject(value.approval).id) ||
      asText(asObject(value.intent).approval_id) ||
      asText(asObject(value.decision).approval_id);
    const entry = this.#approvals.get(id) ?? this.#byIntent.get(asText(asObject(value.outcome).intent_id));
    return entry?.inScope ?? false;
  }

  /** Checks what was put together, signatures last. Findings name the approval's id in `where`. */
  async finish(
    ids: { readonly ledgerId: string; readonly tenantId: string },
    verify: VerifyEd25519,
    findings: Findings,
  ): Promise<void> {
    const signed: Signed[] = [...this.#peopleSigned];
    for (const approval of this.#inScope()) {
      const found = new Findings();
      signed.push(...this.#check(approval, ids, found));
      let hidden = false;
      for (const { code, where, detail } of found.plain) {
        if (followsFromHidden(code, this.#hidden)) hidden = true;
        else findings.add(code, where, detail);
      }
      if (hidden) findings.add('approval_hidden', `approvals.jsonl:${approval.id}`);
    }
    for (const { publicKey, message, signature, code, where } of signed) {
      const verifies = signature.length === 64 && (await verify(publicKey, message, signature));
      if (!verifies) findings.add(code, where);
    }
  }

  /**
   * Whether the people who signed answers in scope, or (`alsoOthers`) policies or erasures, descend from the first person that the
   * verifier trusts. Without a trusted root, who they are is not shown: whoever makes a ledger can enrol anybody.
   */
  checkRoot(trust: Pick<Trust, 'peopleRoot'> | undefined, alsoOthers: boolean, findings: Findings): void {
    const signed =
      alsoOthers ||
      this.#inScope().some(({ answers }) => answers.some(({ approval }) => approval.signature !== undefined));
    if (!signed) return;
    const root = trust?.peopleRoot;
    if (root === undefined) findings.add('people_untrusted', 'trust.json');
    else if (root.public_key !== this.people.root?.public_key)
      findings.add('people_root_wrong', 'extras.jsonl');
    for (const { seq, person_id } of this.people.recovered) {
      findings.add('person_recovered', `seq ${seq}`, `${person_id}.`);
    }
  }

  #inScope(): Approval[] {
    const order = (approval: Approval) =>
      approval.asked?.seq ?? approval.decision?.seq ?? Number.MAX_SAFE_INTEGER;
    return [...this.#approvals.values()].filter(({ inScope }) => inScope).sort((a, b) => order(a) - order(b));
  }

  #of(id: string, inScope: boolean): Approval {
    let entry = this.#approvals.get(id);
    if (entry === undefined) {
      entry = { id, answers: [], opened: new Map(), intents: [], inScope };
      this.#approvals.set(id, entry);
    }
    if (inScope) entry.inScope = true;
    return entry;
  }

  /** A writer meets an outcome in scope before the intent behind it: what was kept for it moves over. */
  #adopt(entry: Approval, intentId: string): void {
    const early = this.#approvals.get(`?${intentId}`);
    if (early === undefined) return;
    this.#approvals.delete(early.id);
    if (early.outcome !== undefined) entry.outcome = early.outcome;
    if (early.inScope) entry.inScope = true;
  }

  #decision(record: Flat, inScope: boolean, where: string, findings?: Findings): void {
    const decision = asObject(record.decision);
    const word = decision.failed !== undefined ? 'failed' : decision.result;
    if (inScope && (word === 'allow' || word === 'deny' || word === 'approve' || word === 'failed')) {
      this.decisions[word]++;
    }
    if (decision.result !== 'allow') this.#gated.add(asText(record.event_id));
    // KNOWN GAP: a payload that is a blob is not digested again; the blob itself is checked.
    const salt = asText(decision.args_salt);
    if (findings !== undefined && !isBlobRef(record.input)) {
      const right =
        /^[0-9a-f]{64}$/.test(salt) &&
        argsDigest(this.#hmac, fromHex(salt), record.input ?? {}) === decision.args_digest;
      if (!right) findings.add('args_digest_wrong', where);
    }
    const approvalId = asText(decision.approval_id);
    if (approvalId === '') return;
    const entry = this.#of(approvalId, inScope);
    entry.decisionId = asText(record.event_id);
    const { result, args_digest, policy } = decision;
    entry.decision = {
      seq: record.seq,
      record: boundMembers(record),
      decision: { result: result ?? '', args_digest: args_digest ?? '', policy: asObject(policy) },
      argsSalt: salt,
    };
  }

  #check(
    approval: Approval,
    ids: { readonly ledgerId: string; readonly tenantId: string },
    findings: Findings,
  ): Signed[] {
    const where = `approvals.jsonl:${approval.id}`;
    const { asked, decision, answers, intents, outcome } = approval;
    if (asked === undefined || decision === undefined) {
      findings.add('approval_record_missing', where, asked === undefined ? 'The question.' : 'The decision.');
      return [];
    }
    const { binding } = asked;
    const expected: JsonObject = {
      v: 1,
      ledger_id: ids.ledgerId,
      tenant_id: ids.tenantId,
      app_id: decision.record.app_id!,
      session_id: decision.record.session_id!,
      actor_id: decision.record.actor_id!,
      action: decision.record.name!,
      risk: decision.record.risk!,
      args_digest: decision.decision.args_digest!,
      policy_hash: asObject(decision.decision.policy).hash ?? '',
      decision_id: approval.decisionId ?? '',
    };
    const wrong = Object.keys(expected).find(name => binding[name] !== expected[name]);
    const required = asObject(binding.required);
    const whole =
      Number.isSafeInteger(required.k) &&
      Array.isArray(required.roles) &&
      typeof binding.nonce === 'string' &&
      typeof binding.expires_at === 'string' &&
      Object.keys(binding).length === Object.keys(expected).length + 3;
    if (wrong !== undefined || !whole) findings.add('approval_binding_wrong', where, wrong ?? 'Its members.');
    else {
      const made = makeBinding(binding as unknown as Binding);
      if (jcs(made) !== jcs(binding) || bindingHash(this.#sha256, made) !== asked.bindingHash) {
        findings.add('approval_binding_wrong', where, 'Its hash.');
      }
    }
    const expiresAt = asText(binding.expires_at);
    const { approvals, denied, signed } = judgeAnswers(
      this.people,
      {
        where,
        binding: asked.binding,
        bindingHash: asked.bindingHash,
        askedSeq: asked.seq,
        answers,
        opened: approval.opened,
        used: intents[0]?.seq,
      },
      findings,
    );
    for (const [i, { seq, at, intent }] of intents.entries()) {
      const backed =
        i === 0 &&
        decision.decision.result === 'approve' &&
        !denied &&
        approvals.some(one => one.seq < seq) &&
        at < expiresAt &&
        (approval.expired === undefined || approval.expired.seq > seq) &&
        (approval.cancelled === undefined || approval.cancelled.seq > seq) &&
        intent.binding_hash === asked.bindingHash &&
        intent.args_digest === binding.args_digest &&
        intent.nonce === binding.nonce &&
        intent.policy_hash === binding.policy_hash &&
        intent.decision_id === approval.decisionId;
      if (!backed) findings.add('intent_wrong', where, `seq ${seq}.`);
    }
    if (outcome !== undefined) {
      const intent = intents[0];
      const belongs =
        intent !== undefined &&
        outcome.seq > intent.seq &&
        outcome.outcome.intent_id === intent.id &&
        outcome.outcome.decision_id === approval.decisionId;
      if (!belongs) findings.add('outcome_wrong', where, `seq ${outcome.seq}.`);
    }
    return signed;
  }
}
