/** Settings, each change of which is a record. They live in the writer's database; who may change what is decided before. */
import type { JsonObject, JsonValue } from '../../core/proof/jcs.ts';
import { LEDGER_APP } from '../../core/proof/record.ts';
import type { Source } from '../ports.ts';
import type { WriteTx } from './tx.ts';

type Settings = Record<string, JsonValue>;

export function settings(tx: WriteTx): Settings {
  const rows = tx.db.prepare<[], { name: string; value: string }>('SELECT name, value FROM setting').all();
  return Object.fromEntries(rows.map(row => [row.name, JSON.parse(row.value) as JsonValue]));
}

/**
 * A call that changes something is one `ledger.settings` record with what was and what is, and with `more` members; one with `more`
 * is recorded also where it says the same again. Answers all settings.
 */
export function changeSettings(
  tx: WriteTx,
  { changes, by, source }: { changes: Settings; by: string; source?: Source | undefined },
  more: JsonObject = {},
): Settings {
  const before = settings(tx);
  const always = Object.keys(more).length > 0;
  const changed = Object.entries(changes).filter(
    ([name, value]) => always || JSON.stringify(before[name]) !== JSON.stringify(value),
  );
  if (changed.length === 0) return before;
  const put = tx.db.prepare(
    'INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
  );
  for (const [name, value] of changed) put.run(name, JSON.stringify(value));
  tx.append({
    appId: LEDGER_APP,
    eventType: 'ledger.settings',
    ...(source === undefined ? {} : { source }),
    members: {
      name: 'Settings changed',
      settings: Object.fromEntries(changed),
      before: Object.fromEntries(changed.map(([name]) => [name, before[name] ?? null])),
      by,
      ...more,
    },
  });
  return settings(tx);
}
