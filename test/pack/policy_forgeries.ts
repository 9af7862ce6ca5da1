/**
 * What can be forged about who wrote a policy and put it in force, with the finding that must name it. The histories are rightly
 * chained and sealed by the ledger's own keys, so that nothing but the rules about policies can give them away.
 */
import { hex, utf8 } from '../../core/proof/bytes.ts';
import { type JsonObject, jcs } from '../../core/proof/jcs.ts';
import { reportSha256 } from '../../core/proof/policy.ts';
import { MemoryLedger, newKey, sha256 } from './memory-ledger.ts';
import { gatedCall, linesOf, type Parts, setLines } from './packs.ts';
import {
  type Authors,
  activate,
  authors,
  byApp,
  fourEyes,
  impact,
  type PolicySet,
  propose,
  reportOf,
  save,
  setOf,
} from './policy_history.ts';
import { someone, state } from './signed_call.ts';

export type PolicyBegun = { ledger: MemoryLedger; people: Authors; shipped: PolicySet; set: PolicySet };

/** The policy that ships in force, people enrolled, and some decisions; the rest is the history's. */
export function beginPolicies(ledger = new MemoryLedger()): PolicyBegun {
  const shipped = setOf(1000);
  const policy = byApp(ledger, shipped);
  const people = authors(ledger);
  for (let n = 0; n < 5; n++) gatedCall(ledger, policy, { result: 'allow' });
  return { ledger, people, shipped, set: setOf(500) };
}

/** In dev, in which nothing is in force. */
const DEV = { policy: { environment: 'dev' }, statement: { environment: 'dev' } };

/** Saved by Ada, unless it is saved already, proposed by her, and put in force by Ben. */
function byTwo(
  { ledger, people: { ada, ben }, shipped, set }: PolicyBegun,
  already?: number,
): { version: number; hash: string } {
  if (already === undefined) fourEyes(ledger, ['prod']);
  const saved = already ?? save(ledger, set, ada);
  const first = propose(ledger, set, ada, shipped.hash);
  return activate(ledger, set, ben, { replaces: shipped.hash, first, saved });
}

/** Told about; undefined where nothing is to be found. */
export type PolicyHistory = [
  about: string,
  code: string | undefined,
  (at: PolicyBegun) => { version: number; hash: string },
];

