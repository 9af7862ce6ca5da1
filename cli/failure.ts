/** Whatever goes wrong, as a sentence, an exit code and, with --json, one JSON document. Never a stack trace. */
import { strikeSecrets } from '../collector/strike-secrets.ts';
import { errorTable, problemDocument, TrailmixError } from '../core/api/errors.ts';
import type { ExitCode } from './command.ts';

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

export function report(thrown: unknown, asJson: boolean): ExitCode {
  const error = asKnown(thrown);
  if (asJson) process.stdout.write(`${JSON.stringify({ error: problemDocument(error) })}\n`);
  process.stderr.write(`${error.message}\n`);
  if (error.where !== undefined && !error.message.includes(error.where))
    process.stderr.write(`  where: ${error.where}\n`);
  process.stderr.write(`  next:  ${errorTable[error.code].next}\n`);
  return exitOf(error);
}
