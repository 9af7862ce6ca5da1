/** The questions of queries.jsonl with their results in plain sentences, for every place that tells them. Facts, not faults. */
import { plainText } from './plain_text.ts';
import { LATE_SECONDS, type QueryLine } from './queries.ts';

const NAMED = 5;
const number = (n: number): string => String(n).replace(/\B(?=(?:\d{3})+$)/g, ',');
const counted = (n: number, one: string): string => `${number(n)} ${one}${n === 1 ? '' : 's'}`;

function places(
  rows: readonly { readonly seq: number }[],
  count: number,
  name?: (i: number) => string,
): string {
  const told = rows.slice(0, NAMED).map(({ seq }, i) => `#${seq}${name === undefined ? '' : ` ${name(i)}`}`);
  return `${told.join(', ')}${count > told.length ? ` and ${number(count - told.length)} more` : ''}`;
}

/** What a reader should know of how whole the records are. Texts of the records are in them as plain text. */
export function factSentences(lines: readonly QueryLine[]): string[] {
  return lines.map(sentence);
}

function sentence(line: QueryLine): string {
  const { count } = line;
  switch (line.query) {
    case 'scope':
      return `The scope, every record of ${plainText(line.app_id)} received from ${line.from} to ${line.to}, is ${counted(count, 'record')}; the SHA-256 of their numbers is ${line.seqs_sha256}.`;
    case 'sessions_open':
      if (count === 0) return 'Every session in it had ended when it was exported.';
      return `${counted(count, 'session')} had not ended, as far as anyone reported; the last record of each: ${places(line.rows, count)}.`;
    case 'calls_without_outcome':
      if (count === 0) return 'Of every call that was let through it is recorded what came of it.';
      return `Of ${counted(count, 'call')} that ${count === 1 ? 'was' : 'were'} let through nobody reported what came of it: ${places(line.rows, count, i => plainText(line.rows[i]!.name, 40))}.`;
    case 'received_late':
      if (count === 0)
        return `No record came more than ${LATE_SECONDS / 60} minutes after the time it gives.`;
      return `${counted(count, 'record')} came more than ${LATE_SECONDS / 60} minutes after the time ${count === 1 ? 'it gives' : 'they give'}: ${places(line.rows, count)}.`;
    case 'received_behind':
      if (count === 0) return 'No numbered record came after a later one of the same producer.';
      return `${counted(count, 'numbered record')} came after a later one of the same producer: ${places(line.rows, count)}.`;
    case 'streams': {
      if (count === 0) return 'No producer numbered its records.';
      const [ended, gaps] = [
        line.rows.filter(row => row.ended).length,
        line.rows.reduce((sum, row) => sum + row.gaps, 0),
      ];
      const of = count > line.rows.length ? `, of the first ${line.rows.length}` : '';
      return `Producers numbered their records in ${counted(count, 'stream')}${of}: ${number(ended)} ended, ${counted(gaps, 'signed report')} of dropped records.`;
    }
  }
}
