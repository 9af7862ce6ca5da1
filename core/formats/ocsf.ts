/**
 * Records as OCSF 1.8.0 events, a JSON object a line, for a SIEM: class API Activity (6003) with the profiles ai_operation and
 * security_control. What a record says that the class has no place for, and what ties it to the ledger, stands in `unmapped`.
 * Format: docs/spec/formats.md; held to the published schema by test/pack/formats.test.ts.
 */
import { tsMicros } from '../event/time.ts';
import { asObject, asText } from '../pack/approval_line.ts';
import { type JsonObject, type JsonValue, jcs } from '../proof/jcs.ts';

export const OCSF_VERSION = '1.8.0';

const SEVERITY: Record<string, readonly [id: number, caption: string]> = {
  low: [2, 'Low'],
  medium: [3, 'Medium'],
  high: [4, 'High'],
  critical: [5, 'Critical'],
};
const STATUS: Record<string, readonly [id: number, caption: string]> = {
  ok: [1, 'Success'],
  error: [2, 'Failure'],
};
const ACTION: Record<string, readonly [id: number, caption: string]> = {
  allow: [1, 'Allowed'],
  deny: [2, 'Denied'],
  approve: [99, 'Approval asked'],
};
/** Other: the class has no word for what an agent does. */
const ACTIVITY = 99;
const CLASS = 6003;

/** Members that have their place in the event; everything else of a record goes to `unmapped`. */
const PLACED = new Set([
  'input',
  'output',
  'name',
  'session_id',
  'tenant_id',
  'received_at',
  'event_type',
  'event_id',
]);

/** `version`: of the product that writes the event. */
export function ocsfEvent(record: JsonObject, version: string): JsonObject {
  const time = millis(record.received_at);
  const name = asText(record.name);
  const type = asText(record.event_type);
  const [severityId, severity] = SEVERITY[asText(record.risk)] ?? [1, 'Informational'];
  const [statusId, status] = STATUS[asText(record.status)] ?? [0, 'Unknown'];
  const user = asText(record.actor_id);
  const session = asText(record.session_id);
  return {
    activity_id: ACTIVITY,
    activity_name: type,
    category_uid: 6,
    category_name: 'Application Activity',
    class_uid: CLASS,
    class_name: 'API Activity',
    type_uid: CLASS * 100 + ACTIVITY,
    type_name: 'API Activity: Other',
    time,
    severity_id: severityId,
    severity,
    status_id: statusId,
    status,
    message: name === '' ? type : `${type}: ${name}`,
    actor: {
      app_name: asText(record.app_id),
      ...(session === '' ? {} : { session: { uid: session } }),
      ...(user === ''
        ? {}
        : { user: { uid: user, type: asText(record.actor_type) || 'Unknown', type_id: 99 } }),
    },
    api: {
      operation: name === '' ? type : name,
      request: {
        uid: asText(record.event_id),
        ...(record.input === undefined ? {} : { data: record.input }),
      },
      ...response(record),
    },
    src_endpoint: { svc_name: asText(record.app_id) },
    ...decisionOf(record),
    ...modelOf(record),
    metadata: {
      version: OCSF_VERSION,
      product: { name: 'Audit TrailMix', vendor_name: 'Audit TrailMix', version },
      profiles: ['ai_operation', 'security_control'],
      uid: `${asText(record.ledger_id)}:${String(record.seq)}`,
      sequence: record.seq ?? 0,
      tenant_uid: asText(record.tenant_id),
      log_name: asText(record.app_id),
      event_code: type,
      original_time: asText(record.ts),
      logged_time: time,
      ...(asText(record.trace_id) === '' ? {} : { correlation_uid: asText(record.trace_id) }),
    },
    unmapped: Object.fromEntries(
      Object.entries(record).filter(([member]) => !PLACED.has(member)),
    ) as JsonObject,
  };
}

export const ocsfLine = (record: JsonObject, version: string): string =>
  `${jcs(ocsfEvent(record, version))}\n`;

const millis = (time: JsonValue | undefined): number => Math.floor(tsMicros(asText(time)) / 1000);

function response(record: JsonObject): JsonObject {
  const error = asText(asObject(record.outcome).error);
  if (record.output === undefined && error === '') return {};
  return {
    response: {
      ...(record.output === undefined ? {} : { data: record.output }),
      ...(error === '' ? {} : { error_message: error }),
    },
  };
}

function decisionOf(record: JsonObject): JsonObject {
  if (record.event_type !== 'decision.recorded') return {};
  const decision = asObject(record.decision);
  const result = asText(decision.result);
  const { hash, version } = asObject(decision.policy);
  const [actionId, action] = ACTION[result] ?? [0, 'Unknown'];
  const reasons = Array.isArray(decision.reasons)
    ? decision.reasons.filter(one => typeof one === 'string')
    : [];
  const policy = {
    ...(typeof hash === 'string' ? { uid: hash } : {}),
    ...(version === undefined ? {} : { version: String(version) }),
    is_applied: true,
  };
  return {
    action_id: actionId,
    action,
    policy,
    authorizations: [{ decision: result, policy }],
    ...(reasons.length === 0 ? {} : { status_detail: reasons.join('; ') }),
  };
}

/** The schema wants a model's provider: without it the model stays in `unmapped`. */
function modelOf(record: JsonObject): JsonObject {
  const { name, provider, version } = asObject(record.model);
  if (typeof name !== 'string' || typeof provider !== 'string') return {};
  return { ai_model: { name, ai_provider: provider, ...(typeof version === 'string' ? { version } : {}) } };
}
