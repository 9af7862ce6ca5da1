/**
 * How hard a passphrase is to guess, roughly, and what would help. Pure. Guidance and no lock: only the length is required,
 * as everywhere in the app. Figures: letters of plain words carry about 2.2 bits each, mixed characters about 4.
 */
import { PASSPHRASE_LEAST } from '../setup/setup_steps.ts';

export type Strength = { level: 'short' | 'weak' | 'fair' | 'good'; words: string };

const WEAK_BITS = 44;
const FAIR_BITS = 58;

/** `own`: names that anybody would try first. */
export function strengthOf(passphrase: string, own: readonly string[] = []): Strength {
  const text = passphrase.normalize('NFKC');
  const missing = PASSPHRASE_LEAST - [...text].length;
  if (missing > 0) {
    return { level: 'short', words: `${missing} more ${missing === 1 ? 'character' : 'characters'}.` };
  }
  const rest = without(text.toLowerCase(), own);
  const bits = bitsOf(rest);
  if (bits < WEAK_BITS) {
    return {
      level: 'weak',
      words:
        rest.length < text.length
          ? 'Easy to guess: your name does not count. Add two or three unrelated words.'
          : 'Easy to guess. Add one or two unrelated words.',
    };
  }
  if (bits < FAIR_BITS) return { level: 'fair', words: 'Fair. One more word makes it hard to guess.' };
  return { level: 'good', words: 'Hard to guess, if the words are not a known saying.' };
}

function without(text: string, own: readonly string[]): string {
  let rest = text;
  for (const part of own.flatMap(name => name.toLowerCase().split(/[^\p{L}\p{N}]+/u))) {
    if (part.length >= 3) rest = rest.split(part).join('');
  }
  return rest;
}

/** Repeats (aaa) and runs (1234, dcba) count as their first two characters. */
function bitsOf(text: string): number {
  const points = [...text].map(character => character.codePointAt(0)!);
  let counted = '';
  let before = Number.NaN;
  points.forEach((point, i) => {
    const step = point - (points[i - 1] ?? Number.NaN);
    if (Math.abs(step) > 1 || step !== before) counted += String.fromCodePoint(point);
    before = step;
  });
  const mixed = /[\p{N}\p{P}\p{S}]/u.test(text) && !/\s/.test(text);
  return ([...counted].length - repeated(counted)) * (mixed ? 4 : 2.2);
}

/** Characters that only repeat what stands before: "abc abc" has three, "passpass" four. */
function repeated(text: string): number {
  const whole = /^(.{2,}?)\1+$/u.exec(text);
  if (whole?.[1] !== undefined) return [...text].length - [...whole[1]].length;
  const seen = new Set<string>();
  let extra = 0;
  for (const word of text.split(/\s+/)) {
    if (seen.has(word)) extra += [...word].length;
    seen.add(word);
  }
  return extra;
}

/** `count` words of a list, chosen by fair chance: `random` answers 32 bits. */
export function suggestPassphrase(wordlist: readonly string[], random: () => number, count = 6): string {
  const least = 2 ** 32 - (2 ** 32 % wordlist.length);
  const words: string[] = [];
  while (words.length < count) {
    const drawn = random();
    if (drawn < least) words.push(wordlist[drawn % wordlist.length]!);
  }
  return words.join(' ');
}
