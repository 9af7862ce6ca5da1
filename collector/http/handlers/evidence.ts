/**
 * Evidence: preview, export (at once or as a background job), download, trust files, the live ledger's verdicts.
 * Jobs live as long as this run of the collector; few at a time; a cancelled or failed one leaves no file.
 */

import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { TrailmixError } from '../../../core/api/errors.ts';
import type { ExportJob } from '../../../core/api/views.ts';
import type { Principal } from '../../ports.ts';
import { attachment, Raw } from '../answer.ts';
import { asTrailmixError } from '../dispatch.ts';
import type { Handlers, OpenContext } from '../handler.ts';
import type { ExportRequest } from '../services.ts';
import { type PackStamps, packStampHandlers } from './pack_stamps.ts';

const MOST_RUNNING = 2;
const MOST_KEPT = 50;

export type Job = { view: ExportJob; abort: AbortController; file: string };

export const who = (principal: Principal): string => {
  switch (principal.kind) {
    case 'person':
      return principal.personId ?? principal.name;
    case 'key':
      return `key:${principal.id}`;
    default:
      return 'cli';
  }
};

const packName = (request: ExportRequest): string =>
  `trailmix-${request.app_id.replaceAll(/[^A-Za-z0-9._-]/g, '_').slice(0, 80)}-${request.time_to.slice(0, 10).replaceAll(/[^0-9-]/g, '')}.zip`;

const packTo = async (context: OpenContext): Promise<string> => {
  const folder = context.host.folders.exports;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return join(folder, `${randomUUID()}.zip`);
};

type Names =
  | 'exportEvidence'
  | 'previewEvidence'
  | 'startExport'
  | 'exportJobs'
  | 'exportJob'
  | 'cancelExport'
  | 'downloadExport'
  | PackStamps
  | 'trust'
  | 'verifyLedger'
  | 'verifierScript'
  | 'verifierPage';

/** One of the files that resources/build/verifier.ts makes, to be kept: nothing runs it here. */
async function builtFile(folder: string, name: string, type: string): Promise<Raw> {
  const path = join(folder, name);
  await stat(path).catch(() => {
    throw new TrailmixError('not_found', {
      message: 'The verifier is not built here: run `npm run prepare`',
    });
  });
  return new Raw(createReadStream(path), {
    'content-type': type,
    'content-disposition': attachment(name),
  });
}

/** What runs and was made in one tenant; no other sees or waits for it. */
type Desk = {
  jobs: Map<string, Job>;
  /** Exports that a caller waits for. */
  direct: number;
  /** Whether the live ledger is being verified. */
  verifying: boolean;
};