export const policyHistories: PolicyHistory[] = [
  [
    'saved and proposed by one, tried, put in force by another',
    undefined,
    at => {
      const policy = byTwo(at);
      impact(at.ledger, reportOf(at.set), at.people.ada);
      return policy;
    },
  ],
  [
    'put in force by its author alone, where one person is enough',
    undefined,
    ({ ledger, people: { ada }, shipped, set }) => {
      const saved = save(ledger, set, ada);
      return activate(ledger, set, ada, { replaces: shipped.hash, saved });
    },
  ],
  [
    'back to the policy that ships, which nobody saved',
    undefined,
    at => {
      byTwo(at);
      const {
        ledger,
        people: { ada, ben },
        shipped,
        set,
      } = at;
      const first = propose(ledger, shipped, ada, set.hash);
      return activate(ledger, shipped, ben, { replaces: set.hash, first, policy: { built_in: true } });
    },
  ],
  [
    'four-eyes were asked for only later',
    undefined,
    ({ ledger, people: { ada }, shipped, set }) => {
      const saved = save(ledger, set, ada);
      const policy = activate(ledger, set, ada, { replaces: shipped.hash, saved });
      fourEyes(ledger, ['prod']);
      return policy;
    },
  ],
  [
    'a key that was replaced later',
    undefined,
    at => {
      const policy = byTwo(at);
      state(at.ledger, 'reset', { ...at.people.ada, key: newKey() }, at.people.admin);
      return policy;
    },
  ],
  [
    'the one who proposed has left before it came into force',
    undefined,
    ({ ledger, people: { admin, ada, ben }, shipped, set }) => {
      fourEyes(ledger, ['prod']);
      const saved = save(ledger, set, ada);
      const first = propose(ledger, set, ada, shipped.hash);
      state(ledger, 'leave', ada, admin);
      return activate(ledger, set, ben, { replaces: shipped.hash, first, saved });
    },
  ],
  [
    'the second of two was enrolled only later',
    'policy_signer_unknown',
    ({ ledger, people: { admin, ada }, shipped, set }) => {
      fourEyes(ledger, ['prod']);
      const saved = save(ledger, set, ada);
      const first = propose(ledger, set, ada, shipped.hash);
      const late = someone('cleo', ['policy_author']);
      const policy = activate(ledger, set, late, { replaces: shipped.hash, first, saved });
      state(ledger, 'enrol', late, admin);
      return policy;
    },
  ],
  [
    'a newer policy of the app, after people were enrolled',
    'policy_by_app',
    ({ ledger, shipped }) => byApp(ledger, setOf(900), shipped.hash),
  ],
  [
    'an activation signed with another key',
    'policy_signature_wrong',
    ({ ledger, people: { ada }, shipped, set }) => {
      const saved = save(ledger, set, ada);
      return activate(ledger, set, ada, { replaces: shipped.hash, saved, signer: newKey() });
    },
  ],
  [
    'a saving signed with another key',
    'policy_signature_wrong',
    ({ ledger, people: { ada }, shipped, set }) => {
      const saved = save(ledger, set, ada, { signer: newKey() });
      return activate(ledger, set, ada, { replaces: shipped.hash, saved });
    },
  ],
  [
    'a signature of 63 bytes',
    'policy_signature_wrong',
    ({ ledger, people: { ada }, shipped, set }) => {
      const saved = save(ledger, set, ada, { signature: Buffer.alloc(63).toString('base64') });
      return activate(ledger, set, ada, { replaces: shipped.hash, saved });
    },
  ],
  [
    'put in force by a person who was enrolled later',
    'policy_signer_unknown',
    ({ ledger, people: { admin, ada }, shipped, set }) => {
      const saved = save(ledger, set, ada);
      const late = someone('cleo', ['policy_author']);
      const policy = activate(ledger, set, late, { replaces: shipped.hash, saved });
      state(ledger, 'enrol', late, admin);
      return policy;
    },
  ],
  [
    'saved by a person who had left',
    'policy_signer_unknown',
    ({ ledger, people: { admin, ada, ben }, shipped, set }) => {
      state(ledger, 'leave', ada, admin);
      const saved = save(ledger, set, ada);
      return activate(ledger, set, ben, { replaces: shipped.hash, saved });
    },
  ],
  [
    'put in force by a person without the role',
    'policy_role_wrong',
    ({ ledger, people: { admin, ada }, shipped, set }) => {
      const saved = save(ledger, set, ada);
      return activate(ledger, set, admin, { replaces: shipped.hash, saved });
    },
  ],
  [
    'the role was given only later',
    'policy_role_wrong',
    ({ ledger, people: { admin, ada }, shipped, set }) => {
      const cleo = someone('cleo', ['approver']);
      state(ledger, 'enrol', cleo, admin);
      const saved = save(ledger, set, cleo);
      state(ledger, 'change', { ...cleo, roles: ['approver', 'policy_author'] }, admin);
      return activate(ledger, set, ada, { replaces: shipped.hash, saved });
    },
  ],
  [
    'one person where two were asked for',
    'policy_too_few',
    ({ ledger, people: { ada }, shipped, set }) => {
      fourEyes(ledger, ['prod']);
      const saved = save(ledger, set, ada);
      return activate(ledger, set, ada, { replaces: shipped.hash, saved });
    },
  ],
  [
    'the same person twice',
    'policy_own_request',
    ({ ledger, people: { ada, ben }, shipped, set }) => {
      fourEyes(ledger, ['prod']);
      const saved = save(ledger, set, ben);
      const first = propose(ledger, set, ada, shipped.hash);
      return activate(ledger, set, ada, { replaces: shipped.hash, first, saved });
    },
  ],
  [
    'the author as the second pair of eyes',
    'policy_own_request',
    ({ ledger, people: { ada, ben }, shipped, set }) => {
      fourEyes(ledger, ['prod']);
      const saved = save(ledger, set, ada);
      const first = propose(ledger, set, ben, shipped.hash);
      return activate(ledger, set, ada, { replaces: shipped.hash, first, saved });
    },
  ],
  [
    'a proposal that was withdrawn',
    'policy_record_missing',
    ({ ledger, people: { ada, ben }, shipped, set }) => {
      fourEyes(ledger, ['prod']);
      const saved = save(ledger, set, ada);
      const first = propose(ledger, set, ada, shipped.hash);
      ledger.append({
        app: '_ledger',
        type: 'policy.withdrawn',
        body: { name: 'Withdrawn', policy: { hash: set.hash, environment: 'prod' }, by: 'ada' },
      });
      return activate(ledger, set, ben, { replaces: shipped.hash, first, saved });
    },
  ],
  [
    'unsigned, although people are enrolled',
    'policy_signature_missing',
    ({ ledger, people: { ada }, shipped, set }) => {
      const saved = save(ledger, set, ada);
      return activate(ledger, set, ada, { replaces: shipped.hash, saved, unsigned: true });
    },
  ],
  [
    'the app put its own in force over one that a person chose',
    'policy_signature_missing',
    at => {
      const { hash } = byTwo(at);
      return byApp(at.ledger, setOf(900), hash);
    },
  ],
  [
    'a signature for another set',
    'policy_statement_wrong',
    ({ ledger, people: { ada }, shipped, set }) => {
      const saved = save(ledger, set, ada);
      return activate(ledger, set, ada, {
        replaces: shipped.hash,
        saved,
        statement: { policy_hash: setOf(77).hash },
      });
    },
  ],
  [
    'a signature for another environment',
    'policy_statement_wrong',
    ({ ledger, people: { ada }, shipped, set }) => {
      const saved = save(ledger, set, ada);
      return activate(ledger, set, ada, { replaces: shipped.hash, saved, statement: { environment: 'dev' } });
    },
  ],
  [
    'a signature from another ledger',
    'policy_statement_wrong',
    ({ ledger, people: { ada }, shipped, set }) => {
      const saved = save(ledger, set, ada, { statement: { ledger_id: 'ab'.repeat(16) } });
      return activate(ledger, set, ada, { replaces: shipped.hash, saved });
    },
  ],
  [
    'a signature kept from the day before',
    'policy_statement_wrong',
    ({ ledger, people: { ada }, shipped, set }) => {
      const saved = save(ledger, set, ada);
      const at = '2026-10-31T00:00:00.000000Z';
      return activate(ledger, set, ada, { replaces: shipped.hash, saved, statement: { at } });
    },
  ],
  [
    'another member in what was signed',
    'policy_statement_wrong',
    ({ ledger, people: { ada }, shipped, set }) => {
      const saved = save(ledger, set, ada, { statement: { more: '1' } as object });
      return activate(ledger, set, ada, { replaces: shipped.hash, saved });
    },
  ],
  [
    'a saving whose texts are other ones',
    'policy_hash_wrong',
    ({ ledger, people: { ada }, shipped, set }) => {
      const [file, ...rest] = set.files;
      const files = [{ ...file, text: 'package trailmix\n' }, ...rest] as unknown as JsonObject;
      const saved = save(ledger, set, ada, { record: { files } });
      return activate(ledger, set, ada, { replaces: shipped.hash, saved });
    },
  ],
  [
    'an activation of a set that was never saved',
    'policy_record_missing',
    ({ ledger, people: { ada }, shipped, set }) =>
      activate(ledger, set, ada, { replaces: shipped.hash, saved: 1 }),
  ],
  [
    'an activation of an older collector, whose saving is not here',
    'policy_statement_absent',
    ({ ledger, people: { ada }, shipped, set }) => activate(ledger, set, ada, { replaces: shipped.hash }),
  ],
  [
    'an impact report whose figures were altered',
    'policy_impact_wrong',
    at => {
      const policy = byTwo(at);
      const report = {
        ...reportOf(at.set),
        decided: 5,
        skipped: {},
        flipped: 0,
        cells: [{ from: 'allow', to: 'allow', decisions: 5, runs: 2 }],
      };
      impact(at.ledger, reportOf(at.set), at.people.ada, { impact: { report } });
      return policy;
    },
  ],
  [
    'an impact report altered together with its hash',
    'policy_impact_wrong',
    at => {
      const policy = byTwo(at);
      const report = {
        ...reportOf(at.set),
        decided: 5,
        skipped: {},
        flipped: 0,
        cells: [{ from: 'allow', to: 'allow', decisions: 5, runs: 2 }],
      };
      impact(at.ledger, reportOf(at.set), at.people.ada, {
        impact: { report, report_sha256: reportSha256(sha256, report) },
      });
      return policy;
    },
  ],
  [
    'an impact report whose sums were never right',
    'policy_impact_wrong',
    at => {
      const policy = byTwo(at);
      impact(at.ledger, { ...reportOf(at.set), flipped: 0 }, at.people.ada);
      return policy;
    },
  ],
  [
    'an impact report that names other sources',
    'policy_impact_wrong',
    at => {
      const policy = byTwo(at);
      impact(at.ledger, { ...reportOf(at.set), sources_sha256: 'ab'.repeat(32) }, at.people.ada);
      return policy;
    },
  ],
  [
    'an impact report signed with another key',
    'policy_signature_wrong',
    at => {
      const policy = byTwo(at);
      impact(at.ledger, reportOf(at.set), at.people.ada, { signer: newKey() });
      return policy;
    },
  ],
  [
    'the first policy of another environment, by two',
    undefined,
    at => {
      const { ledger, people, set } = at;
      fourEyes(ledger, ['prod', 'dev']);
      const saved = save(ledger, set, people.ada);
      const first = propose(ledger, set, people.ada, '', DEV);
      activate(ledger, set, people.ben, { first, saved, ...DEV });
      return byTwo(at, saved);
    },
  ],
  [
    'the first policy of another environment, by one person where two were asked for',
    'policy_too_few',
    at => {
      const { ledger, people, set } = at;
      fourEyes(ledger, ['prod', 'dev']);
      const saved = save(ledger, set, people.ada);
      activate(ledger, set, people.ada, { saved, ...DEV });
      return byTwo(at, saved);
    },
  ],
  [
    'a proposal that another one overtook',
    'policy_record_missing',
    ({ ledger, people: { ada, ben }, shipped, set }) => {
      fourEyes(ledger, ['prod']);
      const saved = save(ledger, set, ada);
      const first = propose(ledger, set, ada, shipped.hash);
      const policy = { hash: set.hash, environment: 'prod', overtaken_by: setOf(77).hash };
      ledger.append({
        app: '_ledger',
        type: 'policy.withdrawn',
        body: { name: 'Overtaken', policy, by: 'ben' },
      });
      return activate(ledger, set, ben, { replaces: shipped.hash, first, saved });
    },
  ],
];

