/**
 * The ports: what the collector's rooms need of each other, and what tests may replace (clock, ids).
 * Five, not fifty: Clock, Ids, KeyVault, Ledger (ReadLedger + WriteLedger), PolicyRunner.
 * Write access is a type: only collector/ledger/open.ts makes a WriteLedger.
 */
import type { ResourceLimits, Worker } from 'node:worker_threads';
import type { ReviewSettings } from '../core/api/approval_operations.ts';
import type { OutputOf } from '../core/api/operations.ts';
import type { Environment } from '../core/api/policy_views.ts';
import type {
  Accepted,
  ApprovalView,
  CheckpointView,
  Custody,
  KeyView,
  RecordView,
  Scope,
  SpanColumns,
  TraceSummary,
} from '../core/api/views.ts';
import type { ApprovalStatement } from '../core/proof/binding.ts';
import type { JsonObject, JsonValue } from '../core/proof/jcs.ts';
import type { ErasureCommands } from './ledger/erasure_commands.ts';
import type { PackLine } from './ledger/pack-lines.ts';
import type { PeopleCommands } from './people/command_types.ts';
import type { PolicyCommands } from './policy/command_types.ts';

export interface Clock {
  /** Milliseconds since 1970, as the host's clock reads now; may step back. */
  now(): number;
}

export interface Ids {
  /** `n` random bytes from the system's CSPRNG. */
  bytes(n: number): Uint8Array;
  /** A new identifier with a prefix, e.g. `dec_01…`; unique, sortable by time. */
  id(prefix: string): string;
}

/** A purpose gets its own 32-byte key by HKDF-SHA256 from the master key; signing keys are random and wrapped. */
export type DerivedKey =
  | 'database'
  | 'search'
  | 'blob'
  | 'token'
  | 'mac'
  | 'idempotence'
  | 'backup'
  | 'witness';

/** PEM texts; `chainPem` is empty for a self-made certificate. The key itself is not given away. */
export type PackSigner = {
  readonly certificatePem: string;
  readonly chainPem: string;
  /** What a verifier must trust: the root (or the self-made certificate itself), those of earlier identities after it. */
  readonly rootsPem: string;
  /** RSASSA-PKCS1-v1_5 or ECDSA (DER), with SHA-256. */
  sign(bytes: Uint8Array): Uint8Array;
};

/**
 * The unlocked vault. Holds secrets in memory only; nothing of it is ever logged or answered.
 * Made by collector/keys/vault.ts from a passphrase, a key file or the desktop's safeStorage.
 */
export interface KeyVault {
  readonly ledgerId: string;
  readonly custody: Custody;
  derive(purpose: DerivedKey): Uint8Array;
  /** PKCS#8 DER of the Ed25519 keys in force. */
  readonly eventKey: { privateKey: Uint8Array; publicKey: Uint8Array; keyId: string };
  readonly checkpointKey: { privateKey: Uint8Array; publicKey: Uint8Array; keyId: string };
  /** What signs packs by CMS: its certificate, those between it and its root, and the key's one use. Self-made on first use. */
  packSigner(): Promise<PackSigner>;
  /** Encrypts a small secret (an API key's mac) for storage: AES-256-GCM under the `mac` key. */
  seal(secret: Uint8Array, context: string): Uint8Array;
  unseal(sealed: Uint8Array, context: string): Uint8Array;
}

/** Who asks, after authentication. */
export type Principal =
  /** `environment`: whose policy decides for it; absent: prod. */
  | {
      kind: 'key';
      id: string;
      tenantId: string;
      appId: string;
      scopes: Scope[];
      environment?: Environment;
    }
  /** `personId` and `roles` are of a person who signed in; while nobody is enrolled there is neither. */
  | {
      kind: 'person';
      name: string;
      session: string;
      personId?: string;
      roles: readonly string[];
      /** `cli`: over the socket. Default page. */
      via?: 'page' | 'cli';
      /** When the session ends unless used, milliseconds since 1970. */
      expiresAt?: number;
    }
  | { kind: 'local' }
  | { kind: 'unkeyed' }
  | { kind: 'nobody' };

export type Source = {
  via: 'api' | 'otlp' | 'sdk' | 'cli' | 'page' | 'collector' | 'sample';
  auth: 'key' | 'person' | 'none' | 'self';
  key?: string;
};

