/** The error table: docs/errors.md is current, and every code is used by the code outside the table. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { errorTable } from '../../core/api/errors.ts';
import { ERRORS_DOC, errorsDocument } from '../../resources/build/errors-doc.ts';

const root = join(import.meta.dirname, '..', '..');

test('docs/errors.md is generated from the table as it is', () => {
  expect(readFileSync(join(root, ERRORS_DOC), 'utf8')).toBe(errorsDocument());
});

const walk = (folder: string): string[] =>
  readdirSync(folder).flatMap(name => {
    if (name === 'node_modules' || name === 'dist') return [];
    const path = join(folder, name);
    return statSync(path).isDirectory() ? walk(path) : path.endsWith('.ts') ? [path] : [];
  });

test('no code stands in the table unused', () => {
  const text = ['core', 'collector', 'cli', 'sdk/typescript/src', 'electron']
    .flatMap(room => walk(join(root, room)))
    .filter(path => !path.endsWith(join('api', 'errors.ts')) && !path.endsWith(join('api', 'operations.ts')))
    .map(path => readFileSync(path, 'utf8'))
    .join('\n');
  const unused = Object.keys(errorTable).filter(code => !new RegExp(`['"\`.]${code}\\b`).test(text));
  expect(unused).toEqual([]);
});
