/**
 * Erasing bodies, in steps that survive a crash between any two: `erase` records what will be erased (the commit point),
 * `eraseBodies` empties rows and their copies, `erasureIndexed` and `erasedBlobs` close what was left to do.
 * Rules: the record comes first; ledger, key, person, erasure and export records are never erased, nor what an open
 * approval stands on; a batch is bounded; once somebody is enrolled nothing goes unsigned, but by a rule as it stands in that
 * moment. Format: docs/spec/ledger.md, "Erasure", and docs/spec/erasure.md.
 */
import { TrailmixError } from '../../core/api/errors.ts';
import { blobRefs } from '../../core/pack/blobs.ts';
import { planErasure, RETENTION_SETTING } from '../../core/pack/erasure_rules.ts';
import { type ErasureStatement, erasedDigest, retentionDigest } from '../../core/proof/erasure.ts';
import type { JsonValue } from '../../core/proof/jcs.ts';
import { LEDGER_APP } from '../../core/proof/record.ts';
import { checkSigned, type Signing } from '../policy/signing.ts';
import type { Source } from '../ports.ts';
import { sha256 } from '../sha256.ts';
import { changeSettings, settings } from './setting_records.ts';
import type { CommandTable, WriteTx } from './tx.ts';

/** Records that one erasure record names at most. */
export const ERASE_BATCH = 500;
/** Bytes of what it names: a record that had to put it into a blob could not be read by who has the record alone. */
const NAMED_BYTES = 48_000;

export type ErasureCommands = {
  /**
   * Records the erasure of these seqs, or of an app's next records received before `beforeUs` whose app_seq is above
   * `after`. `seq` is absent where nothing was left to erase. Throws erase_refused, app_unknown, and what checkSigned throws.
   */
  erase: {
    input: Signing<ErasureStatement> & {
      seqs?: readonly number[];
      app?: {
        appId: string;
        beforeUs: number;
        after: number;
        /** These numbers of the app, at most `ERASE_BATCH`, instead of those above `after`. */
        only?: readonly number[];
      };
      reason: string;
      /** The retention rule in days, where one asked: nothing is erased where the rule is another one by now. */
      days?: number;
      source?: Source;
      /** Answers what would be erased, and records nothing. */
      dry?: boolean;
    };
    /** `hashes`: hash_self of `erased`. `held`: the app's numbers of those that an open approval keeps for now. */
    output: {
      seq?: number;
      erased: number[];
      hashes: string[];
      held: number[];
      next: number;
      more: boolean;
    };
  };
  /** `days` by app, none of them 0: all rules from now on. Throws what checkSigned throws. */
  changeRetention: {
    input: Signing<ErasureStatement> & { days: Record<string, number>; source?: Source };
    output: Record<string, never>;
  };
  /** Empties at most a batch of bodies that were named. */
  eraseBodies: { input: Record<string, never>; output: { done: number } };
  /** The search index was made anew. */
  erasureIndexed: { input: Record<string, never>; output: { done: number } };
  /**
   * Settles blobs: `gone` are unlinked, the others kept because another body names them. Does nothing, and answers `again`,
   * where a record that may name blobs has come since the ledger had `size` records. `freed`: bytes.
   */
  erasedBlobs: {
    input: { gone: readonly string[]; kept: readonly string[]; size: number };
    output: { again: boolean; freed: number };
  };
};

type Row = {
  seq: number;
  app_id: string;
  app_seq: number;
  event_type: string;
  received_us: number;
  hash_self: Uint8Array;
  there: number;
  open: number;
};

/** Of a record r: whether an approval that is still open stands on it. */
export const OPEN = `EXISTS (SELECT 1 FROM span s JOIN approval a ON a.decision_id = s.event_id OR a.decision_id = s.parent_id
  WHERE s.run = r.run AND s.seq = r.seq AND a.status IN ('waiting', 'approved'))`;
const BLANK = "UPDATE approval SET payload = 'null', context = NULL, reasons = '[]', rules = NULL";
const COLUMNS = `r.seq AS seq, a.app_id AS app_id, r.app_seq AS app_seq, r.event_type AS event_type,
  r.received_us AS received_us, r.hash_self AS hash_self, r.body IS NOT NULL AS there, ${OPEN} AS open`;
/** Kinds of records that are never erased; `ERASABLE` says it of a record r in SQL. */
const KEPT = ['ledger', 'key', 'person', 'erasure', 'export'] as const;
const NEVER = new RegExp(`^(?:${KEPT.join('|')})\\.`);
export const ERASABLE = KEPT.map(kind => `r.event_type NOT GLOB '${kind}.*'`).join(' AND ');

