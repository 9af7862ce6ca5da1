/**
 * Records as lines of a pack. The stored body is canonical, so the members of head and seal are put among its own, and
 * evals are cut out of it, without parsing it: of ordinary events only what figures are counted from is parsed.
 * Read by whoever makes or counts a pack, in a thread of its own (evidence/pack-thread.ts).
 */
import { TrailmixError } from '../../core/api/errors.ts';
import { isReservedType } from '../../core/event/types.ts';
import { mayHoldBlobs } from '../../core/pack/blobs.ts';
import { evalLine, evalLines } from '../../core/pack/evals.ts';
import { type JsonObject, type JsonValue, jcs, jcsString } from '../../core/proof/jcs.ts';
import { type RecordReader, type RecordRow, recordView } from './records.ts';

/** One record of an app, as packs are made from it. */
export type PackLine = {
  readonly seq: number;
  readonly appSeq: number;
  readonly eventType: string;
  /** JCS of the record, without a newline; undefined where the body is gone. */
  readonly line: string | undefined;
  /** The record; of most events only what is counted: COUNTED_MEMBERS and parts of the head. */
  readonly value: JsonObject;
  /** Whether it may name blobs. */
  readonly blobs: boolean;
};

/** What figures, streams and questions read of a producer's event that is no report of dropped ones. */
const COUNTED_MEMBERS: ReadonlySet<string> = new Set([
  'evals',
  'labels',
  'name',
  'session_id',
  'source',
  'status',
  'stream',
]);
const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;

/** Position after the string that begins at `at`. */
function afterString(text: string, at: number): number {
  for (let end = text.indexOf('"', at + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return end + 1;
  }
  return text.length;
}

/** Position of the comma or brace after the value that begins at `at`. */
function afterValue(text: string, at: number): number {
  let depth = 0;
  for (let i = at; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case QUOTE:
        i = afterString(text, i) - 1;
        break;
      case 0x7b:
      case 0x5b:
        depth++;
        break;
      case 0x7d:
      case 0x5d:
        if (depth-- === 0) return i;
        break;
      case COMMA:
        if (depth === 0) return i;
    }
  }
  return text.length;
}

/**
 * Names and values of the members of an object in canonical text, as they stand there: name, where the member begins,
 * where its value begins, where it ends. False where a name is escaped: such names do not sort as they are written.
 */
function eachMember(
  text: string,
  take: (name: string, begins: number, value: number, end: number) => void,
): boolean {
  for (let at = 1; text.charCodeAt(at) === QUOTE; ) {
    const nameEnd = afterString(text, at);
    const name = text.slice(at + 1, nameEnd - 1);
    if (name.includes('\\')) return false;
    const end = afterValue(text, nameEnd + 1);
    take(name, at, nameEnd + 1, end);
    at = end + 1;
  }
  return true;
}

/** The elements of an array in canonical text, as they stand there. */
function elements(text: string): string[] {
  const found: string[] = [];
  for (let at = 1; at < text.length - 1; ) {
    const end = afterValue(text, at);
    found.push(text.slice(at, end));
    at = end + 1;
  }
  return found;
}

/** Names of head and seal in JCS order. */
const OWN = [
  'app_id',
  'app_seq',
  'body_hash',
  'event_type',
  'hash_prev',
  'hash_self',
  'key_id',
  'ledger_id',
  'received_at',
  'seq',
  'signature',
  'tenant_id',
  'ts',
  'v',
] as const;

/** Members of head and seal as text, in JCS order. */
const ownMembers = ({ head, hashSelf, keyId, signature }: RecordRow): string[] => [
  `"app_id":${jcsString(head.app_id)}`,
  `"app_seq":${head.app_seq}`,
  `"body_hash":"${head.body_hash}"`,
  `"event_type":${jcsString(head.event_type)}`,
  `"hash_prev":"${head.hash_prev}"`,
  `"hash_self":"${hashSelf.toString('hex')}"`,
  `"key_id":"${keyId.toString('hex')}"`,
  `"ledger_id":${jcsString(head.ledger_id)}`,
  `"received_at":"${head.received_at}"`,
  `"seq":${head.seq}`,
  `"signature":"${signature.toString('base64')}"`,
  `"tenant_id":${jcsString(head.tenant_id)}`,
  `"ts":${jcsString(head.ts)}`,
  '"v":1',
];

