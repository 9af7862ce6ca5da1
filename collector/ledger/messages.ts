/** What crosses between the main thread and the ledger's threads. Plain data; big binary parts are transferred. */
import type { Custody } from '../../core/api/views.ts';
import type { JsonObject } from '../../core/proof/jcs.ts';
import type { EventFacts } from '../ports.ts';
import type { FaultPlan } from './faults.ts';
import type { Refusal } from './threads.ts';
import type { VerifierReport } from './verifier.ts';

/** Where the parts of a data folder are. */
export type Places = {
  folder: string;
  ledger: string;
  search: string;
  headFile: string;
  blobs: string;
  backups: string;
};

export type SigningKey = { privateKey: Uint8Array; publicKey: Uint8Array; keyId: string };

/** Secrets that the threads need; they live in memory alone. */
export type Secrets = {
  database: Uint8Array;
  search: Uint8Array;
  blob: Uint8Array;
  mac: Uint8Array;
};

export type WriterData = {
  places: Places;
  secrets: Secrets;
  eventKey: SigningKey;
  checkpointKey: SigningKey;
  idempotenceKey: Uint8Array;
  ledgerId: string;
  tenantId: string;
  /** Members of ledger.opened, where a new ledger may be made; undefined: it must be there. */
  create: JsonObject | undefined;
  custody: Custody['kind'];
  /** The clock's reading when the ledger is opened, milliseconds. */
  at: number;
  checkpointMs: number;
  test: { faults?: FaultPlan; maxPages?: number; signerFailsAt?: number } | undefined;
};

/** What the writer says once it is ready. */
export type WriterReady = { next: number; migratedFrom: number | undefined; headFileMissing: boolean };

export type AppendEvent = {
  appId: string;
  eventId: string;
  sessionId: string;
  eventType: string;
  ts: string;
  bodyJcs: string;
  bodyHash: string;
  stream?: { id: string; n: number; keyId: string };
  facts: EventFacts;
};

export type AppendInput = {
  at: number;
  events: AppendEvent[];
  /** ENTRY_BYTES of keyed hashes per event (idempotence.ts). */
  macs: Uint8Array;
};

export type AppendOutput = {
  seqs: Float64Array;
  /** 32 bytes per event. */
  hashes: Uint8Array;
  /** Indices of events that were there before. */
  duplicates: number[];
};

export type RunInput = { at: number; name: string; input: unknown };

export type UploadInput = { tenantId: string; sha256: string; keyId: string };

/** After each commit. */
export type CommitNotice = { seq: number; approvals: string[]; events: number };

export type WriterNotice =
  | { kind: 'ready'; ready: WriterReady }
  | { kind: 'refused'; refusal: Refusal }
  | { kind: 'commit'; commit: CommitNotice }
  | { kind: 'warning'; message: string; code: string };

export type ReaderData = {
  places: Places;
  secrets: Pick<Secrets, 'database' | 'search'>;
  ledgerId: string;
  tenantId: string;
  /** Whether there is a search index to read. */
  indexed: boolean;
};

export type BackgroundData = {
  places: Places;
  secrets: Pick<Secrets, 'database' | 'search'>;
  eventKey: { publicKey: Uint8Array; keyId: string };
  checkpointPublicKey: Uint8Array;
  ledgerId: string;
  tenantId: string;
  /** Pause between the verifier's passes over a small ledger, milliseconds. */
  restMs: number;
};

export type BackgroundRequest =
  | { kind: 'committed'; events: number }
  | { kind: 'give_back' }
  | { kind: 'reindex' };

export type BackgroundNotice =
  | { kind: 'ready'; indexed: boolean }
  /** The index is empty and begins anew; `message`: why it is not. */
  | { kind: 'reindexed'; message?: string }
  /** There is no search index, or no more of it. */
  | { kind: 'unindexed'; message: string }
  | { kind: 'verified'; report: VerifierReport };
