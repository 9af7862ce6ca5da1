import { describe, expect, test } from 'vitest';
import { factsOf } from '../../collector/ledger/facts.ts';
import type { ValidEvent } from '../../core/event/validate.ts';

const event: ValidEvent = {
  event_id: 'e',
  session_id: 's',
  ts: '2026-11-22T10:00:00.000001Z',
  event_type: 'span',
  actor_type: 'agent',
  app_id: 'a',
};
const facts = (members: Partial<ValidEvent>) =>
  factsOf({ ...event, ...members }, { via: 'api', auth: 'key', key: 'k' });

describe('the facts of an event', () => {
  test.each<[string, Partial<ValidEvent>, string]>([
    ['a model call', { model: { name: 'm' } }, 'llm'],
    ['tools without a model', { tools_invoked: [{ name: 't' }] }, 'tool'],
    ['a model that asked for tools', { model: { name: 'm' }, tools_invoked: [{ name: 't' }] }, 'llm'],
    ['a typed tool', { event_type: 'tool.call', model: { name: 'm' } }, 'tool'],
    ['an empty list of tools', { tools_invoked: [] }, 'agent'],
    ['a user', { actor_type: 'user' }, 'user'],
    ['an agent', {}, 'agent'],
    ['a service', { actor_type: 'service' }, 'other'],
  ])('kind of %s', (_name, members, kind) => {
    expect(facts(members).kind).toBe(kind);
  });

  test.each<[string, Partial<ValidEvent>, number | undefined]>([
    ['labels.usage.total_tokens', { labels: { usage: { total_tokens: 7, input_tokens: 1 } } }, 7],
    [
      'input and output',
      { model: { name: 'm', params: { usage: { input_tokens: 3, output_tokens: 4 } } } },
      7,
    ],
    ['prompt and completion', { labels: { usage: { prompt_tokens: 3, completion_tokens: 4 } } }, 7],
    ['OpenTelemetry', { labels: { 'gen_ai.usage.input_tokens': 5, 'gen_ai.usage.output_tokens': 2 } }, 7],
    ['none', { labels: { usage: 'many' } }, undefined],
    ['what is no count', { labels: { usage: { total_tokens: -1 } } }, undefined],
  ])('tokens from %s', (_name, members, tokens) => {
    expect(facts(members).tokens).toBe(tokens);
  });

  test('titles: what the user asked, in one line, cut between characters', () => {
    const messages = [
      { role: 'system', content: 'Be kind' },
      { role: 'user', content: 'Where is\n my   parcel?' },
    ];
    expect(facts({ input: { messages } }).title).toBe('Where is my parcel?');
    expect(facts({ input: messages }).title).toBe('Where is my parcel?');
    expect(facts({ input: { prompt: 'Draft' }, name: 'n' }).title).toBe('Draft');
    expect(facts({ name: 'n' }).title).toBe('n');
    expect(facts({ input: `${'x'.repeat(119)}😀 more` }).title).toBe(`${'x'.repeat(119)}…`);
    expect(facts({ input: ' ' }).title).toBeUndefined();
  });

  test('an end before the start is no negative duration; a claimed policy decision counts for nothing', () => {
    expect(facts({ ts_end: '2026-11-22T09:00:00Z' })).toMatchObject({
      startUs: 1795341600000001,
      endUs: 1795341600000001,
    });
    expect(facts({ policy_eval: { decision: 'allow' } }).decision).toBeUndefined();
  });
});
