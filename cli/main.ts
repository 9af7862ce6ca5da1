#!/usr/bin/env node
/**
 * The `trailmix` command. One file per command; this one finds it, and turns whatever goes wrong into a sentence, an
 * exit code and, with --json, one JSON document. Never a stack trace.
 */
import { strikeSecrets } from '../collector/strike-secrets.ts';
import { VERSION } from '../collector/version.ts';
import { errorTable, problemDocument, TrailmixError } from '../core/api/errors.ts';
import { type ExitCode, helpText, parse } from './command.ts';
import { commandOf, commands } from './commands.ts';

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

/** Refused by the state of things: 1; the input or the command line cannot be used: 2. */
const UNUSABLE = new Set([
  'usage',
  'pack_unreadable',
  'backup_unreadable',
  'input_invalid',
  'ts_invalid',
  'scope_empty',
]);
const exitOf = (error: TrailmixError): ExitCode => (UNUSABLE.has(error.code) ? 2 : 1);

function asKnown(error: unknown): TrailmixError {
  if (error instanceof TrailmixError) return error;
  const { code, path } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC') return new TrailmixError('disk_full');
  if (code === 'ENOENT' || code === 'EACCES' || code === 'EISDIR' || code === 'ENOTDIR') {
    return new TrailmixError('usage', {
      ...(path === undefined ? {} : { where: path }),
      message: `${path ?? 'A file'} cannot be used (${code})`,
    });
  }
  const message = error instanceof Error ? strikeSecrets(error.message).slice(0, 300) : 'unknown';
  return new TrailmixError('internal', { message: `Something went wrong: ${message}` });
}

function report(thrown: unknown, asJson: boolean): ExitCode {
  const error = asKnown(thrown);
  if (asJson) process.stdout.write(`${JSON.stringify({ error: problemDocument(error) })}\n`);
  process.stderr.write(`${error.message}\n`);
  if (error.where !== undefined && !error.message.includes(error.where))
    process.stderr.write(`  where: ${error.where}\n`);
  process.stderr.write(`  next:  ${errorTable[error.code].next}\n`);
  return exitOf(error);
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
