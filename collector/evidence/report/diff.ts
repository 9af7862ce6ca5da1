/**
 * Differences between two versions of a policy's sources, line by line, with a little of what stands around them.
 * Rules: bounded in time and in what is kept; what was left out is counted.
 */

export type DiffLine = { readonly sign: '+' | '-' | ' ' | '…'; readonly text: string };

export type FileDiff = {
  readonly path: string;
  readonly kind: 'added' | 'removed' | 'changed';
  readonly added: number;
  readonly removed: number;
  readonly lines: readonly DiffLine[];
  /** Lines of the difference that are not kept. */
  readonly left: number;
};

type Source = { readonly path: string; readonly text: string };

const CONTEXT = 2;
const KEPT = 60;
const LINE = 160;
/** Pairs of lines that are compared; beyond it the whole of both sides counts as changed. */
const PAIRS = 4_000_000;

/** Files that differ, by path. */
export function diffSources(before: readonly Source[], after: readonly Source[]): FileDiff[] {
  const old = new Map(before.map(({ path, text }) => [path, text]));
  const now = new Map(after.map(({ path, text }) => [path, text]));
  const diffs: FileDiff[] = [];
  for (const path of [...new Set([...old.keys(), ...now.keys()])].sort()) {
    const [a, b] = [old.get(path), now.get(path)];
    if (a === b) continue;
    const kind = a === undefined ? 'added' : b === undefined ? 'removed' : 'changed';
    diffs.push({ path, kind, ...short(diffLines(linesOf(a), linesOf(b))) });
  }
  return diffs;
}

function linesOf(text: string | undefined): string[] {
  if (text === undefined || text === '') return [];
  const lines = text.split(/\r?\n/);
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

/** All lines of both sides, in order: kept, removed and added ones. */
function diffLines(a: readonly string[], b: readonly string[]): DiffLine[] {
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a.at(-1 - tail) === b.at(-1 - tail)) tail++;
  const same = (lines: readonly string[]): DiffLine[] => lines.map(text => ({ sign: ' ', text }));
  return [
    ...same(a.slice(0, head)),
    ...middle(a.slice(head, a.length - tail), b.slice(head, b.length - tail)),
    ...same(a.slice(a.length - tail)),
  ];
}

/** By the longest common subsequence. */
function middle(a: readonly string[], b: readonly string[]): DiffLine[] {
  const isTooLong = a.length * b.length > PAIRS;
  const width = b.length + 1;
  const common = new Uint32Array(isTooLong ? 0 : (a.length + 1) * width);
  if (!isTooLong) {
    for (let i = a.length - 1; i >= 0; i--) {
      for (let j = b.length - 1; j >= 0; j--) {
        common[i * width + j] =
          a[i] === b[j]
            ? common[(i + 1) * width + j + 1]! + 1
            : Math.max(common[(i + 1) * width + j]!, common[i * width + j + 1]!);
      }
    }
  }
  const lines: DiffLine[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (!isTooLong && i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ sign: ' ', text: a[i]! });
      i++;
      j++;
    } else if (
      i < a.length &&
      (isTooLong || j === b.length || common[(i + 1) * width + j]! >= common[i * width + j + 1]!)
    ) {
      lines.push({ sign: '-', text: a[i++]! });
    } else lines.push({ sign: '+', text: b[j++]! });
  }
  return lines;
}

/** What changed with its surroundings; a gap is one line. */
function short(all: readonly DiffLine[]): Pick<FileDiff, 'added' | 'removed' | 'lines' | 'left'> {
  const near = new Uint8Array(all.length);
  for (const [i, { sign }] of all.entries()) {
    if (sign !== ' ') near.fill(1, Math.max(0, i - CONTEXT), Math.min(all.length, i + CONTEXT + 1));
  }
  const lines: DiffLine[] = [];
  let left = 0;
  for (const [i, line] of all.entries()) {
    if (near[i] === 0) {
      if (lines.length > 0 && lines.at(-1)!.sign !== '…') lines.push({ sign: '…', text: '' });
    } else if (lines.length >= KEPT) left++;
    else lines.push({ sign: line.sign, text: line.text.slice(0, LINE).toWellFormed() });
  }
  while (lines.at(-1)?.sign === '…') lines.pop();
  const count = (sign: string) => all.filter(line => line.sign === sign).length;
  return { added: count('+'), removed: count('-'), lines, left };
}
