/**
 * Writer commands on policies: each row with its record, in one transaction. Checks and records: docs/spec/policy.md.
 * No module is judged here: it was loaded before (engine.ts), and what is stored is named by its hash.
 */

import { TrailmixError } from '../../core/api/errors.ts';
import type { Environment, TestCounts } from '../../core/api/policy_views.ts';
import { isOwnRequest, POLICY_ROLE, planImpact, planPolicy } from '../../core/pack/policy_rules.ts';
import type { JsonObject } from '../../core/proof/jcs.ts';
import { reportSha256 } from '../../core/proof/policy.ts';
import { LEDGER_APP } from '../../core/proof/record.ts';
import type { CommandTable, WriteTx } from '../ledger/tx.ts';
import { hasAnotherWithRole } from '../people/standing.ts';
import type { Source } from '../ports.ts';
import { sha256 } from '../sha256.ts';
import type { PolicyCommands, SetParts, ShadowCounts } from './command_types.ts';
import { checkSigned, type Signed } from './signing.ts';

export const FOUR_EYES_SETTING = 'policy_four_eyes';
/** Characters of all texts up to which `policy.activated` carries them itself. */
const TEXTS_IN_RECORD = 32 * 1024;
/** Differences of a shadow run that are kept. */
export const KEPT_DIFFERENCES = 1000;

type EnvironmentRow = {
  name: Environment;
  version: number;
  /** Empty while its first policy waits for a second signature. */
  hash: string;
  pending: string | null;
  candidate: string | null;
};
type SetRow = {
  hash: string;
  entrypoint: string;
  capabilities_sha256: string;
  wasm_sha256: string;
  sources_sha256: string;
  files: string;
  tests: string;
  built_in: number;
  /** Of policy.saved. */
  seq: number;
  saved_by: string;
};
export type Pending = {
  hash: string;
  by: string;
  at: string;
  message: string;
  replaces: string;
  signed: Signed;
};
/** `told`: what events have said already, and since when they have not. */
export type Candidate = ShadowCounts & {
  hash: string;
  since: string;
  by: string;
  against: string;
  told: ShadowCounts & { at: string };
};

export const NO_COUNTS: ShadowCounts = { compared: 0, differing: 0, dropped: 0, cells: {} };

const environmentRow = (tx: WriteTx, name: Environment): EnvironmentRow | undefined =>
  tx.db.prepare<[string], EnvironmentRow>('SELECT * FROM policy_environment WHERE name = ?').get(name);

const setRow = (tx: WriteTx, hash: string): SetRow => {
  const row = tx.db
    .prepare<[string], SetRow>(
      `SELECT hash, entrypoint, capabilities_sha256, wasm_sha256, sources_sha256, files, tests, built_in, seq, saved_by
       FROM policy_set WHERE hash = ?`,
    )
    .get(hash);
  if (row === undefined) throw new TrailmixError('policy_unknown', { where: '/hash' });
  return row;
};

export function fourEyes(tx: WriteTx, environment: Environment): boolean {
  const row = tx.db
    .prepare<[string], { value: string }>('SELECT value FROM setting WHERE name = ?')
    .get(FOUR_EYES_SETTING);
  return row !== undefined && (JSON.parse(row.value) as string[]).includes(environment);
}

