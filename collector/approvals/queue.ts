/**
 * The queue as the reader answers it: filters, totals that are never cut, pages by cursor. Waiting ones come oldest
 * first, the others newest first; asked_seq is unique, so pages neither skip nor repeat.
 */
import type Database from 'better-sqlite3';
import { TrailmixError } from '../../core/api/errors.ts';
import type { ApprovalView } from '../../core/api/views.ts';
import { statement } from '../ledger/statements.ts';
import { approverCount } from '../people/standing.ts';
import type { ApprovalQuery } from '../ports.ts';
import { answererOf, qualificationOf } from './answerer.ts';
import { type ApprovalRow, approvalView, SELECT_APPROVAL } from './view.ts';

const DEFAULT_LIMIT = 100;
const MOST_ITEMS = 1000;
/** Words of one query; the rest are not looked at. */
const MOST_WORDS = 16;

/** Arguments and contexts of one page together; a page that would have more ends earlier. */
const MOST_BYTES = 4 * 1024 * 1024;

/** What a page is cut by, without reading the arguments: octet_length looks at a row's header alone. */
const FOUND = `SELECT a.id, a.asked_seq, octet_length(a.payload) + ifnull(octet_length(a.context), 0) AS size
  FROM approval a WHERE a.tenant_id = $tenant`;

type Found = { id: string; asked_seq: number; size: number };
type Parameters = Record<string, string | number>;
type Filter = { sql: string; parameters: Parameters };
type Part = 'waiting' | 'answered';

/** As the partial indexes say it (ledger/migrations/0050_approvals.sql). */
const PARTS: Record<Part, string> = { waiting: "a.status = 'waiting'", answered: "a.status <> 'waiting'" };

export function listApprovals(
  db: Database.Database,
  tenant: string,
  query: ApprovalQuery,
): { items: ApprovalView[]; total: number; next?: string } {
  if (query.cursor !== undefined && !/^\d{1,15}$/.test(query.cursor)) {
    throw new TrailmixError('input_invalid', {
      where: 'cursor',
      message: 'cursor must be the `next` of an answer',
    });
  }
  const limit = Math.min(query.limit ?? DEFAULT_LIMIT, MOST_ITEMS);
  const status = query.for === undefined ? (query.status ?? 'all') : 'waiting';
  const parts: Part[] = status === 'all' ? ['waiting', 'answered'] : [status];
  const rising = status === 'waiting';
  const filter = filterOf(db, tenant, query);
  const parameters = { tenant, ...filter.parameters };
  return db.transaction(() => {
    let total = 0;
    const found: Found[] = [];
    for (const part of parts) {
      const where = `${PARTS[part]}${filter.sql}`;
      const counted = `SELECT count(*) AS total FROM approval a WHERE a.tenant_id = $tenant AND ${where}`;
      total += (db.prepare(counted).get(parameters) as { total: number }).total;
      const after = query.cursor === undefined ? '' : ` AND a.asked_seq ${rising ? '>' : '<'} $seq`;
      const listed = `${FOUND} AND ${where}${after} ORDER BY a.asked_seq${rising ? '' : ' DESC'} LIMIT $limit`;
      const seq = query.cursor === undefined ? {} : { seq: Number(query.cursor) };
      found.push(...(db.prepare(listed).all({ ...parameters, ...seq, limit: limit + 1 }) as Found[]));
    }
    if (parts.length > 1) found.sort((a, b) => b.asked_seq - a.asked_seq);
    const page = pageOf(found, limit);
    const last = found.length > page.length ? page.at(-1) : undefined;
    const inForce = approverCount(db, tenant) >= 2;
    const row = statement(db, SELECT_APPROVAL);
    return {
      items: page.map(({ id }) => approvalView(db, row.get({ tenant, id }) as ApprovalRow, () => inForce)),
      total,
      ...(last === undefined ? {} : { next: String(last.asked_seq) }),
    };
  })();
}

