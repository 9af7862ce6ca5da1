/** Prepared statements live as long as their connection: what is asked often must not pay for parsing SQL. */
import type Database from 'better-sqlite3';

const prepared = new WeakMap<Database.Database, Map<string, Database.Statement>>();

export function statement(db: Database.Database, text: string): Database.Statement {
  const statements = prepared.get(db) ?? new Map<string, Database.Statement>();
  prepared.set(db, statements);
  const found = statements.get(text) ?? db.prepare(text);
  statements.set(text, found);
  return found;
}
