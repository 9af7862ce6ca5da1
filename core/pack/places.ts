/**
 * The records that a failure points at, with those beside them in the file, for a reader who is to understand it. Read again
 * from the pack after everything was judged. Rules: nothing here judges; bounded in places, records and characters; every
 * text is plain (plain_text.ts). Format: docs/spec/pack.md, "Verdicts".
 */
import type { JsonObject, JsonValue } from '../proof/jcs.ts';
import { asObject, asText } from './approval_line.ts';
import type { PackFiles } from './files.ts';
import { type Finding, type FindingCode, VERDICTS, type Verdicts } from './findings.ts';
import { LineCursor, LineError } from './lines.ts';
import { plainText } from './plain_text.ts';

/** Places that are told, of the first findings that fail. */
const PLACES = 10;
/** Records on either side. */
const BESIDE = 2;
/** Records of an approval that are shown. */
const OF_APPROVAL = 8;
const TEXT = 80;

export type ShownRecord = {
  /** File and line. */
  where: string;
  /** The finding points at it. */
  failing: boolean;
  /** Members that the line has, as text, whether right or not. Without `seq` the line cannot be read as a record. */
  seq?: number;
  app_seq?: number;
  type?: string;
  name?: string;
  received_at?: string;
  ts?: string;
  /** Actor, and whose key or word it came by. */
  who?: string;
  session_id?: string;
};

export type Place = { where: string; codes: FindingCode[]; records: ShownRecord[] };

const FILES = ['events.jsonl', 'extras.jsonl', 'heads.jsonl'] as const;
type RecordFile = (typeof FILES)[number];

/** What a finding's `where` points at. */
type Target =
  | { kind: 'line'; file: RecordFile; line: number }
  | { kind: 'seq'; seq: number }
  | { kind: 'approval'; id: string };

function targetOf(where: string): Target | undefined {
  const [, file, line] = /^((?:events|extras|heads)\.jsonl):([0-9]{1,15})$/.exec(where) ?? [];
  if (file !== undefined) return { kind: 'line', file: file as RecordFile, line: Number(line) };
  const seq = /^(?:heads\.jsonl:)?seq ([0-9]{1,16})$/.exec(where)?.[1];
  if (seq !== undefined) return { kind: 'seq', seq: Number(seq) };
  const id = /^approvals\.jsonl:(?![0-9]+$)(.+)$/.exec(where)?.[1];
  return id === undefined ? undefined : { kind: 'approval', id };
}

/** The first places of the findings that fail and that point at something, in the order of the verdicts. */
function chosenOf<T>(
  verdicts: Verdicts,
  targetOf: (where: string) => T | undefined,
): { place: Place; target: T }[] {
  const chosen = new Map<string, { place: Place; target: T }>();
  for (const { code, where } of VERDICTS.flatMap(name => verdicts[name].findings.filter(fails))) {
    const known = chosen.get(where)?.place;
    if (known !== undefined && !known.codes.includes(code)) known.codes.push(code);
    if (known !== undefined || chosen.size >= PLACES) continue;
    const target = targetOf(where);
    if (target !== undefined) chosen.set(where, { place: { where, codes: [code], records: [] }, target });
  }
  return [...chosen.values()];
}

export async function placesOf(files: PackFiles, verdicts: Verdicts): Promise<Place[]> {
  const found = chosenOf(verdicts, targetOf);
  if (found.length > 0) for (const file of FILES) await readPlaces(files, file, found);
  return found.map(({ place }) => place);
}

/** Of a live ledger, where `ledger:N` is the record with that seq. `read`: those from one seq to another, both included. */
export async function placesOfLedger(
  verdicts: Verdicts,
  read: (from: number, to: number) => Promise<readonly JsonObject[]>,
): Promise<Place[]> {
  const found = chosenOf(verdicts, where => {
    const seq = /^ledger:([0-9]{1,16})$/.exec(where)?.[1];
    return seq === undefined ? undefined : Number(seq);
  });
  for (const { place, target } of found) {
    const from = Math.max(0, target - BESIDE);
    for (const [i, record] of (await read(from, target + BESIDE)).entries())
      place.records.push(shownOf(`ledger:${from + i}`, record, from + i === target));
  }
  return found.map(({ place }) => place);
}

const fails = ({ level }: Finding): boolean => level === 'fail';

