/**
 * What can be forged about who erased bodies or set the rule behind it, with the finding that must name it. The histories are rightly
 * chained and sealed by the ledger's own keys, so that nothing but the rules about erasures can give them away. Follows the format,
 * not the collector's code.
 */
import { sign } from 'node:crypto';
import { base64 } from '../../core/proof/bytes.ts';
import {
  type ErasureStatement,
  erasedDigest,
  erasureMessage,
  retentionDigest,
} from '../../core/proof/erasure.ts';
import { PREFIX } from '../../core/proof/hash.ts';
import { type JsonObject, jcs } from '../../core/proof/jcs.ts';
import { headOf } from '../../core/proof/record.ts';
import { MemoryLedger, newKey, sha256 } from './memory-ledger.ts';
import { type Key, type Person, someone, soon, state } from './signed_call.ts';

export type ErasureBegun = { ledger: MemoryLedger; admin: Person; anna: Person };

/** What differs from what is right: in the statement (signed as it is), in the record, or by whose key. */
type Change = {
  readonly statement?: Partial<ErasureStatement>;
  readonly erasure?: JsonObject;
  readonly record?: JsonObject;
  readonly signer?: Key;
  readonly signature?: string;
  readonly prefix?: string;
  /** As while nobody is enrolled. */
  readonly unsigned?: boolean;
};

/** Ten events (seq 1 to 10), then people: an admin and an approver. */
export function beginErasures(): ErasureBegun {
  const ledger = new MemoryLedger();
  for (let n = 0; n < 10; n++) ledger.append({ body: { name: `step ${n}`, input: `said ${n}` } });
  const admin = someone('admin', ['admin']);
  const anna = someone('anna', ['approver']);
  state(ledger, 'enrol', admin);
  state(ledger, 'enrol', anna, admin);
  return { ledger, admin, anna };
}

function say(
  ledger: MemoryLedger,
  by: Person,
  parts: Pick<ErasureStatement, 'act' | 'digest' | 'reason'>,
  change: Change,
): JsonObject {
  if (change.unsigned === true) return {};
  const statement: ErasureStatement = {
    at: soon(ledger),
    by: by.id,
    by_key_id: by.key.id,
    ledger_id: ledger.ledgerId,
    tenant_id: ledger.tenantId,
    ...parts,
    ...change.statement,
  };
  const message =
    change.prefix === undefined
      ? erasureMessage(statement)
      : Buffer.from(change.prefix + jcs(statement as unknown as JsonObject));
  const signature = change.signature ?? base64(sign(null, message, (change.signer ?? by.key).privateKey));
  return { signed: [{ statement: statement as unknown as JsonObject, signature, signed_in: 'page' }] };
}

const hashesOf = (ledger: MemoryLedger, seqs: readonly number[]): string[] =>
  seqs.map(seq => ledger.all[seq]!.hash_self);

/** Takes the bodies away, as the collector does once the erasure is recorded. */
function empty(ledger: MemoryLedger, seqs: readonly number[]): void {
  for (const seq of seqs) {
    const record = ledger.all[seq] as JsonObject;
    const { hash_self = '', key_id = '', signature = '' } = record;
    ledger.all[seq] = { ...headOf(record as never), hash_self, key_id, signature } as never;
  }
}

/** erasure.recorded, and the bodies are gone. */
function erase(ledger: MemoryLedger, seqs: readonly number[], by: Person, change: Change = {}): void {
  const reason = 'Request of the person concerned';
  const hashes = hashesOf(ledger, seqs);
  const said = say(ledger, by, { act: 'erase', digest: erasedDigest(sha256, seqs, hashes), reason }, change);
  const erasure = { apps: ['bot'], hashes, reason, seqs: [...seqs], types: ['span'], ...change.erasure };
  ledger.append({
    app: '_ledger',
    type: 'erasure.recorded',
    source: { via: 'page', auth: 'person' },
    body: { name: 'Bodies erased', erasure, by: by.id, ...said, ...change.record },
  });
  empty(ledger, seqs);
}

