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
import type { CommandTable, WriteTx } from './tx.ts';

type Settings = Record<string, JsonValue>;

function settings(tx: WriteTx): Settings {
  const rows = tx.db.prepare<[], { name: string; value: string }>('SELECT name, value FROM setting').all();
  return Object.fromEntries(rows.map(row => [row.name, JSON.parse(row.value) as JsonValue]));
}

const ledgerCommands: Pick<CommandTable, 'record' | 'activatePolicy' | 'changeSettings'> = {
  record: (tx, input) => tx.append(input),

  /** A new version is one row and one `policy.activated` record with every file. The same hash again answers the version in force. */
  activatePolicy(tx, input) {
    const last = tx.db
      .prepare<[], { version: number; hash: string; activated_at: string }>(
        'SELECT version, hash, activated_at FROM policy_version ORDER BY version DESC LIMIT 1',
      )
      .get();
    if (last?.hash === input.hash) {
      return { version: last.version, hash: last.hash, activatedAt: last.activated_at };
    }
    const version = (last?.version ?? 0) + 1;
    const { seq, receivedAt } = tx.append({
      appId: LEDGER_APP,
      eventType: 'policy.activated',
      members: {
        name: `Policy version ${version}`,
        policy: {
          version,
          hash: input.hash,
          entrypoint: input.entrypoint,
          capabilities_sha256: input.capabilitiesSha256,
          wasm_sha256: input.wasmSha256,
          files: input.files,
          ...(last === undefined ? {} : { replaces: last.hash }),
        },
        by: input.by,
      },
    });
    tx.db
      .prepare(
        `INSERT INTO policy_version
           (version, hash, entrypoint, capabilities_sha256, wasm_sha256, files, activated_at, activated_by, seq)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        version,
        input.hash,
        input.entrypoint,
        input.capabilitiesSha256,
        input.wasmSha256,
        JSON.stringify(input.files),
        receivedAt,
        input.by,
        seq,
      );
    return { version, hash: input.hash, activatedAt: receivedAt };
  },

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
  ...enrolmentCommands,
  ...invitationCommands,
  ...signInCommands,
  ...delegationCommands,
  ...ledgerCommands,
};
