/** Counts what the summary tells while records pass. Memory: bounded lists, and one entry for each session. */
import { evalCount } from '../../../core/pack/evals.ts';
import type { JsonObject, JsonValue } from '../../../core/proof/jcs.ts';
import type { ReportApproval, ReportException, ReportFacts, ReportRisk } from './facts.ts';

const LISTED = 14;
const ACTIONS = 500;
const SHOWN_ACTIONS = 6;
const DETAIL = 160;
const APPROVALS = 12;
const NAME = 120;

type Counted = Pick<
  ReportFacts,
  | 'events'
  | 'sessions'
  | 'evals'
  | 'unverified'
  | 'samples'
  | 'errors'
  | 'actions'
  | 'exceptions'
  | 'exceptionCount'
  | 'risks'
>;

type Result = keyof ReportFacts['decisions'];
const none = (): Record<Result, number> => ({ allow: 0, deny: 0, approve: 0, failed: 0 });

const asObject = (value: JsonValue | undefined): JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
const asText = (value: JsonValue | undefined): string => (typeof value === 'string' ? value : '');

export class ReportTally {
  #events = 0;
  #evals = 0;
  #unverified = 0;
  #samples = 0;
  #errors = 0;
  readonly #sessions = new Set<string>();
  readonly #actions = new Map<string, number>();
  readonly #exceptions: ReportException[] = [];
  #exceptionCount = 0;
  readonly #risks: Record<ReportRisk, Record<Result, number>> = {
    low: none(),
    medium: none(),
    high: none(),
    critical: none(),
    unstated: none(),
  };

  take(record: JsonObject): void {
    this.#events++;
    this.#evals += evalCount(record);
    const source = asObject(record.source);
    if (source.auth === 'none') this.#unverified++;
    if (source.via === 'sample') this.#samples++;
    if (typeof record.session_id === 'string') this.#sessions.add(record.session_id);
    const name = asText(record.name);
    if (record.event_type === 'decision.recorded') {
      this.#count(name);
      this.#risk(record);
    }
    if (record.status === 'error') this.#errors++;
    const exception = exceptionOf(record);
    if (exception === undefined) return;
    this.#exceptionCount++;
    if (this.#exceptions.length < LISTED) {
      this.#exceptions.push({
        seq: record.seq as number,
        at: asText(record.received_at),
        name: name || asText(record.event_type),
        kind: exception.kind,
        detail: cut(exception.detail, DETAIL),
      });
    }
  }

  facts(): Counted {
    return {
      events: this.#events,
      sessions: this.#sessions.size,
      evals: this.#evals,
      unverified: this.#unverified,
      samples: this.#samples,
      errors: this.#errors,
      actions: [...this.#actions]
        .map(([name, count]) => ({ name, count }))
        .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))
        .slice(0, SHOWN_ACTIONS),
      exceptions: this.#exceptions,
      exceptionCount: this.#exceptionCount,
      risks: this.#risks,
    };
  }

  #risk(record: JsonObject): void {
    const decision = asObject(record.decision);
    const result = decision.failed !== undefined ? 'failed' : asText(decision.result);
    const risk = asText(record.risk);
    const counts = this.#risks[Object.hasOwn(this.#risks, risk) ? (risk as ReportRisk) : 'unstated'];
    if (Object.hasOwn(counts, result)) counts[result as Result]++;
  }

  #count(name: string): void {
    const count = this.#actions.get(name);
    if (count !== undefined || this.#actions.size < ACTIONS) this.#actions.set(name, (count ?? 0) + 1);
  }
}

const cut = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most - 1).toWellFormed()}…` : text;

/** Rank of an approval in the table: what went wrong, what is open, the rest. */
const rank = ({ status, outcome }: ReportApproval): number => {
  if (status === 'denied' || status === 'expired' || (outcome !== '' && outcome !== 'ok')) return 0;
  return status === 'waiting' || (status === 'consumed' && outcome === '') ? 1 : 2;
};

/** The approvals to be listed, out of the lines of approvals.jsonl in their order. Memory: a dozen of them. */
export function approvalRows(lines: Iterable<JsonObject>): ReportApproval[] {
  const rows: ReportApproval[] = [];
  for (const line of lines) {
    const answers = Array.isArray(line.answers) ? line.answers.map(asObject) : [];
    const row: ReportApproval = {
      action: cut(asText(asObject(line.binding).action), NAME),
      askedAt: asText(line.asked_at),
      status: line.status as ReportApproval['status'],
      by: cut([...new Set(answers.map(({ by }) => asText(by)).filter(Boolean))].join(', '), NAME),
      answeredAt: asText(answers.at(-1)?.received_at),
      outcome: cut(asText(asObject(line.outcome).outcome), NAME),
    };
    const at = rows.findIndex(other => rank(row) <= rank(other));
    rows.splice(at === -1 ? rows.length : at, 0, row);
    if (rows.length > APPROVALS) rows.pop();
  }
  return rows;
}

function exceptionOf(record: JsonObject): Pick<ReportException, 'kind' | 'detail'> | undefined {
  const decision = asObject(record.decision);
  const reasons = (list: JsonValue | undefined): string =>
    Array.isArray(list) ? list.filter(r => typeof r === 'string').join('; ') : '';
  switch (record.event_type) {
    case 'decision.recorded':
      if (decision.failed !== undefined) return { kind: 'failed', detail: reasons(decision.reasons) };
      return decision.result === 'deny' ? { kind: 'denied', detail: reasons(decision.reasons) } : undefined;
    case 'approval.answered': {
      const approval = asObject(record.approval);
      const by = asText(approval.by);
      return approval.verdict === 'deny'
        ? {
            kind: 'refused',
            detail: [by === '' ? '' : `by ${by}`, asText(approval.comment)].filter(Boolean).join(': '),
          }
        : undefined;
    }
    case 'approval.expired':
      return { kind: 'expired', detail: 'Nobody answered, or the approval was not used, in time.' };
    case 'outcome.recorded':
      return record.status === 'error'
        ? { kind: 'error', detail: asText(asObject(record.outcome).error) }
        : undefined;
    default:
      return record.status === 'error'
        ? { kind: 'error', detail: 'The program reported that this step failed.' }
        : undefined;
  }
}
