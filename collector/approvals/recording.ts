/** What the gate's commands share: hashes, statements, the row of an approval, the marks of sample runs. */

import type Database from 'better-sqlite3';
import { TrailmixError } from '../../core/api/errors.ts';
import type { JsonObject } from '../../core/proof/jcs.ts';
import { statement } from '../ledger/statements.ts';
import type { WriteTx } from '../ledger/tx.ts';
import type { Source } from '../ports.ts';
import { sha256 } from '../sha256.ts';
import { type ApprovalRow, SELECT_APPROVAL } from './view.ts';

const BLOCK = 64;
/** HMAC-SHA256 (RFC 2104) over the one-shot hash: a Hmac object with its key costs a decision ten times as much. */
export function hmac(key: Uint8Array, message: Uint8Array): Uint8Array {
  const short = key.length > BLOCK ? sha256(key) : key;
  const inner = Buffer.alloc(BLOCK + message.length, 0x36);
  const outer = Buffer.alloc(BLOCK + 32, 0x5c);
  for (let i = 0; i < short.length; i++) {
    inner[i]! ^= short[i]!;
    outer[i]! ^= short[i]!;
  }
  inner.set(message, BLOCK);
  outer.set(sha256(inner), BLOCK);
  return sha256(outer);
}

export const sql = (tx: WriteTx, text: string): Database.Statement => statement(tx.db, text);

/** A sample run's record says so, and carries the scripted time. */
export const scripted = (sampleTs: string | undefined) => (sampleTs === undefined ? {} : { ts: sampleTs });
export const sampleMark = (sampleTs: string | undefined): JsonObject =>
  sampleTs === undefined ? {} : { sample: true };
export const ownSource = (input: { keyId: string; sampleTs?: string }): Source => ({
  via: input.sampleTs === undefined ? 'api' : 'sample',
  auth: 'self',
  key: input.keyId,
});
export const sampleFact = (sampleTs: string | undefined) => (sampleTs === undefined ? {} : { sample: true });

export const approvalRow = (tx: WriteTx, id: string): ApprovalRow => {
  const row = sql(tx, SELECT_APPROVAL).get({ tenant: tx.tenantId, id }) as ApprovalRow | undefined;
  if (row === undefined) throw new TrailmixError('approval_unknown', { where: '/id' });
  return row;
};

/** Whether nothing more can come of it, by the collector's clock; the record of it may still be on its way. */
export const isOver = (tx: WriteTx, row: ApprovalRow): boolean => tx.receivedAt() >= row.expires_at;
