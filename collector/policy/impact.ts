/**
 * Impact: what a set or a draft would have decided on recorded decisions. Jobs live as long as this run of the collector, one
 * runs at a time; a finished one is saved as a signed record. Format: docs/spec/policy.md, "Deciding again".
 */
import { TrailmixError } from '../../core/api/errors.ts';
import type { InputOf, OutputOf, QueryOf } from '../../core/api/operations.ts';
import type { ImpactView, PolicyFile } from '../../core/api/policy_views.ts';
import { formatMicros, tsMicros, validTs } from '../../core/event/time.ts';
import type { JsonObject } from '../../core/proof/jcs.ts';
import { type ImpactStatement, reportSha256, sourcesSha256 } from '../../core/proof/policy.ts';
import type { Clock, Ids, Ledger, Source } from '../ports.ts';
import { sha256 } from '../sha256.ts';
import { DATA_PATH, type PolicyBundle } from './bundle.ts';
import { ImpactJob } from './impact_job.ts';
import type { RecordedDecisions } from './recorded.ts';
import { readsOf } from './session_state.ts';
import { cursorOf, type PolicySets } from './sets.ts';
import type { Signing } from './signing.ts';
import { loadSet } from './stored_set.ts';
import { ENTRY_QUERY, faultsOf, type PolicyWorkshop } from './workshop.ts';

const KEPT_JOBS = 20;
const DEFAULT_LAST = 40_000;
const PAGE = 50;
/** Rules of one explanation. */
const MOST_FIRED = 200;

type Held = {
  job: ImpactJob;
  view: Pick<ImpactView, 'id' | 'hash' | 'saved_set' | 'filter' | 'by' | 'started_at'> & {
    finished_at?: string;
    saved_seq?: number;
  };
  bundle: PolicyBundle;
  run?: Promise<void>;
};

export type ImpactDesk = {
  /** Throws busy while one runs, policy_unknown, policy_invalid, ts_invalid, input_invalid. */
  start(input: InputOf<'startImpact'> & { by: string }): Promise<ImpactView>;
  list(): OutputOf<'impacts'>;
  one(id: string): ImpactView;
  /** Resolves once its threads are gone. */
  cancel(id: string): Promise<ImpactView>;
  decisions(id: string, query: QueryOf<'impactDecisions'>): Promise<OutputOf<'impactDecisions'>>;
  explain(id: string, decision: string): Promise<OutputOf<'explainImpact'>>;
  save(
    id: string,
    input: Signing<ImpactStatement> & { message: string; source: Source },
  ): Promise<ImpactView>;
  close(): Promise<void>;
};

const timeOf = (text: string | undefined, name: string): number | null => {
  if (text === undefined) return null;
  if (!validTs(text)) throw new TrailmixError('ts_invalid', { where: `/filter/${name}` });
  return tsMicros(text);
};

