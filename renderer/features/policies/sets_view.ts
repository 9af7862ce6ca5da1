/** Saved sets and environments as the page words them. Pure. */
import type { PolicySetView, ShadowView } from '../../../core/api/policy_views.ts';
import { formatCount, shortHash } from '../../ui/numbers.ts';

/** Tests were run when it was saved, there are some, and all passed; the policy that ships is exempt. */
export const canActivate = (set: Pick<PolicySetView, 'tests' | 'built_in'>): boolean =>
  set.built_in === true || (set.tests.passed > 0 && set.tests.failed === 0);

export const nameOfSet = (set: Pick<PolicySetView, 'hash' | 'message' | 'built_in'>): string =>
  set.built_in
    ? 'The policy that ships'
    : set.message === ''
      ? shortHash(set.hash)
      : (set.message.split('\n')[0] as string);

export const testsWord = (set: PolicySetView): string =>
  set.built_in
    ? 'ships with the app'
    : set.tests.passed + set.tests.failed === 0
      ? 'no tests'
      : set.tests.failed > 0
        ? `${set.tests.failed} of ${set.tests.passed + set.tests.failed} tests failed`
        : `${formatCount(set.tests.passed)} tests passed, ${Math.round(set.tests.percent)} %`;

export type ShadowCell = { from: string; to: string; count: number };
export const shadowCells = (view: Pick<ShadowView, 'cells'>): ShadowCell[] =>
  Object.entries(view.cells)
    .map(([key, count]) => {
      const [from = '', to = ''] = key.split('>');
      return { from, to, count };
    })
    .sort((a, b) => b.count - a.count);
