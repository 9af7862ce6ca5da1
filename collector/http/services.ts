/**
 * What the HTTP room needs of the rest: `Host` in every phase, `OpenServices` once the ledger is open. compose.ts
 * fills both. Handlers reach the ledger through nothing else.
 */
import type { TrailmixError } from '../../core/api/errors.ts';
import type { InputOf, OutputOf } from '../../core/api/operations.ts';
import type { Phase, StatusView, TenantView } from '../../core/api/views.ts';
import type { JsonObject } from '../../core/proof/jcs.ts';
import type { ApprovalDesk } from '../approvals/desk.ts';
import type { Gate } from '../approvals/gate.ts';
import type { Anchors } from '../evidence/anchors.ts';
import type { OwnWitness } from '../evidence/own_witness.ts';
import type { WitnessDesk } from '../evidence/witnesses.ts';
import type { ApiKeys } from '../keys/api-keys.ts';
import type { PackIdentity } from '../keys/certificates.ts';
import type { Erasure } from '../ledger/erasing.ts';
import type { Log } from '../logging.ts';
import type { PeopleDesk } from '../people/desk.ts';
import type { BundleImports } from '../policy/bundle_import.ts';
import type { PolicyDesk } from '../policy/desk.ts';
import type { ImpactDesk } from '../policy/impact.ts';
import type { RecordedDecisions } from '../policy/recorded.ts';
import type { PolicySets } from '../policy/sets.ts';
import type { PolicyWorkshop } from '../policy/workshop.ts';
import type { Clock, Ids, KeyVault, Ledger } from '../ports.ts';
import type { Address } from './access.ts';
import type { Sessions } from './sessions.ts';

export type ExportRequest = InputOf<'exportEvidence'>;
/** A finished pack in a file of its own. */
export type Pack = OutputOf<'exportEvidence'>;
export type ExportProgress = { step: string; done: number; total: number };

export type EvidenceDesk = {
  /** Refuses at once what no export could be made of. Throws app_unknown, scope_empty, ts_invalid, at_beyond. */
  check(request: ExportRequest): Promise<void>;
  preview(request: ExportRequest): Promise<OutputOf<'previewEvidence'>>;
  /** Throws app_unknown, scope_empty, ts_invalid, at_beyond, at_before_erasure, export_cancelled, disk_full. */
  run(
    request: ExportRequest,
    file: string,
    by: string,
    signal: AbortSignal,
    progress: (at: ExportProgress) => void,
  ): Promise<Pack>;
  /** Stamps of checkpoints. */
  readonly anchors: Anchors;
  /** Cosignatures of checkpoints. */
  readonly witnesses: WitnessDesk;
  /** This ledger as a witness of others. */
  readonly ownWitness: OwnWitness;
  readonly clock: { state(): Promise<OutputOf<'clockState'>>; close(): void };
  /** Bodies that go, on command and by rule. */
  readonly erasure: Erasure;
  trust(): Promise<Record<string, string>>;
  verifyLedger(): Promise<OutputOf<'verifyLedger'>>;
  /** The furthest checkpoint of a pack that was exported, whoever has it now; undefined where there is none. */
  exported(): Promise<{ size: number; at: string } | undefined>;
};

export type Settings = OutputOf<'settings'>;

export type SettingsDesk = {
  read(): Settings;
  change(changes: Partial<Settings>, by: string): Promise<Settings>;
};

export type OpenServices = {
  ledger: Ledger;
  vault: KeyVault;
  keys: ApiKeys;
  people: PeopleDesk;
  gate: Gate;
  approvals: ApprovalDesk;
  policy: PolicyDesk;
  /** The Rego toolchain. */
  workshop: PolicyWorkshop;
  policySets: PolicySets;
  bundles: BundleImports;
  recorded: RecordedDecisions;
  impact: ImpactDesk;
  evidence: EvidenceDesk;
  settings: SettingsDesk;
  /** Certificate and key that sign packs. */
  identity(): Promise<PackIdentity>;
  /** Loads the sample runs; absent where they are not part of this installation. */
  samples?: () => Promise<OutputOf<'loadSamples'>>;
  /** `leftOut`: tenants that are not open, and so not in it. */
  backup(): Promise<{ stream: AsyncIterable<Uint8Array>; name: string; leftOut: readonly string[] }>;
  changePassphrase(input: InputOf<'changePassphrase'>): Promise<void>;
};

/** The tenants as requests find them. */
export interface TenantDoor {
  /** Whether there are others than the default one. */
  readonly several: boolean;
  /** Waits where it is still being opened. Throws tenant_unknown, and why its ledger was refused. */
  of(tenantId: string): Promise<OpenServices>;
  /** Those that are open now, the default one first. */
  open(): readonly OpenServices[];
  /** Who presents this key, in whichever tenant. Throws key_invalid, key_revoked. */
  findKey: ApiKeys['find'];
  /** The tenant of an invitation; the default one where none has it. */
  ofInvitation(token: string): Promise<OpenServices>;
  nameOf(tenantId: string): string;
  list(): TenantView[];
  /** Throws tenant_exists, tenant_limit, input_invalid, and what opening a ledger throws; nothing is left then. */
  create(tenantId: string, name: string, by: string): Promise<TenantView>;
}

export interface Host {
  readonly version: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly sessions: Sessions;
  /** Folders that may be absent in a build that lacks them. */
  readonly folders: { ui: string; sdk: string; verifier: string; licences: string; exports: string };
  phase(): Phase;
  /** Why the phase is `refused`. */
  refusal(): TrailmixError | undefined;
  /** The default tenant's. */
  open(): OpenServices | undefined;
  readonly tenants: TenantDoor;
  address(): Address;
  person(): string;
  /** As seen from a tenant, default the default one; `withTenants`: by who may know of the others. */
  status(open?: OpenServices, withTenants?: boolean): Promise<StatusView>;
  setup(input: InputOf<'setup'>): Promise<OutputOf<'setup'>>;
  unlock(passphrase: string): Promise<void>;
  diagnostics(): Promise<JsonObject>;
}
