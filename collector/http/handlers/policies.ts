/** Policies over HTTP: the toolchain, saved sets, environments, impact (collector/policy does the work). */
import { TrailmixError } from '../../../core/api/errors.ts';
import type { policyOperations } from '../../../core/api/policy_operations.ts';
import type { Principal, Source } from '../../ports.ts';
import type { Handlers, OpenContext } from '../handler.ts';

type Names = keyof typeof policyOperations;

/** Who acts: a signed-in person, or while nobody is enrolled the name given at setup. */
export function actorOf({ principal, host }: Pick<OpenContext, 'principal' | 'host'>): {
  by: string;
  personId?: string;
  signedIn: 'page' | 'collector';
  source: Source;
} {
  const cli = principal.kind === 'local' || (principal.kind === 'person' && principal.via === 'cli');
  const via = cli ? 'cli' : 'page';
  const signedIn = cli ? 'collector' : 'page';
  const personId = principal.kind === 'person' ? principal.personId : undefined;
  if (personId !== undefined) return { by: personId, personId, signedIn, source: { via, auth: 'person' } };
  return { by: nameOf(principal, host.person()), signedIn, source: { via, auth: cli ? 'self' : 'person' } };
}

const nameOf = (principal: Principal, person: string): string =>
  person !== '' ? person : principal.kind === 'person' ? principal.name : 'local';

/** A statement and its signature come together. */
export function signedOf<S>(input: { statement?: S; signature?: string }): {
  statement?: S;
  signature?: string;
} {
  const { statement, signature } = input;
  if ((statement === undefined) !== (signature === undefined))
    throw new TrailmixError('signature_missing', { where: '/signature' });
  return statement === undefined || signature === undefined ? {} : { statement, signature };
}

export const policyHandlers: Pick<Handlers, Names> = {
  checkPolicy: ({ open }, { input }) => open.workshop.check(input),
  formatPolicy: ({ open }, { input }) => open.workshop.format(input),
  testPolicy: ({ open }, { input }) => open.workshop.test(input),
  evaluatePolicy: ({ open }, { input }) => open.workshop.evaluate(input),
  explainPolicy: ({ open }, { input }) => open.workshop.explain(input),
  repairPolicy: ({ open }, { input }) => open.workshop.repair(input),

  policySets: ({ open }, { query }) => open.policySets.list(query),
  policySet: ({ open }, { params }) => open.policySets.one(params.hash),
  preparePolicySet: ({ open }, { input }) => open.policySets.prepare(input.files),
  savePolicySet: (context, { input }) =>
    context.open.policySets.save({
      ...actorOf(context),
      ...signedOf(input),
      files: input.files,
      message: input.message,
    }),

  preparePolicyBundle: ({ open }, { input }) => open.bundles.prepare(input),
  importPolicyBundle: (context, { input: { statement, signature, ...input } }) =>
    context.open.bundles.save({
      ...actorOf(context),
      ...signedOf({
        ...(statement === undefined ? {} : { statement }),
        ...(signature === undefined ? {} : { signature }),
      }),
      ...input,
    }),

  policyEnvironments: async ({ open }) => ({ items: await open.policySets.environments() }),
  async activatePolicySet(context, { params, input }) {
    const { open } = context;
    const { environment } = params;
    const state = await open.policy.activate({
      ...actorOf(context),
      ...signedOf(input),
      environment,
      hash: input.hash,
      message: input.message ?? '',
      ...(input.replaces === undefined ? {} : { replaces: input.replaces }),
    });
    return { state, environment: await open.policySets.environment(environment) };
  },
  async withdrawActivation(context, { params: { environment } }) {
    const { by, source } = actorOf(context);
    await context.open.ledger.write.run('withdrawActivation', { environment, by, source });
    return context.open.policySets.environment(environment);
  },
  async setCandidate(context, { params: { environment }, input }) {
    const { by, source } = actorOf(context);
    await context.open.policy.shadow({ environment, hash: input.hash, by, source });
    return context.open.policySets.environment(environment);
  },
  async clearCandidate(context, { params: { environment } }) {
    const { by, source } = actorOf(context);
    await context.open.policy.shadow({ environment, by, source });
    return context.open.policySets.environment(environment);
  },
  shadowDifferences: ({ open }, { params, query }) => open.policySets.differences(params.environment, query),
  changePolicySettings: async (context, { input }) => ({
    four_eyes: await context.open.policySets.changeFourEyes(input.four_eyes, actorOf(context).by),
  }),
  policyVersions: ({ open }, { query }) => open.policySets.versions(query),
  policyAt: ({ open }, { query }) => open.policySets.at(query),

  policyDecisions: ({ open }, { query }) => open.recorded.list(query),
  policyDecisionInput: ({ open }, { params }) => open.recorded.input(params.id),
  policyInputPaths: ({ open }, { query }) => open.recorded.paths(query),

  startImpact: (context, { input }) => context.open.impact.start({ ...input, by: actorOf(context).by }),
  impacts: async ({ open }) => open.impact.list(),
  impact: async ({ open }, { params }) => open.impact.one(params.id),
  cancelImpact: ({ open }, { params }) => open.impact.cancel(params.id),
  impactDecisions: async ({ open }, { params, query }) => open.impact.decisions(params.id, query),
  explainImpact: ({ open }, { params }) => open.impact.explain(params.id, params.decision),
  saveImpact: (context, { params, input }) =>
    context.open.impact.save(params.id, {
      ...actorOf(context),
      ...signedOf(input),
      message: input.message ?? '',
    }),
};
