/** Writes docs/cli.md from the commands' own help. A test checks that it is current. Run: node resources/build/cli-doc.ts */
import { writeFileSync } from 'node:fs';
import { helpText } from '../../cli/command.ts';
import { commands } from '../../cli/commands.ts';

export const CLI_DOC = 'docs/cli.md';

export async function cliDocument(): Promise<string> {
  const lines = [
    '# The command line',
    '',
    'Generated from `trailmix COMMAND --help` by resources/build/cli-doc.ts; do not edit. In a clone:',
    '`npm run -s trailmix -- COMMAND`.',
    '',
    'Exit codes: 0 done or verified; 1 checked and failed, or refused; 2 unusable input or usage; 3 verified with something',
    'not shown or a warning. With `--json`, stdout has one JSON document and nothing else; a refusal is',
    '`{"error": {...}}` with the members of docs/errors.md. Without it the command speaks to a person. Where the app runs,',
    'commands go to it over a 0700 socket in the data folder; else they open the ledger themselves.',
    '',
    'Secrets never stand on the command line: a passphrase comes as `TRAILMIX_PASSPHRASE`, a recovery phrase as',
    '`TRAILMIX_RECOVERY_PHRASE`, by a pipe, or typed at the terminal. `TRAILMIX_DATA` names the data folder.',
  ];
  for (const [name, load] of Object.entries(commands)) {
    lines.push('', `## ${name}`, '', '```', helpText(name, await load()), '```');
  }
  return `${lines.join('\n')}\n`;
}

if (import.meta.main) {
  writeFileSync(new URL(`../../${CLI_DOC}`, import.meta.url), await cliDocument());
}
