/**
 * Which records on policies a pack carries beside those of its scope: the activations, and of each set that they put in force
 * its saving, proposals, shadow runs and impact. Bounds and format: docs/spec/pack.md, "Policy statements".
 */
import type { PolicyRecord, PolicyVersion } from './source.ts';

/** The newest of one set that are carried, by event type; of others all. */
const NEWEST: { readonly [eventType: string]: number } = {
  'policy.impact': 100,
  'policy.candidate': 200,
  'policy.shadowed': 200,
};

/** Seqs of the records; `records` come by seq. */
export function policySeqs(
  policies: readonly Pick<PolicyVersion, 'hash' | 'seq'>[],
  records: readonly PolicyRecord[],
): Set<number> {
  const hashes = new Set(policies.map(({ hash }) => hash));
  const seqs = new Set(policies.map(({ seq }) => seq));
  const counts = new Map<string, number>();
  for (const { seq, event_type, hash } of records.toReversed()) {
    if (hash === null || !hashes.has(hash)) continue;
    const kind = `${event_type} ${hash}`;
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    if (count <= (NEWEST[event_type] ?? Number.MAX_SAFE_INTEGER)) seqs.add(seq);
  }
  return seqs;
}
