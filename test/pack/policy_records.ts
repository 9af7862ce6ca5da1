/** Records one by one through the class that verifies statements on policies, with what is found in each. */
import { verifyEd25519 } from '../../collector/people/state.ts';
import { Findings } from '../../core/pack/findings.ts';
import { PEOPLE_EVENTS, People, type PersonRecord } from '../../core/pack/people.ts';
import type { Place } from '../../core/pack/person_form.ts';
import { PolicyStatements } from '../../core/pack/policy_statements.ts';
import type { JsonObject } from '../../core/proof/jcs.ts';
import { sha256 } from './memory-ledger.ts';

/** A record as far as people and policies are concerned. `found`: codes, sorted. */
export type PolicyVector = JsonObject & { readonly seq: number; readonly found: readonly string[] };

const KEPT = [
  'seq',
  'event_type',
  'received_at',
  'by',
  'person',
  'settings',
  'policy',
  'files',
  'impact',
  'signed',
];
const isOurs = (type: string): boolean =>
  PEOPLE_EVENTS.has(type) || type.startsWith('policy.') || type === 'ledger.settings';

/** Of these records, those about people and policies. They come by seq, each as if from extras.jsonl. */
export async function foundIn(place: Place, records: readonly object[]): Promise<PolicyVector[]> {
  const people = new People(place, sha256);
  const findings = new Findings();
  const signatures: {
    publicKey: Uint8Array;
    message: Uint8Array;
    signature: Uint8Array;
    code: string;
    where: string;
  }[] = [];
  const statements = new PolicyStatements({
    sha256,
    place,
    people,
    signatures: { push: job => void signatures.push(job) },
  });
  const ours = (records as readonly JsonObject[]).filter(({ event_type }) => isOurs(String(event_type)));
  for (const record of ours) {
    if (PEOPLE_EVENTS.has(String(record.event_type))) {
      await people.take(record as PersonRecord, async (...parts) => verifyEd25519(...parts));
    }
    statements.take(record, false, String(record.seq), findings);
  }
  statements.finish(findings);
  const found = findings.plain.map(({ code, where }) => ({ code: code as string, where }));
  for (const { publicKey, message, signature, code, where } of signatures)
    if (!verifyEd25519(publicKey, message, signature)) found.push({ code, where });
  return ours.map(record => ({
    ...(Object.fromEntries(
      KEPT.flatMap(name => (record[name] === undefined ? [] : [[name, record[name]]])),
    ) as JsonObject),
    seq: Number(record.seq),
    found: found
      .filter(({ where }) => where === String(record.seq))
      .map(({ code }) => code)
      .sort(),
  }));
}
