/**
 * Recorded decisions for those who write policies: a list to pick from, the input of one as a policy was given it, and
 * which paths inputs have. Rules: every list is bounded; paths carry types and counts, never values; what cannot be rebuilt
 * says why (docs/spec/policy.md, "Deciding again").
 */
import { TrailmixError } from '../../core/api/errors.ts';
import type { OutputOf, QueryOf } from '../../core/api/operations.ts';
import type { DecisionRow, PolicyWord, UnfaithfulReason } from '../../core/api/policy_views.ts';
import { formatMicros } from '../../core/event/time.ts';
import type { JsonObject, JsonValue } from '../../core/proof/jcs.ts';
import type { Ledger } from '../ports.ts';
import { type BlobRef, type DecisionBody, rebuild, rebuildBody, recordedWord } from './rebuild.ts';
import type { Reads } from './session_state.ts';
import { cursorOf, pageOf } from './sets.ts';

const PAGE = 50;
const SAMPLE = 500;
const MOST_PATHS = 1000;
const MOST_LEVELS = 8;
/** Bytes of one blob that is read to rebuild an input. */
const MOST_BLOB = 16 * 1024 * 1024;
const ANY: Reads = { session: false, now: false };

type Row = {
  decision_id: string;
  seq: number;
  app_id: string;
  session_id: string;
  action: string;
  risk: string;
  word: string;
  run_id: string;
  at_us: number;
  body: string | null;
};

export type RecordedDecisions = {
  list(query: QueryOf<'policyDecisions'>): Promise<OutputOf<'policyDecisions'>>;
  /** Throws decision_unknown. */
  input(id: string): Promise<OutputOf<'policyDecisionInput'>>;
  paths(query: QueryOf<'policyInputPaths'>): Promise<OutputOf<'policyInputPaths'>>;
  /** At most 1,000, newest first. */
  at(seqs: readonly number[]): Promise<DecisionRow[]>;
  /** With blobs read. */
  rebuilt(seq: number, reads: Reads): Promise<{ input: JsonObject } | { missing: UnfaithfulReason }>;
};

const view = (row: Row): DecisionRow => {
  const body = row.body === null ? {} : (JSON.parse(row.body) as DecisionBody);
  return {
    decision_id: row.decision_id,
    seq: row.seq,
    run_id: row.run_id,
    app_id: row.app_id,
    session_id: row.session_id,
    action: row.action,
    risk: row.risk,
    result: recordedWord(body) ?? (row.word as PolicyWord),
    at: formatMicros(row.at_us),
    reasons: body.decision?.reasons ?? [],
  };
};

