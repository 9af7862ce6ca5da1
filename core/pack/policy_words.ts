/** Activations of policies in plain words: for the command, the pages and summary.pdf. */
import { plainText } from './plain_text.ts';
import type { PolicyInForce } from './policy_statements.ts';

const STANDS: { readonly [S in PolicyInForce['stands']]: string } = {
  signed: '',
  unsigned: 'unsigned: nobody was enrolled yet',
  app: 'the policy that came with the app, put in force by it',
  not_shown: 'who stands behind it is not shown',
};

/** Such as `saved by ada, proposed by ada, put in force by ben; two people were asked for; 1 impact report`. */
export function policyWords({ by, author, proposed_by, four_eyes, stands, impacts }: PolicyInForce): string {
  const people = [
    author === undefined ? '' : `saved by ${plainText(author)}`,
    proposed_by === undefined ? '' : `proposed by ${plainText(proposed_by)}`,
    by === '' || stands === 'app' ? '' : `put in force by ${plainText(by)}`,
  ];
  const parts = [
    people.filter(part => part !== '').join(', '),
    STANDS[stands],
    four_eyes ? 'two people were asked for' : '',
    impacts === 0 ? '' : `${impacts} impact report${impacts === 1 ? '' : 's'}`,
  ];
  return parts.filter(part => part !== '').join('; ');
}

/** Newest activations that are told one by one. */
const MOST_TOLD = 12;

/** One line for each of the newest activations; the first says how many earlier ones there are. */
export function policyLines(policies: readonly PolicyInForce[]): string[] {
  const left = policies.length - MOST_TOLD;
  const told = policies.slice(-MOST_TOLD).map(one => {
    const { version, environment, hash } = one;
    return `Version ${version} in ${plainText(environment)} (${hash.slice(0, 12)}): ${policyWords(one)}.`;
  });
  return left > 0
    ? [`${left} earlier activation${left === 1 ? '' : 's'} in the report as JSON.`, ...told]
    : told;
}
