/**
 * An export from start to end: window, the export's own record, checkpoint, pack. Format: docs/spec/pack.md.
 * Commit point: the rename of a synced file, after which the folder is synced: no name promises a pack that is not whole
 * on the disk. A cancelled or failed export leaves nothing but its record; what a killed one leaves has no pack's name.
 */
import { X509Certificate } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { TrailmixError } from '../../core/api/errors.ts';
import type { CheckpointView } from '../../core/api/views.ts';
import { LEDGER_APP } from '../../core/proof/record.ts';
import type { ExportProgress, ExportRequest, Pack } from '../http/services.ts';
import { type FaultPlan, faultsOf } from '../ledger/faults.ts';
import type { Clock, KeyVault, Ledger } from '../ports.ts';
import type { EpochProof } from './epoch.ts';
import { makeInThread } from './pack-job.ts';
import { endBefore, type Window, windowOf } from './window.ts';

export type ExportParts = {
  readonly ledger: Ledger;
  readonly vault: Pick<KeyVault, 'packSigner' | 'custody'>;
  readonly clock: Clock;
  readonly version: string;
  /** For tests alone: see ledger/faults.ts. */
  readonly testFaults?: FaultPlan;
};

export type ExportInput = {
  readonly request: ExportRequest;
  /** Where the pack goes; replaced if it is there. */
  readonly out: string;
  /** Who asks, for the record. */
  readonly by: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (at: ExportProgress) => void;
  /** Proofs of the ledger that this one was restored from. */
  readonly epochs?: readonly EpochProof[];
};

const certificateHash = (pem: string): string =>
  new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase();

const FAR = Number.MAX_SAFE_INTEGER;

/**
 * Throws ts_invalid, scope_empty, app_unknown, at_beyond, at_before_erasure, export_cancelled, disk_full.
 */
export async function exportPack(parts: ExportParts, input: ExportInput): Promise<Pack> {
  const { ledger, vault, clock, version } = parts;
  const { request, out, signal, onProgress = () => {} } = input;
  const asked = windowOf(request);
  await checkRequest(ledger, asked, request.at);
  await checkWithheld(ledger, asked, request.withhold?.seqs ?? []);
  const signer = await vault.packSigner();
  const recorded = await ledger.write.run('record', {
    appId: asked.appId,
    eventType: 'export.recorded',
    members: {
      name: 'Evidence export',
      export: {
        requested: { ...asked.requested },
        include: [...asked.include],
        by: input.by,
        ...(request.at === undefined ? {} : { at: request.at }),
      },
    },
  });
  // Before it is used: a use that is not recorded must not be.
  await ledger.write.run('record', {
    appId: LEDGER_APP,
    eventType: 'key.used',
    members: {
      name: 'Pack signing key used',
      key: { purpose: 'pack', certificate_sha256: certificateHash(signer.certificatePem) },
      export_seq: recorded.seq,
      by: input.by,
    },
  });
  const withhold = request.withhold && {
    seqs: [...new Set(request.withhold.seqs)].sort((a, b) => a - b),
    reason: request.withhold.reason,
  };
  if (withhold !== undefined) {
    await ledger.write.run('record', {
      appId: LEDGER_APP,
      eventType: 'export.withheld',
      members: {
        name: 'Bodies withheld from a pack',
        withheld: { app_id: asked.appId, ...withhold },
        export_seq: recorded.seq,
        by: input.by,
      },
    });
  }
  const window = endBefore(asked, recorded.receivedAt);
  if (window.to < window.from) throw new TrailmixError('scope_empty', { where: '/time_from' });
  const checkpoint = await checkpointFor(ledger, asked.appId, recorded.seq, request.at);
  const scope = await ledger.read.scope(window.appId, window.from, window.to, checkpoint.size);
  if (scope === undefined) throw new TrailmixError('app_unknown', { where: '/app_id' });

  const faults = faultsOf(parts.testFaults);
  const temporary = `${out}.partial-${process.pid}-${recorded.seq}`;
  try {
    const plan = {
      window,
      scope,
      checkpoint,
      version,
      certificatePem: signer.certificatePem,
      chainPem: signer.chainPem,
      custody: vault.custody.label,
      at: new Date(clock.now()),
      epochs: input.epochs ?? [],
      ...(withhold === undefined ? {} : { withhold }),
    };
    const order = {
      plan,
      path: temporary,
      ...(parts.testFaults === undefined ? {} : { faults: parts.testFaults }),
    };
    const written = await makeInThread(ledger, order, { signer, signal, progress: onProgress });
    signal?.throwIfAborted();
    faults('pack_rename');
    await rename(temporary, out);
    await syncFolder(dirname(out));
    const { size, root } = checkpoint;
    return {
      pack: out,
      pack_id: written.packId,
      sha256: written.sha256,
      bytes: written.bytes,
      events: written.events,
      checkpoint: { size, root },
    };
  } catch (error) {
    await rm(temporary, { force: true });
    if (signal?.aborted === true) throw new TrailmixError('export_cancelled');
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') {
      throw new TrailmixError('disk_full', { where: out, message: 'The disk is full: no pack was written' });
    }
    if (code === 'ENOENT' || code === 'EACCES' || code === 'EROFS' || code === 'ENOTDIR') {
      throw new TrailmixError('usage', {
        where: out,
        message: `The pack cannot be written to ${out} (${code})`,
      });
    }
    throw error;
  }
}

/** What can be refused before anything is recorded. */
export async function checkRequest(ledger: Ledger, window: Window, at: number | undefined): Promise<void> {
  if ((await ledger.read.scope(window.appId, window.from, window.to, at ?? FAR)) === undefined) {
    throw new TrailmixError('app_unknown', { where: '/app_id' });
  }
  if (at === undefined) return;
  const { size } = await ledger.read.head();
  if (at > size || (await ledger.read.checkpointAt(at)) === undefined) {
    throw new TrailmixError('at_beyond', {
      where: '/at',
      message: at > size ? `The ledger has ${size} records` : `There is no checkpoint of size ${at}`,
    });
  }
}

/** What is withheld must be there, of this app, inside the window. */
async function checkWithheld({ read }: Ledger, window: Window, seqs: readonly number[]): Promise<void> {
  for (const seq of seqs) {
    const record = await read.record(seq);
    const fits =
      record !== undefined &&
      record.app_id === window.appId &&
      record.source !== undefined &&
      record.received_at >= window.from &&
      record.received_at <= window.to;
    if (!fits)
      throw new TrailmixError('input_invalid', {
        where: '/withhold/seqs',
        message: `Record ${seq} is not one of ${window.appId} in the window, with its body`,
      });
  }
}

/** The pinned checkpoint, or the first that covers the export's own record: the same one whenever it is asked for. */
async function checkpointFor(
  ledger: Ledger,
  appId: string,
  seq: number,
  at: number | undefined,
): Promise<CheckpointView> {
  const last = await ledger.write.run('checkpoint', {});
  const rows = await ledger.read.query<{ seq: number; size: number | null }>('evidence.exports', {
    tenant: ledger.tenantId,
    app: appId,
  });
  const size = at ?? rows.find(row => row.seq === seq)?.size ?? last.size;
  const checkpoint = await ledger.read.checkpointAt(size);
  if (checkpoint === undefined) throw new TrailmixError('at_beyond', { where: '/at' });
  return checkpoint;
}

/** So that the rename survives a power cut; where a folder cannot be synced (Windows) nothing is lost but that. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  if (handle === undefined) return;
  await handle.sync().catch(() => {});
  await handle.close();
}
