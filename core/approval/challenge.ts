/**
 * Challenges: what a person has to do beside pressing a button, made from the arguments (docs/spec/gate.md, "Answers").
 * Rules: the same arguments give the same challenge; a value that looks like a secret is never asked for; comparison
 * forgives how people write (case, spaces, thousands separators), not what they say.
 */
import type { Challenge } from '../api/approval_operations.ts';
import { isPlain, type JsonObject, type JsonValue, pointer } from '../proof/jcs.ts';

export type ChallengeKind = Challenge['kind'];

/** Wrong answers after which a review ends. */
export const MOST_ATTEMPTS = 3;

const MOST_NODES = 2_000;
const MOST_LEVELS = 6;
const LONGEST_VALUE = 40;
const LONGEST_NAME = 80;

const SECRET_NAME =
  /pass(word|phrase|code|wd)|secret|token|credential|private|api_?key|access_?key|(^|_)(pass|pin|cvv|cvc|otp|ssn|auth|key|pwd|salt|nonce|signature|cookie|session)(_|$)/;
const SECRET_VALUE = [
  /^(sk|pk|rk|ghp|gho|ghs|glpat|xox[abprs]|tm1|tms1|hf|npm|AIza|AKIA|ASIA)[-_.]?[A-Za-z0-9]{8,}/,
  /^eyJ[A-Za-z0-9_-]{8,}/,
  /^-----BEGIN/,
  // Long and without any structure: a key or a digest, and nothing that a person reads.
  /^[0-9a-fA-F]{32,}$/,
  /^(?=.*[a-z])(?=.*[A-Z])(?=.*\d)[A-Za-z0-9+/_=-]{20,}$/,
];

/** The likeliest to matter first. Names are in snake_case when they are compared. */
const WANTED = [
  /(^|_)(amount|total|sum|price|value|fee|refund|payment|budget|cost)(_|$)/,
  /(^|_)(iban|account|card|payee|beneficiary)(_|$)/,
  /(^|_)(e?mail|recipient|to|address|phone)(_|$)/,
  /(^|_)(name|user|customer|owner|host|hostname|domain|path|file|table|database|environment|cabin)(_|$)/,
  /(^|_)(id|ids|number|no|ref|reference|reservation|booking|order|invoice|flight)(_|$)/,
  /(^|_)(count|quantity|qty|limit|days|months|date|percent|rate)(_|$)/,
];

type Found = { path: (string | number)[]; value: string | number; rank: number };

const snake = (name: string): string =>
  name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll(/[^A-Za-z0-9]+/g, '_')
    .toLowerCase();

const isControl = (text: string): boolean => /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text);

function isAskable(value: JsonValue): value is string | number {
  if (typeof value === 'number') return true;
  if (typeof value !== 'string') return false;
  const length = [...value].length;
  return (
    length > 0 &&
    length <= LONGEST_VALUE &&
    value.trim() !== '' &&
    !isControl(value) &&
    !SECRET_VALUE.some(pattern => pattern.test(value))
  );
}

/** The value of the arguments that says most about what would be done; undefined where there is none to ask for. */
function chosen(payload: JsonObject): Found | undefined {
  let best: Found | undefined;
  let nodes = 0;
  const walk = (value: JsonValue, path: (string | number)[], name: string): void => {
    if (++nodes > MOST_NODES || path.length > MOST_LEVELS) return;
    if (typeof value === 'object' && value !== null) {
      if (Array.isArray(value)) {
        for (const [i, item] of value.entries()) walk(item, [...path, i], name);
      } else if (isPlain(value)) {
        for (const key of Object.keys(value).sort()) {
          const inner = snake(key);
          if (key.length <= LONGEST_NAME && !SECRET_NAME.test(inner))
            walk((value as JsonObject)[key]!, [...path, key], inner);
        }
      }
      return;
    }
    if (!isAskable(value)) return;
    const at = WANTED.findIndex(pattern => pattern.test(name));
    // What is named well, then what stands higher up, then what comes first.
    const rank = (at === -1 ? WANTED.length : at) * 100 + path.length;
    if (best === undefined || rank < best.rank) best = { path, value, rank };
  };
  walk(payload, [], '');
  return best;
}

