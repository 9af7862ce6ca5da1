/**
 * What is checked before anything is written: the key, the schema, the end of the ledger against the head file, the
 * last records, the stored tree against the last checkpoint. All else the verifier does behind. Each refusal says why.
 */
import { verify } from 'node:crypto';
import { existsSync } from 'node:fs';
import { TrailmixError } from '../../core/api/errors.ts';
import { eventSignatureMessage } from '../../core/proof/record.ts';
import type { CheckpointRow } from './checkpoints.ts';
import { type Connection, keyOpens } from './database.ts';
import { ed25519PublicKey, type HeadLine, readHeadFile } from './headfile.ts';
import { nodeReader, rootAt } from './merkle.ts';
import type { WriterData } from './messages.ts';
import { RecordReader } from './records.ts';

/** How many of the last records are recomputed at open. */
const LAST = 256;

const damaged = (message: string) => new TrailmixError('ledger_damaged', { message });

/** Before a writable connection exists. Answers whether there is a database, and the head that the head file knows. */
export function checkFiles(data: WriterData): { exists: boolean; head: HeadLine | undefined } {
  const head = readHeadFile(data.places.headFile, data, data.eventKey.publicKey);
  const exists = existsSync(data.places.ledger);
  if (!exists) {
    if (head !== undefined) {
      throw new TrailmixError('ledger_rolled_back', {
        message: `there is no database, but the head file knows records up to ${head.seq}`,
      });
    }
    if (data.create === undefined) {
      throw new TrailmixError('ledger_refused', { message: 'there is no ledger in this data folder' });
    }
    return { exists, head };
  }
  if (!keyOpens(data.places.ledger, data.secrets.database)) {
    throw new TrailmixError('ledger_refused', {
      message:
        "the vault's key does not open ledger.db: it belongs to another vault, or its first page is damaged",
    });
  }
  return { exists, head };
}

/** The end of an existing ledger. Throws ledger_refused, ledger_damaged, ledger_rolled_back. */
export function checkEnd(
  db: Connection,
  sql: Record<string, string>,
  data: WriterData,
  head: HeadLine | undefined,
): { last: number; lastSignature: Buffer } | undefined {
  const owner = db.prepare<[], { ledger_id: string; tenant_id: string }>('SELECT * FROM ledger').get();
  if (owner !== undefined && (owner.ledger_id !== data.ledgerId || owner.tenant_id !== data.tenantId)) {
    throw new TrailmixError('ledger_refused', {
      message: 'ledger.db holds another ledger than the vault knows',
    });
  }
  const records = new RecordReader(db, data);
  const last = records.lastSeq();
  if (head !== undefined && last < head.seq) {
    throw new TrailmixError('ledger_rolled_back', {
      message: `the database ends at record ${last}, the head file at ${head.seq}: the database is an older copy`,
    });
  }
  if (last < 0) return undefined;
  if (head !== undefined && records.hashSelf(head.seq)?.toString('hex') !== head.hash_self) {
    throw new TrailmixError('ledger_rolled_back', {
      message: `record ${head.seq} is not the one that the head file knows: the database took another course`,
    });
  }
  const lastSignature = checkLast(records, data, last);
  checkRoot(db, sql);
  return { last, lastSignature };
}

function checkLast(records: RecordReader, data: WriterData, last: number): Buffer {
  const key = ed25519PublicKey(data.eventKey.publicKey);
  let signature: Buffer = Buffer.alloc(0);
  for (const row of records.rows(Math.max(0, last - LAST + 1), last)) {
    const fault = records.fault(row);
    if (fault !== undefined) throw damaged(`record ${row.head.seq}: ${fault}`);
    signature = row.signature;
  }
  const message = eventSignatureMessage(records.hashSelf(last)!.toString('hex'));
  if (!verify(null, message, key, signature)) throw damaged(`record ${last}: its signature does not verify`);
  return signature;
}

function checkRoot(db: Connection, sql: Record<string, string>): void {
  const checkpoint = db.prepare<[], CheckpointRow>(sql.lastCheckpoint!).get();
  if (checkpoint === undefined) return;
  const root = rootAt(nodeReader(db, sql as { treeNode: string; hashesFrom: string }), checkpoint.size);
  if (root === undefined || !checkpoint.root.equals(root)) {
    throw damaged(`the tree of ${checkpoint.size} records does not have the root of its checkpoint`);
  }
}
