/** Writes docs/errors.md from the error table. A test checks that it is current. Run: node resources/build/errors-doc.ts */
import { writeFileSync } from 'node:fs';
import { errorTable } from '../../core/api/errors.ts';
import { operations } from '../../core/api/operations.ts';

const retries = { never: 'no', later: 'yes, later', after_fix: 'after a change' } as const;

const cell = (text: string): string => text.replaceAll('|', '\\|');

/** Which operations list a code of their own. */
function usedBy(code: string): string {
  const names = Object.entries(operations)
    .filter(([, row]) => (row.errors as readonly string[]).includes(code))
    .map(([name]) => `\`${name}\``);
  return names.length > 6 ? `${names.slice(0, 6).join(', ')} and ${names.length - 6} more` : names.join(', ');
}

export const ERRORS_DOC = 'docs/errors.md';

export function errorsDocument(): string {
  const lines = [
    '# Errors',
    '',
    'Generated from core/api/errors.ts by resources/build/errors-doc.ts; do not edit.',
    '',
    'Every refusal over HTTP is an RFC 9457 problem document (`application/problem+json`) with our members:',
    '',
    '```json',
    JSON.stringify(
      {
        type: 'urn:trailmix:error:event_invalid',
        title: errorTable.event_invalid.title,
        status: errorTable.event_invalid.status,
        detail: '/events/1/ts: ts: must be YYYY-MM-DDTHH:MM:SS[.1-9 digits]Z, a real date',
        code: 'event_invalid',
        next: errorTable.event_invalid.next,
        retry: errorTable.event_invalid.retry,
        where: '/events/1/ts',
        errors: [{ code: 'ts_invalid', where: '/events/1/ts', message: '...' }],
      },
      null,
      2,
    ),
    '```',
    '',
    '`where` is a JSON Pointer into the body, `query:/name`, `path:/name`, a header or a command-line word. `errors` lists',
    'every fault where there is more than one. `Retry-After` comes with 429, 503 and 507 that may pass. The command line',
    'prints the same as text, or as `{"error": ...}` with `--json`. OTLP answers `google.rpc.Status` with the code first in',
    'its message, in the encoding of the request.',
    '',
    '| Code | Status | Meaning | What to do | Retry | Operations |',
    '|---|---|---|---|---|---|',
  ];
  for (const [code, row] of Object.entries(errorTable)) {
    lines.push(
      `| \`${code}\` | ${row.status} | ${cell(row.title)} | ${cell(row.next)} | ${retries[row.retry]} | ${usedBy(code)} |`,
    );
  }
  return `${lines.join('\n')}\n`;
}

if (import.meta.main) {
  writeFileSync(new URL(`../../${ERRORS_DOC}`, import.meta.url), errorsDocument());
}
