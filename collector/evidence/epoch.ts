/**
 * What a pack of a restored ledger carries of the one before: proofs from the checkpoints of the app's earlier packs to the one
 * that the restore cites, from the database that lies in epochs/. Format: docs/spec/pack.md, "Restores".
 * Rules: reads only; without that database, its key or its tables there are no proofs, and the pack is made all the same.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { consistencyText } from '../../core/pack/checkpoint.ts';
import { restoreConsistency, restoredFrom } from '../../core/pack/restore.ts';
import type { JsonObject } from '../../core/proof/jcs.ts';
import { consistencyPlan, proofOfPlan } from '../../core/proof/tree.ts';
import { EPOCHS } from '../keys/backup.ts';
import type { OpenVault } from '../keys/vault.ts';
import { type Connection, openReadable } from '../ledger/database.ts';
import { nodeReader } from '../ledger/merkle.ts';
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

/** Those of an app, by the size that they lead from. Empty for a ledger that was not restored. */
export async function epochProofs(
  { ledger, vault, folder, warn }: EpochParts,
  appId: string,
): Promise<EpochProof[]> {
  const first = await ledger.read.record(0);
  const from = first && restoredFrom(first as JsonObject);
  const cited = from?.checkpoint?.size;
  if (from === undefined || cited === undefined || !/^[0-9a-f]{32}$/.test(from.ledgerId)) return [];
  const file = join(folder, EPOCHS, `${from.ledgerId}.db`);
  const key = vault.deriveEpoch(from.ledgerId, 'database');
  if (key === undefined || !existsSync(file)) return [];
  let db: Connection | undefined;
  try {
    db = openReadable(file, key, CACHE_KIB);
    const rows = db
      .prepare<[{ tenant: string; app: string }], { size: number | null }>(
        evidenceQueries['evidence.exports'],
      )
      .all({ tenant: ledger.tenantId, app: appId });
    const sizes = new Set(rows.flatMap(({ size }) => (size !== null && size < cited ? [size] : [])));
    const node = nodeReader(db, {
      treeNode: 'SELECT hash FROM tree WHERE level = ? AND position = ?',
      hashesFrom: 'SELECT hash_self FROM record WHERE seq >= ? AND seq < ? ORDER BY seq',
    });
    const proofs: EpochProof[] = [];
    for (const size of [...sizes].sort((a, b) => a - b)) {
      const plan = consistencyPlan(size, cited);
      const hashes = plan.nodes.map(({ level, index }) => {
        const hash = node(level, index);
        if (hash === undefined)
          throw new Error(`the tree of ${from.ledgerId} has no node (${level}, ${index})`);
        return hash;
      });
      const path = restoreConsistency(from.ledgerId, size, cited);
      proofs.push({ path, text: consistencyText(proofOfPlan(sha256, plan, hashes)) });
      await setImmediate();
    }
    return proofs;
  } catch (error) {
    warn(error);
    return [];
  } finally {
    db?.close();
  }
}
