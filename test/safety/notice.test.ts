import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { buildNotice } from '../../resources/build/notice.ts';

const root = join(import.meta.dirname, '../..');

test('NOTICE is current (npm run notice) and every shipped package states a licence', () => {
  const { notice } = buildNotice();
  expect(readFileSync(join(root, 'NOTICE'), 'utf8')).toBe(notice);
  expect(notice).not.toMatch(/see package|UNLICENSED/);
});
