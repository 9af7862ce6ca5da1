/** Secrets come from the environment, from a pipe, or are typed unseen; never from the command line, which others can read. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { TrailmixError } from '../core/api/errors.ts';

/** The secret of an environment variable, else the first line of a pipe, else typed at the terminal without echo. */
export async function secretFrom(variable: string, question: string): Promise<string> {
  const given = process.env[variable];
  if (given !== undefined && given !== '') return given;
  const terminal = process.stdin.isTTY === true;
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal });
  try {
    if (terminal) process.stderr.write(`${question}: `);
    for await (const line of lines) {
      if (terminal) process.stderr.write('\n');
      if (line.trim() !== '') return line.trim();
      break;
    }
  } finally {
    lines.close();
  }
  throw new TrailmixError('usage', {
    where: variable,
    message: `Give it as ${variable}, by a pipe or at the terminal`,
  });
}
