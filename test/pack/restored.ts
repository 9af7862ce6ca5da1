/** A ledger in memory that continues another from its backup, as a restore makes it, or nearly. Not a test itself. */
import { sign } from 'node:crypto';
import type { EpochProof } from '../../collector/evidence/epoch.ts';
import { consistencyText } from '../../core/pack/checkpoint.ts';
import { epochKeysLine, epochKeysPath } from '../../core/pack/epochs.ts';
import { restoreConsistency } from '../../core/pack/restore.ts';
import { base64, utf8 } from '../../core/proof/bytes.ts';
import { PREFIX } from '../../core/proof/hash.ts';
import { type JsonObject, jcs } from '../../core/proof/jcs.ts';
import { consistencyPlan, inclusionPlan, proofOfPlan } from '../../core/proof/tree.ts';
import { MemoryLedger, newKey, sha256 } from './memory-ledger.ts';

const RESTORED = 'beef0000beef0000beef0000beef0000';

/** From a backup of all that `old` holds now. `note`: another text of the cited note; `forged`: signed by no old key. */
export async function restoredLedger(
  old: MemoryLedger,
  change: { note?: (note: string) => string; forged?: boolean; ledgerId?: string } = {},
): Promise<MemoryLedger> {
  const { size, note, at } = await old.sign();
  const last = old.all.at(-1)!;
  const head = { seq: last.seq, hash_self: last.hash_self!, received_at: last.received_at };
  const restored_from: JsonObject = {
    ledger_id: old.ledgerId,
    tenant_id: old.tenantId,
    head,
    checkpoint: { size, note: change.note?.(note) ?? note },
    backup_made_at: at,
    may_be_lost: { after_seq: last.seq, after: last.received_at },
  };
  const key = change.forged === true ? newKey() : old.eventKey;
  return new MemoryLedger(undefined, {
    ledgerId: change.ledgerId ?? RESTORED,
    members: ({ ledgerId, eventKey }) => {
      const statement = { event_key: base64(eventKey.raw), ledger_id: ledgerId, restored_from };
      const signature = sign(null, utf8(PREFIX.restore + jcs(statement)), key.privateKey);
      return { restored_from, old_key_id: old.eventKey.id, old_key_sig: base64(signature) };
    },
  });
}

/** The proof that a pack of it carries, from a size of the old ledger to all of it. */
export async function epochProof(old: MemoryLedger, size: number): Promise<EpochProof> {
  const cited = old.all.length;
  const plan = consistencyPlan(size, cited);
  const hashes = await old.nodes(plan.nodes.map(({ level, index }) => [level, index] as const));
  return {
    path: restoreConsistency(old.ledgerId, size, cited),
    text: consistencyText(proofOfPlan(sha256, plan, hashes)),
  };
}

/** The file that a pack of it carries of its keys, proved in its newest checkpoint. `seqs`: other records than are right. */
export async function epochKeys(
  old: MemoryLedger,
  seqs = old.all.filter(({ seq, new_key }) => seq === 0 || new_key !== undefined).map(({ seq }) => seq),
): Promise<EpochProof> {
  const lines: string[] = [];
  for (const seq of seqs) {
    const plan = inclusionPlan(seq, old.all.length);
    const hashes = await old.nodes(plan.nodes.map(({ level, index }) => [level, index] as const));
    lines.push(epochKeysLine(old.all[seq] as JsonObject, proofOfPlan(sha256, plan, hashes)));
  }
  return { path: epochKeysPath(old.ledgerId), text: lines.join('') };
}