async function readPlaces(
  files: PackFiles,
  file: RecordFile,
  found: readonly { place: Place; target: Target }[],
): Promise<void> {
  const lines = found.filter(({ target }) => target.kind === 'line' && target.file === file);
  const others = found.filter(({ target }) => target.kind !== 'line');
  const last = Math.max(0, ...lines.map(({ target }) => lineOf(target) + BESIDE));
  if (lines.length === 0 && others.length === 0) return;
  const show = (place: Place, line: number, value: JsonObject | undefined, failing: boolean): void => {
    place.records.push(shownOf(`${file}:${line}`, value, failing));
  };
  await eachLine(files, file, (text, line) => {
    if (others.length === 0 && line > last) return false;
    let read: JsonObject | undefined | null = null;
    const value = (): JsonObject | undefined => {
      if (read === null) read = objectOf(text);
      return read;
    };
    for (const { place, target } of lines) {
      const away = Math.abs(line - lineOf(target));
      if (away <= BESIDE) show(place, line, value(), away === 0);
    }
    for (const { place, target } of others)
      if (place.records.length < OF_APPROVAL && about(target, text, value)) show(place, line, value(), true);
    return true;
  });
}

const lineOf = (target: Target): number => (target.kind === 'line' ? target.line : 0);

/** Whether a line is a record that the target names. Most lines are told by their text alone. */
function about(target: Target, text: string, value: () => JsonObject | undefined): boolean {
  if (target.kind === 'seq')
    return text.includes(`"seq":${target.seq}`) && headOf(value()).seq === target.seq;
  if (target.kind !== 'approval' || !text.includes(JSON.stringify(target.id))) return false;
  const { approval, intent, decision } = value() ?? {};
  return [asObject(approval).id, asObject(intent).approval_id, asObject(decision).approval_id].includes(
    target.id,
  );
}

/** Calls with each line until it answers false; a line that cannot be read is the last, as an empty text. */
async function eachLine(
  files: PackFiles,
  file: string,
  take: (text: string, line: number) => boolean,
): Promise<void> {
  const cursor = new LineCursor(file, files.stream(file));
  try {
    do {
      for (let text = cursor.next(); text !== undefined; text = cursor.next())
        if (!take(text, cursor.line)) return;
    } while (await cursor.fill());
  } catch (error) {
    if (!(error instanceof LineError)) throw error;
    take('', error.line);
  }
}

const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function objectOf(text: string): JsonObject | undefined {
  try {
    const value = JSON.parse(text) as JsonValue;
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The members of the head: a line of heads.jsonl has them a level deeper. */
const headOf = (value: JsonObject | undefined): JsonObject =>
  value === undefined ? {} : isObject(value.head) ? value.head : value;

/** What is shown of one line; `value`: its object, or undefined where it has none. */
export function shownOf(where: string, value: JsonObject | undefined, failing: boolean): ShownRecord {
  const shown: ShownRecord = { where, failing };
  const head = headOf(value);
  const { seq, app_seq } = head;
  if (value === undefined || typeof seq !== 'number') return shown;
  shown.seq = seq;
  if (typeof app_seq === 'number') shown.app_seq = app_seq;
  const texts = {
    type: head.event_type,
    name: value.name,
    received_at: head.received_at,
    ts: head.ts,
    who: whoOf(value),
    session_id: value.session_id,
  };
  for (const [name, text] of Object.entries(texts) as [keyof typeof texts, JsonValue | undefined][])
    if (typeof text === 'string' && text !== '') shown[name] = plainText(text, TEXT);
  return shown;
}

function whoOf(value: JsonObject): string {
  const { auth, key, via } = asObject(value.source);
  const by = asText(asObject(value.approval).by);
  const came = auth === 'key' ? `key ${asText(key)}` : auth === 'none' ? 'no key' : asText(via);
  return [by === '' ? asText(value.actor_id) : by, came].filter(Boolean).join(', ');
}

/** One line for a person: `#56 · span · step 2 · 2026-11-01T00:00:00.005000Z · a1, key k1 · session s1`. */
export function shownText({
  where,
  seq,
  app_seq,
  type,
  name,
  received_at,
  who,
  session_id,
}: ShownRecord): string {
  if (seq === undefined) return `${where}: cannot be read as a record`;
  const number = app_seq === undefined ? `#${seq}` : `#${seq} (the app's ${app_seq})`;
  return [number, type, name, received_at, who, session_id && `session ${session_id}`]
    .filter(Boolean)
    .join(' · ');
}
