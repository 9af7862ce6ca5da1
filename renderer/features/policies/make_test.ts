/** A Rego test of a recorded decision: its input and what the policy should say, written into the draft. Pure. */
import type { PolicyFile } from '../../../core/api/policy_views.ts';
import { textOf, withFiles } from './drafts.ts';
import { scan } from './rego/scan.ts';

const TEST_FILE = 'recorded_test.rego';

/** JSON is Rego; keys in order, tabs, as `opa fmt` has it. */
export function regoOf(value: unknown, indent = ''): string {
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    const flat = `[${value.map(one => regoOf(one)).join(', ')}]`;
    if (flat.length < 60 && !flat.includes('\n')) return flat;
    return `[\n${value.map(one => `${indent}\t${regoOf(one, `${indent}\t`)},\n`).join('')}${indent}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    if (members.length === 0) return '{}';
    const flat = `{${members.map(([key, one]) => `${JSON.stringify(key)}: ${regoOf(one)}`).join(', ')}}`;
    if (flat.length < 60 && !flat.includes('\n')) return flat;
    return `{\n${members
      .map(([key, one]) => `${indent}\t${JSON.stringify(key)}: ${regoOf(one, `${indent}\t`)},\n`)
      .join('')}${indent}}`;
  }
  return JSON.stringify(value ?? null);
}

const wordOf = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
    .slice(0, 40);

/**
 * The draft with one test more. `expected`: the word that the decision must have, and its reasons where they are wanted.
 * Answers where the test stands.
 */
export function withTest(
  files: readonly PolicyFile[],
  given: { input: unknown; action: string; word: string; reasons?: readonly string[]; note: string },
): { files: PolicyFile[]; path: string; name: string; row: number } {
  const before =
    textOf(files, TEST_FILE) ??
    '# Tests made from recorded decisions.\npackage trailmix_recorded_test\n\nimport data.trailmix\n';
  const names = new Set(scan(TEST_FILE, before).rules.map(rule => rule.name));
  const stem = `test_${wordOf(given.action) || 'call'}_${{ allow: 'is_allowed', deny: 'is_denied', approve: 'needs_approval' }[given.word] ?? given.word}`;
  let name = stem;
  for (let n = 2; names.has(name); n++) name = `${stem}_${n}`;
  const body = [
    '',
    `# ${given.note.replaceAll(/\s+/g, ' ').slice(0, 200)}`,
    `${name} if {`,
    `\tcall := ${regoOf(given.input, '\t')}`,
    `\ttrailmix.decision.result == ${JSON.stringify(given.word)} with input as call`,
    ...(given.reasons === undefined || given.reasons.length === 0
      ? []
      : [`\ttrailmix.decision.reasons == ${regoOf([...given.reasons])} with input as call`]),
    '}',
    '',
  ];
  const text = `${before.replace(/\n*$/, '\n')}${body.join('\n')}`;
  const row = text.split('\n').findIndex(line => line.startsWith(`${name} if`)) + 1;
  return { files: withFiles(files, [{ path: TEST_FILE, text }]), path: TEST_FILE, name, row };
}
