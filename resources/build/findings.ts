/** Writes docs/spec/findings.json from the table of findings. A test checks that it is current. Run: node resources/build/findings.ts */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findingTable } from '../../core/pack/findings.ts';

export const FINDINGS = join(import.meta.dirname, '../../docs/spec/findings.json');

/** Each code on a line of its own: {verdict, level, message}. */
export const findingsText = (): string =>
  `{\n${Object.entries(findingTable)
    .map(([code, row]) => `  ${JSON.stringify(code)}: ${JSON.stringify(row)}`)
    .join(',\n')}\n}\n`;

if (import.meta.main) writeFileSync(FINDINGS, findingsText());
