/**
 * A real collector with a policy of these tests, an agent that asks, and people who are enrolled with their own keys. Not a
 * test itself. The action says what the policy asks: `one` one approver, `two` two approvers, `money` two of cfo and
 * treasurer, `treasurer` one treasurer; everything else is allowed.
 */
import { createHmac } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CollectorOptions } from '../../collector/compose.ts';
import { manifestOf } from '../../collector/policy/bundle.ts';
import { createToolchain } from '../../collector/policy/toolchain.ts';
import type { ReviewSettings } from '../../core/api/approval_operations.ts';
import type { OutputOf } from '../../core/api/operations.ts';
import type { ApprovalView, RecordView } from '../../core/api/views.ts';
import { type ApprovalStatement, approvalMessage } from '../../core/proof/binding.ts';
import { type JsonObject, jcs } from '../../core/proof/jcs.ts';
import { type Answer, bearer, startTestCollector, type TestCollector } from '../http/collector.ts';
import { addPerson, enrolFirstAdmin, expectJson, type Person, signedBy } from '../people/person.ts';
import { bundleOf, capabilities, toolchainDir } from '../policy/workshop.ts';

const POLICY = `package trailmix

default decision := {"result": "allow", "reasons": []}

asks := {
	"one": {"k": 1, "roles": []},
	"two": {"k": 2, "roles": ["approver"]},
	"money": {"k": 2, "roles": ["cfo", "treasurer"]},
	"treasurer": {"k": 1, "roles": ["treasurer"]},
}

decision := {"result": "approve", "reasons": [concat(" ", [input.action, "is watched"])], "required": asks[input.action]}
`;

/** A folder with the built policy. */
export async function policyFolder(): Promise<string> {
  const toolchain = await createToolchain({ dir: toolchainDir, capabilities, deadlineMs: 60_000 });
  try {
    const bundle = await bundleOf(toolchain, [{ path: 'decision.rego', text: POLICY }]);
    const folder = await mkdtemp(join(tmpdir(), 'tm-policy-'));
    await writeFile(join(folder, 'policy.wasm'), bundle.wasm);
    await writeFile(join(folder, 'data.json'), bundle.data);
    await writeFile(join(folder, 'capabilities.json'), capabilities);
    await writeFile(join(folder, 'manifest.json'), manifestOf(bundle));
    return folder;
  } finally {
    await toolchain.close();
  }
}

/** Nobody has to wait, nothing is asked. */
export const QUICK: ReviewSettings = {
  low: { min_seconds: 0, challenge: 'confirm' },
  medium: { min_seconds: 0, challenge: 'confirm' },
  high: { min_seconds: 0, challenge: 'confirm' },
  critical: { min_seconds: 0, challenge: 'confirm' },
  critical_people: 2,
  expires_seconds: 900,
};

export const codeOf = (answer: Answer): string =>
  (answer.json as { code?: string }).code ?? `${answer.status}`;

export type Decided = {
  decision: string;
  decision_id: string;
  args_salt: string;
  approval: { id: string; nonce: string; expires_at: string };
};

export type Question = {
  action?: string;
  risk?: ApprovalView['risk'];
  payload?: JsonObject;
  context?: JsonObject;
  actor?: string;
  session?: string;
};

/** The program that asks before it acts. */
export class Agent {
  readonly tm: TestCollector;
  readonly headers: Record<string, string>;

  constructor(tm: TestCollector, apiKey: string) {
    this.tm = tm;
    this.headers = bearer(apiKey);
  }

  async ask(question: Question = {}): Promise<Decided> {
    const {
      action = 'one',
      risk = 'high',
      payload = { amount: 12_000, iban: 'DE00' },
      actor = 'planner',
    } = question;
    const body = {
      action,
      risk,
      actor: { type: 'agent', id: actor },
      payload,
      session_id: question.session ?? 'run-1',
      app_id: 'bot',
      ...(question.context === undefined ? {} : { context: question.context }),
    };
    return expectJson(await this.tm.ask('/api/decisions', { body, headers: this.headers }), 200);
  }

