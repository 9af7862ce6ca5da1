/** `trailmix policy check|test|build PATH...`: Rego work without the page, by the official toolchain (collector/policy). */
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import {
  createToolchain,
  type Diagnostic,
  type RegoFile,
  type Toolchain,
} from '../collector/policy/toolchain.ts';
import { TrailmixError } from '../core/api/errors.ts';
import { type Command, type ExitCode, type Output, textOf } from './command.ts';

const ROOT = join(import.meta.dirname, '..');
const ENTRYPOINT = 'trailmix/decision';
const MOST_FILES = 500;
const FILE_BYTES = 1024 * 1024;

async function regoIn(path: string): Promise<string[]> {
  const found = await stat(path).catch(() => {
    throw new TrailmixError('usage', { where: path, message: `${path} is not there` });
  });
  if (!found.isDirectory()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter(
      entry => entry.isFile() && entry.name.endsWith('.rego') && !entry.parentPath.includes('node_modules'),
    )
    .map(entry => join(entry.parentPath, entry.name));
}

async function filesOf(paths: string[]): Promise<RegoFile[]> {
  const names = [...new Set((await Promise.all(paths.map(path => regoIn(resolve(path))))).flat())].sort();
  if (names.length === 0)
    throw new TrailmixError('usage', { message: 'There is no .rego file in what you named' });
  if (names.length > MOST_FILES)
    throw new TrailmixError('usage', { message: `${names.length} files; at most ${MOST_FILES}` });
  return Promise.all(
    names.map(async name => {
      const text = await readFile(name, 'utf8');
      if (text.length > FILE_BYTES)
        throw new TrailmixError('usage', { where: name, message: `${name} is over 1 MiB` });
      return { path: relative(process.cwd(), name).split(sep).join('/'), text };
    }),
  );
}

const place = (fault: { path?: string; row?: number; col?: number }): string =>
  [fault.path ?? '', fault.row ?? '', fault.col ?? ''].filter(part => part !== '').join(':');

function faulty(out: Output, errors: Diagnostic[]): ExitCode {
  out.json({ ok: false, errors });
  for (const error of errors) out.say(`${place(error)}  ${error.code}: ${error.message}`);
  return 1;
}

async function check(toolchain: Toolchain, files: RegoFile[], out: Output): Promise<ExitCode> {
  const checked = await toolchain.check(files);
  if (!checked.ok) return faulty(out, checked.errors);
  out.json({ ok: true, files: files.map(file => file.path) });
  out.say(`${files.length} file${files.length === 1 ? '' : 's'}: no fault found.`);
  return 0;
}

async function test(
  toolchain: Toolchain,
  files: RegoFile[],
  out: Output,
  run: string | undefined,
): Promise<ExitCode> {
  const tested = await toolchain.test(files, run === undefined ? {} : { run });
  if (!tested.ok) return faulty(out, tested.errors);
  const failed = tested.tests.filter(one => one.outcome === 'fail' || one.outcome === 'error');
  const ok = failed.length === 0 && tested.tests.length > 0;
  out.json({ ok, tests: tested.tests, coverage: tested.coverage });
  for (const one of failed)
    out.say(`${one.outcome.toUpperCase()}  ${place(one)} ${one.name} ${one.message ?? ''}`);
  out.say(
    tested.tests.length === 0
      ? 'There are no tests: rules named test_... in files *_test.rego.'
      : `${tested.tests.length - failed.length} of ${tested.tests.length} tests passed; ${tested.coverage.coverage} % of lines covered.`,
  );
  return ok ? 0 : 1;
}

async function build(
  toolchain: Toolchain,
  files: RegoFile[],
  out: Output,
  to: string,
  entrypoint: string,
): Promise<ExitCode> {
  const built = await toolchain.build(files, entrypoint);
  if (!built.ok) return faulty(out, built.errors);
  await writeFile(to, built.wasm);
  out.json({ ok: true, out: resolve(to), bytes: built.wasm.length, entrypoint });
  out.say(`Wrote ${to} (${built.wasm.length} bytes), entrypoint ${entrypoint}.`);
  return 0;
}

export const policyCommand: Command = {
  summary: 'Checks, tests and builds Rego policies; needs no collector.',
  usage: 'check|test|build PATH...',
  examples: [
    'trailmix policy check policies/',
    'trailmix policy test policies/ --run refunds',
    'trailmix policy build policies/ --out policy.wasm',
  ],
  options: { run: { type: 'string' }, out: { type: 'string' }, entrypoint: { type: 'string' } },
  help: {
    '--run PATTERN': 'only tests whose name matches',
    '--out FILE': 'what `build` writes (default policy.wasm)',
    '--entrypoint NAME': `the rule to build (default ${ENTRYPOINT})`,
  },
  words: [2, 100],
  async run({ values, positionals, out }) {
    const [verb, ...paths] = positionals;
    if (verb !== 'check' && verb !== 'test' && verb !== 'build') {
      throw new TrailmixError('usage', {
        where: verb ?? '',
        message: `policy has no ${verb}: check, test or build`,
      });
    }
    const files = await filesOf(paths);
    const toolchain = await createToolchain({
      dir: join(ROOT, 'resources', 'generated', 'toolchain'),
      capabilities: await readFile(join(ROOT, 'policies', 'capabilities.json'), 'utf8'),
    });
    try {
      if (verb === 'check') return await check(toolchain, files, out);
      if (verb === 'test') return await test(toolchain, files, out, textOf(values, 'run'));
      const entrypoint = textOf(values, 'entrypoint') ?? ENTRYPOINT;
      return await build(toolchain, files, out, textOf(values, 'out') ?? 'policy.wasm', entrypoint);
    } finally {
      await toolchain.close();
    }
  },
};
