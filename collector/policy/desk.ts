/**
 * The policies in force: one engine per environment, what the page is shown of them, activation, and the candidate in shadow.
 * Rules: an activation is loaded, then waits until questions asked before it are recorded, then is recorded, then decides; the
 * policy that ships is what an environment starts with; without a bundle every decision is a recorded deny.
 * Format: docs/spec/policy.md.
 */
import { TrailmixError } from '../../core/api/errors.ts';
import type { OutputOf } from '../../core/api/operations.ts';
import { type Environment, environments } from '../../core/api/policy_views.ts';
import type { PolicyStatement } from '../../core/proof/policy.ts';
import type { DecidedCall } from '../approvals/gate.ts';
import type { Clock, Ledger, PolicyRunner, Source } from '../ports.ts';
import { type PolicyBundle, type PolicySource, readBundle } from './bundle.ts';
import { createPolicyEngine, NO_POLICY, type PolicyEngine, type PolicyEvent } from './engine.ts';
import { type Reads, readsOf } from './session_state.ts';
import { type ShadowRun, startShadow } from './shadow.ts';
import type { Signing } from './signing.ts';
import { loadSet, setParts } from './stored_set.ts';
import { Turnstile } from './turnstile.ts';

type InForce = { version: number; hash: string; ready: boolean };

export type PolicyDesk = PolicyRunner & {
  /** `ready` is false while no bundle is loaded: every decision is then a deny. Default prod. */
  inForce(environment?: Environment): InForce;
  /** What the policy in force, or its candidate, may read beside the call itself; of all environments where none is named. */
  reads(environment?: Environment): Reads;
  /** A version that is or was in force, with its sources; default what is in prod. Throws not_found. */
  show(hash?: string): Promise<OutputOf<'policies'>>;
  enter(environment: Environment): (() => void) | Promise<() => void>;
  decided(environment: Environment, call: DecidedCall): void;
  /** Sees to a policy in an environment that never had one. */
  ensure(environment: Environment): Promise<void>;
  /** Throws what the command throws (docs/spec/policy.md, "Statement"), and policy_invalid. */
  activate(input: ActivateInput): Promise<'active' | 'pending'>;
  /** `hash` absent: ends the run. Throws policy_unknown, policy_invalid. */
  shadow(input: { environment: Environment; hash?: string; by: string; source: Source }): Promise<void>;
  /** What the run in shadow has seen is counted and written. */
  flushShadow(environment: Environment): Promise<void>;
};

export type ActivateInput = Signing<PolicyStatement> & {
  hash: string;
  environment: Environment;
  message: string;
  replaces?: string;
  source: Source;
};

type Slot = {
  name: Environment;
  engine: PolicyEngine;
  turnstile: Turnstile;
  /** Changes of this environment, one after the other. */
  last: Promise<unknown>;
  read?: { hash: string; reads: Reads };
  shadow?: ShadowRun;
};

type EnvironmentRow = { name: Environment; version: number; hash: string; candidate: string | null };

const NOTHING: Reads = { session: false, now: false };
const both = (a: Reads, b: Reads): Reads => ({ session: a.session || b.session, now: a.now || b.now });
/** Tests mention what they like: they decide nothing. */
const deciding = (sources: readonly PolicySource[]): PolicySource[] =>
  sources.filter(({ path }) => !path.endsWith('_test.rego'));

