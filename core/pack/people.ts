/**
 * The people of a ledger and tenant, from their records: who held which key, roles and aliases at a seq, who was
 * delegated what. Rules: person_rules.ts, delegation_rules.ts; spec: docs/spec/people.md. Records come in the order of seq; one that does
 * not count changes nothing. What came before a record is what had a lower seq.
 */
import type { Sha256, VerifyEd25519 } from '../proof/hash.ts';
import { planDelegation, planDelegationEnd } from './delegation_rules.ts';
import { PersonFault, type Place } from './person_form.ts';
import {
  EVENT_OF_ACT,
  type KnownPerson,
  type PeopleState,
  type PersonPlan,
  planPerson,
  type SignatureCheck,
} from './person_rules.ts';

/** What a record about people has in its body. */
export type PersonRecord = {
  readonly seq: number;
  readonly event_type: string;
  readonly person?: unknown;
  readonly delegation?: unknown;
};

/** What is still to verify, and what the record then changes. */
export type PeopleStep = { readonly checks: readonly SignatureCheck[]; apply(): void };

export type PersonAt = KnownPerson & {
  /** seq of the record that brought the key. */
  readonly keySince: number;
};

export type DelegationAt = {
  readonly from: string;
  readonly to: string;
  /** Those delegated that `from` had at that seq. */
  readonly roles: readonly string[];
  readonly fromAliases: readonly string[];
};

type Stage = { readonly seq: number; readonly is: PersonAt };
type Delegated = {
  readonly seq: number;
  readonly from: string;
  readonly to: string;
  readonly roles: readonly string[];
  readonly startsAt: string;
  readonly endsAt: string;
  endedSeq?: number;
};

const ACT_EVENTS: ReadonlySet<string> = new Set(Object.values(EVENT_OF_ACT));
/** Events that change who may answer; other person.* records only tell. */
export const PEOPLE_EVENTS: ReadonlySet<string> = new Set([
  ...ACT_EVENTS,
  'person.delegated',
  'person.delegation_ended',
]);

export class People {
  readonly #place: Place;
  readonly #sha256: Sha256;
  readonly #stages = new Map<string, Stage[]>();
  readonly #owners = new Map<string, string>();
  readonly #delegations = new Map<string, Delegated>();
  readonly #counts: { seq: number; approvers: number; enrolled: number }[] = [];
  readonly #recovered: { seq: number; person_id: string }[] = [];
  #root: { key_id: string; public_key: string } | undefined;

  constructor(place: Place, sha256: Sha256) {
    this.#place = place;
    this.#sha256 = sha256;
  }

  /** The key of the first enrolment; undefined where nobody is enrolled. What trust.json names. */
  get root(): { readonly key_id: string; readonly public_key: string } | undefined {
    return this.#root;
  }

  /** Resets that the recovery phrase allowed. */
  get recovered(): readonly { readonly seq: number; readonly person_id: string }[] {
    return this.#recovered;
  }

  /** Everybody who was ever enrolled. */
  get ids(): readonly string[] {
    return [...this.#stages.keys()];
  }

  readonly #state: PeopleState = this.#stateView();

  #stateView(): PeopleState {
    const people = this;
    return {
      get begun() {
        return people.#root !== undefined;
      },
      person: id => people.#stages.get(id)?.at(-1)?.is,
      keyUsed: keyId => people.#owners.has(keyId),
      admins: () => people.#count('admin'),
      delegation(id) {
        const found = people.#delegations.get(id);
        return found === undefined
          ? undefined
          : { from: found.from, to: found.to, ended: found.endedSeq !== undefined };
      },
    };
  }

