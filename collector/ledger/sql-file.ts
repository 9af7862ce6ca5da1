/**
 * SQL kept as text beside the code. A file holds one statement, named by the file, or several, each under a line
 * `-- name: x`. Names are unique within what is loaded together; a clash throws.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NAME = /^-- name: ([A-Za-z][A-Za-z0-9_.-]*)$/;

/** Statements of one file, by name. */
export function sqlFile(file: URL | string): Record<string, string> {
  const path = typeof file === 'string' ? file : fileURLToPath(file);
  const found: Record<string, string> = {};
  let name: string | undefined;
  let lines: string[] = [];
  const end = () => {
    const sql = lines.join('\n').trim();
    lines = [];
    if (name === undefined) {
      if (sql.replaceAll(/^--.*$/gm, '').trim() === '') return;
      name = basename(path, '.sql');
    }
    if (Object.hasOwn(found, name)) throw new Error(`${basename(path)}: two statements are named ${name}`);
    found[name] = sql;
  };
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    const [, next] = NAME.exec(line.trim()) ?? [];
    if (next === undefined) {
      lines.push(line);
      continue;
    }
    end();
    name = next;
  }
  end();
  return found;
}

/** Every named statement of `<root>/<room>/sql/*.sql`, but those of the rooms left out. */
export function sqlOfRooms(root: URL, except: readonly string[]): Record<string, string> {
  const base = fileURLToPath(root);
  const all: Record<string, string> = {};
  for (const room of readdirSync(base, { withFileTypes: true })) {
    if (!room.isDirectory() || except.includes(room.name)) continue;
    const folder = join(base, room.name, 'sql');
    let files: string[];
    try {
      files = readdirSync(folder);
    } catch {
      continue;
    }
    for (const file of files.filter(name => name.endsWith('.sql')).sort()) {
      for (const [name, sql] of Object.entries(sqlFile(join(folder, file)))) {
        if (Object.hasOwn(all, name)) throw new Error(`two queries are named ${name}`);
        all[name] = sql;
      }
    }
  }
  return all;
}