export function createImpactDesk(options: {
  ledger: Pick<Ledger, 'read' | 'write' | 'stats' | 'readingThread'>;
  recorded: RecordedDecisions;
  sets: PolicySets;
  workshop: PolicyWorkshop;
  clock: Clock;
  ids: Ids;
}): ImpactDesk {
  const { ledger, recorded, sets, workshop, clock, ids } = options;
  const jobs = new Map<string, Held>();
  const running = new Set<Promise<void>>();
  const now = (): string => formatMicros(clock.now() * 1000);
  let starting = false;

  const held = (id: string): Held => {
    const found = jobs.get(id);
    if (found === undefined) throw new TrailmixError('impact_unknown', { where: '/id' });
    return found;
  };

  const reportOf = ({ job, view, bundle }: Held): JsonObject => {
    const { error: _, done: __, ...counts } = job.counts();
    return {
      v: 1,
      policy_hash: view.hash,
      sources_sha256: sourcesSha256(sha256, bundle.sources),
      filter: { ...view.filter },
      at: view.finished_at!,
      ...counts,
    } as unknown as JsonObject;
  };

  const viewOf = (one: Held): ImpactView => ({
    ...one.view,
    state: one.job.state,
    ...one.job.counts(),
    ...(one.job.state === 'done' && one.view.finished_at !== undefined
      ? { report_sha256: reportSha256(sha256, reportOf(one)) }
      : {}),
  });

  const bundleOf = async (
    hash: string | undefined,
    files: readonly PolicyFile[] | undefined,
  ): Promise<PolicyBundle> => {
    if ((hash === undefined) === (files === undefined))
      throw new TrailmixError('input_invalid', { where: '/hash', message: 'Give either hash or files' });
    if (hash !== undefined) return (await loadSet(ledger, hash)).bundle;
    const { set } = await sets.build(files!);
    return {
      version: 0,
      hash: set.hash,
      entrypoint: set.entrypoint,
      capabilities_sha256: set.capabilitiesSha256,
      wasm_sha256: set.wasmSha256,
      sources: set.files,
      wasm: new Uint8Array(set.wasm),
      data: set.files.find(({ path }) => path === DATA_PATH)?.text ?? '{}',
    };
  };

  return {
    async start({ hash, files, filter = {}, by }) {
      const plan = {
        app: filter.app ?? null,
        fromUs: timeOf(filter.from, 'from'),
        toUs: timeOf(filter.to, 'to'),
        last: filter.last ?? DEFAULT_LAST,
      };
      if (starting || running.size > 0) {
        const message = 'An impact job is running: wait for it or cancel it';
        throw new TrailmixError('busy', { message, retryAfter: 5 });
      }
      starting = true;
      try {
        const bundle = await bundleOf(hash, files);
        const reads = readsOf(
          bundle.sources.filter(({ path }) => !path.endsWith('_test.rego')),
          bundle.wasm,
        );
        const job = new ImpactJob({ ledger, recorded, bundle, reads });
        const one: Held = {
          job,
          bundle,
          view: {
            id: ids.id('imp'),
            hash: bundle.hash,
            saved_set: hash !== undefined,
            filter,
            by,
            started_at: now(),
          },
        };
        jobs.set(one.view.id, one);
        while (jobs.size > KEPT_JOBS) jobs.delete(jobs.keys().next().value!);
        const run = job.run(plan).finally(() => {
          one.view.finished_at = now();
          running.delete(run);
        });
        one.run = run;
        running.add(run);
        return viewOf(one);
      } finally {
        starting = false;
      }
    },
    list() {
      const items = [...jobs.values()].reverse().map(viewOf);
      return { items, total: items.length };
    },
    one: id => viewOf(held(id)),
    async cancel(id) {
      const one = held(id);
      one.job.cancel();
      await one.run;
      return viewOf(one);
    },
    async decisions(id, { from, to, cursor, limit = PAGE }) {
      const seqs = held(id).job.behind(from, to);
      const before = cursorOf(cursor);
      const rest = seqs.filter(seq => seq < before);
      const shown = rest.slice(0, limit);
      const rows = await recorded.at(shown);
      return {
        items: rows.map(({ decision_id, seq, run_id, app_id, action, at }) => ({
          decision_id,
          seq,
          run_id,
          app_id,
          action,
          at,
          from,
          to,
        })),
        total: seqs.length,
        ...(rest.length > limit ? { next: String(shown.at(-1)) } : {}),
      };
    },
    async explain(id, decision) {
      const { bundle } = held(id);
      const row = await recorded.input(decision);
      const base = { decision: row.decision, rerun: true as const };
      if (row.input === undefined) {
        const message = `The decision cannot be made again: ${row.missing}`;
        return { ...base, fired: [], diagnostics: [{ code: row.missing!, severity: 'error', message }] };
      }
      const { tools } = await workshop.toolchain();
      const files = bundle.sources.filter(
        ({ path }) => path.endsWith('.rego') && !path.endsWith('_test.rego'),
      );
      const answer = await tools.why(files, {
        rule: ENTRY_QUERY,
        input: row.input,
        data: JSON.parse(bundle.data) as unknown,
      });
      if (!answer.ok) return { ...base, fired: [], diagnostics: faultsOf(files, answer) };
      return {
        ...base,
        ...('result' in answer ? { result: answer.result } : {}),
        fired: answer.rules
          .filter(({ fired }) => fired > 0)
          .slice(0, MOST_FIRED)
          .map(({ rule, path, row: line, head }) => ({ rule, path, row: line, head })),
        diagnostics: [],
      };
    },
    async save(id, input) {
      const one = held(id);
      if (one.job.state !== 'done' || one.view.finished_at === undefined)
        throw new TrailmixError('impact_unfinished', { where: '/id' });
      if (one.view.saved_seq === undefined) {
        const { seq } = await ledger.write.run('savePolicyImpact', { ...input, report: reportOf(one) });
        one.view.saved_seq = seq;
      }
      return viewOf(one);
    },
    async close() {
      for (const { job } of jobs.values()) job.cancel();
      await Promise.all(running);
    },
  };
}
