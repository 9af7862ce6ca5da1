/**
 * What a pack of a restored ledger says of the one before: `restored_from` of record 0 and of `restore.accepted`.
 * The old ledger's own signature over it needs that ledger's key, which an older pack of it carries. Format:
 * docs/spec/pack.md.
 */

import { utf8 } from '../proof/bytes.ts';
import { type Checkpoint, parseCheckpoint } from '../proof/checkpoint.ts';
import type { JsonObject } from '../proof/jcs.ts';
import { parseNote } from '../proof/note.ts';

export type RestoredFrom = {
  /** The old ledger's last checkpoint in the backup; undefined when its note cannot be read. */
  readonly checkpoint: Checkpoint | undefined;
  /** For the finding: which ledger, up to where, what may be lost. */
  readonly detail: string;
};

const member = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as JsonObject)[name] : undefined;

/** What a record says it was restored from, or undefined when it says nothing of the kind. */
export function restoredFrom(record: JsonObject): RestoredFrom | undefined {
  const from = record.restored_from;
  if (from === undefined) return undefined;
  const cited = member(from, 'checkpoint');
  let checkpoint: Checkpoint | undefined;
  try {
    checkpoint = parseCheckpoint(parseNote(utf8(String(member(cited, 'note')))).text);
  } catch {
    checkpoint = undefined;
  }
  const lost = member(from, 'may_be_lost');
  return {
    checkpoint,
    detail: `Old ledger ${String(member(from, 'ledger_id'))}, backup of ${String(member(from, 'backup_made_at'))} with a checkpoint over ${checkpoint?.size ?? 'an unreadable number of'} records; what it recorded after record ${String(member(lost, 'after_seq'))} may be lost.`,
  };
}
