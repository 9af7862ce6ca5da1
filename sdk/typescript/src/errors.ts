/**
 * What a gated call throws instead of running. Every refusal is a `GateError` with the collector's `code`, the
 * policy's `reasons` and `next`, what to do about it. Nothing else in this package throws at the host.
 */

export type GateDetail = {
  code: string;
  message: string;
  next: string;
  action: string;
  reasons?: readonly string[];
  decisionId?: string | undefined;
  approvalId?: string | undefined;
  cause?: unknown;
};

export class GateError extends Error {
  override name = 'GateError';
  readonly code: string;
  readonly action: string;
  readonly reasons: readonly string[];
  readonly next: string;
  readonly decisionId: string | undefined;
  readonly approvalId: string | undefined;

  constructor(detail: GateDetail) {
    super(
      `${detail.action}: ${detail.message}`,
      detail.cause === undefined ? undefined : { cause: detail.cause },
    );
    this.code = detail.code;
    this.action = detail.action;
    this.reasons = detail.reasons ?? [];
    this.next = detail.next;
    this.decisionId = detail.decisionId;
    this.approvalId = detail.approvalId;
  }
}

/** The policy said deny, or could not be evaluated (code `policy_failed`). */
export class PolicyDenied extends GateError {
  override name = 'PolicyDenied';
}
/** A person said no. */
export class ApprovalDenied extends GateError {
  override name = 'ApprovalDenied';
}
/** Nobody answered in time, or the grant ended before the call could start. */
export class ApprovalTimedOut extends GateError {
  override name = 'ApprovalTimedOut';
}
/** The agent took its question back, here or in another process. */
export class ApprovalCancelled extends GateError {
  override name = 'ApprovalCancelled';
}
/** The approval was used before: one approval runs one call once. */
export class ApprovalConsumed extends GateError {
  override name = 'ApprovalConsumed';
}
/** No answer, or none that proves itself to come from the collector. */
export class CollectorUnavailable extends GateError {
  override name = 'CollectorUnavailable';
}
/** An argument is not plain JSON, so that nobody could approve exactly it. Nothing was asked. */
export class ArgsNotJson extends GateError {
  override name = 'ArgsNotJson';
}
/** The collector refused the question or the use of its answer; `code` says why (docs/errors.md). */
export class GateRefused extends GateError {
  override name = 'GateRefused';
}
