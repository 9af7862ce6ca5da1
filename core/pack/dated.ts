/**
 * Between which times the records of a scope were made, as far as outside parties say: each stamp of a checkpoint shows that
 * the records below its size were there by its time. That the others came after it is the order of the ledger alone.
 * Format: docs/spec/pack.md, "Time".
 */
import { plainText } from './plain_text.ts';
import type { Stamp } from './timestamp.ts';

/** Ranges that are told. */
const MOST = 50;

/** Records of one range of seqs, both ends included. */
export type DatedRange = {
  first: number;
  last: number;
  /** They were there by then; absent where no stamp covers them. RFC 3339. */
  by?: string;
  authority?: string;
  /** The last stamped checkpoint that did not have them yet. RFC 3339. */
  not_in?: { size: number; time: string };
};

/** The stamps of the pack itself cover all of it. `first`, `last`: seqs of the scope; -1 where it is empty. */
export function datedRanges(stamps: readonly Stamp[], first: number, last: number): DatedRange[] {
  const trusted = stamps.filter(stamp => stamp.trusted);
  if (trusted.length === 0 || last < 0) return [];
  const edges = trusted.flatMap(({ size }) =>
    size !== undefined && size > first && size <= last ? [size] : [],
  );
  const starts = [...new Set([first, ...edges])].sort((a, b) => a - b);
  return starts.slice(0, MOST).map((start, i): DatedRange => {
    const end = (i + 1 === MOST ? undefined : starts[i + 1]) ?? last + 1;
    const over = trusted.filter(({ size }) => size === undefined || size >= end);
    const earliest = over.reduce<Stamp | undefined>(
      (a, b) => (a === undefined || b.time < a.time ? b : a),
      undefined,
    );
    const before = trusted.filter(({ size }) => size !== undefined && size <= start);
    const latest = before.reduce<Stamp | undefined>(
      (a, b) => (a === undefined || b.size! > a.size! ? b : a),
      undefined,
    );
    return {
      first: start,
      last: end - 1,
      ...(earliest === undefined ? {} : { by: earliest.time, authority: earliest.authority }),
      ...(latest === undefined ? {} : { not_in: { size: latest.size!, time: latest.time } }),
    };
  });
}

/** In one sentence. */
export function datedText({ first, last, by, authority, not_in }: DatedRange): string {
  const which = first === last ? `Record #${first}` : `Records #${first} to #${last}`;
  const verb = first === last ? 'was' : 'were';
  const until =
    by === undefined
      ? 'no outside party says by when'
      : `${verb} there by ${by} (${plainText(authority ?? '')})`;
  const since =
    not_in === undefined
      ? ''
      : `, and not yet in the checkpoint over ${not_in.size} that was stamped ${not_in.time}`;
  return by === undefined ? `${which}: ${until}${since}.` : `${which} ${until}${since}.`;
}

/** What the bounds leave open. */
export const DATED_LEAVES_OPEN =
  "Between two stamps, when a record came is what the ledger's order and the collector's own clock say.";
