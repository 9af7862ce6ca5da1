/**
 * CSV for spreadsheets (RFC 4180: CRLF, quoted where needed), and records as its lines. Rule: no cell is a formula: one that begins
 * with =, +, -, @, tab or line end gets a ' before it. Format: docs/spec/formats.md.
 */
import { asObject, asText } from '../pack/approval_line.ts';
import { type JsonObject, type JsonValue, jcs } from '../proof/jcs.ts';

const text = (...names: string[]) => [names.join('_'), (record: JsonObject) => at(record, names)] as const;

/** Name of each column, and where its value stands. */
const COLUMNS: readonly (readonly [string, (record: JsonObject) => JsonValue | undefined])[] = [
  text('seq'),
  text('app_id'),
  text('app_seq'),
  text('received_at'),
  text('ts'),
  text('ts_end'),
  text('event_type'),
  text('event_id'),
  text('parent_id'),
  text('trace_id'),
  text('session_id'),
  text('actor_type'),
  text('actor_id'),
  text('name'),
  text('risk'),
  text('status'),
  text('decision', 'result'),
  ['decision_reasons', ({ decision }) => joined(asObject(decision).reasons)],
  text('decision', 'failed'),
  text('decision', 'policy', 'version'),
  text('decision', 'policy', 'hash'),
  [
    'approval_id',
    ({ approval, decision, intent }) =>
      asText(asObject(approval).id) ||
      asText(asObject(decision).approval_id) ||
      asText(asObject(intent).approval_id),
  ],
  text('approval', 'verdict'),
  text('approval', 'by'),
  text('approval', 'comment'),
  text('outcome', 'outcome'),
  text('model', 'name'),
  text('model', 'provider'),
  text('source', 'via'),
  text('source', 'auth'),
  text('source', 'key'),
  text('input'),
  text('output'),
  text('hash_self'),
];

function at(record: JsonObject, names: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = record;
  for (const name of names) value = asObject(value)[name];
  return value;
}

const joined = (list: JsonValue | undefined): string =>
  Array.isArray(list) ? list.filter(one => typeof one === 'string').join('; ') : '';

const FORMULA = /^[=+\-@\t\r\n]/;
const QUOTED = /[",\r\n]/;

/** Texts as they are, anything else as its JCS; absent: empty. Numbers of ours are never negative. */
function cell(value: JsonValue | undefined): string {
  const raw = value === undefined ? '' : typeof value === 'string' ? value : jcs(value);
  const safe = FORMULA.test(raw) ? `'${raw}` : raw;
  return QUOTED.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** One line, CRLF included. */
export const csvRow = (values: readonly (JsonValue | undefined)[]): string =>
  `${values.map(cell).join(',')}\r\n`;

export const csvHead = (): string => csvRow(COLUMNS.map(([name]) => name));
export const csvLine = (record: JsonObject): string => csvRow(COLUMNS.map(([, value]) => value(record)));
