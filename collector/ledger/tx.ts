/**
 * What a writer command may do. A command runs inside the writer thread, in a savepoint of its own within
 * the group commit: throw a TrailmixError and everything it did is undone, the other commands stand.
 * Handlers are synchronous and read no clock but `tx.receivedAt()`.
 */
import type Database from 'better-sqlite3';
import type { Appended, Commands, KeyVault, OwnEvent } from '../ports.ts';

export interface WriteTx {
  /** The writer's own connection; commands touch only the tables of their room (ledger/sql, approvals/sql, keys/sql). */
  readonly db: Database.Database;
  readonly tenantId: string;
  readonly ledgerId: string;
  readonly vault: Pick<KeyVault, 'seal' | 'unseal'>;
  /** The time that the next appended record will get (six digits); never decreases. */
  receivedAt(): string;
  /** Random bytes and ids from the Ids port. */
  random(n: number): Uint8Array;
  id(prefix: string): string;
  /** Appends a record of the collector's own (source.auth self unless given), with projections. */
  append(event: OwnEvent): Appended;
  /** Whether what this group has recorded so far may name blobs. */
  namesBlobs(): boolean;
  /** Unlinks the file of a blob that no body names; answers its size, 0 where it is gone already. Is not undone. */
  unlinkBlob(sha256: string): number;
  /** Wakes long polls on this approval after the commit. */
  touchApproval(id: string): void;
}

export type CommandHandler<N extends keyof Commands> = (
  tx: WriteTx,
  input: Commands[N]['input'],
) => Commands[N]['output'];
export type CommandTable = { [N in keyof Commands]: CommandHandler<N> };
