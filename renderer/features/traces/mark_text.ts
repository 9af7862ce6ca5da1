/** The places of searched words in a text, for highlighting. Pure. */
export type MarkedPart = { at: number; text: string; marked: boolean };

/** The text in parts, in order; parts that equal one of the words (ignoring case) are marked. */
export function markText(text: string, find: string): MarkedPart[] {
  const words = find
    .toLowerCase()
    .split(/[\s"]+/)
    .filter(word => word !== '' && !word.includes(':'));
  const lower = text.toLowerCase();
  // Lower-casing can change a text's length; then places would be wrong.
  if (words.length === 0 || lower.length !== text.length) return [{ at: 0, text, marked: false }];
  const parts: MarkedPart[] = [];
  let at = 0;
  while (at < text.length) {
    let best = -1;
    let length = 0;
    for (const word of words) {
      const found = lower.indexOf(word, at);
      if (found >= 0 && (best < 0 || found < best || (found === best && word.length > length))) {
        best = found;
        length = word.length;
      }
    }
    if (best < 0) break;
    if (best > at) parts.push({ at, text: text.slice(at, best), marked: false });
    parts.push({ at: best, text: text.slice(best, best + length), marked: true });
    at = best + length;
  }
  if (at < text.length) parts.push({ at, text: text.slice(at), marked: false });
  return parts;
}
