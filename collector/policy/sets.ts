/**
 * Saved policy sets and environments as the page sees them: check, test and build what came, save it signed, list what is there.
 * Rules: a set is built here and named by its policy_hash over all files, tests included; what was prepared is kept for a
 * short while so that saving does not build twice; activation is the desk's. Format: docs/spec/policy.md.
 */
import { TrailmixError } from '../../core/api/errors.ts';
import type { OutputOf } from '../../core/api/operations.ts';
import {
  type Environment,
  type EnvironmentView,
  environments,
  type PolicyFile,
  type PolicySetView,
  type PolicyVersionView,
  type TestCounts,
} from '../../core/api/policy_views.ts';
import { validTs } from '../../core/event/time.ts';
import { hex, utf8 } from '../../core/proof/bytes.ts';
import { type PolicyStatement, sourcesSha256 } from '../../core/proof/policy.ts';
import type { Ledger, Source } from '../ports.ts';
import { sha256 } from '../sha256.ts';
import { ENTRYPOINT, makeBundle, type PolicySource } from './bundle.ts';
import type { SetParts } from './command_types.ts';
import type { Candidate, Pending } from './commands.ts';
import { FOUR_EYES_SETTING } from './commands.ts';
import type { PolicyDesk } from './desk.ts';
import type { Signed, Signing } from './signing.ts';
import { setParts } from './stored_set.ts';
import { countsOf, faultsOf, NO_TESTS, type PolicyWorkshop, textsOf } from './workshop.ts';

/** Bytes of a module. */
export const MOST_WASM = 16 * 1024 * 1024;
/** Prepared sets that are kept for saving, by the digest of their sources. */
const KEPT = 8;
const PAGE = 50;

export type Built = { set: SetParts; tests: OutputOf<'preparePolicySet'>['tests']; counts: TestCounts };

export type PolicySets = {
  prepare(files: readonly PolicyFile[]): Promise<OutputOf<'preparePolicySet'>>;
  /** Built within the capabilities. Throws policy_invalid with the first fault. */
  build(files: readonly PolicyFile[]): Promise<Built>;
  save(
    input: Signing<PolicyStatement> & { files: readonly PolicyFile[]; message: string; source: Source },
  ): Promise<PolicySetView>;
  list(query: { cursor?: string; limit?: number }): Promise<OutputOf<'policySets'>>;
  one(hash: string): Promise<OutputOf<'policySet'>>;
  environments(): Promise<EnvironmentView[]>;
  environment(name: Environment): Promise<EnvironmentView>;
  changeFourEyes(names: readonly Environment[], by: string): Promise<Environment[]>;
  versions(query: {
    environment?: Environment;
    cursor?: string;
    limit?: number;
  }): Promise<OutputOf<'policyVersions'>>;
  at(query: { seq?: number; time?: string; environment?: Environment }): Promise<PolicyVersionView>;
  differences(
    environment: Environment,
    query: { cursor?: string; limit?: number },
  ): Promise<OutputOf<'shadowDifferences'>>;
};

type SetRow = {
  hash: string;
  saved_at: string;
  saved_by: string;
  message: string;
  tests: string;
  signed: string | null;
  seq: number;
  built_in: number;
  files: number;
  n: number;
};
type WholeRow = SetRow & { texts: string; entrypoint: string };
type EnvironmentRow = {
  name: Environment;
  version: number;
  /** Empty while its first policy waits for a second signature; all of the version is null then. */
  hash: string;
  pending: string | null;
  candidate: string | null;
  since: string;
  by: string;
  signed_in: 'none' | 'page' | 'collector';
  message: string;
  seq: number;
};
type VersionRow = {
  version: number;
  hash: string;
  environment: Environment;
  activated_at: string;
  activated_by: string;
  seq: number;
};

const versionView = (row: VersionRow): PolicyVersionView => ({
  environment: row.environment,
  version: row.version,
  hash: row.hash,
  since: row.activated_at,
  by: row.activated_by,
  seq: row.seq,
});

/** Throws input_invalid. */
export function cursorOf(cursor: string | undefined): number {
  if (cursor === undefined) return Number.MAX_SAFE_INTEGER;
  if (!/^[0-9]{1,15}$/.test(cursor)) throw new TrailmixError('input_invalid', { where: 'query:/cursor' });
  return Number(cursor);
}

/** Cuts a list that was read with one row too many. */
export function pageOf<R>(rows: R[], limit: number, place: (row: R) => number): { rows: R[]; next?: string } {
  if (rows.length <= limit) return { rows };
  const shown = rows.slice(0, limit);
  return { rows: shown, next: String(place(shown.at(-1)!)) };
}

