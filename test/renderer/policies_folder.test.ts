/** A draft beside a watched folder: who changed what, and that nothing is written over unseen. Lines that no test ran. */
import { expect, test } from 'vitest';
import { agreedNow, folderChanges, takenInto } from '../../renderer/features/policies/folder_sync.ts';
import { missedLines } from '../../renderer/features/policies/useTests.ts';

type Side = Record<string, string>;
const files = (side: Side) => Object.entries(side).map(([path, text]) => ({ path, text }));
const changes = (agreed: Side, folder: Side, draft: Side) =>
  folderChanges(files(agreed), files(folder), files(draft)).map(({ path, side }) => `${path} ${side}`);

test('a change is the folder’s, the draft’s, or of both; the same change on both sides is none', () => {
  const was = { 'a.rego': '1', 'b.rego': '1', 'c.rego': '1', 'd.rego': '1' };
  expect(changes(was, was, was)).toEqual([]);
  expect(
    changes(was, { ...was, 'a.rego': '2', 'd.rego': '3' }, { ...was, 'b.rego': '2', 'd.rego': '3' }),
  ).toEqual(['a.rego folder', 'b.rego draft']);
  expect(changes(was, { ...was, 'c.rego': '2' }, { ...was, 'c.rego': '3' })).toEqual(['c.rego both']);
});

test('files that come and go are changes of the side where they did', () => {
  expect(changes({ 'a.rego': '1' }, {}, { 'a.rego': '1' })).toEqual(['a.rego folder']);
  expect(changes({ 'a.rego': '1' }, { 'a.rego': '1' }, {})).toEqual(['a.rego draft']);
  expect(changes({}, { 'a.rego': '1' }, { 'a.rego': '2' })).toEqual(['a.rego both']);
  expect(changes({ 'a.rego': '1' }, { 'a.rego': '2' }, {})).toEqual(['a.rego both']);
  expect(changes({ 'a.rego': '1' }, {}, {})).toEqual([]);
});

test('what both say becomes what they agree on; what one side changed does not', () => {
  const was = files({ 'a.rego': '1', 'b.rego': '1', 'c.rego': '1' });
  const folder = files({ 'a.rego': '2', 'b.rego': '2', 'd.rego': '1' });
  const draft = files({ 'a.rego': '2', 'b.rego': '1' });
  expect(agreedNow(was, folder, draft)).toEqual(files({ 'a.rego': '2', 'b.rego': '1' }));
});

test('taking puts the folder’s text only over the text that was shown', () => {
  const shown = folderChanges(
    files({ 'a.rego': '1', 'b.rego': '1', 'c.rego': '1' }),
    files({ 'a.rego': '2', 'b.rego': '2' }),
    files({ 'a.rego': '1', 'b.rego': '1', 'c.rego': '1' }),
  );
  const meanwhile = files({ 'a.rego': '1', 'b.rego': 'typed since', 'c.rego': '1' });
  expect(takenInto(meanwhile, shown)).toEqual(files({ 'a.rego': '2', 'b.rego': 'typed since' }));
});

test('lines that no test ran are as few ranges as there are, without a file that is tested elsewhere', () => {
  const line = (start: number, end = start) => ({ start, end });
  const of = (path: string, ...not_covered: { start: number; end: number }[]) => ({
    path,
    percent: 0,
    covered: [],
    not_covered,
  });
  const coverage = [
    of('decision.rego', line(3)),
    of('a.rego', line(9), line(4), line(4), line(5, 7), line(12)),
  ];
  expect(missedLines(coverage, 'decision.rego')).toEqual([
    { path: 'a.rego', start: 4, end: 7 },
    { path: 'a.rego', start: 9, end: 9 },
    { path: 'a.rego', start: 12, end: 12 },
  ]);
  expect(missedLines(coverage, undefined)[0]).toEqual({ path: 'decision.rego', start: 3, end: 3 });
});
