/** Bodies that a pack leaves out, as people type them. Pure. Source: docs/spec/pack.md, withheld. */

const MOST = 1000;

/** "4711, #4,712 4720-4722" as numbers in order, each once; or what is wrong. */
export function readSeqs(text: string): { seqs: number[] } | { fault: string } {
  const seqs = new Set<number>();
  const parts = text
    .replaceAll(/(?<=\d),(?=\d{3}(?!\d))/g, '')
    .replaceAll('#', '')
    .split(/[\s,;]+/)
    .filter(part => part !== '');
  for (const part of parts) {
    const [, first, last = first] = /^(\d{1,15})(?:[-–](\d{1,15}))?$/.exec(part) ?? [];
    if (first === undefined || last === undefined || Number(last) < Number(first))
      return { fault: `“${part}” is no event number. Write them as 4711, 4712 or 4711-4720.` };
    if (Number(last) - Number(first) >= MOST) return { fault: `At most ${MOST} bodies of one pack.` };
    for (let seq = Number(first); seq <= Number(last); seq++) seqs.add(seq);
  }
  if (seqs.size === 0) return { fault: 'Which events? Their numbers stand in Traces, as #4,711.' };
  if (seqs.size > MOST) return { fault: `At most ${MOST} bodies of one pack.` };
  return { seqs: [...seqs].sort((a, b) => a - b) };
}

export const reasonFault = (reason: string): string | undefined =>
  reason.trim() === '' ? 'Readers of the pack are told why: give a reason.' : undefined;
