#!/usr/bin/env node
/**
 * The `trailmix` command. One file per command; this one finds it, and turns whatever goes wrong into a sentence, an
 * exit code and, with --json, one JSON document. Never a stack trace.
 */
import { VERSION } from '../collector/version.ts';
import { TrailmixError } from '../core/api/errors.ts';
import { type ExitCode, helpText, parse } from './command.ts';
import { commandOf, commands } from './commands.ts';
import { report } from './failure.ts';

async function overview(): Promise<string> {
  const width = Math.max(...Object.keys(commands).map(name => name.length));
  const lines = [
    'trailmix: records what AI agents do, gates what they may do, and exports evidence.',
    '',
    'Commands:',
  ];
  for (const [name, load] of Object.entries(commands)) {
    lines.push(`  ${name.padEnd(width)}  ${(await load()).summary}`);
  }
  lines.push(
    '',
    'trailmix COMMAND --help says more. Every command takes --data DIR and --json.',
    '',
    'Example:',
    '  trailmix start',
  );
  return lines.join('\n');
}

async function main(words: string[]): Promise<ExitCode> {
  const asJson = words.includes('--json');
  const [name, ...rest] = words;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const about = rest[0] === undefined ? undefined : await commandOf(rest[0]);
    process.stdout.write(`${about === undefined ? await overview() : helpText(rest[0]!, about)}\n`);
    return name === undefined ? 2 : 0;
  }
  if (name === '--version' || name === 'version') {
    process.stdout.write(asJson ? `${JSON.stringify({ version: VERSION })}\n` : `${VERSION}\n`);
    return 0;
  }
  try {
    const command = await commandOf(name);
    if (command === undefined) {
      throw new TrailmixError('usage', {
        where: name,
        message: `There is no command ${name}; trailmix --help lists them`,
      });
    }
    const invocation = parse(command, rest);
    if (invocation.help) {
      process.stdout.write(`${helpText(name, command)}\n`);
      return 0;
    }
    return await command.run(invocation);
  } catch (error) {
    return report(error, asJson);
  }
}

const fatal = (error: unknown): void => {
  process.exit(report(error, process.argv.includes('--json')));
};
process.on('uncaughtException', fatal);
process.on('unhandledRejection', fatal);

// Threads of the policy engine and the ledger end with their owners; what is left must not keep a finished command.
const code = await main(process.argv.slice(2));
process.exitCode = code;
if (process.stdout.writableNeedDrain) process.stdout.once('drain', () => process.exit(code));
else process.exit(code);