export function createPolicySets(options: {
  ledger: Pick<Ledger, 'read' | 'write'>;
  workshop: PolicyWorkshop;
  desk: Pick<PolicyDesk, 'flushShadow'>;
}): PolicySets {
  const { ledger, workshop, desk } = options;
  const { read, write } = ledger;
  const kept = new Map<string, Built>();

  const sourcesOf = (files: readonly PolicyFile[]): string =>
    sourcesSha256(
      sha256,
      files.map(({ path, text }) => ({ path, sha256: hex(sha256(utf8(text))) })),
    );

  const prepareOrFault = async (
    files: readonly PolicyFile[],
  ): Promise<Built | { diagnostics: OutputOf<'preparePolicySet'>['diagnostics'] }> => {
    const sources = sourcesOf(files);
    const known = kept.get(sources);
    if (known !== undefined) return known;
    const texts = textsOf(files);
    if ('fault' in texts) return { diagnostics: [texts.fault] };
    const { tools, capabilities } = await workshop.toolchain();
    const checked = await tools.check(texts.rego);
    if (!checked.ok) return { diagnostics: faultsOf(files, checked) };
    const data = 'data' in texts ? { data: texts.data } : {};
    const tested = await tools.test(texts.rego, data);
    if (!tested.ok) return { diagnostics: faultsOf(files, tested) };
    const built = await tools.build(texts.rego, ENTRYPOINT);
    if (!built.ok) return { diagnostics: faultsOf(files, built) };
    if (built.wasm.length > MOST_WASM) {
      const message = `The module has ${built.wasm.length} bytes; at most ${MOST_WASM}`;
      return { diagnostics: [{ code: 'module_too_large', severity: 'error', message }] };
    }
    const bundle = makeBundle({
      version: 0,
      entrypoint: ENTRYPOINT,
      capabilities,
      wasm: built.wasm,
      files: files.map(({ path, text }) => ({ path, text })),
    });
    const made: Built = {
      set: setParts(bundle),
      tests: tested.tests,
      counts: countsOf(tested.tests, tested.coverage.coverage),
    };
    kept.set(sources, made);
    while (kept.size > KEPT) kept.delete(kept.keys().next().value!);
    return made;
  };

  const build = async (files: readonly PolicyFile[]): Promise<Built> => {
    const made = await prepareOrFault(files);
    if (!('diagnostics' in made)) return made;
    const [first] = made.diagnostics;
    const place = first?.path === undefined ? '' : `${first.path}:${first.row ?? 1}: `;
    throw new TrailmixError('policy_invalid', {
      where: '/files',
      message: `${place}${first?.message ?? ''}`,
    });
  };

  const rows = (): Promise<EnvironmentRow[]> => read.query<EnvironmentRow>('policy.environments');
  const candidateOf = (row: EnvironmentRow): Candidate | undefined =>
    row.candidate === null ? undefined : (JSON.parse(row.candidate) as Candidate);

  const setView = (row: SetRow, places: readonly EnvironmentRow[]): PolicySetView => ({
    hash: row.hash,
    saved_at: row.saved_at,
    by: row.saved_by,
    message: row.message,
    signed_in: row.signed === null ? 'none' : (JSON.parse(row.signed) as Signed).signed_in,
    tests: JSON.parse(row.tests) as TestCounts,
    files: row.files,
    ...(row.built_in === 1 ? { built_in: true } : { seq: row.seq }),
    active: places.filter(({ hash }) => hash === row.hash).map(({ name }) => name),
    candidate: places.filter(place => candidateOf(place)?.hash === row.hash).map(({ name }) => name),
  });

  const fourEyes = async (): Promise<Environment[]> => {
    const [row] = await read.query<{ value: string }>('policy.fourEyes');
    return row === undefined ? [] : (JSON.parse(row.value) as Environment[]);
  };

  const environmentView = (
    name: Environment,
    row: EnvironmentRow | undefined,
    four: readonly Environment[],
  ): EnvironmentView => {
    if (row === undefined) return { name, four_eyes: four.includes(name) };
    const run = candidateOf(row);
    const pending = row.pending === null ? undefined : (JSON.parse(row.pending) as Pending);
    const { hash, version, since, by, signed_in, message, seq } = row;
    return {
      name,
      ...(hash === '' ? {} : { active: { hash, version, since, by, signed_in, message, seq } }),
      ...(run === undefined
        ? {}
        : {
            candidate: {
              hash: run.hash,
              since: run.since,
              by: run.by,
              compared: run.compared,
              differing: run.differing,
              dropped: run.dropped,
              cells: run.cells,
            },
          }),
      ...(pending === undefined
        ? {}
        : {
            pending: { hash: pending.hash, by: pending.by, at: pending.at, message: pending.message },
          }),
      four_eyes: four.includes(name),
    };
  };

  const views = async (): Promise<EnvironmentView[]> => {
    const [all, four] = await Promise.all([rows(), fourEyes()]);
    return environments.map(name =>
      environmentView(
        name,
        all.find(row => row.name === name),
        four,
      ),
    );
  };
  const environment = async (name: Environment): Promise<EnvironmentView> =>
    (await views()).find(view => view.name === name)!;

  const whole = async (hash: string): Promise<WholeRow> => {
    const [row] = await read.query<WholeRow>('policy.set', { hash });
    if (row === undefined) throw new TrailmixError('policy_unknown', { where: '/hash' });
    return row;
  };

  const first = async (name: string, parameters: Record<string, unknown>): Promise<PolicyVersionView> => {
    const [row] = await read.query<VersionRow>(name, parameters);
    if (row === undefined)
      throw new TrailmixError('policy_unknown', { message: 'No policy was in force then' });
    return versionView(row);
  };

  return {
    async prepare(files) {
      const made = await prepareOrFault(files);
      const sources_sha256 = sourcesOf(files);
      if ('diagnostics' in made)
        return { ok: false, diagnostics: made.diagnostics, sources_sha256, tests: [], counts: NO_TESTS };
      const { set, tests, counts } = made;
      return { ok: true, diagnostics: [], policy_hash: set.hash, sources_sha256, tests, counts };
    },
    build,
    async save({ files, ...signing }) {
      const { set, counts } = await build(files);
      await write.run('savePolicySet', { ...signing, set, tests: counts });
      const [row, places] = await Promise.all([whole(set.hash), rows()]);
      return setView(row, places);
    },
    async list({ cursor, limit = PAGE }) {
      const parameters = { before: cursorOf(cursor), limit: limit + 1 };
      const [found, places, [count]] = await Promise.all([
        read.query<SetRow>('policy.sets', parameters),
        rows(),
        read.query<{ total: number }>('policy.count'),
      ]);
      const { rows: shown, next } = pageOf(found, limit, row => row.n);
      return {
        items: shown.map(row => setView(row, places)),
        total: count?.total ?? 0,
        ...(next === undefined ? {} : { next }),
      };
    },
    async one(hash) {
      const [row, places] = await Promise.all([whole(hash), rows()]);
      const signed = row.signed === null ? undefined : (JSON.parse(row.signed) as Signed);
      return {
        set: setView(row, places),
        entrypoint: row.entrypoint,
        files: JSON.parse(row.texts) as PolicySource[],
        ...(signed === undefined ? {} : { statement: signed.statement, signature: signed.signature }),
      };
    },
    environments: views,
    environment,
    async changeFourEyes(names, by) {
      const value = environments.filter(name => names.includes(name));
      await write.run('changeSettings', { changes: { [FOUR_EYES_SETTING]: value }, by });
      return value;
    },
    async versions({ environment: name, cursor, limit = PAGE }) {
      const of = { environment: name ?? null };
      const [found, [count]] = await Promise.all([
        read.query<VersionRow>('policy.versions', { ...of, before: cursorOf(cursor), limit: limit + 1 }),
        read.query<{ total: number }>('policy.versionCount', of),
      ]);
      const { rows: shown, next } = pageOf(found, limit, row => row.version);
      return {
        items: shown.map(versionView),
        total: count?.total ?? 0,
        ...(next === undefined ? {} : { next }),
      };
    },
    async at({ seq, time, environment: name = 'prod' }) {
      if ((seq === undefined) === (time === undefined))
        throw new TrailmixError('input_invalid', { where: 'query:/seq', message: 'Give seq or time' });
      if (time !== undefined) {
        if (!validTs(time)) throw new TrailmixError('input_invalid', { where: 'query:/time' });
        const micros = time.replace(
          /(?:\.(\d+))?Z$/,
          (_, digits = '') => `.${digits.padEnd(6, '9').slice(0, 6)}Z`,
        );
        return first('policy.atTime', { environment: name, time: micros });
      }
      const [cited] = await read.query<{ version: number | null }>('policy.cited', { seq });
      if (cited?.version != null && cited.version > 0)
        return first('policy.byVersion', { version: cited.version });
      return first('policy.atSeq', { environment: name, seq });
    },
    async differences(name, { cursor, limit = PAGE }) {
      await desk.flushShadow(name);
      const view = await environment(name);
      if (view.candidate === undefined)
        throw new TrailmixError('policy_unknown', { message: 'No candidate runs in shadow here' });
      const [found, [count]] = await Promise.all([
        read.query<DifferenceRow>('policy.differences', {
          environment: name,
          before: cursorOf(cursor),
          limit: limit + 1,
        }),
        read.query<{ total: number }>('policy.differenceCount', { environment: name }),
      ]);
      const { rows: shown, next } = pageOf(found, limit, row => row.id);
      const { hash, compared, differing, dropped } = view.candidate;
      return {
        hash,
        compared,
        differing,
        dropped,
        items: shown.map(({ id: _, reasons, ...row }) => ({
          ...row,
          reasons: JSON.parse(reasons) as string[],
        })),
        total: count?.total ?? 0,
        ...(next === undefined ? {} : { next }),
      };
    },
  };
}

type Word = 'allow' | 'deny' | 'approve' | 'failed';
type DifferenceRow = {
  id: number;
  decision_id: string;
  seq: number;
  run_id: string;
  app_id: string;
  action: string;
  at: string;
  active: Word;
  candidate: Word;
  reasons: string;
};
