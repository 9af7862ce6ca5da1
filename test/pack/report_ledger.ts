/** A ledger with enough of everything for a report of several pages: runs over days, all kinds of exceptions, people, policies. */
import type { JsonObject } from '../../core/proof/jcs.ts';
import { MemoryLedger } from './memory-ledger.ts';
import { gatedCall } from './packs.ts';
import { delegate, signedCall, soon, team } from './signed_call.ts';

const RULES = [
  'package trailmix',
  '',
  'default decision := "allow"',
  '',
  'decision := "approve" if input.payload.amount > 10000',
  'decision := "deny" if input.payload.iban_country != "DE"',
];
const DAY = 86_400_000_000;
const START = Date.UTC(2026, 10, 1) * 1000;

/** A review that is opened `from` seconds from now and answered after so many. */
const reviewed = (
  ledger: MemoryLedger,
  from: number,
  seconds: number,
  min: number,
  challenge: string,
): JsonObject => ({
  reviewed: {
    opened_at: soon(ledger, from),
    answered_at: soon(ledger, from + seconds),
    seconds,
    min_seconds: min,
    min_met: seconds >= min,
    challenge,
    attempts: 1,
  },
});

/** `scale`: how often the whole is repeated. */
export function reportLedger(scale = 1): MemoryLedger {
  const ledger = new MemoryLedger();
  const first = ledger.activate(`${RULES.join('\n')}\n`);
  const { anna, ben } = team(ledger);
  const step = (session: string, body: JsonObject, at: number, type = 'span') =>
    ledger.append({ type, at, body: { session_id: session, ...body } });
  let at = START;
  const later = (us: number): number => {
    at += us;
    return at;
  };
  for (let n = 0; n < 24 * scale; n++) {
    at += (n % 5 === 0 ? 2 : 0.4) * DAY * (1 / scale);
    const session = `run-${String(n).padStart(4, '0')}`;
    const labels = { title: n % 3 === 0 ? `供应商付款 ${n}` : `Supplier payment ${n}` };
    const most = 4 + ((n * 7) % 13);
    for (let i = 0; i < most; i++)
      step(
        session,
        { name: `step ${i}`, labels, evals: i === 0 ? [{ name: 'grounded', score: 0.9 }] : [] },
        later(9_000_000),
      );
    if (n % 6 === 1) step(session, { name: 'fetch_invoice', status: 'error' }, later(1_000_000));
    const policy = ledger.versions.at(-1)!;
    const decision = (result: string, risk: string, failed?: string) =>
      step(
        session,
        {
          event_id: `d${ledger.all.length}`,
          name: risk === 'low' ? 'read_ledger' : 'send_wire',
          risk,
          input: {},
          decision: {
            result,
            ...(failed === undefined ? {} : { failed }),
            reasons: ['PII cannot exit EU: رفض المدير'],
            policy: { version: policy.version, hash: policy.hash },
            args_digest: '',
            args_salt: '',
          },
        },
        later(1_000_000),
        'decision.recorded',
      );
    for (let i = 0; i < 3 + (n % 4); i++) decision('allow', i % 2 === 0 ? 'low' : 'medium');
    if (n % 4 === 2) decision('deny', 'critical');
    if (n === 9) decision('deny', 'high', 'timeout');
    if (n === 12) {
      ledger.activate(
        `${RULES.map(line => line.replace('10000', '5000')).join('\n')}\n\n# Reviewed in November.\n`,
      );
    }
  }
  const policy = ledger.versions.at(-1) ?? first;
  const delegation = delegate(ledger, anna, ben);
  for (let n = 0; n < 9 * scale; n++) {
    signedCall(ledger, policy, [
      { by: anna, record: reviewed(ledger, 1, 19, 15, 'retype') },
      {
        by: ben,
        after: [25, 40, 700][n % 3]!,
        review: { comment: 'Checked against the invoice.' },
        record: {
          comment: 'Checked against the invoice.',
          ...reviewed(ledger, 21, [24.5, 39.5, 699][n % 3]!, 15, 'confirm'),
        },
      },
    ]);
  }
  signedCall(
    ledger,
    policy,
    [
      {
        by: anna,
        verdict: 'deny',
        review: { comment: 'Not this supplier.' },
        record: { comment: 'Not this supplier.' },
      },
    ],
    {
      until: 'answered',
    },
  );
  signedCall(
    ledger,
    policy,
    [
      {
        by: ben,
        role: 'treasurer',
        review: { on_behalf_of: 'anna', delegation_id: delegation },
        record: reviewed(ledger, 16, 4, 15, 'question'),
      },
    ],
    { k: 1, until: 'used' },
  );
  signedCall(ledger, policy, [], { until: 'answered' });
  gatedCall(ledger, policy);
  return ledger;
}
