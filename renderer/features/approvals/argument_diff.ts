/** Arguments against those of the last approved call of the same kind: what is new, changed, gone. Pure; nothing is left out. */
import { type JsonValue, jcs } from '../../../core/proof/jcs.ts';
import { type Argument, buildArguments } from './approval_view.ts';

export type Change = 'same' | 'changed' | 'added' | 'removed';
export type DiffLine = { sign: ' ' | '+' | '-'; text: string };
export type ArgumentDiff = Argument & {
  change: Change;
  /** The text that was approved before, of a changed one. */
  was?: string;
  /** Line by line, where the value has several. */
  lines?: DiffLine[];
};

/** Rows of now in their order, then those that were there before and are gone. */
export function buildArgumentDiff(now: unknown, before: unknown): ArgumentDiff[] {
  const [fresh, old] = [buildArguments(now), buildArguments(before)];
  const values = [membersOf(now), membersOf(before)] as const;
  const known = new Map(old.map(row => [row.name, row]));
  const rows = fresh.map((row): ArgumentDiff => {
    const held = known.get(row.name);
    if (held === undefined) return { ...row, change: 'added' };
    if (same(values[0].get(row.name), values[1].get(row.name))) return { ...row, change: 'same' };
    const block = row.block || held.block;
    return {
      ...row,
      block,
      change: 'changed',
      was: held.text,
      ...(block ? { lines: diffLines(held.text.split('\n'), row.text.split('\n')) } : {}),
    };
  });
  const names = new Set(fresh.map(row => row.name));
  const gone = old
    .filter(row => !names.has(row.name))
    .map((row): ArgumentDiff => ({ ...row, change: 'removed' }));
  return [...rows, ...gone];
}

const membersOf = (value: unknown): Map<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? new Map(Object.entries(value))
    : new Map([['value', value]]);

const same = (a: unknown, b: unknown): boolean => jcs(a as JsonValue) === jcs(b as JsonValue);

/** Cells of the table that a comparison line by line may fill. */
const MOST_CELLS = 250_000;

/** Longest common subsequence of lines; of texts too long for that, all of the old one, then all of the new one. */
export function diffLines(before: readonly string[], now: readonly string[]): DiffLine[] {
  if (before.length * now.length > MOST_CELLS) {
    return [
      ...before.map((text): DiffLine => ({ sign: '-', text })),
      ...now.map((text): DiffLine => ({ sign: '+', text })),
    ];
  }
  const width = now.length + 1;
  const longest = new Uint32Array((before.length + 1) * width);
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = now.length - 1; j >= 0; j--) {
      longest[i * width + j] =
        before[i] === now[j]
          ? longest[(i + 1) * width + j + 1]! + 1
          : Math.max(longest[(i + 1) * width + j]!, longest[i * width + j + 1]!);
    }
  }
  const lines: DiffLine[] = [];
  let i = 0;
  let j = 0;
  while (i < before.length || j < now.length) {
    if (i < before.length && j < now.length && before[i] === now[j]) {
      lines.push({ sign: ' ', text: now[j]! });
      i++;
      j++;
    } else if (
      j >= now.length ||
      (i < before.length && longest[(i + 1) * width + j]! >= longest[i * width + j + 1]!)
    ) {
      lines.push({ sign: '-', text: before[i++]! });
    } else lines.push({ sign: '+', text: now[j++]! });
  }
  return lines;
}

/** "2 changed, 1 new", or that nothing differs. */
export function diffInWords(rows: readonly ArgumentDiff[]): string {
  const count = (change: Change) => rows.filter(row => row.change === change).length;
  const parts = [
    [count('changed'), 'changed'],
    [count('added'), 'new'],
    [count('removed'), 'gone'],
  ]
    .filter(([n]) => n !== 0)
    .map(([n, word]) => `${n} ${word}`);
  return parts.length === 0 ? 'the same arguments' : parts.join(', ');
}
