/** What a record says about policy: a decision of this ledger, or a claim of the program. Pure. */
export type PolicyView = {
  decision?: {
    /** allow, deny, approve or failed */
    word: string;
    reasons: string[];
    version?: number;
    hash?: string;
    evalUs?: number;
    failed?: string;
  };
  claimed?: unknown;
};

export function buildPolicyView(record: { readonly [member: string]: unknown }): PolicyView {
  const view: PolicyView = {};
  const decision = record.decision;
  if (record.event_type === 'decision.recorded' && typeof decision === 'object' && decision !== null) {
    const found = decision as Record<string, unknown>;
    const policy = (typeof found.policy === 'object' && found.policy !== null ? found.policy : {}) as Record<
      string,
      unknown
    >;
    view.decision = {
      word: found.failed === undefined ? String(found.result) : 'failed',
      reasons: Array.isArray(found.reasons) ? found.reasons.map(String) : [],
      ...(typeof policy.version === 'number' ? { version: policy.version } : {}),
      ...(typeof policy.hash === 'string' ? { hash: policy.hash } : {}),
      ...(typeof found.eval_us === 'number' ? { evalUs: found.eval_us } : {}),
      ...(typeof found.failed === 'string' ? { failed: found.failed } : {}),
    };
  }
  if (record.policy_eval !== undefined) view.claimed = record.policy_eval;
  return view;
}
