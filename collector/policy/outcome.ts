/**
 * Reads what a policy answered: `{"result": "allow"|"deny"|"approve", "reasons": [string...], "required"?: {"k": n,
 * "roles": [string...]}, "rules"?: [string...]}`, nothing else. Rules: what is not exactly this is no decision (`empty`, `shape`), and no
 * decision denies; reasons are bounded here, so that a policy cannot flood a record. Spec: docs/policies.md.
 */
import type { PolicyOutcome } from '../ports.ts';

export type Failure = NonNullable<PolicyOutcome['failed']>['why'];

export const MAX_REASONS = 32;
/** Characters (code points) of one reason; longer ones are cut and end in an ellipsis. */
export const MAX_REASON_LENGTH = 500;
/** Names of rules that are kept, and characters of one. */
export const MAX_RULES = 32;
const RULE_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const MAX_APPROVERS = 16;
const ROLE = /^[a-z][a-z0-9._-]{0,63}$/;

/** What `approve` needs when the policy does not say: one person, whatever the role. */
const ANYONE = { k: 1, roles: [] };

type Answer = Pick<PolicyOutcome, 'result' | 'reasons' | 'required' | 'rules'>;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const bounded = (reason: string): string => {
  const whole = reason.toWellFormed();
  if (whole.length <= MAX_REASON_LENGTH) return whole;
  const characters = [...whole];
  return characters.length <= MAX_REASON_LENGTH
    ? whole
    : `${characters.slice(0, MAX_REASON_LENGTH - 1).join('')}…`;
};

export function boundReasons(reasons: string[]): string[] {
  if (reasons.length <= MAX_REASONS) return reasons.map(bounded);
  const kept = reasons.slice(0, MAX_REASONS - 1).map(bounded);
  return [...kept, `and ${reasons.length - kept.length} more reasons`];
}

function readRequired(value: unknown): { k: number; roles: string[] } | null {
  if (!isObject(value) || Object.keys(value).some(key => key !== 'k' && key !== 'roles')) return null;
  const { k, roles } = value;
  if (typeof k !== 'number' || !Number.isInteger(k) || k < 1 || k > MAX_APPROVERS) return null;
  if (!Array.isArray(roles) || roles.length > MAX_APPROVERS) return null;
  if (!roles.every(role => typeof role === 'string' && ROLE.test(role))) return null;
  return { k, roles: [...new Set(roles as string[])].sort() };
}

const isRuleNames = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every(name => typeof name === 'string' && RULE_NAME.test(name));

/**
 * `resultSet` is OPA's: `[]` when the entrypoint is undefined, else `[{"result": value}]`.
 * Answers the decision, or why there is none.
 */
export function readAnswer(resultSet: unknown): Answer | Extract<Failure, 'empty' | 'shape'> {
  if (!Array.isArray(resultSet)) return 'shape';
  if (resultSet.length === 0) return 'empty';
  const [first] = resultSet as unknown[];
  if (resultSet.length !== 1 || !isObject(first) || !isObject(first.result)) return 'shape';
  const { result, reasons, required, rules, ...others } = first.result;
  if (Object.keys(others).length > 0) return 'shape';
  if (result !== 'allow' && result !== 'deny' && result !== 'approve') return 'shape';
  if (!Array.isArray(reasons) || !reasons.every(reason => typeof reason === 'string')) return 'shape';
  if (rules !== undefined && !isRuleNames(rules)) return 'shape';
  const answer: Answer = {
    result,
    reasons: boundReasons(reasons),
    ...(rules === undefined || rules.length === 0 ? {} : { rules: rules.slice(0, MAX_RULES) }),
  };
  if (result !== 'approve') return required === undefined ? answer : 'shape';
  const needed = required === undefined ? ANYONE : readRequired(required);
  return needed === null ? 'shape' : { ...answer, required: { k: needed.k, roles: [...needed.roles] } };
}
