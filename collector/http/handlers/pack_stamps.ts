/**
 * Stamps of finished packs: by file, or from the configured authorities. Also of one that was exported before and is brought
 * back. One change of a pack at a time (collector/evidence/stamping.ts does the work).
 */
import { randomUUID } from 'node:crypto';
import { TrailmixError } from '../../../core/api/errors.ts';
import type { Handlers, OpenContext } from '../handler.ts';
import type { Job } from './evidence.ts';

export type PackStamps = 'bringPack' | 'packTimestampRequest' | 'packTimestampImport' | 'packTimestampNow';

// Loaded where a pack is stamped: an idle collector does without ASN.1.
const stamping = () => import('../../evidence/stamping.ts');
const bytes = (text: string): Uint8Array => Buffer.from(text, 'base64');

export function packStampHandlers({
  finished,
  keep,
  packTo,
}: {
  /** Throws export_unknown. */
  finished(context: OpenContext, id: string): Job;
  keep(context: OpenContext, job: Job): Promise<void>;
  /** A new place for a pack. */
  packTo(context: OpenContext): Promise<string>;
}): Pick<Handlers, PackStamps> {
  const changing = new Set<Job>();

  /** Puts one reply in, and says it of the job. */
  const put = async (
    { open }: OpenContext,
    { view, file }: Job,
    given: { request: Uint8Array; reply: Uint8Array },
  ): Promise<void> => {
    const { roots } = await open.evidence.anchors.authorities();
    const { stampPack, factsOf } = await stamping();
    const stamp = await stampPack(file, { ...given, ...(roots === '' ? {} : { roots }) });
    const told = {
      over: stamp.over,
      time: new Date(stamp.time).toISOString(),
      authority: stamp.authority,
    };
    view.stamps = [...(view.stamps ?? []).filter(({ over }) => over !== stamp.over), told];
    if (view.pack !== undefined) Object.assign(view.pack, await factsOf(file));
  };

  const alone = async (job: Job, work: () => Promise<void>): Promise<Job['view']> => {
    if (changing.has(job))
      throw new TrailmixError('busy', { message: 'This pack is being stamped already', retryAfter: 2 });
    changing.add(job);
    try {
      await work();
      return job.view;
    } finally {
      changing.delete(job);
    }
  };

  return {
    async bringPack(context, { query, stream }) {
      const { takePack } = await import('../../evidence/brought_pack.ts');
      const { ledger } = context.open;
      const file = await packTo(context);
      const pack = await takePack(stream, file, ledger);
      const name = (query.name ?? '').replaceAll(/[^A-Za-z0-9._-]/g, '_');
      const job: Job = {
        view: {
          id: randomUUID(),
          app_id: pack.app_id,
          state: 'done',
          step: 'done',
          done: 0,
          total: 0,
          brought: true,
          pack: { ...pack.facts, file: /.\.zip$/i.test(name) ? name : `${pack.app_id}.zip` },
        },
        abort: new AbortController(),
        file,
      };
      await keep(context, job);
      return job.view;
    },

    async packTimestampRequest(context, { params, input }) {
      const { file } = finished(context, params.id);
      const request = await (await stamping()).requestFor(file, input.over);
      return { request: Buffer.from(request).toString('base64') };
    },

    packTimestampImport(context, { params, input }) {
      const job = finished(context, params.id);
      return alone(job, () =>
        put(context, job, { request: bytes(input.request), reply: bytes(input.reply) }),
      );
    },

    packTimestampNow(context, { params }) {
      const job = finished(context, params.id);
      return alone(job, async () => {
        const { requestFor } = await stamping();
        // The signature first: checksums.txt does not list it, so the second stamp stays right.
        for (const over of ['signature', 'pack'] as const) {
          const request = await requestFor(job.file, over);
          const { reply } = await context.open.evidence.anchors.ask(request);
          await put(context, job, { request, reply });
        }
      });
    },
  };
}
