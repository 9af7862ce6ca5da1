/**
 * One event told in sentences, from its record alone. Pure. Rules: no guess (what the record does not say is not
 * said), a claim of the program is called a claim, and `approve` is never shown as a word.
 */

import { countOf, formatCost, formatCount } from '../../ui/numbers.ts';
import { formatDuration } from '../../ui/times.ts';
import { excerpt, readableText } from './conversation.ts';

export type EventRecord = { readonly [member: string]: unknown };
export type EventContext = {
  kind: string;
  durationUs: number;
  tokens: number;
  cost: number;
  /** DecisionState of a decision, or '' */
  decision: string;
};

export type EventSummary = {
  title: string;
  /** What kind of thing it is, for the line under the title. */
  what: string;
  sentences: string[];
  /** Reasons of the policy, word for word. */
  reasons: string[];
  /** Notes on how far it can be relied on: sample, unverified. */
  cautions: string[];
};

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;
const members = (value: unknown): EventRecord =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as EventRecord) : {};
const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];

export function buildEventSummary(record: EventRecord, context: EventContext): EventSummary {
  const type = String(record.event_type ?? '');
  const title = text(record.name) ?? readableTitle(record) ?? type;
  const tell = tellers[type] ?? (type.startsWith('approval.') ? undefined : tellSpan);
  const told = tell?.(record, context, title) ?? {
    what: type,
    sentences: [`The ledger recorded “${type}”.`],
  };
  return {
    title: labelOf(type, title),
    what: told.what,
    sentences: told.sentences,
    reasons: strings(members(record.decision).reasons),
    cautions: cautionsOf(record),
  };
}

function readableTitle(record: EventRecord): string | undefined {
  const found = readableText(record.input) ?? readableText(record.output);
  return found === undefined ? undefined : excerpt(found, 60);
}

/** What a row of the tree is called: steps of an approval say what they are, not the action's name again. */
export function labelOf(type: string, name: string): string {
  switch (type) {
    case 'decision.recorded':
      return `May ${name === '' ? 'this call' : name} run?`;
    case 'approval.asked':
      return 'A person was asked';
    case 'approval.answered':
      return 'A person answered';
    case 'approval.expired':
      return 'Nobody answered in time';
    case 'intent.recorded':
      return 'Approval used, call begins';
    case 'outcome.recorded':
      return 'What came of the call';
    default:
      return name === '' ? type : name;
  }
}

type Told = { what: string; sentences: string[] };
type Teller = (record: EventRecord, context: EventContext, title: string) => Told;

const who = (record: EventRecord): string => {
  const id = text(record.actor_id);
  if (record.actor_type === 'user') return id === undefined ? 'A user' : `The user ${id}`;
  if (record.actor_type === 'service') return id === undefined ? 'A service' : `The service ${id}`;
  return id === undefined ? 'The agent' : `The agent ${id}`;
};

function tellSpan(record: EventRecord, context: EventContext, title: string): Told {
  const sentences: string[] = [];
  const model = members(record.model);
  const modelName = text(model.name);
  const said = readableText(record.input);
  const answer = readableText(record.output);
  const kind = context.kind;
  let what = record.event_type === 'span' ? 'step' : String(record.event_type);
  if (kind === 'user') {
    what = 'from a person';
    sentences.push(
      said === undefined ? `${who(record)} did “${title}”.` : `${who(record)} said: “${excerpt(said)}”`,
    );
  } else if (kind === 'llm') {
    what = 'model call';
    const provider = text(model.provider);
    sentences.push(
      `${who(record)} asked ${modelName ?? 'a model'}${provider === undefined ? '' : ` (${provider})`}${
        said === undefined ? '.' : `: “${excerpt(said)}”`
      }`,
    );
    if (answer !== undefined) sentences.push(`It answered: “${excerpt(answer)}”`);
  } else if (kind === 'tool') {
    what = 'tool call';
    sentences.push(`${who(record)} called ${title}.`);
    if (answer !== undefined) sentences.push(`It got back: “${excerpt(answer)}”`);
  } else {
    what = kind === 'agent' ? 'part of the run' : what;
    sentences.push(`${who(record)} did “${title}”.`);
    if (said !== undefined) sentences.push(`It was given: “${excerpt(said)}”`);
    if (answer !== undefined) sentences.push(`It came to: “${excerpt(answer)}”`);
  }
  const tools = Array.isArray(record.tools_invoked) ? record.tools_invoked : [];
  const itself = kind === 'tool' && tools.length === 1 && text(members(tools[0]).name) === title;
  if (tools.length > 0 && !itself) {
    const names = [...new Set(tools.map(tool => text(members(tool).name) ?? 'a tool'))];
    sentences.push(
      `It used ${countOf(tools.length, 'tool')}: ${names.slice(0, 6).join(', ')}${names.length > 6 ? ' and more' : ''}.`,
    );
  }
  const figures = [
    context.durationUs > 0 ? `took ${formatDuration(context.durationUs)}` : '',
    context.tokens > 0 ? `used ${formatCount(context.tokens)} tokens` : '',
    context.cost > 0 ? `cost ${formatCost(context.cost)}` : '',
  ].filter(figure => figure !== '');
  if (figures.length > 0) sentences.push(`It ${listOf(figures)}.`);
  if (record.status === 'error') sentences.push('It ended in an error.');
  const evals = Array.isArray(record.evals) ? record.evals : [];
  for (const item of evals.slice(0, 4)) {
    const one = members(item);
    if (typeof one.score !== 'number') continue;
    const limit = typeof one.threshold === 'number' ? `, threshold ${one.threshold}` : '';
    sentences.push(`Eval ${text(one.name) ?? ''}: ${one.score}${limit}.`);
  }
  if (record.policy_eval !== undefined) sentences.push(claimOf(members(record.policy_eval)));
  return { what, sentences };
}

