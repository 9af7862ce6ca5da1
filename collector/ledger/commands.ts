/**
 * The table of commands that the writer runs: those of the gate and the keys, and the ledger's own.
 * `checkpoint` is not here: it stands between groups, for it covers what is committed (writer.ts).
 */

import { approvalCommands } from '../approvals/commands.ts';
import { keyCommands } from '../keys/commands.ts';
import { delegationCommands } from '../people/delegation_commands.ts';
import { enrolmentCommands } from '../people/enrolment_commands.ts';
import { invitationCommands } from '../people/invitation_commands.ts';
import { signInCommands } from '../people/sign_in_commands.ts';
import { policyCommands } from '../policy/commands.ts';
import { tenantCommands } from '../tenants/commands.ts';
import { erasureCommands } from './erasure_commands.ts';
import { changeSettings } from './setting_records.ts';
import type { CommandTable } from './tx.ts';

const ledgerCommands: Pick<CommandTable, 'record' | 'changeSettings'> = {
  record: (tx, input) => tx.append(input),
  changeSettings: (tx, input) => changeSettings(tx, input),
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
