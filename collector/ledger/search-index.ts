/**
 * The search index: which records have which terms. An encrypted database of its own, made from committed records by
 * the indexer thread; it can be thrown away and made again. `terms` is an FTS5 table without content whose rowid is
 * the seq. Terms are words of core/event/words.ts, and fields as `<field>:<value>`, written so that FTS5 takes each
 * as one token: [a-z0-9] stand for themselves, any other UTF-16 unit is `_` and four hex digits.
 */
import { hash } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import type { RecordView } from '../../core/api/views.ts';
import { recordWords } from '../../core/event/words.ts';
import type { FlatRecord } from '../../core/proof/record.ts';
import { type Connection, keyOpens, openWritable } from './database.ts';

/** Changes with what is indexed: another version is thrown away and made again. */
const VERSION = 2;

const SCHEMA = `
  CREATE VIRTUAL TABLE terms USING fts5(t, content='', detail=none, columnsize=0, tokenize="ascii tokenchars '_'");
  CREATE TABLE run_of (seq INTEGER PRIMARY KEY, run INTEGER NOT NULL) STRICT;
  CREATE TABLE reached (ledger_id TEXT NOT NULL, next INTEGER NOT NULL) STRICT;
`;

/** Fields that a query may name, and what of a record they compare. */
export const FIELDS = ['app', 'risk', 'type', 'decision', 'session', 'event'] as const;
export type Field = (typeof FIELDS)[number];
export type FieldValues = Partial<Record<Field, string>>;

/** The risk of an event that was not rated. */
export const NO_RISK = 'none';

/** The fields of a record. `decision` counts only where the collector itself decided. */
export function fieldsOf(record: RecordView): FieldValues {
  const body = record as Record<string, unknown>;
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined);
  const decision =
    record.event_type.startsWith('decision.') && typeof body.decision === 'object' && body.decision !== null
      ? (body.decision as { result?: unknown; failed?: unknown })
      : undefined;
  const all: Record<Field, string | undefined> = {
    app: record.app_id,
    risk: text(body.risk) ?? (body.event_id === undefined ? undefined : NO_RISK),
    type: record.event_type,
    decision:
      decision === undefined ? undefined : decision.failed === undefined ? text(decision.result) : 'failed',
    session: text(body.session_id),
    event: text(body.event_id),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as FieldValues;
}

export function encodeTerm(term: string): string {
  return term.replaceAll(/[^a-z0-9]/g, unit => `_${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A field's value as one term of bounded length. */
export function fieldTerm(field: Field, value: string): string {
  const encoded = encodeTerm(`${field}:${value}`);
  return encoded.length <= 200 ? encoded : encodeTerm(`${field}#${hash('sha256', value, 'hex')}`);
}

/** Every term of a record. */
export function termsOf(record: RecordView): string[] {
  const terms: string[] = [];
  for (const word of recordWords(record as unknown as FlatRecord)) terms.push(encodeTerm(word));
  for (const [field, value] of Object.entries(fieldsOf(record))) terms.push(fieldTerm(field as Field, value));
  return terms;
}

/** Opens the index for writing; an unreadable, foreign or outdated one is made anew. */
export function openIndex(file: string, key: Uint8Array, ledgerId: string): Connection {
  if (existsSync(file) && !keyOpens(file, key)) discard(file);
  let db = openWritable(file, key, { cacheKiB: 8 * 1024, durable: false });
  const version = Number(db.pragma('user_version', { simple: true }));
  const owner =
    version === VERSION
      ? db.prepare<[], { ledger_id: string }>('SELECT ledger_id FROM reached').get()?.ledger_id
      : undefined;
  if (version === VERSION && owner === ledgerId) return db;
  if (version !== 0) {
    db.close();
    discard(file);
    db = openWritable(file, key, { cacheKiB: 8 * 1024, durable: false });
  }
  db.transaction(() => {
    db.exec(SCHEMA);
    db.prepare('INSERT INTO reached (ledger_id, next) VALUES (?, 0)').run(ledgerId);
    db.pragma(`user_version = ${VERSION}`);
  })();
  return db;
}

function discard(file: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
}