/** The rule of `bot`, in `ledger.settings`. */
function retain(ledger: MemoryLedger, days: number, by: Person, change: Change = {}): void {
  const rules = { bot: days };
  const said = say(ledger, by, { act: 'retain', digest: retentionDigest(sha256, rules), reason: '' }, change);
  ledger.append({
    app: '_ledger',
    type: 'ledger.settings',
    source: { via: 'page', auth: 'person' },
    body: {
      name: 'Settings changed',
      settings: { retention_days: rules },
      before: { retention_days: null },
      by: by.id,
      ...said,
      ...change.record,
    },
  });
}

/** What the rule of `bot` erases: by nobody's signature. */
function byRule(ledger: MemoryLedger, seqs: readonly number[], days: number, record: JsonObject = {}): void {
  const hashes = hashesOf(ledger, seqs);
  const reason = `Retention: ${days} days`;
  ledger.append({
    app: '_ledger',
    type: 'erasure.recorded',
    body: {
      name: 'Bodies erased',
      erasure: { apps: ['bot'], days, hashes, reason, seqs: [...seqs], types: ['span'] },
      by: 'retention',
      ...record,
    },
  });
  empty(ledger, seqs);
}

/** `code` undefined: nothing is to be found but that bodies are gone. */
export type ErasureHistory = [about: string, code: string | undefined, make: (at: ErasureBegun) => void];

