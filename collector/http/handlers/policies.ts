/** Policies over HTTP: the toolchain, saved sets, environments, impact (collector/policy does the work). */
import { TrailmixError } from '../../../core/api/errors.ts';
import type { policyOperations } from '../../../core/api/policy_operations.ts';
import type { Handlers } from '../handler.ts';

type Names = keyof typeof policyOperations;

/** KNOWN GAP: the table has it, the work behind it follows. */
const later = async (): Promise<never> => {
  throw new TrailmixError('not_found', { message: 'This is not built yet' });
};

export const policyHandlers: Pick<Handlers, Names> = {
  checkPolicy: ({ open }, { input }) => open.workshop.check(input),
  formatPolicy: ({ open }, { input }) => open.workshop.format(input),
  testPolicy: ({ open }, { input }) => open.workshop.test(input),
  evaluatePolicy: ({ open }, { input }) => open.workshop.evaluate(input),
  explainPolicy: ({ open }, { input }) => open.workshop.explain(input),
  repairPolicy: ({ open }, { input }) => open.workshop.repair(input),
  policySets: later,
  policySet: later,
  preparePolicySet: later,
  savePolicySet: later,
  policyEnvironments: later,
  activatePolicySet: later,
  withdrawActivation: later,
  setCandidate: later,
  clearCandidate: later,
  shadowDifferences: later,
  changePolicySettings: later,
  policyVersions: later,
  policyAt: later,
  policyDecisions: later,
  policyDecisionInput: later,
  policyInputPaths: later,
  startImpact: later,
  impacts: later,
  impact: later,
  cancelImpact: later,
  impactDecisions: later,
  explainImpact: later,
  saveImpact: later,
};