const keepExtras = (parts: Parts, keep: (line: string) => boolean): void =>
  setLines(parts, 'extras.jsonl', linesOf(parts, 'extras.jsonl').filter(keep));

/** Changes the last record of extras.jsonl that has this text. */
const doctorExtras = (parts: Parts, having: string, change: (line: string) => string): void => {
  const lines = linesOf(parts, 'extras.jsonl');
  const at = lines.findLastIndex(line => line.includes(having));
  lines[at] = change(lines[at]!);
  setLines(parts, 'extras.jsonl', lines);
};

/** One bit of the last person's signature, not of the record's own. */
function doctorSignature(line: string): string {
  const { signature } = (JSON.parse(line) as { signed: { signature: string }[] }).signed.at(-1)!;
  const bytes = Buffer.from(signature, 'base64');
  bytes[0]! ^= 1;
  return line.replace(signature, bytes.toString('base64'));
}

/** Done to a pack by who holds the signing key of packs, and no key of the ledger. */
export const policyChanges: [name: string, about: string, code: string, change: (parts: Parts) => void][] = [
  [
    'saved_left_out',
    'the record of its saving taken out of extras.jsonl',
    'policy_record_missing',
    parts => keepExtras(parts, line => !line.includes('"policy.saved"')),
  ],
  [
    'proposed_left_out',
    'the record of its proposal taken out of extras.jsonl',
    'policy_record_missing',
    parts => keepExtras(parts, line => !line.includes('"policy.proposed"')),
  ],
  [
    'signature_doctored',
    'the signature in policy.activated is another',
    'policy_signature_wrong',
    parts => doctorExtras(parts, '"policy.activated"', doctorSignature),
  ],
  [
    'text_exchanged',
    'the policy text exchanged where it was saved, where it was put in force, and under policies/',
    'policy_hash_wrong',
    parts => {
      for (const [path, content] of parts) {
        if (/^extras|^policies\//.test(path))
          parts.set(path, utf8(Buffer.from(content).toString().replaceAll('limit := 500', 'limit := 900')));
      }
    },
  ],
  [
    'figures_altered',
    'the figures of the impact report altered in extras.jsonl',
    'policy_impact_wrong',
    parts => doctorExtras(parts, '"policy.impact"', line => line.replace('"flipped":1', '"flipped":0')),
  ],
];

/** A set whose texts are too large for its records, put in force by its author; `text`: what the first file says where it was saved. */
export function largeSet(
  { ledger, people: { ada }, shipped, set }: PolicyBegun,
  text?: string,
): { version: number; hash: string } {
  const [first, ...rest] = set.files;
  const saying = [{ ...first!, text: text ?? first!.text }, ...rest];
  const bytes = utf8(jcs(saying as unknown as JsonObject));
  const sha = hex(sha256(bytes));
  ledger.blobs.set(sha, bytes);
  const type = 'application/vnd.trailmix.jcs+json';
  const saved = save(ledger, set, ada, {
    record: { files: { $blob: { bytes: bytes.length, sha256: sha, type } } },
  });
  const files = set.files.map(({ path, sha256: digest }) => ({ path, sha256: digest }));
  return activate(ledger, set, ada, { replaces: shipped.hash, saved, policy: { files } });
}

export const largeSets: [name: string, about: string, code: string | null, text?: string][] = [
  ['large_good', 'a set whose texts became a blob', null],
  [
    'large_exchanged',
    'a set whose texts became a blob with another text',
    'policy_hash_wrong',
    'package other\n',
  ],
];
