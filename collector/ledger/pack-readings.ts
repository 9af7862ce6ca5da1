/** What packs are made from, read on one connection: the reader thread's, or that of the thread that makes a pack. */
import { TrailmixError } from '../../core/api/errors.ts';
import type { CheckpointView } from '../../core/api/views.ts';
import { type CheckpointRow, checkpointView } from './checkpoints.ts';
import type { Connection } from './database.ts';
import { nodeReader } from './merkle.ts';
import { packReader } from './pack-lines.ts';
import { type RecordReader, recordView } from './records.ts';
import { scopeReader } from './scope.ts';

/** Most records of one answer: a page comes back for the rest. */
const MOST_RECORDS = 1000;

export function packReadings(db: Connection, records: RecordReader, tenantId: string) {
  const node = nodeReader(db, {
    treeNode: 'SELECT hash FROM tree WHERE level = ? AND position = ?',
    hashesFrom: 'SELECT hash_self FROM record WHERE seq >= ? AND seq < ? ORDER BY seq',
  });
  const lastCheckpoint = db.prepare<[number], CheckpointRow>(
    'SELECT size, root, at, note FROM checkpoint WHERE size <= ? ORDER BY size DESC LIMIT 1',
  );
  const checkpointOf = db.prepare<[number], CheckpointRow>(
    'SELECT size, root, at, note FROM checkpoint WHERE size = ?',
  );
  const app = db.prepare<[string, string], { app: number }>(
    'SELECT app FROM app WHERE tenant_id = ? AND app_id = ?',
  );
  return {
    records: (from: number, to: number, limit = MOST_RECORDS) =>
      records.rows(from, Math.min(to, from + limit - 1)).map(recordView),
    ...packReader(records, appId => app.get(tenantId, appId)?.app),
    nodes: (coordinates: readonly (readonly [number, number])[]) =>
      coordinates.map(([level, index]) => {
        const hash = node(level, index);
        if (hash === undefined) {
          throw new TrailmixError('not_found', { message: `the tree has no full node (${level}, ${index})` });
        }
        return hash;
      }),
    checkpointAt(size?: number): CheckpointView | undefined {
      const row = size === undefined ? lastCheckpoint.get(Number.MAX_SAFE_INTEGER) : checkpointOf.get(size);
      return row === undefined ? undefined : checkpointView(row);
    },
    scope: scopeReader(db, tenantId),
  };
}
