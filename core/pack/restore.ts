/**
 * What a pack of a restored ledger says of the one before: `restored_from` of record 0 and of `restore.accepted`, with the old
 * event key's signature over it, which only an older pack of the old ledger lets anyone check. Format: docs/spec/pack.md.
 */
import { fromBase64, utf8 } from '../proof/bytes.ts';
import { type Checkpoint, parseCheckpoint } from '../proof/checkpoint.ts';
import { PREFIX } from '../proof/hash.ts';
import { type JsonObject, jcs } from '../proof/jcs.ts';
import { parseNote } from '../proof/note.ts';

export type RestoredFrom = {
  readonly ledgerId: string;
  /** The old ledger's last checkpoint in the backup; undefined when its note cannot be read. */
  readonly checkpoint: Checkpoint | undefined;
  readonly note: Uint8Array;
  /** Hex SHA-256 of the old event key that signed `message`. */
  readonly oldKeyId: string;
  readonly message: Uint8Array;
  /** Empty where there is none. */
  readonly signature: Uint8Array;
  /** For the finding: which ledger, up to where, what may be lost. */
  readonly detail: string;
};

const member = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as JsonObject)[name] : undefined;

/** Where a pack carries a proof of the old ledger, from an older checkpoint to the one that the restore cites. */
export const restoreConsistency = (ledgerId: string, old: number, cited: number): string =>
  `epochs/${ledgerId}/consistency/${old}-${cited}`;

/** What a record says it was restored from, or undefined when it says nothing of the kind. */
export function restoredFrom(record: JsonObject): RestoredFrom | undefined {
  const from = record.restored_from;
  if (from === undefined) return undefined;
  const note = utf8(String(member(member(from, 'checkpoint'), 'note')));
  const { ledger_id = '', event_key = '', old_key_id, old_key_sig } = record;
  const lost = member(from, 'may_be_lost');
  const checkpoint = orNothing(() => parseCheckpoint(parseNote(note).text));
  return {
    ledgerId: String(member(from, 'ledger_id')),
    checkpoint,
    note,
    oldKeyId: String(old_key_id),
    message: utf8(PREFIX.restore + jcs({ event_key, ledger_id, restored_from: from })),
    signature: orNothing(() => fromBase64(String(old_key_sig))) ?? new Uint8Array(0),
    detail: `Old ledger ${String(member(from, 'ledger_id'))}, backup of ${String(member(from, 'backup_made_at'))} with a checkpoint over ${checkpoint?.size ?? 'an unreadable number of'} records; what it recorded after record ${String(member(lost, 'after_seq'))} may be lost.`,
  };
}

function orNothing<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
