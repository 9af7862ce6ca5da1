/**
 * Entry of trailmix-verify.mjs, the verifier as one file for plain Node: resources/build/verifier.ts bundles it. The same
 * words, options and exit codes as `trailmix verify PACK`.
 * Rule: where it runs as the thread of a large pack (verify_thread.ts), it is no command.
 */
import { isMainThread } from 'node:worker_threads';
import { VERSION } from '../collector/version.ts';
import { type Command, type ExitCode, helpText, parse } from './command.ts';
import { report } from './failure.ts';
import { checkAndShow, packHelp, packOptions } from './verify_show.ts';

const command: Command = {
  summary:
    'Four verdicts about an evidence pack: integrity, completeness, time, identity. Needs no ledger and no network.',
  usage: 'PACK [--trust DIR] [--since OLD]',
  examples: ['node trailmix-verify.mjs november.zip --trust ./trust'],
  options: packOptions,
  help: packHelp,
  words: [0, 1],
  run: ({ values, positionals: [path], out }) => checkAndShow(path, values, out, 'one file'),
};

async function main(words: string[]): Promise<ExitCode> {
  if (words[0] === '--version') {
    process.stdout.write(`${words.includes('--json') ? JSON.stringify({ version: VERSION }) : VERSION}\n`);
    return 0;
  }
  try {
    const invocation = parse(command, words);
    if (!invocation.help) return await command.run(invocation);
    const help = helpText('verify', command).replace('trailmix verify', 'node trailmix-verify.mjs');
    process.stdout.write(`${help}\n`);
    return 0;
  } catch (error) {
    return report(error, words.includes('--json'));
  }
}

if (isMainThread) process.exitCode = await main(process.argv.slice(2));
