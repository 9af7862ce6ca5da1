/** The bounds on what requests hold together: full is 429 with Retry-After, and all is given back. */
import { expect, test } from 'vitest';
import { Intake } from '../../collector/http/body.ts';

test('bytes and requests are bounded over all requests, and given back once', () => {
  const intake = new Intake(1_000, 2);
  const first = intake.enter();
  const second = intake.enter();
  expect(() => intake.enter()).toThrow(expect.objectContaining({ code: 'busy', retryAfter: 1 }));
  first.grow(600);
  expect(() => second.grow(500)).toThrow(expect.objectContaining({ code: 'busy' }));
  first.leave();
  first.leave();
  second.grow(1_000);
  second.leave();
  const third = intake.enter();
  third.grow(1_000);
  expect(() => intake.enter().grow(1)).toThrow(expect.objectContaining({ code: 'busy' }));
});
