/**
 * A ticket: everything that another process needs to come back to a question that waits for people. It grants nothing by
 * itself: the collector compares what it says with what was asked, and gives its answer to the API key that asked, alone.
 * Format: docs/spec/gate.md, "Tickets". Rules: a token that is not exactly of this form is refused whole.
 */
import { isPlain, type JsonObject } from '../../../core/proof/jcs.ts';
import { approvalPath, cancelApproval, standingOf } from './approval.ts';
import type { Client } from './client.ts';
import { type Decision, decisionOf, questionsOf } from './questions.ts';
import type { PolicyCheckOptions, Risk, TicketState } from './types.ts';

const PREFIX = 'tmt1.';

export type TicketParts = {
  appId: string;
  action: string;
  risk: Risk;
  sessionId: string;
  traceId: string;
  /** event_id of the span that asked: the parent of the span that goes on. */
  spanId: string;
  decision: Decision & { approval: NonNullable<Decision['approval']> };
  args: unknown[];
};

export function ticketToken({ decision, ...parts }: TicketParts): string {
  const { id, reasons, policy, argsSalt, approval } = decision;
  const body = {
    ...parts,
    decision: { decision: 'approve', decision_id: id, reasons, policy, args_salt: argsSalt, approval },
  };
  return PREFIX + Buffer.from(JSON.stringify(body)).toString('base64url');
}

/** Undefined when it is anything else than a whole ticket. */
export function parseTicket(token: unknown): TicketParts | undefined {
  if (typeof token !== 'string' || !token.startsWith(PREFIX)) return undefined;
  let body: unknown;
  try {
    body = JSON.parse(Buffer.from(token.slice(PREFIX.length), 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body) || !isPlain(body)) return undefined;
  const { appId, action, risk, sessionId, traceId, spanId, decision: said, args } = body as JsonObject;
  const texts = [appId, action, risk, sessionId, traceId, spanId];
  const decision = decisionOf(said);
  if (!texts.every(text => typeof text === 'string') || !Array.isArray(args)) return undefined;
  if (decision?.decision !== 'approve' || decision.approval === undefined) return undefined;
  return {
    appId: appId as string,
    action: action as string,
    risk: risk as Risk,
    sessionId: sessionId as string,
    traceId: traceId as string,
    spanId: spanId as string,
    decision: { ...decision, approval: decision.approval },
    args,
  };
}

/** Throws GateRefused where the token is not one, or another app's or action's. */
export function ticketOf(client: Client, options: PolicyCheckOptions, token: string): TicketParts {
  const ticket = parseTicket(token);
  const questions = questionsOf(client, options);
  if (ticket === undefined)
    throw questions.refusal('input_invalid', 'this is not a ticket', 'Pass the token that `ask` answered.');
  if (ticket.appId !== client.appId || ticket.action !== questions.action)
    throw questions.refusal(
      'binding_mismatch',
      'the ticket is of another app or action',
      'Resume it with the guarded function that asked.',
    );
  return ticket;
}

/** How the approval stands, at once. */
export async function checkTicket(
  client: Client,
  options: PolicyCheckOptions,
  token: string,
): Promise<TicketState> {
  const { decision } = ticketOf(client, options, token);
  const questions = questionsOf(client, options);
  questions.decision = decision;
  const { id, expires_at } = decision.approval;
  const answer = await questions.request({ method: 'GET', path: approvalPath(id) });
  const seen = standingOf(answer.body);
  if (seen === undefined) throw questions.unavailable('the answer is not an approval');
  return {
    status: seen.status as TicketState['status'],
    approvalId: id,
    expiresAt: expires_at,
    ...(seen.approvedBy === undefined ? {} : { approvedBy: seen.approvedBy }),
    ...(seen.needed === undefined ? {} : { needed: seen.needed }),
  };
}

/** Takes the question back. */
export async function cancelTicket(
  client: Client,
  options: PolicyCheckOptions,
  token: string,
  reason: string | undefined,
): Promise<void> {
  const { decision } = ticketOf(client, options, token);
  const questions = questionsOf(client, options);
  questions.decision = decision;
  await cancelApproval(questions, decision.approval.id, reason);
}
