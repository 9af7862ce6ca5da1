/**
 * The table of commands that the writer runs: those of the gate and the keys, and the ledger's own.
 * `checkpoint` is not here: it stands between groups, for it covers what is committed (writer.ts).
 */

import type { JsonValue } from '../../core/proof/jcs.ts';
import { LEDGER_APP } from '../../core/proof/record.ts';
import { approvalCommands } from '../approvals/commands.ts';
import { keyCommands } from '../keys/commands.ts';
import { delegationCommands } from '../people/delegation_commands.ts';
import { enrolmentCommands } from '../people/enrolment_commands.ts';
import { invitationCommands } from '../people/invitation_commands.ts';
import { signInCommands } from '../people/sign_in_commands.ts';
import { policyCommands } from '../policy/commands.ts';
import { tenantCommands } from '../tenants/commands.ts';
import { erasureCommands } from './erasure_commands.ts';
import type { CommandTable, WriteTx } from './tx.ts';

type Settings = Record<string, JsonValue>;

function settings(tx: WriteTx): Settings {
  const rows = tx.db.prepare<[], { name: string; value: string }>('SELECT name, value FROM setting').all();
  return Object.fromEntries(rows.map(row => [row.name, JSON.parse(row.value) as JsonValue]));
}

const ledgerCommands: Pick<CommandTable, 'record' | 'changeSettings'> = {
  record: (tx, input) => tx.append(input),

  /** Each call that changes something is one `ledger.settings` record with what was and what is. Answers all settings. */
  changeSettings(tx, input) {
    const before = settings(tx);
    const changes = Object.entries(input.changes).filter(
      ([name, value]) => JSON.stringify(before[name]) !== JSON.stringify(value),
    );
    if (changes.length === 0) return before;
    const put = tx.db.prepare(
      'INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
    );
    for (const [name, value] of changes) put.run(name, JSON.stringify(value));
    tx.append({
      appId: LEDGER_APP,
      eventType: 'ledger.settings',
      members: {
        name: 'Settings changed',
        settings: Object.fromEntries(changes),
        before: Object.fromEntries(changes.map(([name]) => [name, before[name] ?? null])),
        by: input.by,
      },
    });
    return settings(tx);
  },
};

export const writerCommands: Omit<CommandTable, 'checkpoint'> = {
  ...approvalCommands,
  ...keyCommands,
  ...tenantCommands,
  ...enrolmentCommands,
  ...invitationCommands,
  ...signInCommands,
  ...delegationCommands,
  ...policyCommands,
  ...erasureCommands,
  ...ledgerCommands,
};
