/** What the status bar and diagnostics say: read from the parts as they are now, nothing remembered, nothing rounded up. */

import { readFile } from 'node:fs/promises';
import { arch, platform, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { errorTable, type TrailmixError } from '../core/api/errors.ts';
import type { Custody, Phase, StatusView, TenantView } from '../core/api/views.ts';
import type { JsonObject } from '../core/proof/jcs.ts';
import type { Address } from './http/access.ts';
import type { OpenServices } from './http/services.ts';
import { LOG_FILE, logBytes } from './logging.ts';

export type StatusParts = {
  phase: Phase;
  version: string;
  folder: string;
  url: string;
  address: Address;
  beyondLoopback: boolean;
  refusal: TrailmixError | undefined;
  /** The key file that was not there at start. */
  keyMissing: string | undefined;
  custody: Custody | undefined;
  /** Those of the tenant that asks. */
  open: OpenServices | undefined;
  /** Of the installation, where there are several and it may be told. */
  tenants: TenantView[] | undefined;
  now: number;
};

export const logFolder = (folder: string): string => join(folder, 'logs');

export async function statusView(parts: StatusParts): Promise<StatusView> {
  const { open, refusal } = parts;
  const base: StatusView = {
    phase: parts.phase,
    version: parts.version,
    address: {
      url: parts.url,
      host: parts.address.host,
      port: parts.address.port,
      beyond_loopback: parts.beyondLoopback,
    },
    now: new Date(parts.now).toISOString(),
    ...(parts.custody === undefined ? {} : { custody: parts.custody }),
    ...(parts.keyMissing === undefined ? {} : { key_missing: { file: parts.keyMissing } }),
    ...(refusal === undefined
      ? {}
      : { refused: { code: refusal.code, message: refusal.message, next: errorTable[refusal.code].next } }),
  };
  return open === undefined ? base : { ...base, ...(await openStatus(parts, open)) };
}

async function openStatus(parts: StatusParts, open: OpenServices): Promise<Partial<StatusView>> {
  const { ledger } = open;
  const [head, checkpoint, waiting, exported] = await Promise.all([
    ledger.read.head(),
    ledger.read.checkpointAt(),
    ledger.read.approvals({ status: 'waiting', limit: 1 }),
    // It reads records: where a page of them is damaged the verifier tells, and the rest must still be said.
    open.evidence.exported().catch(() => undefined),
  ]);
  const verifier = ledger.verifier();
  const stats = ledger.stats();
  const settings = open.settings.read();
  return {
    ...(parts.tenants === undefined ? {} : { tenants: parts.tenants }),
    ledger: {
      ledger_id: ledger.ledgerId,
      tenant_id: ledger.tenantId,
      head_seq: head.seq,
      verified_to: verifier.verifiedTo,
      waiting_approvals: waiting.total,
      events_per_second: stats.eventsPerSecond,
      ...(verifier.verifiedAt === undefined ? {} : { verified_at: verifier.verifiedAt }),
      ...(verifier.fault === undefined ? {} : { fault: verifier.fault }),
      ...(checkpoint === undefined ? {} : { last_checkpoint: checkpoint }),
      ...(exported === undefined ? {} : { exported }),
    },
    data: {
      folder: parts.folder,
      ledger_bytes: stats.ledgerBytes,
      blob_bytes: stats.blobBytes,
      log_bytes: logBytes(logFolder(parts.folder)),
      free_bytes: stats.freeBytes,
      disk_low: stats.diskLow,
    },
    ...(settings.person === '' ? {} : { person: { name: settings.person } }),
    otlp_unkeyed: settings.otlp_unkeyed,
    policy: open.policy.inForce(),
  };
}

const LOG_LINES = 200;

/** Versions, sizes, settings and the last log lines. Log lines hold no payload and no secret (logging.ts). */
export async function diagnosticsOf(parts: StatusParts): Promise<JsonObject> {
  const log = await readFile(join(logFolder(parts.folder), LOG_FILE), 'utf8').catch(() => '');
  const status = await statusView(parts);
  const memory = process.memoryUsage();
  return {
    made_at: new Date(parts.now).toISOString(),
    version: parts.version,
    node: process.version,
    host: { platform: platform(), release: release(), arch: arch(), memory_bytes: totalmem() },
    process: {
      pid: process.pid,
      uptime_s: Math.round(process.uptime()),
      rss_bytes: memory.rss,
      heap_bytes: memory.heapUsed,
    },
    status: JSON.parse(JSON.stringify(status)) as JsonObject,
    log: log
      .split('\n')
      .slice(-LOG_LINES - 1)
      .filter(line => line !== ''),
  };
}