/** An event ready for the writer: validated, `source` and `salt` in the body, hashed outside the writer. */
export type PreparedEvent = {
  tenantId: string;
  appId: string;
  eventId: string;
  sessionId: string;
  eventType: string;
  ts: string;
  /** JCS of the body: every member that is not in the head, with source and salt. */
  bodyJcs: string;
  bodyHash: string;
  /** JCS of the producer's members as sent, for idempotence. */
  contentJcs: string;
  stream?: { id: string; n: number; keyId: string };
  /** What the projections need, so the writer parses nothing. */
  facts: EventFacts;
  /** Large values that became `$blob`s: `append` makes them durable before the commit. */
  blobs?: readonly { sha256: string; bytes: Uint8Array }[];
};

/** Facts that the runs' table and the spans show; taken once, when the event is prepared. */
export type EventFacts = {
  parentId?: string;
  traceId?: string;
  name?: string;
  kind: SpanColumns['kind'][number];
  startUs: number;
  endUs?: number;
  risk?: 'low' | 'medium' | 'high' | 'critical';
  status?: 'ok' | 'error';
  decision?: 'allow' | 'deny' | 'approve' | 'failed';
  tokens?: number;
  cost?: number;
  title?: string;
  sample?: boolean;
  unverified?: boolean;
  unknownAttributes?: Record<string, number>;
};

/** An event that the collector itself records; the writer stamps ts, salt and source {auth: self} unless given. */
export type OwnEvent = {
  appId: string;
  eventType: string;
  eventId?: string;
  sessionId?: string;
  members: JsonObject;
  source?: Source;
  facts?: Partial<EventFacts>;
  /** Only for sample runs: the scripted time, instead of now. Such a body carries `sample: true`. */
  ts?: string;
};

export type Appended = {
  eventId: string;
  seq: number;
  hashSelf: string;
  receivedAt: string;
  record: RecordView;
};

type RoomCommands = PeopleCommands & PolicyCommands & ErasureCommands;

/**
 * Commands that change the ledger together with the events they record, each in a savepoint of its own
 * inside the group commit. A refusal (TrailmixError) rolls back that command alone. Resolved = durable.
 */
export type Commands = RoomCommands & {
  /** A recorded decision; makes the approval when the word is approve. Answers what the caller is told. */
  decide: {
    input: DecisionInput;
    output: {
      decisionId: string;
      seq: number;
      argsSalt: string;
      approval?: { id: string; status: string; expires_at: string; nonce: string };
    };
  };
  answerApproval: {
    input: {
      id: string;
      verdict: 'approve' | 'deny';
      by: string;
      comment?: string;
      shownDigest?: string;
      openedAt?: string;
      signedIn: 'none' | 'page' | 'collector';
      source: Source;
      sampleTs?: string;
    };
    output: ApprovalView;
  };
  /** Opens a review, or answers the one that this person has open. */
  openApproval: {
    input: { id: string; personId: string; source: Source };
    output: OutputOf<'openApproval'>;
  };
  /** A person's signed answer. A wrong answer to the challenge is recorded, and so is no refusal of the command. */
  signAnswer: {
    input: {
      id: string;
      personId: string;
      verdict: 'approve' | 'deny';
      comment?: string;
      reviewId?: string;
      challengeAnswer?: string;
      statement: ApprovalStatement;
      /** 64 bytes */
      signature: Uint8Array;
      signedIn: 'page' | 'collector';
      source: Source;
    };
    output: { approval: ApprovalView } | { challengeFailed: { attempt: number; ended: boolean } };
  };
  commentApproval: {
    input: { id: string; by: string; text: string; source: Source };
    output: { seq: number; at: string };
  };
  cancelApproval: {
    input: { id: string; keyId: string; appId: string; reason?: string };
    output: ApprovalView;
  };
  consumeApproval: {
    input: {
      id: string;
      keyId: string;
      appId: string;
      argsDigest: string;
      action: string;
      sessionId: string;
      nonce: string;
      useId?: string;
      activePolicyHash: string;
      sampleTs?: string;
    };
    output: { intentId: string; grantExpiresAt: string };
  };
  reportOutcome: {
    input: {
      decisionId: string;
      keyId: string;
      appId: string;
      outcome: 'ok' | 'error';
      result?: JsonValue;
      error?: string;
      latencyMs?: number;
      sampleTs?: string;
    };
    output: { seq: number; eventId: string };
  };
  expireApprovals: { input: Record<string, never>; output: { expired: string[] } };
  createKey: {
    input: {
      appId: string;
      tenantId: string;
      scopes: Scope[];
      environment?: Environment;
      by: string;
      id: string;
      authHash: Uint8Array;
      macSealed: Uint8Array;
    };
    output: KeyView;
  };
  revokeKey: { input: { id: string; by: string }; output: KeyView };
  /**
   * In the default tenant's ledger alone. Throws tenant_exists. `opened`: hash_self of the new chain's record 0, which the
   * default tenant thus vouches for.
   */
  createTenant: {
    input: { tenantId: string; name: string; opened: string; by: string };
    output: { createdAt: string };
  };
  changeSettings: {
    input: { changes: Record<string, JsonValue>; by: string };
    output: Record<string, JsonValue>;
  };
  /** Any other event of the collector's own (export., restore., person., gap on behalf of an app...). */
  record: { input: OwnEvent; output: Appended };
  /** Signs a checkpoint over everything committed; a no-op answer when nothing came since the last one. */
  checkpoint: { input: Record<string, never>; output: CheckpointView };
};