/** Jobs are held here: one set of handlers per collector. */
export function evidenceHandlers(): Pick<Handlers, Names> & { cancelAll(): void } {
  /** By tenant. */
  const desks = new Map<string, Desk>();
  const deskOf = ({ open }: OpenContext): Desk => {
    const { tenantId } = open.ledger;
    const known = desks.get(tenantId);
    if (known !== undefined) return known;
    const made: Desk = { jobs: new Map(), direct: 0, verifying: false };
    desks.set(tenantId, made);
    return made;
  };
  const find = (context: OpenContext, id: string): Job => {
    const job = deskOf(context).jobs.get(id);
    if (job === undefined)
      throw new TrailmixError('export_unknown', { where: `/api/evidence/jobs/${id.slice(0, 64)}` });
    return job;
  };
  const room = (desk: Desk): void => {
    const running = [...desk.jobs.values()].filter(job => job.view.state === 'running').length;
    if (running + desk.direct < MOST_RUNNING) return;
    throw new TrailmixError('busy', { message: `${MOST_RUNNING} exports run already`, retryAfter: 5 });
  };
  const own = (principal: Principal, request: ExportRequest): void => {
    if (principal.kind === 'key' && principal.appId !== request.app_id) {
      throw new TrailmixError('app_mismatch', {
        where: '/app_id',
        message: `This key exports ${principal.appId} only`,
      });
    }
  };

  /** Adds a job; the oldest that ended make place for it. */
  const keep = async ({ jobs }: Desk, job: Job): Promise<void> => {
    for (const [id, old] of jobs) {
      if (jobs.size < MOST_KEPT) break;
      if (old.view.state === 'running') continue;
      jobs.delete(id);
      await rm(old.file, { force: true });
    }
    jobs.set(job.view.id, job);
  };
  const finished = (context: OpenContext, id: string): Job => {
    const job = find(context, id);
    if (job.view.state !== 'done' || job.view.pack === undefined) throw new TrailmixError('export_unknown');
    return job;
  };

  async function run(context: OpenContext, request: ExportRequest, job: Job): Promise<void> {
    try {
      const pack = await context.open.evidence.run(
        request,
        job.file,
        who(context.principal),
        job.abort.signal,
        at => Object.assign(job.view, at),
      );
      // Cancelled when the pack was there already: nobody is to find one.
      job.abort.signal.throwIfAborted();
      Object.assign(job.view, {
        state: 'done',
        step: 'done',
        pack: {
          file: packName(request),
          pack_id: pack.pack_id,
          sha256: pack.sha256,
          bytes: pack.bytes,
          events: pack.events,
          checkpoint: pack.checkpoint,
        },
      });
    } catch (thrown) {
      await rm(job.file, { force: true });
      const error = asTrailmixError(context.host, thrown, 'export');
      job.view.state = job.abort.signal.aborted ? 'cancelled' : 'failed';
      job.view.error = { code: error.code, message: error.message };
    }
  }

  return {
    async exportEvidence(context, { input }) {
      const { open, principal, request, signal } = context;
      const desk = deskOf(context);
      own(principal, input);
      room(desk);
      const file = await packTo(context);
      const wantsZip = (request.headers.accept ?? '').includes('application/zip');
      desk.direct++;
      try {
        const pack = await open.evidence.run(input, file, who(principal), signal, () => {});
        if (!wantsZip) return { ...pack, pack: file };
        const stream = createReadStream(file);
        stream.once('close', () => void rm(file, { force: true }));
        return new Raw(stream, {
          'content-type': 'application/zip',
          'content-length': String(pack.bytes),
          'content-disposition': attachment(packName(input)),
          'x-trailmix-pack-id': pack.pack_id,
        });
      } catch (error) {
        await rm(file, { force: true });
        throw error;
      } finally {
        desk.direct--;
      }
    },

    verifierScript: ({ host }) =>
      builtFile(host.folders.verifier, 'trailmix-verify.mjs', 'text/javascript; charset=utf-8'),
    verifierPage: ({ host }) =>
      builtFile(host.folders.verifier, 'trailmix-verify.html', 'text/html; charset=utf-8'),

    previewEvidence: ({ open }, { input }) => open.evidence.preview(input),

    async startExport(context, { input }) {
      const desk = deskOf(context);
      room(desk);
      // Refuses an unknown app or an empty scope now, not in the job.
      await context.open.evidence.check(input);
      const job: Job = {
        view: {
          id: randomUUID(),
          app_id: input.app_id,
          state: 'running',
          step: 'starting',
          done: 0,
          total: 0,
        },
        abort: new AbortController(),
        file: await packTo(context),
      };
      await keep(desk, job);
      void run(context, input, job);
      return job.view;
    },

    async exportJobs(context) {
      const items = [...deskOf(context).jobs.values()].map(job => job.view).reverse();
      return { items, total: items.length };
    },

    exportJob: async (context, { params }) => find(context, params.id).view,

    async cancelExport(context, { params }) {
      const job = find(context, params.id);
      if (job.view.state === 'running') {
        job.abort.abort(new TrailmixError('export_cancelled'));
        job.view.state = 'cancelled';
      }
      return job.view;
    },

    async downloadExport(context, { params }) {
      const { file, view } = finished(context, params.id);
      const { size } = await stat(file);
      return new Raw(createReadStream(file), {
        'content-type': 'application/zip',
        'content-length': String(size),
        'content-disposition': attachment(view.pack?.file ?? `${view.app_id}.zip`),
      });
    },

    ...packStampHandlers({ finished, keep: (context, job) => keep(deskOf(context), job), packTo }),

    trust: async ({ open }) => ({ files: await open.evidence.trust() }),
    async verifyLedger(context) {
      const desk = deskOf(context);
      if (desk.verifying)
        throw new TrailmixError('busy', { message: 'The ledger is being verified already', retryAfter: 5 });
      desk.verifying = true;
      try {
        return await context.open.evidence.verifyLedger();
      } finally {
        desk.verifying = false;
      }
    },

    cancelAll() {
      for (const { jobs } of desks.values())
        for (const job of jobs.values()) job.abort.abort(new TrailmixError('export_cancelled'));
    },
  };
}