/** `source` says the same in most records. */
let lastSource: { text: string; value: JsonValue } = { text: 'null', value: null };
function parsed(name: string, text: string): JsonValue {
  if (name !== 'source') return JSON.parse(text) as JsonValue;
  if (text !== lastSource.text) lastSource = { text, value: JSON.parse(text) as JsonValue };
  return lastSource.value;
}

/** The record's line, as `jcs(recordView(row))` writes it, and what is counted from it. */
export function packLine(row: RecordRow): PackLine {
  const { head, body } = row;
  const { seq, app_seq: appSeq, event_type: eventType } = head;
  if (body === undefined)
    return { seq, appSeq, eventType, line: undefined, value: recordView(row) as JsonObject, blobs: false };
  const own = ownMembers(row);
  const blobs = mayHoldBlobs(body);
  const whole = blobs || isReservedType(eventType) || eventType === 'gap';
  const { received_at, ts } = head;
  const counted: Record<string, JsonValue> = { event_type: eventType, received_at, seq, ts };
  let line = '';
  let next = 0;
  /** Where the members begin that are still to be taken over. */
  let from = 1;
  const plain = eachMember(body, (name, begins, value, end) => {
    if (next < OWN.length && OWN[next]! < name) {
      line += body.slice(from, begins);
      from = begins;
      while (next < OWN.length && OWN[next]! < name) line += `${own[next++]!},`;
    }
    if (!whole && COUNTED_MEMBERS.has(name)) counted[name] = parsed(name, body.slice(value, end));
  });
  if (!plain) {
    const value = recordView(row) as JsonObject;
    return { seq, appSeq, eventType, line: jcs(value), value, blobs };
  }
  const rest = body.slice(from, -1);
  line = `{${line}${rest}`;
  if (next < OWN.length) line += `${rest === '' ? '' : ','}${own.slice(next).join(',')}`;
  line += '}';
  return { seq, appSeq, eventType, line, value: whole ? (JSON.parse(line) as JsonObject) : counted, blobs };
}

/** Lines of evals.jsonl of one record, newlines included. */
function evalsOf(row: RecordRow): string {
  const { head, body } = row;
  // Lines of events.jsonl were made of it: it was there a moment ago.
  if (body === undefined)
    throw new TrailmixError('busy', {
      message: `Record ${head.seq} was erased while the pack was made`,
      retryAfter: 1,
    });
  const found = { evals: '', event_id: '""', session_id: '""' };
  const plain = eachMember(body, (name, _begins, value, end) => {
    if (Object.hasOwn(found, name)) found[name as keyof typeof found] = body.slice(value, end);
  });
  if (!plain || !found.evals.startsWith('['))
    return evalLines(recordView(row) as JsonObject)
      .map(line => `${line}\n`)
      .join('');
  const { event_id: eventId, session_id: sessionId } = found;
  let text = '';
  for (const [index, item] of elements(found.evals).entries())
    text += `${evalLine({ seq: head.seq, appSeq: head.app_seq, eventId, sessionId, index }, item)}\n`;
  return text;
}

/** `app`: the row that names an app. */
export function packReader(records: RecordReader, app: (appId: string) => number | undefined) {
  return {
    /** An app's records of an inclusive range of its own numbers, in order. */
    packLines(appId: string, from: number, to: number): PackLine[] {
      const row = app(appId);
      return row === undefined ? [] : records.rowsOfApp(row, from, to).map(packLine);
    },
    /** Lines of evals.jsonl, newlines included, of all the app's records of such a range. Throws busy: one was erased since. */
    packEvals(appId: string, from: number, to: number): string {
      const row = app(appId);
      let text = '';
      if (row !== undefined) for (const each of records.rowsOfApp(row, from, to)) text += evalsOf(each);
      return text;
    },
  };
}