/** As many as fit; one at least. */
function pageOf(found: readonly Found[], limit: number): readonly Found[] {
  let bytes = 0;
  let count = 0;
  for (const { size } of found.slice(0, limit)) {
    bytes += size;
    if (count > 0 && bytes > MOST_BYTES) break;
    count++;
  }
  return found.slice(0, count);
}

function filterOf(db: Database.Database, tenant: string, query: ApprovalQuery): Filter {
  const parts: string[] = [];
  const parameters: Parameters = {};
  const add = (sql: string, more: Parameters): void => {
    parts.push(` AND ${sql}`);
    Object.assign(parameters, more);
  };
  if (query.app !== undefined) add('a.app_id = $app', { app: query.app });
  if (query.risk !== undefined) add('a.risk = $risk', { risk: query.risk });
  if (query.action !== undefined) add('a.action = $action', { action: query.action });
  const words = (query.q ?? '')
    .toLowerCase()
    .split(/\s+/)
    .filter(word => word !== '');
  for (const [i, word] of words.slice(0, MOST_WORDS).entries()) {
    add(`instr(lower(a.action || ' ' || a.actor_id || ' ' || a.reasons), $word${i}) > 0`, {
      [`word${i}`]: word,
    });
  }
  if (query.outcome === 'approved') add("a.status IN ('approved', 'consumed')", {});
  else if (query.outcome !== undefined) add('a.status = $outcome', { outcome: query.outcome });
  if (query.by !== undefined) {
    add('a.id IN (SELECT approval_id FROM approval_answer WHERE tenant_id = $tenant AND by = $by)', {
      by: query.by,
    });
  }
  if (query.for !== undefined) {
    const may = answerableBy(db, tenant, query.for.person, query.for.at);
    add(may.sql, may.parameters);
  }
  return { sql: parts.join(''), parameters };
}

/** What this person can answer now. Sets of roles are few, so each is judged once, not each approval. */
function answerableBy(db: Database.Database, tenant: string, personId: string, now: string): Filter {
  const answerer = answererOf(db, tenant, personId, now);
  if (answerer === undefined) return { sql: 'FALSE', parameters: {} };
  const open = `a.expires_at > $now AND NOT EXISTS
    (SELECT 1 FROM approval_answer WHERE approval_id = a.id AND by = $me)`;
  const parameters: Parameters = { now, me: personId };
  if (answerer.alone) return { sql: open, parameters };
  const sets = statement(
    db,
    `SELECT DISTINCT required_roles AS roles FROM approval WHERE tenant_id = ? AND status = 'waiting'`,
  ).all(tenant) as { roles: string }[];
  const { person, delegations } = answerer;
  const own: string[] = [];
  const delegated = delegations.map((): string[] => []);
  for (const { roles } of sets) {
    const required = JSON.parse(roles) as string[];
    // Nobody's id is empty: this asks for the roles alone.
    const { roles: mine, onBehalf } = qualificationOf(answerer, '', required);
    if (mine.length > 0) own.push(roles);
    for (const [i, { id }] of delegations.entries()) {
      if (onBehalf.some(one => one.delegation_id === id)) delegated[i]!.push(roles);
    }
  }
  const list = (name: string, values: readonly string[]): string => {
    parameters[name] = JSON.stringify(values);
    return `(SELECT value FROM json_each($${name}))`;
  };
  const ways = [`a.required_roles IN ${list('own', own)}`];
  for (const [i, { from, fromAliases }] of delegations.entries()) {
    const roles = list(`roles${i}`, delegated[i]!);
    ways.push(
      `(a.required_roles IN ${roles} AND a.actor_id NOT IN ${list(`from${i}`, [from, ...fromAliases])})`,
    );
  }
  const mine = list('mine', [person.id, ...person.aliases]);
  return { sql: `${open} AND a.actor_id NOT IN ${mine} AND (${ways.join(' OR ')})`, parameters };
}
