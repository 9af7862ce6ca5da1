/** Policy sets written for tests, and a policy author who signs over HTTP. Not a test itself. */
import { sha256 } from '../../collector/sha256.ts';
import type { InputOf, OutputOf } from '../../core/api/operations.ts';
import type { Environment } from '../../core/api/policy_views.ts';
import { hex, utf8 } from '../../core/proof/bytes.ts';
import { type PolicyStatement, policyMessage, sourcesSha256 } from '../../core/proof/policy.ts';
import type { TestCollector } from '../http/collector.ts';
import { expectJson, type Person, signedBy } from '../people/person.ts';

type Files = InputOf<'savePolicySet'>['files'];

/** Asks over the local socket. */
export const localDoor = (tm: () => TestCollector) => (path: string, body?: unknown, method?: string) =>
  tm().ask(path, {
    socket: tm().collector.socket,
    ...(body === undefined ? {} : { body }),
    ...(method === undefined ? {} : { method }),
  });
export const codeOf = (answer: { json: never }): string => (answer.json as { code: string }).code;

/** Refunds above `limit` ask; one test each side. */
export const refundSet = (limit: number, more = ''): Files => [
  {
    path: 'refunds.rego',
    text: `package trailmix

decision := {"result": "approve", "reasons": ["refund > ${limit}"]} if {
	input.action == "issue_refund"
	is_number(input.payload.amount)
	input.payload.amount > ${limit}
} else := {"result": "allow", "reasons": []}
${more}`,
  },
  {
    path: 'refunds_test.rego',
    text: `package trailmix_test

import data.trailmix

refund(amount) := {"action": "issue_refund", "payload": {"amount": amount}}

test_above_asks if trailmix.decision.result == "approve" with input as refund(${limit + 1})

test_below_is_allowed if trailmix.decision.result == "allow" with input as refund(${limit})
`,
  },
];

const hexOf = (text: string): string => hex(sha256(utf8(text)));
export const sourcesOf = (files: Files): string =>
  sourcesSha256(
    sha256,
    files.map(({ path, text }) => ({ path, sha256: hexOf(text) })),
  );

export const micros = (): string => new Date().toISOString().replace('Z', '000Z');

/** Saves over the socket, unsigned: while nobody is enrolled. */
export async function saveSet(
  tm: TestCollector,
  files: Files,
  message = 'a set',
): Promise<OutputOf<'savePolicySet'>> {
  const answer = await tm.ask('/api/policies/sets', {
    body: { files, message },
    socket: tm.collector.socket,
  });
  return expectJson(answer, 201);
}

export async function activateSet(
  tm: TestCollector,
  hash: string,
  environment: Environment = 'prod',
): Promise<OutputOf<'activatePolicySet'>> {
  const path = `/api/policies/environments/${environment}/activate`;
  return expectJson(await tm.ask(path, { body: { hash }, socket: tm.collector.socket }), 200);
}

export type Author = Person;

/** The body of a signed request. `change` alters the statement after nothing else did. */
export function signedPolicy(
  author: Author,
  place: { ledger_id: string; tenant_id: string },
  parts: Pick<PolicyStatement, 'act' | 'policy_hash' | 'sources_sha256' | 'message'> &
    Partial<PolicyStatement>,
  change: Partial<PolicyStatement> = {},
): { statement: PolicyStatement; signature: string } {
  const statement: PolicyStatement = {
    at: micros(),
    by: author.id,
    by_key_id: author.key.keyId,
    environment: '',
    replaces: '',
    ledger_id: place.ledger_id,
    tenant_id: place.tenant_id,
    ...parts,
    ...change,
  };
  return { statement, signature: signedBy(author.key, policyMessage(statement)) };
}

/** One decision asked over HTTP. */
export async function decide(
  tm: TestCollector,
  apiKey: string,
  amount: number,
  session = 'run-1',
  app = 'shop',
): Promise<OutputOf<'decide'>> {
  const body = {
    action: 'issue_refund',
    risk: 'low',
    actor: { type: 'agent', id: 'bot' },
    payload: { amount },
    session_id: session,
    app_id: app,
  };
  const answer = await tm.ask('/api/decisions', { body, headers: { authorization: `Bearer ${apiKey}` } });
  return expectJson(answer, 200);
}
