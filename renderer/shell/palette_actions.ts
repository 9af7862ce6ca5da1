/** What typing in the palette can mean besides the fixed places: an event by number, or by its id. Pure. */

export type PaletteTarget =
  | { kind: 'seq'; seq: number }
  | { kind: 'event_id'; id: string }
  | { kind: 'search'; q: string };

/** Targets for a text, best first: "#18,204" or "18204" is an event number; one word may be an event id; all can be searched. */
export function buildPaletteTargets(text: string): PaletteTarget[] {
  const typed = text.trim();
  if (typed === '') return [];
  const targets: PaletteTarget[] = [];
  const digits = /^#?\s*([0-9][0-9,.\s]*)$/.exec(typed)?.[1]?.replace(/[,.\s]/g, '');
  if (digits !== undefined && digits.length <= 15) targets.push({ kind: 'seq', seq: Number(digits) });
  if (/^[^\s#]{6,256}$/.test(typed)) targets.push({ kind: 'event_id', id: typed });
  targets.push({ kind: 'search', q: typed });
  return targets;
}
