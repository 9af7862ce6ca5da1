/** Writer commands on policies: what the collector's main thread asks, and is answered (collector/policy/commands.ts). */
import type { Environment, TestCounts } from '../../core/api/policy_views.ts';
import type { JsonObject } from '../../core/proof/jcs.ts';
import type { ImpactStatement, PolicyStatement } from '../../core/proof/policy.ts';
import type { Source } from '../ports.ts';
import type { Signing } from './signing.ts';

/** All of a set but where it is in force. */
export type SetParts = {
  hash: string;
  entrypoint: string;
  capabilitiesSha256: string;
  wasmSha256: string;
  sourcesSha256: string;
  /** By path, tests included. */
  files: { path: string; sha256: string; text: string }[];
  wasm: Uint8Array;
};

/** Where a set came from that was not built here. */
export type ImportedBundle = {
  /** Hex, of the file as it was given. */
  sha256: string;
  /** Checked when it was imported; absent where the bundle is not signed. `key_sha256`: of the public key (SPKI, DER). */
  signature?: { alg: string; key_id?: string; issuer?: string; key_sha256?: string };
};

export type Difference = {
  decisionId: string;
  seq: number;
  runId: string;
  appId: string;
  action: string;
  at: string;
  active: string;
  candidate: string;
  reasons: string[];
};

export type ShadowCounts = {
  compared: number;
  differing: number;
  dropped: number;
  cells: Record<string, number>;
};

export type PolicyCommands = {
  /** The same hash again answers the set that is there. */
  savePolicySet: {
    input: Signing<PolicyStatement> & {
      set: SetParts;
      tests: TestCounts;
      bundle?: ImportedBundle;
      message: string;
      source: Source;
    };
    output: { hash: string; existed: boolean };
  };
  /** Puts the policy that the app ships with in force where nothing, or an earlier one of that kind, is. */
  activateBuiltIn: {
    input: { set: SetParts; environment: Environment };
    output: { version: number; hash: string };
  };
  activatePolicy: {
    input: Signing<PolicyStatement> & {
      hash: string;
      environment: Environment;
      message: string;
      /** What the caller believes to be in force; absent: whatever is. */
      replaces?: string;
      source: Source;
    };
    output: { state: 'active'; version: number; hash: string } | { state: 'pending' };
  };
  withdrawActivation: {
    input: { environment: Environment; by: string; source: Source };
    output: Record<string, never>;
  };
  /** `hash` absent: ends the run that there is. `counts` are those not yet told (shadowCounted). */
  setCandidate: {
    input: { environment: Environment; hash?: string; by: string; source: Source };
    output: Record<string, never>;
  };
  /** Adds to the counts of the run of `hash`; ignored when that run ended. `tell`: an event says what came since the last one. */
  shadowCounted: {
    input: {
      environment: Environment;
      hash: string;
      counts: ShadowCounts;
      differences: Difference[];
      tell: boolean;
    };
    output: Record<string, never>;
  };
  savePolicyImpact: {
    input: Signing<ImpactStatement> & { report: JsonObject; message: string; source: Source };
    output: { seq: number };
  };
};