function insertSet(
  tx: WriteTx,
  set: SetParts,
  more: {
    tests: TestCounts;
    message: string;
    by: string;
    at: string;
    seq: number;
    signed?: Signed | undefined;
    builtIn: boolean;
  },
): void {
  tx.db
    .prepare(
      `INSERT INTO policy_set (hash, entrypoint, capabilities_sha256, wasm_sha256, sources_sha256, files, wasm, tests, message,
         saved_at, saved_by, signed, seq, built_in) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      set.hash,
      set.entrypoint,
      set.capabilitiesSha256,
      set.wasmSha256,
      set.sourcesSha256,
      JSON.stringify(set.files),
      set.wasm,
      JSON.stringify(more.tests),
      more.message,
      more.at,
      more.by,
      more.signed === undefined ? null : JSON.stringify(more.signed),
      more.seq,
      more.builtIn ? 1 : 0,
    );
}

type Activation = {
  environment: Environment;
  by: string;
  message?: string | undefined;
  signed: Signed[];
  source?: Parameters<WriteTx['append']>[0]['source'];
};

/** The record and the rows of an activation. Answers the version. */
function activate(tx: WriteTx, set: SetRow, how: Activation): { version: number; seq: number; at: string } {
  const { environment, by, message = '', signed, source } = how;
  const before = environmentRow(tx, environment);
  const { last } = tx.db
    .prepare<[], { last: number | null }>('SELECT max(version) AS last FROM policy_version')
    .get()!;
  const version = (last ?? 0) + 1;
  const files = JSON.parse(set.files) as { path: string; sha256: string; text: string }[];
  const small = files.reduce((sum, { text }) => sum + text.length, 0) < TEXTS_IN_RECORD;
  const { seq, receivedAt } = tx.append({
    appId: LEDGER_APP,
    eventType: 'policy.activated',
    ...(source === undefined ? {} : { source }),
    members: {
      name:
        environment === 'prod' ? `Policy version ${version}` : `Policy version ${version} in ${environment}`,
      policy: {
        version,
        hash: set.hash,
        entrypoint: set.entrypoint,
        capabilities_sha256: set.capabilities_sha256,
        wasm_sha256: set.wasm_sha256,
        files: small ? files : files.map(({ path, sha256: hash }) => ({ path, sha256: hash })),
        ...(set.built_in === 1 ? { built_in: true } : { saved_seq: set.seq }),
        ...(environment === 'prod' ? {} : { environment }),
        ...((before?.hash ?? '') === '' ? {} : { replaces: before!.hash }),
        ...(message === '' ? {} : { message }),
      },
      by,
      ...(signed.length === 0 ? {} : { signed: signed as unknown as JsonObject[] }),
    },
  });
  tx.db
    .prepare(
      `INSERT INTO policy_version (version, hash, entrypoint, capabilities_sha256, wasm_sha256, files, activated_at,
         activated_by, seq, environment, message, signed_in) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      version,
      set.hash,
      set.entrypoint,
      set.capabilities_sha256,
      set.wasm_sha256,
      set.files,
      receivedAt,
      by,
      seq,
      environment,
      message,
      signed.at(-1)?.signed_in ?? 'none',
    );
  tx.db
    .prepare(
      `INSERT INTO policy_environment (name, version, hash) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET version = excluded.version, hash = excluded.hash, pending = NULL`,
    )
    .run(environment, version, set.hash);
  return { version, seq, at: receivedAt };
}

/** The record that a proposal waits no longer. `overtakenBy`: the set that another person proposed in its place. */
function endProposal(
  tx: WriteTx,
  proposal: { environment: Environment; hash: string; by: string; source: Source },
  overtakenBy?: string,
): void {
  const { environment, hash, by, source } = proposal;
  const overtaken = overtakenBy === undefined ? {} : { overtaken_by: overtakenBy };
  tx.append({
    appId: LEDGER_APP,
    eventType: 'policy.withdrawn',
    source,
    members: {
      name: `Policy for ${environment} ${overtakenBy === undefined ? 'withdrawn' : 'overtaken'}`,
      policy: { hash, environment, ...overtaken },
      by,
    },
  });
}

/** Ends the shadow run that there is, or tells what came since the last event; nothing where nothing came. */
function tellShadow(tx: WriteTx, environment: Environment, run: Candidate, ended: boolean): void {
  const { told } = run;
  const cells = Object.fromEntries(
    Object.entries(run.cells)
      .map(([cell, count]) => [cell, count - (told.cells[cell] ?? 0)] as const)
      .filter(([, count]) => count > 0),
  );
  const compared = run.compared - told.compared;
  const dropped = run.dropped - told.dropped;
  if (compared === 0 && dropped === 0 && !ended) return;
  tx.append({
    appId: LEDGER_APP,
    eventType: 'policy.shadowed',
    members: {
      name: `Shadow run in ${environment}`,
      shadow: {
        hash: run.hash,
        environment,
        against: run.against,
        from: told.at,
        to: tx.receivedAt(),
        compared,
        differing: run.differing - told.differing,
        dropped,
        cells,
        ...(ended ? { ended } : {}),
      },
    },
  });
}

const keepCandidate = (tx: WriteTx, environment: Environment, run: Candidate | null): void => {
  tx.db
    .prepare('UPDATE policy_environment SET candidate = ? WHERE name = ?')
    .run(run === null ? null : JSON.stringify(run), environment);
};

/** An activation ends what is told of the run against the former policy: counts of two must not mix. */
function turnShadow(tx: WriteTx, environment: Environment, against: string): void {
  const row = environmentRow(tx, environment);
  if (row?.candidate == null) return;
  const run = JSON.parse(row.candidate) as Candidate;
  tellShadow(tx, environment, run, false);
  const { compared, differing, dropped, cells } = run;
  keepCandidate(tx, environment, {
    ...run,
    against,
    told: { compared, differing, dropped, cells, at: tx.receivedAt() },
  });
}