const protectedRow = ({ app_id, event_type }: Row): boolean =>
  app_id === LEDGER_APP || NEVER.test(event_type);

function named(tx: WriteTx, seqs: readonly number[]): Row[] {
  const find = tx.db.prepare<[number], Row>(
    `SELECT ${COLUMNS} FROM record r JOIN app a ON a.app = r.app WHERE r.seq = ?`,
  );
  return [...new Set(seqs)]
    .sort((a, b) => a - b)
    .flatMap(seq => {
      const row = find.get(seq);
      const refuse = (why: string) =>
        new TrailmixError('erase_refused', { where: `seq ${seq}`, message: why });
      if (row === undefined) throw refuse(`There is no record ${seq}`);
      if (protectedRow(row))
        throw refuse(`Record ${seq} (${row.event_type}) is of a kind that is never erased`);
      if (row.open === 1) throw refuse(`An approval that is still open stands on record ${seq}`);
      return row.there === 1 ? [row] : [];
    });
}

type Found = { rows: Row[]; held: number[]; next: number; more: boolean };

/** The first of the rows that one record can name. At least one. */
function fitting(rows: readonly Row[]): Row[] {
  const named = new Set<string>();
  let bytes = 0;
  const end = rows.findIndex(({ seq, app_id, event_type }, i) => {
    bytes += JSON.stringify(seq).length + 68;
    for (const name of [app_id, event_type]) {
      if (named.has(name)) continue;
      named.add(name);
      bytes += Buffer.byteLength(JSON.stringify(name)) + 1;
    }
    return i > 0 && bytes > NAMED_BYTES;
  });
  return end < 0 ? [...rows] : rows.slice(0, end);
}

function ofApp(
  tx: WriteTx,
  { appId, beforeUs, after, only }: NonNullable<ErasureCommands['erase']['input']['app']>,
): Found {
  const app = tx.db
    .prepare<[string, string], { app: number }>('SELECT app FROM app WHERE tenant_id = ? AND app_id = ?')
    .get(tx.tenantId, appId);
  if (app === undefined || appId === LEDGER_APP) throw new TrailmixError('app_unknown', { where: '/app_id' });
  const select = `SELECT ${COLUMNS} FROM record r JOIN app a ON a.app = r.app WHERE r.app = ?`;
  const one = tx.db.prepare<[number, number], Row>(`${select} AND r.app_seq = ?`);
  const page = only
    ? only.slice(0, ERASE_BATCH).flatMap(appSeq => one.all(app.app, appSeq))
    : tx.db
        .prepare<[number, number, number], Row>(`${select} AND r.app_seq > ? ORDER BY r.app_seq LIMIT ?`)
        .all(app.app, after, ERASE_BATCH);
  const old = page.filter(({ received_us }) => received_us < beforeUs);
  const due = old.filter(row => row.there === 1 && !protectedRow(row));
  const free = due.filter(({ open }) => open === 0);
  const rows = fitting(free);
  const isCut = rows.length < free.length;
  const last = isCut ? rows.at(-1)!.app_seq : old.at(-1)?.app_seq;
  const taken = new Set(rows);
  const held = due.filter(
    row => !taken.has(row) && (only !== undefined || (row.open === 1 && row.app_seq <= last!)),
  );
  return {
    rows,
    held: held.map(({ app_seq }) => app_seq),
    next: only ? after : (last ?? after),
    more: only === undefined && (isCut || old.length === ERASE_BATCH),
  };
}

const rulesOf = (tx: WriteTx): { readonly [app: string]: unknown } =>
  (settings(tx)[RETENTION_SETTING] ?? {}) as { readonly [app: string]: unknown };

