import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { workedExample } from './spec_example.ts';

test('the worked example of docs/spec/gate.md is what the code computes', () => {
  const text = readFileSync(new URL('../../docs/spec/gate.md', import.meta.url), 'utf8');
  const [, shown] = /<!-- worked example -->\n```text\n([\s\S]*?)\n```/.exec(text) ?? [];
  expect(shown).toBe(workedExample());
});