export const policyCommands: Pick<CommandTable, keyof PolicyCommands> = {
  savePolicySet(tx, input) {
    const { set, tests, bundle, message, by, source } = input;
    const known = tx.db
      .prepare<[string], { hash: string }>('SELECT hash FROM policy_set WHERE hash = ?')
      .get(set.hash);
    if (known !== undefined) return { hash: set.hash, existed: true };
    const signed = checkSigned(
      tx,
      input,
      {
        act: 'save',
        environment: '',
        message,
        policy_hash: set.hash,
        replaces: '',
        sources_sha256: set.sourcesSha256,
      },
      planPolicy,
    );
    const { seq, receivedAt } = tx.append({
      appId: LEDGER_APP,
      eventType: 'policy.saved',
      source,
      members: {
        name: `Policy set ${set.hash.slice(0, 12)}`,
        policy: {
          hash: set.hash,
          entrypoint: set.entrypoint,
          capabilities_sha256: set.capabilitiesSha256,
          wasm_sha256: set.wasmSha256,
          sources_sha256: set.sourcesSha256,
          message,
          tests: { ...tests },
        },
        files: set.files,
        by,
        ...(bundle === undefined ? {} : { bundle: bundle as unknown as JsonObject }),
        ...(signed === undefined ? {} : { signed: [signed as unknown as JsonObject] }),
      },
    });
    insertSet(tx, set, { tests, message, by, at: receivedAt, seq, signed, builtIn: false });
    return { hash: set.hash, existed: false };
  },

  activateBuiltIn(tx, { set, environment }) {
    const known = tx.db.prepare<[string], SetRow>('SELECT * FROM policy_set WHERE hash = ?').get(set.hash);
    const row = environmentRow(tx, environment);
    const active =
      row === undefined
        ? undefined
        : tx.db
            .prepare<[string], { built_in: number }>('SELECT built_in FROM policy_set WHERE hash = ?')
            .get(row.hash);
    const stays = row !== undefined && (row.hash === set.hash || active?.built_in === 0);
    const parts: SetRow = known ?? {
      hash: set.hash,
      entrypoint: set.entrypoint,
      capabilities_sha256: set.capabilitiesSha256,
      wasm_sha256: set.wasmSha256,
      sources_sha256: set.sourcesSha256,
      files: JSON.stringify(set.files),
      tests: '',
      built_in: 1,
      seq: 0,
      saved_by: 'collector',
    };
    const at = stays ? undefined : activate(tx, parts, { environment, by: 'collector', signed: [] });
    if (known === undefined) {
      const first = tx.db
        .prepare<[string], { seq: number; at: string }>(
          'SELECT seq, activated_at AS at FROM policy_version WHERE hash = ? ORDER BY version LIMIT 1',
        )
        .get(set.hash);
      const { seq } = first ?? { seq: 0 };
      insertSet(tx, set, {
        tests: { passed: 0, failed: 0, skipped: 0, percent: 100 },
        message: 'The policy that the app ships with',
        by: 'collector',
        at: first?.at ?? tx.receivedAt(),
        seq,
        builtIn: true,
      });
    }
    return at === undefined
      ? { version: row!.version, hash: row!.hash }
      : { version: at.version, hash: set.hash };
  },

  activatePolicy(tx, input) {
    const { hash, environment, message, by, source } = input;
    const set = setRow(tx, hash);
    const tests = JSON.parse(set.tests) as TestCounts;
    if (set.built_in === 0 && (tests.passed === 0 || tests.failed > 0)) {
      const why = tests.failed > 0 ? `${tests.failed} of its tests failed` : 'It has no tests';
      throw new TrailmixError('policy_untested', { where: '/hash', message: why });
    }
    const row = environmentRow(tx, environment);
    const inForce = row?.hash ?? '';
    if (input.replaces !== undefined && input.replaces !== inForce) {
      throw new TrailmixError('policy_stale', {
        where: '/replaces',
        message: `In force is ${inForce === '' ? 'nothing' : inForce}`,
      });
    }
    const signed = checkSigned(
      tx,
      input,
      {
        act: 'activate',
        environment,
        message,
        policy_hash: hash,
        replaces: inForce,
        sources_sha256: set.sources_sha256,
      },
      planPolicy,
    );
    if (row !== undefined && row.hash === hash) return { state: 'active', version: row.version, hash };
    const pending = row?.pending == null ? undefined : (JSON.parse(row.pending) as Pending);
    const signatures = signed === undefined ? [] : [signed];
    if (signed !== undefined && fourEyes(tx, environment)) {
      const author = set.built_in === 1 ? undefined : set.saved_by;
      const isSecond = pending?.hash === hash && pending.replaces === inForce;
      if (!isSecond) {
        if (!hasAnotherWithRole(tx.db, tx.tenantId, POLICY_ROLE, [by, author ?? '']))
          throw new TrailmixError('policy_no_second');
        if (pending !== undefined) endProposal(tx, { environment, hash: pending.hash, by, source }, hash);
        const { receivedAt } = tx.append({
          appId: LEDGER_APP,
          eventType: 'policy.proposed',
          source,
          members: {
            name: `Policy proposed for ${environment}`,
            policy: { hash, environment, replaces: inForce, message },
            by,
            signed: [signed as unknown as JsonObject],
          },
        });
        const waits: Pending = { hash, by, at: receivedAt, message, replaces: inForce, signed };
        tx.db
          .prepare(
            `INSERT INTO policy_environment (name, version, hash, pending) VALUES (?, 0, '', ?)
             ON CONFLICT DO UPDATE SET pending = excluded.pending`,
          )
          .run(environment, JSON.stringify(waits));
        return { state: 'pending' };
      }
      if (isOwnRequest(by, pending.by, author)) throw new TrailmixError('policy_own_request');
      signatures.unshift(pending.signed);
    }
    turnShadow(tx, environment, hash);
    const { version } = activate(tx, set, { environment, by, message, signed: signatures, source });
    return { state: 'active', version, hash };
  },

  withdrawActivation(tx, { environment, by, source }) {
    const row = environmentRow(tx, environment);
    if (row?.pending == null)
      throw new TrailmixError('policy_unknown', { message: 'Nothing is pending here' });
    const { hash } = JSON.parse(row.pending) as Pending;
    endProposal(tx, { environment, hash, by, source });
    tx.db.prepare('UPDATE policy_environment SET pending = NULL WHERE name = ?').run(environment);
    return {};
  },

  setCandidate(tx, { environment, hash, by, source }) {
    const row = environmentRow(tx, environment);
    const run = row?.candidate == null ? undefined : (JSON.parse(row.candidate) as Candidate);
    if (hash === undefined && run === undefined)
      throw new TrailmixError('policy_unknown', { message: 'No candidate runs in shadow here' });
    if (hash !== undefined) setRow(tx, hash);
    if (row === undefined || row.hash === '')
      throw new TrailmixError('policy_unknown', { message: 'Nothing is in force here' });
    if (run !== undefined) tellShadow(tx, environment, run, true);
    tx.db.prepare('DELETE FROM policy_difference WHERE environment = ?').run(environment);
    if (hash === undefined) {
      keepCandidate(tx, environment, null);
      return {};
    }
    const { receivedAt } = tx.append({
      appId: LEDGER_APP,
      eventType: 'policy.candidate',
      source,
      members: {
        name: `Shadow run in ${environment}`,
        policy: { hash, environment, against: row.hash },
        by,
      },
    });
    keepCandidate(tx, environment, {
      hash,
      since: receivedAt,
      by,
      against: row.hash,
      ...NO_COUNTS,
      told: { ...NO_COUNTS, at: receivedAt },
    });
    return {};
  },

  shadowCounted(tx, { environment, hash, counts, differences, tell }) {
    const row = environmentRow(tx, environment);
    const run = row?.candidate == null ? undefined : (JSON.parse(row.candidate) as Candidate);
    if (run === undefined || run.hash !== hash) return {};
    const cells = { ...run.cells };
    for (const [cell, count] of Object.entries(counts.cells)) cells[cell] = (cells[cell] ?? 0) + count;
    const now: Candidate = {
      ...run,
      compared: run.compared + counts.compared,
      differing: run.differing + counts.differing,
      dropped: run.dropped + counts.dropped,
      cells,
    };
    if (tell) {
      tellShadow(tx, environment, now, false);
      const { compared, differing, dropped } = now;
      now.told = { compared, differing, dropped, cells, at: tx.receivedAt() };
    }
    keepCandidate(tx, environment, now);
    const insert = tx.db.prepare(
      `INSERT INTO policy_difference (environment, decision_id, seq, run_id, app_id, action, at, active, candidate, reasons)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    for (const one of differences) {
      insert.run(
        environment,
        one.decisionId,
        one.seq,
        one.runId,
        one.appId,
        one.action,
        one.at,
        one.active,
        one.candidate,
        JSON.stringify(one.reasons),
      );
    }
    if (differences.length > 0) {
      tx.db
        .prepare(
          `DELETE FROM policy_difference WHERE environment = $environment AND id <= (SELECT id FROM policy_difference
             WHERE environment = $environment ORDER BY id DESC LIMIT 1 OFFSET $kept)`,
        )
        .run({ environment, kept: KEPT_DIFFERENCES });
    }
    return {};
  },

  savePolicyImpact(tx, input) {
    const { report, message, by, source } = input;
    const report_sha256 = reportSha256(sha256, report);
    const signed = checkSigned(tx, input, { report_sha256 }, planImpact);
    const { seq } = tx.append({
      appId: LEDGER_APP,
      eventType: 'policy.impact',
      source,
      members: {
        name: 'Impact of a policy set',
        impact: { report, report_sha256, message },
        by,
        ...(signed === undefined ? {} : { signed: [signed as unknown as JsonObject] }),
      },
    });
    return { seq };
  },
};