export const erasureCommands: CommandTableOf<ErasureCommands> = {
  erase(tx, input) {
    const { seqs, app, reason, by, days, source, dry } = input;
    if (days !== undefined && rulesOf(tx)[app?.appId ?? ''] !== days)
      return { erased: [], hashes: [], held: [], next: app?.after ?? 0, more: false };
    const waiting = new Set(
      tx.db
        .prepare<[], { seq: number }>('SELECT seq FROM erasure WHERE state = 0')
        .all()
        .map(({ seq }) => seq),
    );
    const found: Found =
      app === undefined ? { rows: named(tx, seqs ?? []), held: [], next: 0, more: false } : ofApp(tx, app);
    const rows = found.rows.filter(({ seq }) => !waiting.has(seq));
    const erased = rows.map(({ seq }) => seq);
    const hashes = rows.map(({ hash_self }) => Buffer.from(hash_self).toString('hex'));
    const { held, next, more } = found;
    if (erased.length > ERASE_BATCH)
      throw new TrailmixError('erase_refused', { message: `At most ${ERASE_BATCH} records at once` });
    if (fitting(rows).length < rows.length)
      throw new TrailmixError('erase_refused', {
        message: 'These records are of too many kinds or apps to be named together: name fewer at once',
      });
    if (erased.length === 0 || dry === true) return { erased, hashes, held, next, more };
    const expected = { act: 'erase' as const, digest: erasedDigest(sha256, erased, hashes), reason };
    const signed = days === undefined ? checkSigned(tx, input, expected, planErasure) : undefined;
    const apps = [...new Set(rows.map(({ app_id }) => app_id))].sort();
    const types = [...new Set(rows.map(({ event_type }) => event_type))].sort();
    const { seq } = tx.append({
      appId: LEDGER_APP,
      eventType: 'erasure.recorded',
      ...(source === undefined ? {} : { source }),
      members: {
        name: 'Bodies erased',
        erasure: { seqs: erased, hashes, types, apps, reason, ...(days === undefined ? {} : { days }) },
        by,
        ...(signed === undefined ? {} : { signed: [signed] }),
      },
    });
    const put = tx.db.prepare('INSERT INTO erasure (seq, by_seq, state) VALUES (?, ?, 0)');
    for (const one of erased) put.run(one, seq);
    return { seq, erased, hashes, held, next, more };
  },

  changeRetention(tx, input) {
    const { days, by, source } = input;
    const expected = { act: 'retain' as const, digest: retentionDigest(sha256, days), reason: '' };
    const signed = checkSigned(tx, input, expected, planErasure);
    const changes = { [RETENTION_SETTING]: days };
    changeSettings(tx, { changes, by, source }, signed === undefined ? {} : { signed: [signed] });
    return {};
  },

  eraseBodies(tx) {
    const { db } = tx;
    const due = db
      .prepare<[number], { seq: number }>('SELECT seq FROM erasure WHERE state = 0 ORDER BY seq LIMIT ?')
      .all(ERASE_BATCH);
    const body = db.prepare<[number], { body: string | null; run: number | null }>(
      'SELECT body, run FROM record WHERE seq = ?',
    );
    const putBlob = db.prepare('INSERT OR IGNORE INTO erasure_blob (sha256, type) VALUES (?, ?)');
    const steps = [
      'UPDATE record SET body = NULL WHERE seq = ?',
      `${BLANK} WHERE asked_seq = ?`,
      `${BLANK} WHERE decision_id IN (SELECT id FROM decision WHERE seq = ?)`,
      'UPDATE approval_answer SET comment = NULL WHERE seq = ?',
      'DELETE FROM blob_record WHERE seq = ?',
      'UPDATE erasure SET state = 1 WHERE seq = ?',
    ].map(sql => db.prepare(sql));
    const span = db.prepare('UPDATE span SET name = NULL WHERE run = ? AND seq = ?');
    const title = db.prepare("UPDATE run SET title = '' WHERE run = ?");
    for (const { seq } of due) {
      const row = body.get(seq);
      if (row?.body != null) {
        for (const { sha256, type } of blobRefs(JSON.parse(row.body) as JsonValue)) putBlob.run(sha256, type);
      }
      for (const step of steps) step.run(seq);
      if (row?.run != null) {
        span.run(row.run, seq);
        title.run(row.run);
      }
    }
    return { done: due.length };
  },

  erasureIndexed: tx => ({
    done: tx.db.prepare('UPDATE erasure SET state = 2 WHERE state = 1').run().changes,
  }),

  erasedBlobs(tx, { gone, kept, size }) {
    const since = tx.db.prepare('SELECT 1 FROM blob_record WHERE seq >= ? LIMIT 1');
    if (tx.namesBlobs() || since.get(size) !== undefined) return { again: true, freed: 0 };
    let freed = 0;
    for (const sha256 of gone) freed += tx.unlinkBlob(sha256);
    const settle = tx.db.prepare('DELETE FROM erasure_blob WHERE sha256 = ?');
    const forget = tx.db.prepare('DELETE FROM blob_upload WHERE tenant_id = ? AND sha256 = ?');
    for (const sha256 of [...gone, ...kept]) settle.run(sha256);
    for (const sha256 of gone) forget.run(tx.tenantId, sha256);
    return { again: false, freed };
  },
};

type CommandTableOf<C extends Record<string, { input: unknown; output: unknown }>> = {
  [N in keyof C]: (tx: WriteTx, input: C[N]['input']) => C[N]['output'];
} & Partial<CommandTable>;