/** `transfer.amount` reads as "amount of transfer"; positions count from 1. */
function label(path: readonly (string | number)[]): string {
  const words = path.map(step =>
    typeof step === 'number' ? `item ${step + 1}` : snake(step).replaceAll('_', ' ').trim(),
  );
  const [last, ...above] = words.toReversed();
  return [last ?? '', ...above.slice(0, 2)].filter(word => word !== '').join(' of ');
}

/** The challenge of a kind for these arguments. Where nothing of them can be asked for, it asks for the action's name. */
export function makeChallenge(kind: ChallengeKind, payload: JsonObject): Challenge {
  if (kind === 'confirm') return { kind };
  const found = chosen(payload);
  if (found === undefined) {
    const prompt = kind === 'retype' ? 'Type the name of the action' : 'What is the name of the action?';
    return { kind, prompt };
  }
  const named = label(found.path);
  const prompt = kind === 'retype' ? `Type the ${named}` : `What is the ${named}?`;
  return { kind, prompt, path: pointer(found.path) };
}

/** What the JSON Pointer leads to; undefined when to nothing that is asked for. */
function valueAt(payload: JsonObject, path: string): string | number | undefined {
  let value: JsonValue | undefined = payload;
  for (const step of path.split('/').slice(1)) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof value !== 'object' || value === null) return undefined;
    if (Array.isArray(value)) value = /^\d{1,9}$/.test(name) ? value[Number(name)] : undefined;
    else value = Object.hasOwn(value, name) ? (value as JsonObject)[name] : undefined;
  }
  return typeof value === 'string' || typeof value === 'number' ? value : undefined;
}

/** Whether the answer is right. `confirm` asks for nothing: whatever was sent is right. */
export function answersChallenge(
  challenge: Pick<Challenge, 'kind' | 'path'>,
  of: { readonly action: string; readonly payload: JsonObject },
  answer: string | undefined,
): boolean {
  if (challenge.kind === 'confirm') return true;
  if (answer === undefined) return false;
  const expected = challenge.path === undefined ? of.action : valueAt(of.payload, challenge.path);
  if (expected === undefined) return false;
  return sameValue(expected, answer);
}

const fold = (text: string): string => text.normalize('NFKC').trim().replaceAll(/\s+/g, ' ').toLowerCase();
const bare = (text: string): string => fold(text).replaceAll(' ', '');

/** Whether a person who typed `answer` means `expected`. */
export function sameValue(expected: string | number, answer: string): boolean {
  const given = fold(answer);
  if (given === '') return false;
  if (typeof expected === 'string') {
    if (fold(expected) === given || bare(expected) === bare(answer)) return true;
    // An amount kept as text; not an id, whose leading zeros and last digits count.
    const digits = expected.replaceAll(/\D/g, '');
    if (!/^[-+]?\d[\d., '’_\u00a0\u202f]*$/.test(expected.trim())) return false;
    if (digits.length > 15 || /^0\d/.test(digits)) return false;
    const meant = numbersOf(expected);
    return numbersOf(answer).some(number => meant.includes(number));
  }
  return numbersOf(answer).includes(expected);
}

/** Every number that the text can mean: 12,000 and 12.000 are twelve or twelve thousand, depending on the country. */
function numbersOf(text: string): number[] {
  const digits = bare(text)
    .replaceAll(/['’_]/g, '')
    .replace(/^(?:[a-z]{3}|\p{Sc})/u, '')
    .replace(/(?:[a-z]{3}|\p{Sc})$/u, '');
  const [, sign = '', number = ''] = /^([-+−]?)([\d.,]+(?:e[-+]?\d{1,3})?)$/.exec(digits) ?? [];
  if (number === '') return [];
  const meanings = new Set<string>();
  if (/^\d*\.?\d+(e[-+]?\d{1,3})?$/.test(number)) meanings.add(number);
  if (/^\d*,\d+$/.test(number)) meanings.add(number.replace(',', '.'));
  if (/^\d{1,3}(,\d{3})+(\.\d+)?$/.test(number)) meanings.add(number.replaceAll(',', ''));
  if (/^\d{1,3}(\.\d{3})+(,\d+)?$/.test(number)) meanings.add(number.replaceAll('.', '').replace(',', '.'));
  return [...meanings].map(one => Number(one) * (sign === '-' || sign === '−' ? -1 : 1));
}
