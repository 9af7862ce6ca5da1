/**
 * What the HTTP room needs of the rest: `Host` in every phase, `OpenServices` once the ledger is open. compose.ts
 * fills both. Handlers reach the ledger through nothing else.
 */
import type { TrailmixError } from '../../core/api/errors.ts';
import type { InputOf, OutputOf } from '../../core/api/operations.ts';
import type { Phase, StatusView } from '../../core/api/views.ts';
import type { JsonObject } from '../../core/proof/jcs.ts';
import type { ApprovalDesk } from '../approvals/desk.ts';
import type { Gate } from '../approvals/gate.ts';
import type { Anchors } from '../evidence/anchors.ts';
import type { WitnessDesk } from '../evidence/witnesses.ts';
import type { ApiKeys } from '../keys/api-keys.ts';
import type { PackIdentity } from '../keys/certificates.ts';
import type { Log } from '../logging.ts';
import type { PeopleDesk } from '../people/desk.ts';
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
  recorded: RecordedDecisions;
  impact: ImpactDesk;
  evidence: EvidenceDesk;
  settings: SettingsDesk;
  /** Certificate and key that sign packs. */
  identity(): Promise<PackIdentity>;
  /** Loads the sample runs; absent where they are not part of this installation. */
  samples?: () => Promise<OutputOf<'loadSamples'>>;
  backup(): Promise<{ stream: AsyncIterable<Uint8Array>; name: string }>;
  changePassphrase(input: InputOf<'changePassphrase'>): Promise<void>;
};

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
  open(): OpenServices | undefined;
  address(): Address;
  person(): string;
  status(): Promise<StatusView>;
  setup(input: InputOf<'setup'>): Promise<OutputOf<'setup'>>;
  unlock(passphrase: string): Promise<void>;
  diagnostics(): Promise<JsonObject>;
}