/** A program's word about a policy counts only where it cites a decision of this ledger (FORMATS, Event). */
function claimOf(claim: EventRecord): string {
  return text(claim.decision_id) === undefined
    ? 'The program also claims a policy decision; only decisions recorded by this ledger count.'
    : 'It was put to the policy first: the decision is an event of its own, below.';
}

const listOf = (parts: string[]): string =>
  parts.length < 2 ? (parts[0] ?? '') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;

const ends: Record<string, string> = {
  waiting: 'Nobody has answered yet: the call waits.',
  approved: 'A person agreed. The call has not begun yet.',
  consumed: 'A person agreed, and the call went ahead.',
  refused: 'A person refused, so the call did not run.',
  expired: 'Nobody answered in time, so the call did not run.',
};

const tellers: Record<string, Teller> = {
  'decision.recorded': (record, context, title) => {
    const decision = members(record.decision);
    const risk = text(record.risk);
    const sentences = [
      `${who(record)} asked to run ${title}${risk === undefined ? '' : `, at ${risk} risk`}.`,
    ];
    if (decision.failed !== undefined || decision.code === 'policy_failed') {
      sentences.push('The policy could not be evaluated, so the call was denied.');
    } else if (decision.result === 'allow') sentences.push('The policy allowed it.');
    else if (decision.result === 'deny') sentences.push('The policy denied it, so the call did not run.');
    else if (decision.result === 'approve') {
      sentences.push('The policy wanted a person to agree first.');
      const end = ends[context.decision];
      if (end !== undefined) sentences.push(end);
    }
    return { what: 'policy decision', sentences };
  },
  'approval.asked': (_record, _context, title) => ({
    what: 'question to a person',
    sentences: [
      `A person was asked whether ${title} may run, with exactly the arguments of the decision above it.`,
    ],
  }),
  'approval.answered': (record, _context, title) => {
    const approval = members(record.approval);
    const by = text(approval.by) ?? text(record.actor_id) ?? 'A person';
    const sentences = [
      approval.verdict === 'approve'
        ? `${by} agreed that ${title} may run.`
        : `${by} refused: ${title} may not run.`,
    ];
    const comment = text(approval.comment);
    if (comment !== undefined) sentences.push(`Comment: “${comment}”`);
    if (approval.signed_in === 'none') {
      sentences.push(
        'The answer is not signed by a key of that person: who answered rests on the sign-in to this app.',
      );
    }
    return { what: 'answer of a person', sentences };
  },
  'approval.expired': (_record, _context, title) => ({
    what: 'end of a question',
    sentences: [`Nobody answered in time whether ${title} may run, so it did not.`],
  }),
  'intent.recorded': (_record, _context, title) => ({
    what: 'use of an approval',
    sentences: [`The approval for ${title} was used. An approval works once, for exactly this call.`],
  }),
  'outcome.recorded': record => {
    const outcome = members(record.outcome);
    const took =
      typeof outcome.latency_ms === 'number' ? ` after ${formatDuration(outcome.latency_ms * 1000)}` : '';
    const error = text(outcome.error);
    return {
      what: 'outcome',
      sentences: [
        outcome.outcome === 'error'
          ? `The call failed${took}${error === undefined ? '.' : `: ${excerpt(error)}`}`
          : `The call went through${took}.`,
      ],
    };
  },
};

function cautionsOf(record: EventRecord): string[] {
  const cautions: string[] = [];
  // Every body says how it came.
  if (record.source === undefined && record.received_at !== undefined) {
    cautions.push('What this event said was erased. Its place in the chain, its hash and its proofs stay.');
  }
  const source = members(record.source);
  if (record.sample === true || source.via === 'sample' || members(record.labels).sample === true) {
    cautions.push('A sample that comes with the app: its times and costs are made up.');
  }
  if (source.auth === 'none') {
    cautions.push('Sent without an API key: it is kept as it came, but nobody vouches for who sent it.');
  }
  if (record.claimed !== undefined) {
    cautions.push(
      'The program sent hashes or a signature of its own. They are kept as claims and not relied on.',
    );
  }
  return cautions;
}
