/**
 * Checkpoints: the tree's root over everything committed, as a C2SP signed note by the checkpoint key. The writer asks
 * for one at most every ten seconds of activity, at a session's end, for an export and before it closes.
 */
import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import type { CheckpointView } from '../../core/api/views.ts';
import { hex } from '../../core/proof/bytes.ts';
import { checkpointText, originOf } from '../../core/proof/checkpoint.ts';
import { formatNote, type NoteKey, noteKey, noteMessage } from '../../core/proof/note.ts';
import { sha256 } from '../sha256.ts';
import type { Connection } from './database.ts';
import type { Faults } from './faults.ts';
import type { SigningKey } from './messages.ts';

export type CheckpointRow = { size: number; root: Buffer; at: string; note: string };

export const checkpointView = (row: CheckpointRow): CheckpointView => ({
  size: row.size,
  root: hex(row.root),
  at: row.at,
  note: row.note,
});

export class Checkpoints {
  readonly #last;
  readonly #insert;
  readonly #key: KeyObject;
  readonly #noteKey: NoteKey;
  readonly #origin: string;

  constructor(
    db: Connection,
    sql: { lastCheckpoint: string; insertCheckpoint: string },
    data: { ledgerId: string; tenantId: string; checkpointKey: SigningKey },
  ) {
    this.#last = db.prepare<[], CheckpointRow>(sql.lastCheckpoint);
    this.#insert = db.prepare(sql.insertCheckpoint);
    this.#origin = originOf(data.ledgerId, data.tenantId);
    this.#noteKey = noteKey(sha256, this.#origin, data.checkpointKey.publicKey);
    this.#key = createPrivateKey({
      key: Buffer.from(data.checkpointKey.privateKey),
      format: 'der',
      type: 'pkcs8',
    });
  }

  /** Stores and answers a checkpoint of this size, or the last one when it has this size already. */
  sign(
    size: number,
    root: () => Uint8Array,
    time: { format(us: number): string; peek(ms: number): number },
    faults: Faults,
  ): CheckpointView {
    const last = this.#last.get();
    if (last !== undefined && last.size === size) return checkpointView(last);
    faults('checkpoint');
    const hash = root();
    const text = checkpointText({ origin: this.#origin, size, root: hash });
    const signature = sign(null, noteMessage(text), this.#key);
    const { name, id } = this.#noteKey;
    const note = formatNote({ text, lines: [{ name, id, signature }] });
    const row: CheckpointRow = { size, root: Buffer.from(hash), at: time.format(time.peek(0)), note };
    this.#insert.run(row.size, row.root, row.at, row.note);
    faults('checkpoint', 'after');
    return checkpointView(row);
  }
}
