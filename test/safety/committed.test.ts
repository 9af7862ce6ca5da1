/** What must never be in a committed file: paths of a machine, registry hosts, recorded download addresses. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const files = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' })
  .split('\0')
  .filter(Boolean);
const text = files.filter(file =>
  /\.(ts|tsx|cts|mjs|cjs|json|md|yml|yaml|sql|rego|go|css|html|txt)$|^(Makefile|NOTICE|\.npmrc|\.ci\/run)$/.test(
    file,
  ),
);

test('no path of a machine and no registry host', () => {
  const bad = /(^|[^\w.~-])\/(work|farm|root)\/\w|https?:\/\/(registry|proxy|deb)\./;
  const found = text.filter(
    file => file !== 'test/safety/committed.test.ts' && bad.test(readFileSync(join(root, file), 'utf8')),
  );
  expect(found).toEqual([]);
});

test('the lock names no download address of a package', () => {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { resolved?: string; link?: boolean }>;
  };
  expect(
    Object.entries(lock.packages)
      .filter(([, entry]) => entry.resolved?.startsWith('http'))
      .map(([name]) => name),
  ).toEqual([]);
});

test('nothing large or built is committed', () => {
  expect(
    files.filter(
      file =>
        /(^|\/)(node_modules|generated|dist|out)\//.test(file) ||
        /\.(wasm|tgz|node|zip)$/.test(file.replace(/^test\/vectors\/.*$/, '')),
    ),
  ).toEqual([]);
});