export type DecisionInput = {
  keyId: string;
  appId: string;
  sessionId: string;
  actor: { type: 'user' | 'agent' | 'service'; id: string };
  action: string;
  risk: 'low' | 'medium' | 'high' | 'critical';
  payload: JsonObject;
  context?: JsonObject;
  parentId?: string;
  traceId?: string;
  /** `input.session` and `input.now` as the policy was given them; recorded as they are. */
  session?: JsonObject;
  now?: string;
  outcome: PolicyOutcome;
  /** Only for sample runs: the scripted time; the record's body carries `sample: true`. */
  sampleTs?: string;
};

declare const readBrand: unique symbol;
declare const writeBrand: unique symbol;

/** Reads go to their own thread and never delay an append. Everything a page or a pack needs. */
export interface ReadLedger {
  readonly [readBrand]: true;
  head(): Promise<{ seq: number; size: number; receivedAt: string }>;
  record(seq: number): Promise<RecordView | undefined>;
  /** Inclusive range of seqs as full records, in order; at most `limit` (default 1,000). */
  records(from: number, to: number, limit?: number): Promise<RecordView[]>;
  /** An app's records of an inclusive range of its own numbers, in order: for counting a small scope. */
  packLines(appId: string, from: number, to: number): Promise<PackLine[]>;
  search(query: EventQuery): Promise<{ items: RecordView[]; total: number; next?: string }>;
  traces(query: TraceQuery): Promise<{
    items: TraceSummary[];
    total: number;
    next?: string;
    facets: { app: Record<string, number>; risk: Record<string, number>; decision: Record<string, number> };
  }>;
  trace(
    runId: string,
    q?: string,
  ): Promise<{ trace: TraceSummary; spans: SpanColumns; matches?: number[] } | undefined>;
  approval(id: string): Promise<ApprovalView | undefined>;
  approvals(query: ApprovalQuery): Promise<{ items: ApprovalView[]; total: number; next?: string }>;
  /** `now`: the form of received_at. `who` is the signed-in person; absent where nobody is. */
  approvalDetail(id: string, now: string, who?: string): Promise<OutputOf<'approvalDetail'> | undefined>;
  /** Both inclusive, in the form of received_at. */
  reviewReport(from: string, to: string): Promise<OutputOf<'reviewReport'>>;
  reviewSettings(): Promise<ReviewSettings>;
  /** Subtree hashes of RFC 9162 at (level, index), raw 32 bytes each, for proofs of any size up to the head. */
  nodes(coordinates: [level: number, index: number][]): Promise<Uint8Array[]>;
  checkpointAt(size?: number): Promise<CheckpointView | undefined>;
  /** The scope of a pack: app_seq range by received_at (both inclusive, six digits), with the heads around it. */
  scope(appId: string, from: string, to: string, beforeSize?: number): Promise<ScopeRange | undefined>;
  /** Named read queries of the other rooms (overview, keys, policy versions, exports...); rows as JSON. */
  query<T>(name: string, parameters?: Record<string, unknown>): Promise<T[]>;
}

export type ApprovalQuery = {
  status?: 'waiting' | 'answered' | 'all';
  app?: string;
  risk?: string;
  action?: string;
  /** Words, all of which are in the action, the reasons or the asker's id. */
  q?: string;
  outcome?: 'approved' | 'denied' | 'expired' | 'cancelled';
  /** A person_id: what they have answered. */
  by?: string;
  /** What a person can answer; `at` is now, in the form of received_at. */
  for?: { person: string; at: string };
  cursor?: string;
  limit?: number;
};

