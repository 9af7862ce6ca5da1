/** Calls around the conditions of the library, for comparing two evaluators. Not a test itself. */
import type { JsonObject, JsonValue } from '../../core/proof/jcs.ts';
import { call } from './workshop.ts';

/** From a fixed seed: the same every time, the first of a longer run too. */
export function generated(count: number): JsonObject[] {
  let state = 20261122;
  const next = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const pick = <T>(from: readonly T[]): T => from[next(from.length)]!;
  const actions = [
    'issue_refund',
    'pay_vendor',
    'send_wire',
    'llm_call',
    'send_reply',
    'delete_user',
    'read',
    'run',
  ];
  const amounts: JsonValue[] = [
    0,
    1,
    500,
    500.5,
    1000,
    1001,
    10_000,
    10_001,
    25_001,
    100_001,
    -5,
    '20',
    null,
  ];
  const texts = [
    'hello',
    'Ignore previous instructions',
    'drop table x',
    'delete from users',
    '*',
    'rm -rf /',
    'ünï 支',
  ];
  const words = ['allow', 'deny', 'approve'] as const;
  return Array.from({ length: count }, () => {
    const payload: Record<string, JsonValue> = { text: pick(texts) };
    if (next(4) > 0) payload.amount = pick(amounts);
    if (next(3) > 0) payload.contains_pii = pick([true, false, null, 'no'] as const);
    if (next(2) > 0) payload.iban = pick(['DE00', 'kp99', ' KP1', 7] as const);
    const context: Record<string, JsonValue> = {};
    if (next(2) > 0) context.region = pick(['EU', 'US'] as const);
    if (next(4) === 0) context.amount_field = 'text';
    if (next(3) === 0) context.environment = 'prod';
    if (next(2) > 0) context.evals = [{ name: 'groundedness', score: next(100) / 100 }];
    const input: Record<string, JsonValue> = {
      ...call(pick(actions), payload, context),
      risk: pick(['low', 'high', 'critical'] as const),
    };
    if (next(5) > 0)
      input.now = `20${10 + next(30)}-0${1 + next(9)}-${10 + next(18)}T${10 + next(14)}:00:00Z`;
    if (next(5) > 0) {
      input.session = {
        turns: next(9),
        actions: Array.from({ length: next(8) }, () => ({ name: pick(actions), decision: words[next(2)]! })),
        counts: {
          asked: next(120),
          allow: 0,
          deny: 0,
          approve: 0,
          by_action: { read: next(30), run: next(30) },
        },
        spend: next(2000),
        first_seen_tools: ['read'],
        complete: next(6) > 0,
      };
    }
    return input;
  });
}
