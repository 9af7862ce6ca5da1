/** What a reader dropped or chose: the pack, and the files of the trust folder, by their names. Pure. Source: core/pack/trust.ts. */
import { isTrustFile } from '../../../core/pack/trust.ts';

/** Files of the trust folder by the name that the verifier knows; what is there for stock tools (log-<id>.pem) is left out. */
export type TrustFiles<F> = ReadonlyMap<string, F>;

export type GivenFiles<F> = { packs: F[]; trust: TrustFiles<F> };

/** "org (1).pem", as browsers name a second download, is org.pem; any other .json is taken for trust.json. */
export function trustName(fileName: string): string | undefined {
  const name = fileName.toLowerCase().replace(/ ?\(\d+\)(?=\.[a-z.]+$)/, '');
  if (isTrustFile(name)) return name;
  if (name.endsWith('.crl')) return `${name}.pem`;
  return name.endsWith('.json') ? 'trust.json' : undefined;
}

export function sortGiven<F extends { name: string }>(files: readonly F[]): GivenFiles<F> {
  const trust = new Map<string, F>();
  const packs: F[] = [];
  for (const file of files) {
    const name = trustName(file.name);
    if (name !== undefined) trust.set(name, file);
    else if (!/\.(pem|crt|cer)$/i.test(file.name)) packs.push(file);
  }
  return { packs, trust };
}

/** "trust.json, org.pem and tsa-root.pem". */
export function namesOf(trust: TrustFiles<unknown>): string {
  const names = [...trust.keys()].sort((a, b) => Number(b === 'trust.json') - Number(a === 'trust.json'));
  const last = names.pop() ?? '';
  return names.length === 0 ? last : `${names.join(', ')} and ${last}`;
}

/** Of one drop: a pack with a whole trust folder. */
export const MOST_FILES = 20;
