/** Witnesses in words. Pure. */
import type { OutputOf } from '../../../../core/api/operations.ts';
import { countOf } from '../../../ui/numbers.ts';

export type Witness = OutputOf<'witnesses'>['witnesses'][number];

/** Why a line cannot be a witness's vkey; undefined where it may be. The collector checks the key itself. */
export function vkeyFault(text: string, known: readonly string[]): string | undefined {
  if (!/^[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+=*$/.test(text))
    return 'Paste the whole line that the witness gave you: name+number+key.';
  if (known.includes(text)) return 'It is in the list already.';
  return known.length >= 16 ? 'At most 16 witnesses.' : undefined;
}

export const witnessNameFault = (name: string): string | undefined =>
  name === ''
    ? 'Give it a name that is yours alone, for example your domain.'
    : /[\s+]/.test(name)
      ? 'A name has no blanks and no plus sign, for example example.org/audit.'
      : undefined;

/** The key's own part of a vkey. */
export const keyOfVkey = (vkey: string): string => vkey.slice(vkey.indexOf('+') + 1);

/** How far behind the newest record a witness is. */
export function witnessReach({ last }: Witness, size: number): string {
  if (last === undefined) return 'Has cosigned nothing yet.';
  const behind = size - last.size;
  return `Cosigned the first ${countOf(last.size, 'record')}${behind > 0 ? `; ${countOf(behind, 'record')} came since` : ''}.`;
}

/** A file name of a witness's request or note: "audit-120.ask". */
export const witnessFile = (name: string, size: number, ending: string): string =>
  `${name.replaceAll(/[^A-Za-z0-9.-]+/g, '_')}-${size}.${ending}`;
