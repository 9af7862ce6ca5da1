/** What differs between two sets of files, line by line. Bounded: texts that differ too much are shown whole. */

type File = { path: string; text: string };
export type FileDiff = { path: string; lines: string[] };

/** Cells of the table of common lines. */
const MOST_CELLS = 4_000_000;

export function diffFiles(before: readonly File[], after: readonly File[]): FileDiff[] {
  const paths = [...new Set([...before, ...after].map(({ path }) => path))].sort();
  const text = (files: readonly File[], path: string): string | undefined =>
    files.find(file => file.path === path)?.text;
  return paths.flatMap(path => {
    const [a, b] = [text(before, path), text(after, path)];
    if (a === b) return [];
    return [{ path, lines: diffLines(linesOf(a), linesOf(b)) }];
  });
}

const linesOf = (text: string | undefined): string[] =>
  text === undefined || text === '' ? [] : text.replace(/\n$/, '').split('\n');

/** `-12 text` left, `+14 text` came; numbers are those of the old and the new text. */
export function diffLines(a: readonly string[], b: readonly string[]): string[] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  const [rows, columns] = [a.length - start - end, b.length - start - end];
  const out: string[] = [];
  const left = (n: number) => out.push(`-${start + n + 1} ${a[start + n]}`);
  const came = (n: number) => out.push(`+${start + n + 1} ${b[start + n]}`);
  if (rows * columns > MOST_CELLS) {
    for (let n = 0; n < rows; n++) left(n);
    for (let n = 0; n < columns; n++) came(n);
    return out;
  }
  const width = columns + 1;
  const common = new Uint32Array((rows + 1) * width);
  for (let i = rows - 1; i >= 0; i--) {
    for (let j = columns - 1; j >= 0; j--) {
      common[i * width + j] =
        a[start + i] === b[start + j]
          ? common[(i + 1) * width + j + 1]! + 1
          : Math.max(common[(i + 1) * width + j]!, common[i * width + j + 1]!);
    }
  }
  let [i, j] = [0, 0];
  while (i < rows || j < columns) {
    if (i < rows && j < columns && a[start + i] === b[start + j]) [i, j] = [i + 1, j + 1];
    else if (j >= columns || (i < rows && common[(i + 1) * width + j]! >= common[i * width + j + 1]!))
      left(i++);
    else came(j++);
  }
  return out;
}
