/**
 * The policy in force: the built default bundle, activated when the ledger opens, and what the page is shown of it.
 * An activation is a `policy.activated` record; the same bundle again makes none. Without a bundle every decision is
 * a recorded deny.
 */
import { TrailmixError } from '../../core/api/errors.ts';
import type { OutputOf } from '../../core/api/operations.ts';
import type { Ledger, PolicyRunner } from '../ports.ts';
import { type PolicyBundle, type PolicySource, readBundle } from './bundle.ts';
import { createPolicyEngine, NO_POLICY, type PolicyEvent } from './engine.ts';
import { type Reads, readsOf } from './session_state.ts';

export type PolicyDesk = PolicyRunner & {
  /** `ready` is false while no bundle is loaded: every decision is then a deny. */
  inForce(): { version: number; hash: string; ready: boolean };
  /** What the policy in force may read beside the call itself. */
  reads(): Reads;
  /** A version that is or was in force, with its sources. Throws not_found. */
  show(hash?: string): Promise<OutputOf<'policies'>>;
};

type VersionRow = {
  version: number;
  hash: string;
  entrypoint: string;
  files: string;
  activated_at: string;
};

export async function openPolicy(options: {
  ledger: Pick<Ledger, 'read' | 'write'>;
  /** Folder of the built bundle (resources/generated/policies). */
  folder: string;
  onEvent: (event: PolicyEvent) => void;
}): Promise<PolicyDesk> {
  const { ledger, folder, onEvent } = options;
  let bundle: PolicyBundle | null;
  try {
    bundle = await readBundle(folder);
  } catch (error) {
    // A damaged bundle must not keep the ledger from recording: the gate denies and says why.
    onEvent({ type: 'no_bundle', detail: error instanceof Error ? error.message : 'unreadable' });
    bundle = null;
  }
  if (bundle !== null) {
    const { version } = await ledger.write.run('activatePolicy', {
      hash: bundle.hash,
      entrypoint: bundle.entrypoint,
      capabilitiesSha256: bundle.capabilities_sha256,
      wasmSha256: bundle.wasm_sha256,
      files: bundle.sources,
      by: 'collector',
    });
    bundle = { ...bundle, version };
  }
  const engine = await createPolicyEngine({ bundle, onEvent });

  let read: { hash: string; reads: Reads } | undefined;

  return {
    decide: input => engine.decide(input),
    close: () => engine.close(),
    inForce() {
      const active = engine.active();
      return active === null
        ? { ...NO_POLICY, ready: false }
        : { version: active.version, hash: active.hash, ready: true };
    },
    reads() {
      const active = engine.active();
      if (active === null) return { session: false, now: false };
      if (read?.hash !== active.hash) read = { hash: active.hash, reads: readsOf(active.sources) };
      return read.reads;
    },
    async show(hash) {
      const active = engine.active();
      const wanted = hash ?? active?.hash;
      const rows = await ledger.read.query<VersionRow>('policies.all');
      const row = rows.filter(one => one.hash === wanted).at(-1);
      if (row === undefined) {
        if (hash !== undefined) throw new TrailmixError('not_found', { where: 'query:/hash' });
        return { ...NO_POLICY, ready: false, entrypoint: '', files: [] };
      }
      return {
        version: row.version,
        hash: row.hash,
        ready: row.hash === active?.hash,
        entrypoint: row.entrypoint,
        activated_at: row.activated_at,
        files: JSON.parse(row.files) as PolicySource[],
      };
    },
  };
}
