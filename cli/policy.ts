/** `trailmix policy VERB PATH...`: Rego work without the page, by the official toolchain (collector/policy). */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ENTRYPOINT } from '../collector/policy/bundle.ts';
import { createToolchain } from '../collector/policy/toolchain.ts';
import { TrailmixError } from '../core/api/errors.ts';
import { policyInputSchema } from '../core/policy/input_schema.ts';
import { type Command, textOf } from './command.ts';
import { readInput, readPolicy } from './policy_files.ts';
import { verbs } from './policy_verbs.ts';

const ROOT = join(import.meta.dirname, '..');
const VERBS = Object.keys(verbs).join('|');

export const policyCommand: Command = {
  summary: 'Checks, mends, tests, evaluates and builds Rego policies; needs no collector.',
  usage: `${VERBS} PATH...`,
  examples: [
    'trailmix policy check policies/',
    'trailmix policy test policies/ --run refunds --coverage',
    'trailmix policy eval policies/ --input call.json --json',
    'trailmix policy why policies/ --rule data.trailmix.approve --input call.json',
    'trailmix policy repair old-policies/ --merge --write',
    'trailmix policy build policies/ --out policy.wasm',
  ],
  options: {
    run: { type: 'string' },
    coverage: { type: 'boolean' },
    input: { type: 'string' },
    query: { type: 'string' },
    trace: { type: 'boolean' },
    rule: { type: 'string' },
    write: { type: 'boolean' },
    merge: { type: 'boolean' },
    out: { type: 'string' },
    entrypoint: { type: 'string' },
  },
  help: {
    '--run PATTERN': 'test: only those whose name matches',
    '--coverage': 'test: say which lines no test covers',
    '--input FILE': 'eval, why: the input, JSON; - is stdin',
    '--query QUERY': 'eval: what to evaluate (default the entrypoint)',
    '--trace': 'eval: with every step',
    '--rule NAME': 'why: the rule (default the entrypoint)',
    '--write': 'fmt, repair: change the files',
    '--merge': 'repair: add decision.rego, and turn decisions into reasons that it merges',
    '--out FILE': 'what `build` writes (default policy.wasm)',
    '--entrypoint NAME': `the rule to build, to lint from, to evaluate (default ${ENTRYPOINT})`,
  },
  words: [2, 100],
  async run({ values, positionals, out }) {
    const [name = '', ...paths] = positionals;
    const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
    if (verb === undefined) {
      throw new TrailmixError('usage', { where: name, message: `policy has no ${name}: ${VERBS}` });
    }
    const policy = await readPolicy(paths);
    const inputName = textOf(values, 'input');
    const input =
      inputName === undefined ? { given: false } : { given: true, value: await readInput(inputName) };
    const merge =
      values.merge === true ? await readFile(join(ROOT, 'policies', 'decision.rego'), 'utf8') : undefined;
    const toolchain = await createToolchain({
      dir: join(ROOT, 'resources', 'generated', 'toolchain'),
      capabilities: await readFile(join(ROOT, 'policies', 'capabilities.json'), 'utf8'),
      inputSchema: policyInputSchema,
    });
    try {
      return await verb(toolchain, policy, out, {
        run: textOf(values, 'run'),
        out: textOf(values, 'out'),
        entrypoint: textOf(values, 'entrypoint') ?? ENTRYPOINT,
        query: textOf(values, 'query'),
        rule: textOf(values, 'rule'),
        input,
        trace: values.trace === true,
        write: values.write === true,
        coverage: values.coverage === true,
        merge,
      });
    } finally {
      await toolchain.close();
    }
  },
};
