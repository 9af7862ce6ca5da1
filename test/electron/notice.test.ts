import { expect, test } from 'vitest';
import { QUIET_MS, waitingNotice, waitingNotices } from '../../electron/notice.ts';

test('a notice is a number alone', () => {
  expect(waitingNotice(1).title).toBe('1 action waits for approval');
  expect(waitingNotice(12).title).toBe('12 actions wait for approval');
});

test('only what is new, only behind the window, and not more often than is bearable', () => {
  const notice = waitingNotices();
  expect(notice(1, false, 0)?.title).toContain('1 action');
  expect(notice(1, false, QUIET_MS)).toBeUndefined();
  expect(notice(0, false, QUIET_MS)).toBeUndefined();
  // In front of the reader: the page says it.
  expect(notice(2, true, QUIET_MS)).toBeUndefined();
  expect(notice(3, false, QUIET_MS)?.title).toContain('3 actions');
  // A burst is one notice; what came in it is in the next.
  expect(notice(40, false, QUIET_MS + 1)).toBeUndefined();
  expect(notice(41, false, 2 * QUIET_MS)?.title).toContain('41 actions');
});