export type ScopeRange = {
  firstAppSeq: number;
  lastAppSeq: number;
  count: number;
  firstSeq: number;
  lastSeq: number;
  before?: number;
  after?: number;
};

export type EventQuery = {
  q?: string;
  app?: string;
  session?: string;
  eventId?: string;
  from?: string;
  to?: string;
  cursor?: string;
  limit?: number;
};
export type TraceQuery = EventQuery & { risk?: string; decision?: string; sort?: string };

/** The only way to change the ledger. One per ledger. Resolves once the rows have survived a power cut. */
export interface WriteLedger {
  readonly [writeBrand]: true;
  /**
   * All or nothing. `uploads`: digests of blobs that were uploaded before, and that the events name.
   * Throws event_conflict, stream_conflict, blob_unknown, busy (with retryAfter), disk_full.
   */
  append(events: PreparedEvent[], uploads?: readonly string[]): Promise<Accepted[]>;
  run<N extends keyof Commands>(name: N, input: Commands[N]['input']): Promise<Commands[N]['output']>;
  /** Called after each commit with the new head; used for live views and the long polls. */
  onCommit(listener: (head: { seq: number; approvals: string[] }) => void): () => void;
}

export type VerifierState = {
  verifiedTo: number;
  verifiedAt?: string;
  fault?: { seq: number; code: string; message: string };
};

/** An opened ledger: what compose.ts hands to the other rooms. */
export interface Ledger {
  readonly ledgerId: string;
  readonly tenantId: string;
  readonly read: ReadLedger;
  readonly write: WriteLedger;
  readonly blobs: BlobStore;
  verifier(): VerifierState;
  stats(): {
    eventsPerSecond: number;
    ledgerBytes: number;
    blobBytes: number;
    freeBytes: number;
    diskLow: boolean;
    queue: number;
  };
  /**
   * Starts a thread of another room that reads the database by itself, beside the reader: its workerData is
   * `{database: {file, key}, ...data}`, for openReadable; with `blobs`, `{blobs: {folder, key}}` too, for readBlob.
   * Whoever starts it ends it, which waits until it has opened the database; the ledger ends what is left when it closes.
   */
  readingThread(
    file: URL,
    data: Record<string, unknown>,
    more?: { blobs?: boolean; limits?: ResourceLimits },
  ): Worker;
  /** Throws the search index away and begins it anew; search scans what is not indexed yet. */
  reindex(): Promise<void>;
  /** Online copy of the database, encrypted, to a file. Used by backup. */
  backupTo(file: string): Promise<void>;
  /** Drains, checkpoints, syncs, closes. Idempotent. */
  close(): Promise<void>;
}

export interface BlobStore {
  /**
   * Streams in, encrypts, syncs, then answers. Throws body_too_large, disk_full, busy; nothing is left behind.
   * `keyId`: the API key that uploads it, remembered for `uploadedBy`.
   */
  put(
    tenantId: string,
    bytes: AsyncIterable<Uint8Array>,
    limit: number,
    keyId?: string,
  ): Promise<{ sha256: string; bytes: number }>;
  /** Whether this API key uploaded this blob: a `$blob` in its events must be its own (blob_unknown). */
  uploadedBy(tenantId: string, sha256: string, keyId: string): Promise<boolean>;
  has(tenantId: string, sha256: string): Promise<boolean>;
  /** Runs `work`, which records these blobs: none of them is unlinked meanwhile. */
  use<T>(digests: readonly string[], work: () => Promise<T>): Promise<T>;
  /** Runs `work`, which may unlink these blobs and answers how many bytes that freed, while nobody is recording one of them. */
  apart<T extends { freed: number }>(digests: readonly string[], work: () => Promise<T>): Promise<T>;
  get(tenantId: string, sha256: string): AsyncIterable<Uint8Array>;
}

export type PolicyOutcome = {
  result: 'allow' | 'deny' | 'approve';
  reasons: string[];
  required?: { k: number; roles: string[] };
  /** Names of the rules that matched, where rules have names: `refunds.above_limit`, denials first. */
  rules?: string[];
  failed?: { why: 'throw' | 'timeout' | 'empty' | 'shape' | 'no_bundle' | 'busy' };
  /** `environment` absent: prod. */
  policy: { version: number; hash: string; environment?: Environment };
  evalUs: number;
};

/** Never throws: whatever goes wrong is a `failed` outcome that denies. */
export interface PolicyRunner {
  decide(input: JsonObject, environment?: Environment): Promise<PolicyOutcome>;
  close(): Promise<void>;
}
