/** Events of about 835 bytes, as an LLM call makes them: the same text for the same number. */

const prose =
  'The customer asks for a refund of an espresso machine that arrived with a cracked water tank. The order was delivered three days ago; the policy covers damage on arrival within thirty days and asks for the agreement of a supervisor above five hundred.';

export const appId = 'bench-bot';

/** The event as JSON text; `run` keeps ids of different runs apart. */
export const eventText = (i: number, run: string): string =>
  JSON.stringify({
    event_id: `${run}-${i}`,
    parent_id: `${run}-${i - (i % 20)}`,
    session_id: `${run}-session-${Math.floor(i / 20)}`,
    ts: `2026-11-22T10:${String(Math.floor(i / 60) % 60).padStart(2, '0')}:${String(i % 60).padStart(2, '0')}.${String(i % 1000).padStart(3, '0')}Z`,
    event_type: 'llm.chat',
    actor_type: 'agent',
    actor_id: 'support-agent',
    app_id: appId,
    name: 'chat gpt-4o',
    input: { prompt: `${prose} Case ${i}.` },
    output: { model_output: `A full refund is due. ${prose.slice(0, 120)}` },
    model: { name: 'gpt-4o', provider: 'openai', cost: 0.0042, params: { temperature: 0.2, seed: i % 97 } },
    evals: [{ name: 'groundedness', score: 0.92, threshold: 0.8 }],
    status: 'ok',
  });

export const batchText = (from: number, count: number, run: string): string =>
  count === 1
    ? eventText(from, run)
    : `{"events":[${Array.from({ length: count }, (_, k) => eventText(from + k, run)).join(',')}]}`;
