/**
 * The rules by which a signed statement on an erasure or a retention rule counts, for the collector before it records one and for
 * the verifier after. Spec: docs/spec/erasure.md, "Statement".
 */
import { type ErasureStatement, erasureMessage } from '../proof/erasure.ts';
import type { Members } from './person_form.ts';
import { type PolicyCheck, type PolicyContext, planStatement } from './policy_rules.ts';

/** Who may erase bodies and say how long they are kept. */
export const ERASURE_ROLE = 'admin';
/** In `ledger.settings`: days by app. */
export const RETENTION_SETTING = 'retention_days';

const MEMBERS = ['act', 'at', 'by', 'by_key_id', 'digest', 'ledger_id', 'reason', 'tenant_id'] as const;

/** What must verify (Ed25519). `expected`: what the record determines. Throws PersonFault. */
export const planErasure = (
  said: Members,
  expected: Partial<ErasureStatement>,
  context: PolicyContext,
): PolicyCheck =>
  planStatement(said, MEMBERS, ERASURE_ROLE, expected, context, members =>
    erasureMessage(members as never as ErasureStatement),
  );