export const erasureHistories: ErasureHistory[] = [
  ['erased by an admin', undefined, ({ ledger, admin }) => erase(ledger, [2, 3, 7], admin)],
  [
    'erased by a rule that an admin set',
    undefined,
    ({ ledger, admin }) => {
      retain(ledger, 30, admin);
      byRule(ledger, [1, 2], 30);
    },
  ],
  [
    'erased by a rule that was changed since',
    undefined,
    ({ ledger, admin }) => {
      retain(ledger, 30, admin);
      byRule(ledger, [1, 2], 30);
      retain(ledger, 400, admin);
    },
  ],
  [
    'a key that was replaced later',
    undefined,
    ({ ledger, admin }) => {
      erase(ledger, [2], admin);
      state(ledger, 'reset', { ...admin, key: newKey() }, admin);
    },
  ],
  [
    'unsigned, although people are enrolled',
    'erasure_signature_missing',
    ({ ledger, admin }) => erase(ledger, [2], admin, { unsigned: true }),
  ],
  [
    'by a rule that was set unsigned, although people are enrolled',
    'erasure_signature_missing',
    ({ ledger, admin }) => {
      retain(ledger, 30, admin, { unsigned: true });
      byRule(ledger, [1], 30);
    },
  ],
  [
    'signed with another key',
    'erasure_signature_wrong',
    ({ ledger, admin }) => erase(ledger, [2], admin, { signer: newKey() }),
  ],
  [
    "signed with an approver's key in the admin's name",
    'erasure_signature_wrong',
    ({ ledger, admin, anna }) => erase(ledger, [2], admin, { signer: anna.key }),
  ],
  [
    'a signature of 63 bytes',
    'erasure_signature_wrong',
    ({ ledger, admin }) => erase(ledger, [2], admin, { signature: Buffer.alloc(63).toString('base64') }),
  ],
  [
    'a signature over the same bytes for another purpose',
    'erasure_signature_wrong',
    ({ ledger, admin }) => erase(ledger, [2], admin, { prefix: PREFIX.policy }),
  ],
  [
    'by a person who was enrolled later',
    'erasure_signer_unknown',
    ({ ledger, admin }) => {
      const late = someone('cleo', ['admin']);
      erase(ledger, [2], late);
      state(ledger, 'enrol', late, admin);
    },
  ],
  [
    'by a person who had left',
    'erasure_signer_unknown',
    ({ ledger, admin }) => {
      const cleo = someone('cleo', ['admin']);
      state(ledger, 'enrol', cleo, admin);
      state(ledger, 'leave', cleo, admin);
      erase(ledger, [2], cleo);
    },
  ],
  [
    'by the key of another person',
    'erasure_signer_unknown',
    ({ ledger, admin, anna }) =>
      erase(ledger, [2], admin, { signer: anna.key, statement: { by_key_id: anna.key.id } }),
  ],
  ['by a person without the role', 'erasure_role_wrong', ({ ledger, anna }) => erase(ledger, [2], anna)],
  [
    'a rule by a person without the role',
    'erasure_role_wrong',
    ({ ledger, anna }) => retain(ledger, 30, anna),
  ],
  [
    'a statement on other records',
    'erasure_statement_wrong',
    ({ ledger, admin }) => {
      const digest = erasedDigest(sha256, [3], hashesOf(ledger, [3]));
      erase(ledger, [2], admin, { statement: { digest } });
    },
  ],
  [
    'one record more than was signed',
    'erasure_statement_wrong',
    ({ ledger, admin }) => {
      const digest = erasedDigest(sha256, [2], hashesOf(ledger, [2]));
      erase(ledger, [2, 3], admin, { statement: { digest } });
    },
  ],
  [
    'another reason than was signed',
    'erasure_statement_wrong',
    ({ ledger, admin }) => erase(ledger, [2], admin, { statement: { reason: 'End of retention' } }),
  ],
  [
    'in the name of another person than who signed',
    'erasure_statement_wrong',
    ({ ledger, admin }) => erase(ledger, [2], admin, { record: { by: 'anna' } }),
  ],
  [
    'a statement from another ledger',
    'erasure_statement_wrong',
    ({ ledger, admin }) => erase(ledger, [2], admin, { statement: { ledger_id: 'ab'.repeat(16) } }),
  ],
  [
    'a statement of another tenant',
    'erasure_statement_wrong',
    ({ ledger, admin }) => erase(ledger, [2], admin, { statement: { tenant_id: 'other' } }),
  ],
  [
    'a statement kept from the day before',
    'erasure_statement_wrong',
    ({ ledger, admin }) => erase(ledger, [2], admin, { statement: { at: '2026-10-31T00:00:00.000000Z' } }),
  ],
  [
    'another member in what was signed',
    'erasure_statement_wrong',
    ({ ledger, admin }) =>
      erase(ledger, [2], admin, { statement: { more: '1' } as object, prefix: PREFIX.erasure }),
  ],
  [
    'a rule signed as if it were an erasure',
    'erasure_statement_wrong',
    ({ ledger, admin }) => retain(ledger, 30, admin, { statement: { act: 'erase' } }),
  ],
  [
    'a rule for other days than were signed',
    'erasure_statement_wrong',
    ({ ledger, admin }) =>
      retain(ledger, 30, admin, { statement: { digest: retentionDigest(sha256, { bot: 3000 }) } }),
  ],
  [
    'signed twice',
    'erasure_statement_wrong',
    ({ ledger, admin }) => {
      const digest = erasedDigest(sha256, [2], hashesOf(ledger, [2]));
      const reason = 'Request of the person concerned';
      const { signed } = say(ledger, admin, { act: 'erase', digest, reason }, {});
      const twice = [...(signed as JsonObject[]), ...(signed as JsonObject[])];
      erase(ledger, [2], admin, { record: { signed: twice } });
    },
  ],
  [
    'a rule that borrows a signature',
    'erasure_statement_wrong',
    ({ ledger, admin }) => {
      retain(ledger, 30, admin);
      const digest = erasedDigest(sha256, [2], hashesOf(ledger, [2]));
      const said = say(ledger, admin, { act: 'erase', digest, reason: 'Retention: 30 days' }, {});
      byRule(ledger, [2], 30, said);
    },
  ],
  [
    'hashes of other records than those that are gone',
    'erasure_record_wrong',
    ({ ledger, admin }) => {
      const hashes = hashesOf(ledger, [3]);
      const digest = erasedDigest(sha256, [2], hashes);
      erase(ledger, [2], admin, { erasure: { hashes }, statement: { digest } });
    },
  ],
  [
    'fewer hashes than records',
    'erasure_record_wrong',
    ({ ledger, admin }) =>
      erase(ledger, [2, 3], admin, {
        erasure: { hashes: hashesOf(ledger, [2]) },
        statement: { digest: '' },
      }),
  ],
  [
    'by a rule of other days than the one in force',
    'erasure_record_wrong',
    ({ ledger, admin }) => {
      retain(ledger, 3000, admin);
      byRule(ledger, [2], 30);
    },
  ],
  ['by a rule that nobody set', 'erasure_record_wrong', ({ ledger }) => byRule(ledger, [2], 30)],
];