  /**
   * What is to verify for a record of PEOPLE_EVENTS; `apply` once it does. Throws PersonFault: the record does not count.
   * Other events answer no checks and change nothing.
   */
  step(record: PersonRecord): PeopleStep {
    const { seq, event_type } = record;
    if (ACT_EVENTS.has(event_type)) {
      const plan = planPerson(this.#state, this.#place, this.#sha256, event_type, record.person);
      return { checks: plan.checks, apply: () => this.#apply(seq, plan) };
    }
    if (event_type === 'person.delegated') {
      const { statement, checks } = planDelegation(this.#state, this.#place, record.delegation);
      const { delegation_id: id, from, to, roles, starts_at: startsAt, ends_at: endsAt } = statement;
      return {
        checks,
        apply: () => void this.#delegations.set(id, { seq, from, to, roles, startsAt, endsAt }),
      };
    }
    if (event_type === 'person.delegation_ended') {
      const { id } = planDelegationEnd(this.#state, record.delegation);
      return {
        checks: [],
        apply: () => {
          this.#delegations.get(id)!.endedSeq = seq;
        },
      };
    }
    return { checks: [], apply: () => {} };
  }

  /** `step`, verified and applied. Throws PersonFault. */
  async take(record: PersonRecord, verify: VerifyEd25519): Promise<void> {
    const { checks, apply } = this.step(record);
    for (const { what, publicKey, message, signature } of checks) {
      if (!(await verify(publicKey, message, signature))) throw wrongSignature(what);
    }
    apply();
  }

  #apply(seq: number, { statement, publicKey, first, recovered }: PersonPlan): void {
    const { act, person_id: id, name, roles, aliases, key_id: keyId, public_key, at } = statement;
    if (first) this.#root = { key_id: keyId, public_key };
    if (recovered) this.#recovered.push({ seq, person_id: id });
    this.#owners.set(keyId, id);
    const stages = this.#stages.get(id) ?? [];
    const before = stages.at(-1)?.is;
    const keySince = before?.keyId === keyId ? before.keySince : seq;
    const state = act === 'leave' ? 'left' : 'active';
    stages.push({ seq, is: { name, roles, aliases, state, keyId, publicKey, at, keySince } });
    this.#stages.set(id, stages);
    this.#counts.push({ seq, approvers: this.#count('approver'), enrolled: this.#count() });
  }

  #count(role?: string): number {
    let count = 0;
    for (const stages of this.#stages.values()) {
      const is = stages.at(-1)!.is;
      if (is.state === 'active' && (role === undefined || is.roles.includes(role))) count++;
    }
    return count;
  }

  /** The person as they stood for a record of this seq: undefined before the enrolment; `left` after leaving. */
  at(id: string, seq: number): PersonAt | undefined {
    return this.#stages.get(id)?.findLast(stage => stage.seq < seq)?.is;
  }

  /** Whose key it ever was. */
  ownerOf(keyId: string): string | undefined {
    return this.#owners.get(keyId);
  }

  /** Active people with the role `approver` for a record of this seq. */
  approversAt(seq: number): number {
    return this.#counts.findLast(count => count.seq < seq)?.approvers ?? 0;
  }

  enrolledAt(seq: number): number {
    return this.#counts.findLast(count => count.seq < seq)?.enrolled ?? 0;
  }

  /** A delegation as it held for a record of this seq at this time; undefined where it did not hold. */
  delegationAt(id: string, seq: number, time: string): DelegationAt | undefined {
    const found = this.#delegations.get(id);
    if (found === undefined || found.seq >= seq || time < found.startsAt || time >= found.endsAt)
      return undefined;
    if (found.endedSeq !== undefined && found.endedSeq < seq) return undefined;
    const [from, to] = [this.at(found.from, seq), this.at(found.to, seq)];
    if (from?.state !== 'active' || to?.state !== 'active') return undefined;
    const roles = found.roles.filter(role => from.roles.includes(role));
    return { from: found.from, to: found.to, roles, fromAliases: from.aliases };
  }
}

export const wrongSignature = (what: SignatureCheck['what']): PersonFault =>
  new PersonFault('signature_invalid', `the signature of the ${what} does not verify`, 'signature');
