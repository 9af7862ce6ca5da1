/**
 * Records as lines of a pack, made where they are read: a page crosses to the main thread as one text, which costs it
 * little. The stored body is canonical, so the members of head and seal are put among its own without parsing them.
 */
import { evalLines } from '../../core/pack/evals.ts';
import { type JsonObject, jcs, jcsString } from '../../core/proof/jcs.ts';
import { type RecordReader, type RecordRow, recordView } from './records.ts';

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

/** Members of head and seal as text, in JCS order. */
function ownMembers({ head, hashSelf, keyId, signature }: RecordRow): [name: string, member: string][] {
  return [
    ['app_id', `"app_id":${jcsString(head.app_id)}`],
    ['app_seq', `"app_seq":${head.app_seq}`],
    ['body_hash', `"body_hash":"${head.body_hash}"`],
    ['event_type', `"event_type":${jcsString(head.event_type)}`],
    ['hash_prev', `"hash_prev":"${head.hash_prev}"`],
    ['hash_self', `"hash_self":"${hashSelf.toString('hex')}"`],
    ['key_id', `"key_id":"${keyId.toString('hex')}"`],
    ['ledger_id', `"ledger_id":${jcsString(head.ledger_id)}`],
    ['received_at', `"received_at":"${head.received_at}"`],
    ['seq', `"seq":${head.seq}`],
    ['signature', `"signature":"${signature.toString('base64')}"`],
    ['tenant_id', `"tenant_id":${jcsString(head.tenant_id)}`],
    ['ts', `"ts":${jcsString(head.ts)}`],
    ['v', '"v":1'],
  ];
}

/** JCS of the whole record, as `jcs(recordView(row))` writes it. */
export function lineOfRow(row: RecordRow): string {
  const own = ownMembers(row);
  const body = row.body ?? '{}';
  const members: string[] = [];
  let next = 0;
  for (let at = 1; body.charCodeAt(at) === QUOTE; ) {
    const nameEnd = afterString(body, at);
    const name = body.slice(at + 1, nameEnd - 1);
    // Escaped names do not sort as they are written.
    if (name.includes('\\')) return jcs(recordView(row));
    while (next < own.length && own[next]![0] < name) members.push(own[next++]![1]);
    const end = afterValue(body, nameEnd + 1);
    members.push(body.slice(at, end));
    at = end + 1;
  }
  while (next < own.length) members.push(own[next++]![1]);
  return `{${members.join(',')}}`;
}

export function packReader(records: RecordReader) {
  return {
    /** Lines, newlines included, of an app's records in an inclusive range of seqs, in order. */
    packLines(from: number, to: number, appId: string): string {
      let text = '';
      for (const row of records.rows(from, to)) if (row.head.app_id === appId) text += `${lineOfRow(row)}\n`;
      return text;
    },
    /** Lines of evals.jsonl, newlines included, of the records with these rising seqs. */
    packEvals(seqs: readonly number[]): string {
      const wanted = new Set(seqs);
      let text = '';
      for (const row of records.rows(seqs[0] ?? 0, seqs.at(-1) ?? -1)) {
        if (!wanted.has(row.head.seq)) continue;
        for (const line of evalLines(recordView(row) as JsonObject)) text += `${line}\n`;
      }
      return text;
    },
  };
}
