/** Policies that people saved, proposed, tried and put in force, in a ledger in memory: each step can be forged. Follows the formats, not the collector's code. */
import { sign } from 'node:crypto';
import { policyHash } from '../../core/proof/binding.ts';
import { base64, hex, utf8 } from '../../core/proof/bytes.ts';
import type { JsonObject } from '../../core/proof/jcs.ts';
import {
  type ImpactStatement,
  impactMessage,
  type PolicyStatement,
  policyMessage,
  reportSha256,
  sourcesSha256,
} from '../../core/proof/policy.ts';
import { type MemoryLedger, sha256 } from './memory-ledger.ts';
import { type Key, type Person, someone, soon, state } from './signed_call.ts';

export type PolicySet = {
  readonly hash: string;
  readonly entrypoint: string;
  readonly capabilities_sha256: string;
  readonly wasm_sha256: string;
  readonly files: readonly { readonly path: string; readonly sha256: string; readonly text: string }[];
};

/** A set of one rule and one test. */
export function setOf(limit: number): PolicySet {
  const file = (path: string, text: string) => ({ path, text, sha256: hex(sha256(utf8(text))) });
  const parts = {
    entrypoint: 'trailmix/decision',
    capabilities_sha256: hex(sha256(utf8('capabilities'))),
    wasm_sha256: hex(sha256(utf8(`wasm of ${limit}`))),
    files: [
      file('refunds.rego', `package trailmix\n\nlimit := ${limit}\n`),
      file(
        'refunds_test.rego',
        `package trailmix_test\n\nimport data.trailmix\n\ntest_limit if trailmix.limit == ${limit}\n`,
      ),
    ],
  };
  return { ...parts, hash: policyHash(sha256, parts) };
}

const signed = (key: Key, message: Uint8Array): string => base64(sign(null, message, key.privateKey));
const page = { via: 'page', auth: 'person' };

/** What differs from what is right: in the statement (signed as it is), in the record, or by whose key. */
export type Change = {
  readonly statement?: Partial<PolicyStatement>;
  readonly policy?: JsonObject;
  /** Members of the record beside `policy`. */
  readonly record?: JsonObject;
  readonly signer?: Key;
  readonly signature?: string;
  /** As while nobody is enrolled. */
  readonly unsigned?: boolean;
};

type Said = { readonly statement: PolicyStatement; readonly signature: string; readonly signed_in: 'page' };
const asJson = (value: unknown): JsonObject => value as JsonObject;

function say(
  ledger: MemoryLedger,
  by: Person,
  parts: Pick<PolicyStatement, 'act' | 'policy_hash' | 'sources_sha256'> & Partial<PolicyStatement>,
  change: Change,
): Said {
  const statement: PolicyStatement = {
    at: soon(ledger),
    by: by.id,
    by_key_id: by.key.id,
    environment: '',
    ledger_id: ledger.ledgerId,
    message: 'from the handbook',
    replaces: '',
    tenant_id: ledger.tenantId,
    ...parts,
    ...change.statement,
  };
  const signature = change.signature ?? signed(change.signer ?? by.key, policyMessage(statement));
  return { statement, signature, signed_in: 'page' };
}

const partsOf = ({ hash, files }: PolicySet) => ({
  policy_hash: hash,
  sources_sha256: sourcesSha256(sha256, files),
});

/** policy.saved; answers its seq. */
export function save(ledger: MemoryLedger, set: PolicySet, by: Person, change: Change = {}): number {
  const { files, ...rest } = set;
  const said = say(ledger, by, { act: 'save', ...partsOf(set) }, change);
  const { seq } = ledger.append({
    app: '_ledger',
    type: 'policy.saved',
    source: page,
    body: {
      name: `Policy set ${set.hash.slice(0, 12)}`,
      policy: {
        ...rest,
        sources_sha256: partsOf(set).sources_sha256,
        message: 'from the handbook',
        tests: { passed: 1, failed: 0, skipped: 0, percent: 100 },
        ...change.policy,
      },
      files: asJson(files),
      by: by.id,
      ...(change.unsigned === true ? {} : { signed: [asJson(said)] }),
      ...change.record,
    },
  });
  return seq;
}

/** policy.proposed, the first of two people; answers what was signed. */
export function propose(
  ledger: MemoryLedger,
  set: PolicySet,
  by: Person,
  replaces: string,
  change: Change = {},
): Said {
  const said = say(ledger, by, { act: 'activate', environment: 'prod', replaces, ...partsOf(set) }, change);
  ledger.append({
    app: '_ledger',
    type: 'policy.proposed',
    source: page,
    body: {
      name: 'Policy proposed for prod',
      policy: {
        hash: set.hash,
        environment: 'prod',
        replaces,
        message: 'from the handbook',
        ...change.policy,
      },
      by: by.id,
      signed: [asJson(said)],
      ...change.record,
    },
  });
  return said;
}

