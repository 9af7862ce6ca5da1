/** The gate over HTTP (collector/approvals/gate.ts does the work). Everything is recorded before it is answered. */

import { TrailmixError } from '../../../core/api/errors.ts';
import type { Principal } from '../../ports.ts';
import type { Handlers } from '../handler.ts';
import { keyOf } from './record.ts';

type Names = 'decide' | 'approval' | 'consumeApproval' | 'cancelApproval' | 'reportOutcome';

type Known = Extract<Principal, { kind: 'key' | 'person' | 'local' }>;
const known = (principal: Principal): Known => {
  if (principal.kind === 'nobody' || principal.kind === 'unkeyed') throw new TrailmixError('key_missing');
  return principal;
};

export const gateHandlers: Pick<Handlers, Names> = {
  decide: async ({ open, principal }, { input }) => open.gate.decide(keyOf(principal), input),
  approval: async ({ open, principal, signal }, { params, query }) =>
    open.gate.wait(known(principal), params.id, query.wait ?? 0, { known: query.approved_by, signal }),
  consumeApproval: async ({ open, principal }, { params, input }) =>
    open.gate.consume(keyOf(principal), params.id, input),
  cancelApproval: async ({ open, principal }, { params, input }) =>
    open.gate.cancel(keyOf(principal), params.id, input.reason),
  reportOutcome: async ({ open, principal }, { params, input }) =>
    open.gate.outcome(keyOf(principal), params.id, input),
};
