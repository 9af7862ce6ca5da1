/** Writes docs/policy-lint.md and docs/spec/policy-input.schema.json from core/policy. A test checks that they are current. */
import { writeFileSync } from 'node:fs';
import { policyInputSchema } from '../../core/policy/input_schema.ts';
import { lintDocument } from '../../core/policy/lint_rules.ts';

/** The published files, by path from the project's root. */
export const policyDocuments: Readonly<Record<string, string>> = {
  'docs/policy-lint.md': lintDocument(),
  'docs/spec/policy-input.schema.json': `${JSON.stringify(policyInputSchema, null, 2)}\n`,
};

if (import.meta.main) {
  for (const [path, text] of Object.entries(policyDocuments)) {
    writeFileSync(new URL(`../../${path}`, import.meta.url), text);
  }
}