export function recordedDecisions(ledger: Pick<Ledger, 'read' | 'blobs' | 'tenantId'>): RecordedDecisions {
  const { read, blobs, tenantId } = ledger;

  const valueIn = async ({ sha256, bytes }: BlobRef): Promise<JsonValue | undefined> => {
    if (bytes > MOST_BLOB || !(await blobs.has(tenantId, sha256))) return undefined;
    const parts: Uint8Array[] = [];
    for await (const part of blobs.get(tenantId, sha256)) parts.push(part);
    return JSON.parse(Buffer.concat(parts).toString('utf8')) as JsonValue;
  };

  const whole = async (
    text: string | null,
    appId: string,
    reads: Reads,
  ): Promise<{ input: JsonObject } | { missing: UnfaithfulReason }> => {
    const made = rebuild(text, appId, reads);
    if (!('blobs' in made)) return 'input' in made ? { input: made.input } : { missing: made.missing };
    const body = { ...made.body! };
    for (const name of ['input', 'context'] as const) {
      const ref = made.blobs[name];
      if (ref === undefined) continue;
      const value = await valueIn(ref);
      if (value === undefined) return { missing: 'blob_missing' };
      body[name] = value;
    }
    const again = rebuildBody(body, appId, reads);
    if ('input' in again) return { input: again.input };
    return { missing: 'missing' in again ? again.missing : 'older_schema' };
  };

  const rows = (query: {
    app?: string | undefined;
    action?: string | undefined;
    session?: string | undefined;
    result?: string | undefined;
    before: number;
    limit: number;
  }): Promise<Row[]> => {
    const { app = null, action = null, session = null, result = null, before, limit } = query;
    const word = result === null ? null : result;
    return read.query<Row>('policy.decisions', { app, action, session, result: word, before, limit });
  };

  const bySeq = (seqs: readonly number[]): Promise<Row[]> =>
    read.query<Row>('policy.decisionsAt', { seqs: JSON.stringify(seqs.slice(0, 1000)) });

  return {
    async list({ cursor, limit = PAGE, ...filter }) {
      const found = await rows({ ...filter, before: cursorOf(cursor), limit: limit + 1 });
      const { rows: shown, next } = pageOf(found, limit, row => row.seq);
      return { items: shown.map(view), ...(next === undefined ? {} : { next }) };
    },
    async input(id) {
      const [row] = await read.query<Row>('policy.decision', { id });
      if (row === undefined) throw new TrailmixError('decision_unknown', { where: '/id' });
      const body = row.body === null ? undefined : (JSON.parse(row.body) as DecisionBody);
      const made = await whole(row.body, row.app_id, ANY);
      const { policy, rules, session, now } = body?.decision ?? {};
      return {
        decision: view(row),
        ...('input' in made ? { input: made.input } : { missing: made.missing }),
        without: [
          ...(session === undefined ? (['session'] as const) : []),
          ...(now === undefined ? (['now'] as const) : []),
        ],
        policy: { version: policy?.version ?? 0, hash: policy?.hash ?? '' },
        ...(rules === undefined ? {} : { rules }),
      };
    },
    async paths({ app, action, sample = SAMPLE }) {
      const seen = new Map<string, { count: number; types: Record<string, number> }>();
      let cut = false;
      const found = await rows({ app, action, before: Number.MAX_SAFE_INTEGER, limit: sample });
      for (const { body, app_id } of found) {
        const made = rebuild(body, app_id, ANY);
        if (!('input' in made)) continue;
        const own = new Map<string, string>();
        walk(made.input, 'input', 0, own);
        for (const [path, type] of own) {
          let at = seen.get(path);
          if (at === undefined) {
            if (seen.size >= MOST_PATHS) {
              cut = true;
              continue;
            }
            at = { count: 0, types: {} };
            seen.set(path, at);
          }
          at.count += 1;
          at.types[type] = (at.types[type] ?? 0) + 1;
        }
      }
      const paths = [...seen].map(([path, at]) => ({ path, ...at }));
      return { sampled: found.length, paths: paths.sort((a, b) => (a.path < b.path ? -1 : 1)), cut };
    },
    async at(seqs) {
      return (await bySeq(seqs)).map(view);
    },
    async rebuilt(seq, reads) {
      const [row] = await bySeq([seq]);
      return row === undefined ? { missing: 'erased' } : whole(row.body, row.app_id, reads);
    },
  };
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const typeOf = (value: JsonValue): string =>
  value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;

/** Paths as Rego writes them: `input.payload.amount`, `input.payload["a b"]`, `input.payload.items[_].id`. */
function walk(value: JsonValue, path: string, level: number, found: Map<string, string>): void {
  if (level > 0) found.set(path, typeOf(value));
  if (typeof value !== 'object' || value === null || level >= MOST_LEVELS || found.size >= MOST_PATHS) return;
  if (Array.isArray(value)) {
    for (const member of value.slice(0, 100)) walk(member, `${path}[_]`, level + 1, found);
    return;
  }
  for (const [name, member] of Object.entries(value))
    walk(member, NAME.test(name) ? `${path}.${name}` : `${path}[${JSON.stringify(name)}]`, level + 1, found);
}
