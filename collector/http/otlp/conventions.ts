/**
 * The attribute names of agents' telemetry, and the member of our event that each fills. docs/otel.md lists the same.
 * Sources: OpenTelemetry GenAI semantic conventions (semantic-conventions-genai, in development) and their older
 * names; OpenInference (Arize); OpenLLMetry (Traceloop). First match wins, so current names come first.
 */
import type { JsonObject, JsonValue } from '../../../core/proof/jcs.ts';
import { type Attributes, plainKey, unpacked } from './values.ts';

/** Takes attributes one by one and remembers which it took; what is left over is kept and counted. */
export class Taker {
  readonly #attributes: Attributes;
  readonly #taken = new Set<string>();

  constructor(attributes: Attributes) {
    this.#attributes = attributes;
  }

  /** The first of these that is there; the others of them stay. */
  take(...names: string[]): JsonValue | undefined {
    for (const name of names) {
      const value = this.#attributes.get(name);
      if (value === undefined || value === null || value === '' || this.#taken.has(name)) continue;
      this.#taken.add(name);
      return value;
    }
    return undefined;
  }

  text(...names: string[]): string | undefined {
    for (const name of names) {
      const value = this.#attributes.get(name);
      if (typeof value === 'string' && value !== '') {
        this.#taken.add(name);
        return value;
      }
    }
    return undefined;
  }

  number(...names: string[]): number | undefined {
    for (const name of names) {
      const value = this.#attributes.get(name);
      if (typeof value === 'number') {
        this.#taken.add(name);
        return value;
      }
    }
    return undefined;
  }

  /** A value that may be JSON in a string. */
  json(...names: string[]): JsonValue | undefined {
    const value = this.take(...names);
    return value === undefined ? undefined : unpacked(value);
  }

  /** `prefix.0.message.role`, `prefix.1...`: a flattened list, as a list. Undefined when none is there. */
  list(prefix: string): JsonValue | undefined {
    const start = `${prefix}.`;
    const items = new Map<number, Record<string, JsonValue>>();
    for (const [name, value] of this.#attributes) {
      if (!name.startsWith(start) || this.#taken.has(name)) continue;
      const match = /^(\d{1,4})\.(.+)$/.exec(name.slice(start.length));
      if (match === null) continue;
      this.#taken.add(name);
      const index = Number(match[1]);
      const item = items.get(index) ?? {};
      // `message.` and `document.` only wrap in OpenInference.
      item[plainKey(match[2]!.replace(/^(message|document|tool)\./, ''))] = unpacked(value);
      items.set(index, item);
    }
    if (items.size === 0) return undefined;
    return [...items].sort(([a], [b]) => a - b).map(([, item]) => item);
  }

  rest(): [name: string, value: JsonValue][] {
    return [...this.#attributes].filter(([name]) => !this.#taken.has(name));
  }
}

/** Drops members that are undefined; undefined when nothing is left. */
export function compact(members: Record<string, JsonValue | undefined>): JsonObject | undefined {
  const entries = Object.entries(members).filter(
    (entry): entry is [string, JsonValue] => entry[1] !== undefined,
  );
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** event_type by gen_ai.operation.name. */
const operationTypes: Record<string, string> = {
  chat: 'llm.chat',
  generate_content: 'llm.chat',
  text_completion: 'llm.completion',
  completion: 'llm.completion',
  embeddings: 'llm.embeddings',
  embedding: 'llm.embeddings',
  rerank: 'retrieval.rerank',
  execute_tool: 'tool.call',
  create_agent: 'agent.create',
  invoke_agent: 'agent.run',
  invoke_workflow: 'agent.run',
  retrieval: 'retrieval',
};

/** event_type by openinference.span.kind and by traceloop.span.kind, lowercase. */
const kindTypes: Record<string, string> = {
  llm: 'llm.chat',
  embedding: 'llm.embeddings',
  tool: 'tool.call',
  agent: 'agent.run',
  workflow: 'agent.run',
  retriever: 'retrieval',
  reranker: 'retrieval.rerank',
  guardrail: 'guardrail',
  evaluator: 'eval',
};

export type Mapped = {
  eventType?: string;
  conversation?: string;
  agent?: string;
  user?: string;
  members: Record<string, JsonValue | undefined>;
};

/** Everything of an attribute set that our event has a member for. */
export function mapAttributes(take: Taker, fallback: string): Mapped {
  const operation = take.text('gen_ai.operation.name', 'llm.request.type');
  const kind = take.text('openinference.span.kind', 'traceloop.span.kind')?.toLowerCase();
  const eventType = operationTypes[operation ?? ''] ?? kindTypes[kind ?? ''];
  const openInference = kind !== undefined;

  const request = take.text(
    'gen_ai.request.model',
    'llm.request.model_name',
    'embedding.model_name',
    'reranker.model_name',
  );
  const response = take.text('gen_ai.response.model', 'llm.response.model_name', 'llm.model_name');
  const provider = take.text('gen_ai.provider.name', 'gen_ai.system', 'llm.provider', 'llm.system');
  const modelName = response ?? request;
  const model =
    modelName === undefined && provider === undefined
      ? undefined
      : compact({
          name: modelName ?? 'unknown',
          provider,
          requested:
            request !== undefined && request !== response && response !== undefined ? request : undefined,
          cost: take.number('gen_ai.usage.cost', 'llm.cost.total', 'llm.usage.total_cost'),
          params: modelParams(take),
          usage: usage(take),
          response_id: take.text('gen_ai.response.id', 'llm.response.id'),
        });

  const input = compact({
    system_instructions: take.json('gen_ai.system_instructions'),
    messages:
      take.json('gen_ai.input.messages') ??
      take.list('llm.input_messages') ??
      take.list('gen_ai.prompt') ??
      take.list('llm.prompts'),
    prompt: take.json('gen_ai.prompt', 'llm.prompts'),
    value: take.json('input.value', 'traceloop.entity.input'),
    tool_definitions:
      take.json('gen_ai.tool.definitions') ?? take.list('llm.request.functions') ?? take.list('llm.tools'),
    texts: take.list('embedding.embeddings'),
  });
  const output = compact({
    messages:
      take.json('gen_ai.output.messages') ??
      take.list('llm.output_messages') ??
      take.list('gen_ai.completion') ??
      take.list('llm.completions'),
    completion: take.json('gen_ai.completion', 'llm.completions'),
    value: take.json('output.value', 'traceloop.entity.output'),
    finish_reasons: take.json(
      'gen_ai.response.finish_reasons',
      'gen_ai.response.finish_reason',
      'llm.response.finish_reason',
    ),
  });
  const retrieval = compact({
    query: take.json('gen_ai.retrieval.query.text', 'reranker.query'),
    data_source: take.text('gen_ai.data_source.id'),
    documents:
      take.json('gen_ai.retrieval.documents') ??
      take.list('retrieval.documents') ??
      take.list('reranker.output_documents'),
    candidates: take.list('reranker.input_documents'),
  });

  const toolName =
    take.text('gen_ai.tool.name', 'tool.name') ??
    (eventType === 'tool.call' ? toolFallback(take, fallback) : undefined);
  const tool =
    toolName === undefined
      ? undefined
      : compact({
          name: toolName,
          id: take.text('gen_ai.tool.call.id', 'tool_call.id', 'tool.id'),
          type: take.text('gen_ai.tool.type'),
          description: take.text('gen_ai.tool.description', 'tool.description'),
          args: take.json('gen_ai.tool.call.arguments', 'tool.parameters') ?? input?.value,
          result: take.json('gen_ai.tool.call.result') ?? output?.value,
        });

  return {
    ...(eventType === undefined
      ? toolName === undefined
        ? model === undefined
          ? {}
          : { eventType: 'llm.chat' }
        : { eventType: 'tool.call' }
      : { eventType }),
    ...optional(
      'conversation',
      take.text('gen_ai.conversation.id') ?? (openInference ? take.text('session.id') : undefined),
    ),
    ...optional('agent', take.text('gen_ai.agent.id', 'gen_ai.agent.name', 'agent.name')),
    ...optional('user', take.text('user.id', 'enduser.id')),
    members: { model, input, output, retrieval, tools_invoked: tool === undefined ? undefined : [tool] },
  };
}

const optional = <K extends string>(key: K, value: string | undefined): { [P in K]?: string } =>
  (value === undefined ? {} : { [key]: value }) as { [P in K]?: string };

const toolFallback = (take: Taker, fallback: string): string | undefined =>
  take.text('traceloop.entity.name') ?? (fallback === '' ? undefined : fallback);

function modelParams(take: Taker): JsonValue | undefined {
  const given = take.json('llm.invocation_parameters', 'embedding.invocation_parameters');
  const named = compact({
    temperature: take.take('gen_ai.request.temperature', 'llm.temperature'),
    top_p: take.take('gen_ai.request.top_p', 'llm.top_p'),
    top_k: take.take('gen_ai.request.top_k', 'llm.top_k'),
    max_tokens: take.take('gen_ai.request.max_tokens', 'llm.request.max_tokens'),
    seed: take.take('gen_ai.request.seed', 'gen_ai.openai.request.seed'),
    frequency_penalty: take.take('gen_ai.request.frequency_penalty', 'llm.frequency_penalty'),
    presence_penalty: take.take('gen_ai.request.presence_penalty', 'llm.presence_penalty'),
    stop_sequences: take.take('gen_ai.request.stop_sequences', 'llm.chat.stop_sequences'),
    choice_count: take.take('gen_ai.request.choice.count'),
    output_type: take.take('gen_ai.output.type'),
  });
  if (given === undefined) return named;
  if (named === undefined) return given;
  return {
    ...(typeof given === 'object' && given !== null && !Array.isArray(given) ? given : { given }),
    ...named,
  };
}

function usage(take: Taker): JsonObject | undefined {
  const members = compact({
    input_tokens: take.number(
      'gen_ai.usage.input_tokens',
      'gen_ai.usage.prompt_tokens',
      'llm.token_count.prompt',
      'llm.usage.prompt_tokens',
    ),
    output_tokens: take.number(
      'gen_ai.usage.output_tokens',
      'gen_ai.usage.completion_tokens',
      'llm.token_count.completion',
      'llm.usage.completion_tokens',
    ),
    total_tokens: take.number('gen_ai.usage.total_tokens', 'llm.token_count.total', 'llm.usage.total_tokens'),
    cache_read_input_tokens: take.number(
      'gen_ai.usage.cache_read.input_tokens',
      'llm.token_count.prompt_details.cache_read',
    ),
    cache_creation_input_tokens: take.number(
      'gen_ai.usage.cache_creation.input_tokens',
      'llm.token_count.prompt_details.cache_write',
    ),
    reasoning_tokens: take.number(
      'gen_ai.usage.reasoning.output_tokens',
      'llm.token_count.completion_details.reasoning',
    ),
  });
  if (members === undefined) return undefined;
  const { input_tokens, output_tokens, total_tokens } = members;
  if (total_tokens !== undefined || typeof input_tokens !== 'number' || typeof output_tokens !== 'number')
    return members;
  return { ...members, total_tokens: input_tokens + output_tokens };
}