export async function openPolicy(options: {
  ledger: Pick<Ledger, 'read' | 'write'>;
  clock: Clock;
  /** Folder of the built bundle (resources/generated/policies). */
  folder: string;
  onEvent: (event: PolicyEvent) => void;
  onError: (error: unknown) => void;
}): Promise<PolicyDesk> {
  const { ledger, clock, folder, onEvent, onError } = options;
  const noBundle = (error: unknown): null => {
    // A damaged bundle must not keep the ledger from recording: the gate denies and says why.
    onEvent({ type: 'no_bundle', detail: error instanceof Error ? error.message : 'unreadable' });
    return null;
  };
  const builtIn = await readBundle(folder).catch(noBundle);
  if (builtIn === null) onEvent({ type: 'no_bundle', detail: 'none was built' });

  const slots = new Map<Environment, Slot>();
  for (const name of environments) {
    const engine = await createPolicyEngine({
      bundle: null,
      onEvent: event => {
        if (event.type !== 'no_bundle') onEvent(event);
      },
    });
    slots.set(name, { name, engine, turnstile: new Turnstile(), last: Promise.resolve() });
  }
  const slotOf = (environment: Environment): Slot => slots.get(environment)!;

  const activateBuiltIn = async (environment: Environment): Promise<void> => {
    if (builtIn === null) return;
    await ledger.write.run('activateBuiltIn', { set: setParts(builtIn), environment });
  };
  /** Of environments in which a policy is in force. */
  const rows = async (): Promise<EnvironmentRow[]> =>
    (await ledger.read.query<EnvironmentRow>('policy.environments')).filter(({ hash }) => hash !== '');

  /** The bundle of an environment's row; null where it is the one that ships and was not built here. */
  const bundleOf = async (hash: string): Promise<PolicyBundle | null> => {
    if (builtIn?.hash === hash) return builtIn;
    const { bundle, builtIn: shipped } = await loadSet(ledger, hash);
    return shipped ? null : bundle;
  };

  const startCandidate = async (slot: Slot, hash: string): Promise<ShadowRun> => {
    const { bundle } = await loadSet(ledger, hash);
    const version = slot.engine.active()?.version ?? 1;
    return startShadow({ environment: slot.name, bundle: { ...bundle, version }, ledger, clock, onError });
  };

  const open = async ({ name, version, hash, candidate }: EnvironmentRow): Promise<void> => {
    const slot = slotOf(name);
    const bundle = await bundleOf(hash).catch(noBundle);
    if (bundle !== null) await slot.engine.activate({ ...bundle, version }).catch(noBundle);
    if (candidate === null) return;
    const run = JSON.parse(candidate) as { hash: string };
    try {
      slot.shadow = await startCandidate(slot, run.hash);
    } catch (error) {
      onError(error);
    }
  };

  await activateBuiltIn('prod');
  for (const { name } of await rows()) if (name !== 'prod') await activateBuiltIn(name);
  for (const row of await rows()) await open(row);

  const inTurn = <T>(slot: Slot, work: () => Promise<T>): Promise<T> => {
    const mine = slot.last.then(work);
    slot.last = mine.catch(() => {});
    return mine;
  };

  const readsOfSlot = (slot: Slot): Reads => {
    const active = slot.engine.active();
    if (active !== null && slot.read?.hash !== active.hash)
      slot.read = { hash: active.hash, reads: readsOf(deciding(active.sources), active.wasm) };
    const own = active === null ? NOTHING : slot.read!.reads;
    return slot.shadow === undefined ? own : both(own, slot.shadow.reads);
  };

  const inForce = (environment: Environment = 'prod'): InForce => {
    const active = slotOf(environment).engine.active();
    return active === null
      ? { ...NO_POLICY, ready: false }
      : { version: active.version, hash: active.hash, ready: true };
  };

  return {
    decide(input, environment = 'prod') {
      const decided = slotOf(environment).engine.decide(input);
      if (environment === 'prod') return decided;
      return decided.then(outcome => ({ ...outcome, policy: { ...outcome.policy, environment } }));
    },
    async close() {
      for (const { engine, shadow } of slots.values()) {
        await shadow?.close();
        await engine.close();
      }
    },
    inForce,
    reads(environment) {
      if (environment !== undefined) return readsOfSlot(slotOf(environment));
      return [...slots.values()].map(readsOfSlot).reduce(both);
    },
    enter: environment => slotOf(environment).turnstile.enter(),
    decided: (environment, call) => slotOf(environment).shadow?.compare(call),

    ensure: environment =>
      inTurn(slotOf(environment), async () => {
        if ((await rows()).some(({ name }) => name === environment)) return;
        await activateBuiltIn(environment);
        const row = (await rows()).find(({ name }) => name === environment);
        if (row !== undefined) await open(row);
      }),

    activate: input =>
      inTurn(slotOf(input.environment), async () => {
        const slot = slotOf(input.environment);
        const { bundle } = await loadSet(ledger, input.hash);
        const prepared = await slot.engine.prepare(bundle);
        const wanted = readsOf(deciding(bundle.sources), bundle.wasm);
        const work = async (): Promise<'active' | 'pending'> => {
          await slot.shadow?.flush();
          const done = await ledger.write.run('activatePolicy', input);
          if (done.state === 'active' && slot.engine.active()?.version !== done.version)
            prepared.use(done.version);
          else prepared.drop();
          return done.state;
        };
        // What waits for its turn was given what the policy in force reads: it can only wait for one that reads no more.
        const given = readsOfSlot(slot);
        const enough = (given.session || !wanted.session) && (given.now || !wanted.now);
        const hold = enough ? slot.engine.hold(() => slot.turnstile.check()) : undefined;
        try {
          return await slot.turnstile.alone(work, hold?.count);
        } catch (error) {
          prepared.drop();
          throw error;
        } finally {
          hold?.resume();
        }
      }),

    shadow: ({ environment, hash, by, source }) =>
      inTurn(slotOf(environment), async () => {
        const slot = slotOf(environment);
        const next = hash === undefined ? undefined : await startCandidate(slot, hash);
        try {
          await slot.shadow?.flush();
          await ledger.write.run('setCandidate', {
            environment,
            by,
            source,
            ...(hash === undefined ? {} : { hash }),
          });
        } catch (error) {
          await next?.close();
          throw error;
        }
        const before = slot.shadow;
        if (next === undefined) delete slot.shadow;
        else slot.shadow = next;
        await before?.close();
      }),

    async flushShadow(environment) {
      await slotOf(environment).shadow?.flush();
    },

    async show(hash) {
      const active = inForce();
      const versions = await ledger.read.query<VersionRow>('policies.all');
      const wanted = hash ?? (active.ready ? active.hash : undefined);
      const row = versions
        .filter(one => one.hash === wanted && (hash !== undefined || one.environment === 'prod'))
        .at(-1);
      if (row === undefined) {
        if (hash !== undefined) throw new TrailmixError('not_found', { where: 'query:/hash' });
        return { ...NO_POLICY, ready: false, entrypoint: '', files: [] };
      }
      return {
        version: row.version,
        hash: row.hash,
        ready: row.hash === active.hash,
        entrypoint: row.entrypoint,
        activated_at: row.activated_at,
        files: JSON.parse(row.files) as PolicySource[],
      };
    },
  };
}

type VersionRow = {
  version: number;
  hash: string;
  environment: Environment;
  entrypoint: string;
  files: string;
  activated_at: string;
};
