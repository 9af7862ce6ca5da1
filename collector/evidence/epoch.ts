/**
 * What a pack of a restored ledger carries of those before: proofs from the checkpoints of the app's earlier packs to the one that
 * each restore cites, and the keys of each, from the databases that lie in epochs/. Format: docs/spec/pack.md, "Restores".
 * Rules: reads only; without that database, its key or its tables there are no proofs, and the pack is made all the same.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { consistencyText } from '../../core/pack/checkpoint.ts';
import { epochKeysLine, epochKeysPath } from '../../core/pack/epochs.ts';
import { type RestoredFrom, restoreConsistency, restoredFrom } from '../../core/pack/restore.ts';
import type { JsonObject } from '../../core/proof/jcs.ts';
import { LEDGER_APP } from '../../core/proof/record.ts';
import { consistencyPlan, inclusionPlan, type ProofPlan, proofOfPlan } from '../../core/proof/tree.ts';
import { EPOCHS } from '../keys/backup.ts';
import type { OpenVault } from '../keys/vault.ts';
import { type Connection, openReadable } from '../ledger/database.ts';
import { nodeReader } from '../ledger/merkle.ts';
import { RecordReader } from '../ledger/records.ts';
import type { Ledger } from '../ports.ts';
import { sha256 } from '../sha256.ts';
import { evidenceQueries } from './queries.ts';

const CACHE_KIB = 1024;

/** A file of the pack. */
export type EpochProof = { readonly path: string; readonly text: string };

export type EpochParts = {
  readonly ledger: Ledger;
  readonly vault: Pick<OpenVault, 'deriveEpoch'>;
  /** The tenant's data folder. */
  readonly folder: string;
  readonly warn: (error: unknown) => void;
};

/**
 * Those of an app, of each ledger that led to this one, newest first; and the keys of each, proved in the checkpoint that the restore
 * cites. Empty for a ledger that was not restored.
 */
export async function epochProofs(parts: EpochParts, appId: string): Promise<EpochProof[]> {
  const first = await parts.ledger.read.record(0);
  const files: EpochProof[] = [];
  const seen = new Set<string>();
  for (let from = first && restoredFrom(first as JsonObject); from !== undefined; ) {
    if (seen.has(from.ledgerId)) break;
    seen.add(from.ledgerId);
    const found = await ofEpoch(parts, from, appId);
    files.push(...found.files);
    from = found.opened && restoredFrom(found.opened);
  }
  return files;
}

/** Of the ledger that one restore cites. `opened`: its record 0. */
async function ofEpoch(
  { ledger, vault, folder, warn }: EpochParts,
  { ledgerId, checkpoint }: RestoredFrom,
  appId: string,
): Promise<{ files: EpochProof[]; opened?: JsonObject }> {
  const none = { files: [] };
  const cited = checkpoint?.size;
  if (cited === undefined || !/^[0-9a-f]{32}$/.test(ledgerId)) return none;
  const file = join(folder, EPOCHS, `${ledgerId}.db`);
  const key = vault.deriveEpoch(ledgerId, 'database');
  if (key === undefined || !existsSync(file)) return none;
  let db: Connection | undefined;
  try {
    db = openReadable(file, key, CACHE_KIB);
    const node = nodeReader(db, {
      treeNode: 'SELECT hash FROM tree WHERE level = ? AND position = ?',
      hashesFrom: 'SELECT hash_self FROM record WHERE seq >= ? AND seq < ? ORDER BY seq',
    });
    const proofOf = (plan: ProofPlan): Uint8Array[] => {
      const hashes = plan.nodes.map(({ level, index }) => {
        const hash = node(level, index);
        if (hash === undefined) throw new Error(`the tree of ${ledgerId} has no node (${level}, ${index})`);
        return hash;
      });
      return proofOfPlan(sha256, plan, hashes);
    };
    const files: EpochProof[] = [];
    for (const size of exportSizes(db, ledger.tenantId, appId, cited)) {
      const path = restoreConsistency(ledgerId, size, cited);
      files.push({ path, text: consistencyText(proofOf(consistencyPlan(size, cited))) });
      await setImmediate();
    }
    const records = new RecordReader(db, { ledgerId, tenantId: ledger.tenantId });
    const held = keySeqs(db, ledger.tenantId, cited).map(seq => records.record(seq) as JsonObject);
    const named = held.filter(({ seq, new_key, new_checkpoint_key }) =>
      [seq === 0 || undefined, new_key, new_checkpoint_key].some(one => one !== undefined),
    );
    const lines = named.map(record =>
      epochKeysLine(record, proofOf(inclusionPlan(Number(record.seq), cited))),
    );
    files.push({ path: epochKeysPath(ledgerId), text: lines.join('') });
    return { files, ...(named[0] === undefined ? {} : { opened: named[0] }) };
  } catch (error) {
    warn(error);
    return none;
  } finally {
    db?.close();
  }
}

/** Checkpoints of the app's earlier packs, below the cited one. */
function exportSizes(db: Connection, tenant: string, app: string, cited: number): number[] {
  const rows = db
    .prepare<[{ tenant: string; app: string }], { size: number | null }>(evidenceQueries['evidence.exports'])
    .all({ tenant, app });
  const sizes = new Set(rows.flatMap(({ size }) => (size !== null && size < cited ? [size] : [])));
  return [...sizes].sort((a, b) => a - b);
}

/** Record 0 and what may name keys. */
const keySeqs = (db: Connection, tenant: string, cited: number): number[] =>
  db
    .prepare<[string, string, number], { seq: number }>(
      `SELECT r.seq AS seq FROM record r JOIN app a ON a.app = r.app WHERE a.tenant_id = ? AND a.app_id = ?
       AND (r.seq = 0 OR r.event_type GLOB 'key.*') AND r.seq < ? ORDER BY r.seq`,
    )
    .all(tenant, LEDGER_APP, cited)
    .map(({ seq }) => seq);
