/**
 * What lists and pictures show of an event, read from its members once.
 * kind: `user` for a user's event without model and tools; else `tool` where tools were invoked and no model is
 *   named, or the type is tool or tool.*; `llm` where a model is named or the type is llm, llm.* or chat; `agent` for
 *   an agent's span that has neither; `other` for the rest. Decisions, approvals and outcomes are the collector's own.
 * tokens: the first found of labels' and model.params' `usage` {total_tokens, or input_tokens + output_tokens, or
 *   prompt_tokens + completion_tokens}, then the OpenTelemetry attributes gen_ai.usage.* among the labels.
 * cost: model.cost. title: the first words of a user's input, else of any input, else the name.
 * A producer's policy_eval never counts as a decision.
 */
import { tsMicros } from '../../core/event/time.ts';
import type { ValidEvent } from '../../core/event/validate.ts';
import type { JsonObject, JsonValue } from '../../core/proof/jcs.ts';
import type { EventFacts, Source } from '../ports.ts';

/** Most UTF-16 units of a title. */
const TITLE_LENGTH = 120;
/** White space that is not one plain space. */
const UNEVEN_SPACE = / {2}|[^\S ]/;
/** Members of an input that hold what was asked, the likeliest first. */
const ASKING = [
  'prompt',
  'question',
  'query',
  'message',
  'content',
  'text',
  'input',
  'task',
  'goal',
] as const;

export function factsOf(event: ValidEvent, source: Source): EventFacts {
  const startUs = tsMicros(event.ts);
  const tokens = tokensOf(event);
  const cost = finite(event.model?.cost);
  const title = titleOf(event);
  const facts: EventFacts = { kind: kindOf(event), startUs };
  if (event.ts_end !== undefined) facts.endUs = Math.max(startUs, tsMicros(event.ts_end));
  if (event.parent_id !== undefined) facts.parentId = event.parent_id;
  if (event.trace_id !== undefined) facts.traceId = event.trace_id;
  if (event.name !== undefined) facts.name = event.name;
  if (event.risk !== undefined) facts.risk = event.risk;
  if (event.status !== undefined && event.status !== 'unset') facts.status = event.status;
  if (tokens !== undefined) facts.tokens = tokens;
  if (cost !== undefined) facts.cost = cost;
  if (title !== undefined) facts.title = title;
  if (source.via === 'sample') facts.sample = true;
  if (source.auth === 'none') facts.unverified = true;
  return facts;
}

const isTyped = (event: ValidEvent, word: string): boolean =>
  event.event_type === word || event.event_type.startsWith(`${word}.`);

function kindOf(event: ValidEvent): EventFacts['kind'] {
  const tools =
    event.tools_invoked !== undefined &&
    !(Array.isArray(event.tools_invoked) && event.tools_invoked.length === 0);
  if (isTyped(event, 'tool')) return 'tool';
  if (isTyped(event, 'llm') || isTyped(event, 'chat')) return 'llm';
  if (event.model !== undefined) return 'llm';
  if (tools) return 'tool';
  if (event.actor_type === 'user' || isTyped(event, 'user')) return 'user';
  return event.actor_type === 'agent' ? 'agent' : 'other';
}

const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const finite = (value: JsonValue | undefined): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined;

/** A count of tokens: a whole number that sums can hold. */
const count = (value: JsonValue | undefined): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= 1e12 ? value : undefined;

function tokensOf(event: ValidEvent): number | undefined {
  const params = isObject(event.model?.params) ? event.model.params : undefined;
  for (const usage of [event.labels?.usage, params?.usage, event.model?.usage]) {
    if (!isObject(usage)) continue;
    const found =
      count(usage.total_tokens) ??
      sum(usage.input_tokens, usage.output_tokens) ??
      sum(usage.prompt_tokens, usage.completion_tokens);
    if (found !== undefined) return found;
  }
  const labels = event.labels;
  if (labels === undefined) return undefined;
  return (
    sum(labels['gen_ai.usage.input_tokens'], labels['gen_ai.usage.output_tokens']) ??
    count(labels.total_tokens)
  );
}

function sum(a: JsonValue | undefined, b: JsonValue | undefined): number | undefined {
  const [x, y] = [count(a), count(b)];
  return x === undefined && y === undefined ? undefined : (x ?? 0) + (y ?? 0);
}

function titleOf(event: ValidEvent): string | undefined {
  const asked = labelled(event.labels) ?? textOf(event.input, 0) ?? event.name;
  if (asked === undefined) return undefined;
  const start = asked.slice(0, 4 * TITLE_LENGTH);
  const line = (UNEVEN_SPACE.test(start) ? start.replaceAll(/\s+/g, ' ') : start).trim();
  if (line === '') return undefined;
  // Cut between characters, not within one.
  return line.length <= TITLE_LENGTH
    ? line
    : `${line.slice(0, TITLE_LENGTH).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** A producer may name its run: label `title`. */
const labelled = (labels: ValidEvent['labels']): string | undefined =>
  isObject(labels) && typeof labels.title === 'string' ? labels.title : undefined;

/** The first text of an input that reads like what was asked; of a list of messages, the user's. */
function textOf(value: JsonValue | undefined, depth: number): string | undefined {
  if (typeof value === 'string') return value;
  if (depth > 4 || typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value)) {
    const user = value.find(item => isObject(item) && item.role === 'user');
    return textOf(user ?? value[0], depth + 1);
  }
  const object = value as JsonObject;
  if (object.messages !== undefined) {
    const text = textOf(object.messages, depth + 1);
    if (text !== undefined) return text;
  }
  for (const name of ASKING) {
    const text = textOf(object[name], depth + 1);
    if (text !== undefined) return text;
  }
  return undefined;
}
