/**
 * What can go wrong between page and collector, as one error class that screens can show.
 * Every refusal carries the code, the sentence and the next step of core/api/errors.ts.
 */
import { type ErrorCode, errorTable, isErrorCode, type Problem } from '../../core/api/errors.ts';

export type FailureCode = ErrorCode | 'unreachable' | 'unreadable';

export class Failure extends Error {
  override name = 'Failure';
  readonly code: FailureCode;
  readonly title: string;
  readonly next: string;
  readonly where: string | undefined;
  readonly errors: readonly Problem[];
  /** Whether repeating the same request later may succeed. */
  readonly repeatable: boolean;
  /** Seconds after which a repeat may succeed, where the collector said so. */
  readonly retryAfter: number | undefined;

  constructor(fields: {
    code: FailureCode;
    title: string;
    detail: string;
    next: string;
    where?: string;
    errors?: readonly Problem[];
    repeatable: boolean;
    retryAfter?: number | undefined;
  }) {
    super(fields.detail);
    this.code = fields.code;
    this.title = fields.title;
    this.next = fields.next;
    this.where = fields.where;
    this.errors = fields.errors ?? [];
    this.repeatable = fields.repeatable;
    this.retryAfter = fields.retryAfter;
  }
}

/** The collector did not answer at all. */
export function unreachable(): Failure {
  return new Failure({
    code: 'unreachable',
    title: 'The collector does not answer',
    detail: 'No answer came from the address this page was opened from.',
    next: 'Start it with `trailmix start`. This page tries again by itself.',
    repeatable: true,
  });
}

/** A refusal of the table that the page itself finds, without asking. */
export function refusal(code: ErrorCode, detail?: string): Failure {
  const { title, next, retry } = errorTable[code];
  return new Failure({ code, title, detail: detail ?? title, next, repeatable: retry === 'later' });
}

/** The failure that a problem document (RFC 9457) of the collector tells; anything else is `unreadable`. `retryAfter` in seconds. */
export function failureOf(status: number, document: unknown, retryAfter?: number): Failure {
  const problem = (typeof document === 'object' && document !== null ? document : {}) as Record<
    string,
    unknown
  >;
  const code = typeof problem.code === 'string' && isErrorCode(problem.code) ? problem.code : undefined;
  if (code === undefined) {
    return new Failure({
      code: 'unreadable',
      title: 'The answer could not be read',
      detail: `The collector answered with status ${status} and no reason that this page knows.`,
      next: 'Reload the page. If it stays, save diagnostics in Settings.',
      repeatable: status >= 500,
    });
  }
  const row = errorTable[code];
  return new Failure({
    code,
    title: row.title,
    detail: typeof problem.detail === 'string' ? problem.detail : row.title,
    next: typeof problem.next === 'string' ? problem.next : row.next,
    ...(typeof problem.where === 'string' ? { where: problem.where } : {}),
    ...(Array.isArray(problem.errors) ? { errors: problem.errors as Problem[] } : {}),
    repeatable: row.retry === 'later',
    retryAfter,
  });
}

/** Any thrown value as a Failure, so that every screen shows errors in one way. */
export function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  return new Failure({
    code: 'unreadable',
    title: 'Something went wrong in this page',
    detail: error instanceof Error ? error.message : String(error),
    next: 'Reload the page. If it stays, save diagnostics in Settings.',
    repeatable: false,
  });
}