/** policy.activated in prod, after `first` where two people sign. `saved`: the seq that it names. */
export function activate(
  ledger: MemoryLedger,
  set: PolicySet,
  by: Person,
  how: Change & { readonly replaces?: string; readonly first?: Said; readonly saved?: number } = {},
): { version: number; hash: string } {
  const { replaces = '', first, saved } = how;
  const said = say(ledger, by, { act: 'activate', environment: 'prod', replaces, ...partsOf(set) }, how);
  const all = first === undefined ? [said] : [first, said];
  const version = ledger.versions.length + 1;
  const { seq } = ledger.append({
    app: '_ledger',
    type: 'policy.activated',
    source: page,
    body: {
      name: `Policy version ${version}`,
      policy: {
        version,
        ...asJson(set),
        message: 'from the handbook',
        ...(replaces === '' ? {} : { replaces }),
        ...(saved === undefined ? {} : { saved_seq: saved }),
        ...how.policy,
      },
      by: by.id,
      ...(how.unsigned === true ? {} : { signed: all.map(asJson) }),
      ...how.record,
    },
  });
  ledger.versions.push({ version, seq, ...set });
  return { version, hash: set.hash };
}

/** The policy that ships, put in force by the app; answers it. */
export function byApp(
  ledger: MemoryLedger,
  set: PolicySet,
  replaces = '',
): { version: number; hash: string } {
  const version = ledger.versions.length + 1;
  const more = { built_in: true, ...(replaces === '' ? {} : { replaces }) };
  const { seq } = ledger.append({
    app: '_ledger',
    type: 'policy.activated',
    body: {
      name: `Policy version ${version}`,
      policy: { version, ...asJson(set), ...more },
      by: 'collector',
    },
  });
  ledger.versions.push({ version, seq, ...set });
  return { version, hash: set.hash };
}

export const fourEyes = (ledger: MemoryLedger, environments: readonly string[]): void =>
  void ledger.append({
    app: '_ledger',
    type: 'ledger.settings',
    body: { name: 'Settings changed', settings: { policy_four_eyes: [...environments] }, by: 'admin' },
  });

/** Figures of a set over the records 5 to 9 of the ledger. */
export const reportOf = (set: PolicySet): JsonObject => ({
  v: 1,
  policy_hash: set.hash,
  sources_sha256: partsOf(set).sources_sha256,
  filter: { app: 'bot' },
  first_seq: 5,
  last_seq: 9,
  total: 5,
  decided: 4,
  flipped: 1,
  cells: [
    { from: 'allow', to: 'allow', decisions: 3, runs: 2 },
    { from: 'allow', to: 'approve', decisions: 1, runs: 1 },
  ],
  skipped: { erased: 1 },
  at: '2026-11-01T00:00:01.000000Z',
});

/** policy.impact. */
export function impact(
  ledger: MemoryLedger,
  report: JsonObject,
  by: Person,
  change: { statement?: Partial<ImpactStatement>; impact?: JsonObject; signer?: Key } = {},
): void {
  const report_sha256 = reportSha256(sha256, report);
  const statement: ImpactStatement = {
    at: soon(ledger),
    by: by.id,
    by_key_id: by.key.id,
    ledger_id: ledger.ledgerId,
    report_sha256,
    tenant_id: ledger.tenantId,
    ...change.statement,
  };
  const signature = signed(change.signer ?? by.key, impactMessage(statement));
  ledger.append({
    app: '_ledger',
    type: 'policy.impact',
    source: page,
    body: {
      name: 'Impact of a policy set',
      impact: { report, report_sha256, message: 'the stricter limit', ...change.impact },
      by: by.id,
      signed: [{ statement: asJson(statement), signature, signed_in: 'page' }],
    },
  });
}

export type Authors = { readonly admin: Person; readonly ada: Person; readonly ben: Person };

/** An admin, and two who write policies. */
export function authors(ledger: MemoryLedger): Authors {
  const admin = someone('admin', ['admin']);
  const ada = someone('ada', ['policy_author']);
  const ben = someone('ben', ['policy_author']);
  state(ledger, 'enrol', admin);
  state(ledger, 'enrol', ada, admin);
  state(ledger, 'enrol', ben, admin);
  return { admin, ada, ben };
}
