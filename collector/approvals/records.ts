/** What every record about an approval has in common: its ids, its parent, its facts. */
import type { JsonObject } from '../../core/proof/jcs.ts';
import type { OwnEvent } from '../ports.ts';
import type { ApprovalRow } from './view.ts';

/** The record of something that happened to an approval. `approval` are the members beside the ids. */
export const approvalEvent = (
  row: Pick<ApprovalRow, 'id' | 'decision_id' | 'app_id' | 'session_id' | 'action' | 'risk' | 'binding_hash'>,
  eventType: string,
  approval: JsonObject,
  more: JsonObject = {},
): OwnEvent => ({
  appId: row.app_id,
  eventType,
  sessionId: row.session_id,
  members: {
    parent_id: row.decision_id,
    name: row.action,
    risk: row.risk,
    approval: {
      id: row.id,
      decision_id: row.decision_id,
      binding_hash: row.binding_hash,
      ...approval,
    },
    ...more,
  },
  facts: { kind: 'approval', name: row.action, risk: row.risk, parentId: row.decision_id },
});

/** Who did it, as the record's actor. */
export const byPerson = (id: string): JsonObject => ({ actor_type: 'user', actor_id: id });