  consume(decided: Decided, question: Question = {}, changes: Record<string, string> = {}): Promise<Answer> {
    const { action = 'one', payload = { amount: 12_000, iban: 'DE00' }, session = 'run-1' } = question;
    const salt = Buffer.from(decided.args_salt, 'hex');
    const body = {
      args_digest: createHmac('sha256', salt).update(jcs(payload)).digest('hex'),
      action,
      session_id: session,
      nonce: decided.approval.nonce,
      ...changes,
    };
    return this.tm.ask(`/api/approvals/${decided.approval.id}/consume`, { body, headers: this.headers });
  }

  async view(decided: Decided, query = ''): Promise<ApprovalView> {
    const path = `/api/approvals/${decided.approval.id}${query}`;
    return expectJson(await this.tm.ask(path, { headers: this.headers }), 200);
  }

  outcome(decided: Decided): Promise<Answer> {
    return this.tm.ask(`/api/decisions/${decided.decision_id}/outcome`, {
      body: { outcome: 'ok' },
      headers: this.headers,
    });
  }
}

export type Team = {
  tm: TestCollector;
  agent: Agent;
  /** admin and approver */
  ada: Person;
  /** approver and treasurer, acts as bob@example.org too */
  bob: Person;
  /** approver and cfo */
  cyd: Person;
  settings(changes: Partial<ReviewSettings>): Promise<void>;
  /** Records of one type, oldest first. */
  records(type: string): Promise<RecordView[]>;
  stop(): Promise<void>;
};

/** `names`: how bob and cyd are called, for pictures. */
export async function startTeam(
  options: Partial<CollectorOptions> = {},
  names: { bob?: string; cyd?: string } = {},
): Promise<Team> {
  const policies = await policyFolder();
  const tm = await startTestCollector({ policies, ...options });
  const agent = new Agent(tm, (await tm.key('bot', ['ingest', 'decide'])).apiKey);
  const ada = await enrolFirstAdmin(tm);
  const bob = await addPerson(tm, ada, {
    id: 'bob',
    ...(names.bob === undefined ? {} : { name: names.bob }),
    roles: ['approver', 'treasurer'],
    aliases: ['bob@example.org'],
  });
  const cyd = await addPerson(tm, ada, {
    id: 'cyd',
    ...(names.cyd === undefined ? {} : { name: names.cyd }),
    roles: ['approver', 'cfo'],
  });
  const settings = async (changes: Partial<ReviewSettings>): Promise<void> => {
    expectJson(await ada.call('/api/settings/review', { body: { ...QUICK, ...changes } }), 200);
  };
  await settings({});
  return {
    tm,
    agent,
    ada,
    bob,
    cyd,
    settings,
    async records(type) {
      const found: RecordView[] = [];
      let cursor = '';
      do {
        const path = `/api/events?q=type:${type}&limit=500${cursor === '' ? '' : `&cursor=${cursor}`}`;
        const page = expectJson<OutputOf<'events'>>(await ada.call(path), 200);
        found.push(...page.items);
        cursor = page.next ?? '';
      } while (cursor !== '');
      return found.reverse();
    },
    async stop() {
      await tm.stop();
      await rm(policies, { recursive: true, force: true });
    },
  };
}

export const openedBy = async (person: Person, id: string): Promise<OutputOf<'openApproval'>> =>
  expectJson(await person.call(`/api/approvals/${id}/open`, { method: 'POST' }), 200);

/** The statement that an honest page would sign for what was opened. */
export const statementFor = (
  person: Person,
  opened: OutputOf<'openApproval'>,
  changes: Partial<ApprovalStatement> = {},
): ApprovalStatement => ({
  binding: String(opened.shown.binding_hash),
  verdict: 'approve',
  approver_id: person.id,
  role: 'approver',
  key_id: person.key.keyId,
  shown_digest: opened.shown_digest,
  opened_at: opened.opened_at,
  decided_at: new Date().toISOString(),
  review: { review_id: opened.review_id, challenge: { kind: opened.challenge.kind } },
  ...changes,
});

/** Sends a statement as it is; signed by the person's key unless a signature is given. */
export const send = (
  person: Person,
  id: string,
  statement: ApprovalStatement,
  changes: Record<string, unknown> = {},
): Promise<Answer> =>
  person.call(`/api/approvals/${id}/answer`, {
    body: {
      verdict: statement.verdict,
      review_id: (statement.review as { review_id: string }).review_id,
      statement,
      signature: signedBy(person.key, approvalMessage(statement)),
      ...changes,
    },
  });
