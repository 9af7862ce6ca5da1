/**
 * What a command is. Contracts of the command line (docs/cli.md): exit codes 0 done or verified, 1 checked and failed
 * or refused, 2 unusable input or usage, 3 verified with something not shown or a warning; `--json` gives one JSON
 * document on stdout and nothing else there; never a stack trace.
 */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { defaultDataFolder } from '../collector/data-folder.ts';
import { TrailmixError } from '../core/api/errors.ts';

export type ExitCode = 0 | 1 | 2 | 3;

export type Output = {
  /** For a person; nothing with --json. */
  say(line: string): void;
  /** For a person, on stderr, also with --json. */
  note(line: string): void;
  /** The one document of --json; nothing without it. */
  json(value: unknown): void;
  readonly asJson: boolean;
};

export type Invocation = {
  data: string;
  values: Record<string, string | boolean | string[] | undefined>;
  positionals: string[];
  out: Output;
};

export type Command = {
  summary: string;
  /** After the name, e.g. `PACK [--trust DIR]`. */
  usage: string;
  /** Whole command lines. */
  examples: string[];
  options?: ParseArgsOptionsConfig;
  /** One line for each option. */
  help?: Record<string, string>;
  /** Number of positional words: [least, most]. */
  words?: [number, number];
  run(invocation: Invocation): Promise<ExitCode>;
};

const common: ParseArgsOptionsConfig = {
  data: { type: 'string' },
  tenant: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
};

export function output(asJson: boolean): Output {
  return {
    asJson,
    say: line => void (asJson || process.stdout.write(`${line}\n`)),
    note: line => void process.stderr.write(`${line}\n`),
    json: value => void (asJson && process.stdout.write(`${JSON.stringify(value)}\n`)),
  };
}

/** Throws usage. */
export function parse(command: Command, words: string[]): Invocation & { help: boolean } {
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({
      args: words,
      options: { ...common, ...command.options },
      allowPositionals: true,
      strict: true,
    });
  } catch (error) {
    throw new TrailmixError('usage', { message: (error as Error).message });
  }
  const values = parsed.values as Invocation['values'];
  const help = values.help === true;
  const [least, most] = command.words ?? [0, 0];
  if (!help && (parsed.positionals.length < least || parsed.positionals.length > most)) {
    const wanted =
      most === 0
        ? 'no words'
        : least === most
          ? `${least} word${least === 1 ? '' : 's'}`
          : `${least} to ${most} words`;
    throw new TrailmixError('usage', {
      message: `This command takes ${wanted}, not ${parsed.positionals.length}`,
    });
  }
  // Beside TRAILMIX_TENANT, as --data is beside TRAILMIX_DATA: every call of this process is for that tenant.
  if (typeof values.tenant === 'string') process.env.TRAILMIX_TENANT = values.tenant;
  const data = typeof values.data === 'string' ? values.data : defaultDataFolder();
  return { data, values, positionals: parsed.positionals, out: output(values.json === true), help };
}

export const textOf = (values: Invocation['values'], name: string): string | undefined => {
  const value = values[name];
  return typeof value === 'string' ? value : undefined;
};

/** Throws usage when the option is missing. */
export function need(values: Invocation['values'], name: string): string {
  const value = textOf(values, name);
  if (value === undefined || value === '') {
    throw new TrailmixError('usage', { where: `--${name}`, message: `--${name} is missing` });
  }
  return value;
}

/** When this process is told to end, which it then no longer does by itself. */
export const signalled = (): Promise<NodeJS.Signals> =>
  new Promise(resolve => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  });

export function helpText(name: string, command: Command): string {
  const lines = [`trailmix ${name} ${command.usage}`.trimEnd(), '', command.summary, ''];
  const helps = {
    ...command.help,
    '--data DIR': "the data folder (default: the platform's, or TRAILMIX_DATA)",
    '--tenant T': 'of which tenant, where there are several (default: default, or TRAILMIX_TENANT)',
    '--json': 'one JSON document on stdout and nothing else there',
  };
  const width = Math.max(...Object.keys(helps).map(key => key.length));
  for (const [option, text] of Object.entries(helps)) lines.push(`  ${option.padEnd(width)}  ${text}`);
  lines.push('', command.examples.length === 1 ? 'Example:' : 'Examples:');
  for (const example of command.examples) lines.push(`  ${example}`);
  return lines.join('\n');
}
