/** `trailmix policy VERB ...`: Rego work without the page, by the official toolchain; and what the collector has saved (policy_sets.ts). */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ENTRYPOINT } from '../collector/policy/bundle.ts';
import { createToolchain } from '../collector/policy/toolchain.ts';
import { TrailmixError } from '../core/api/errors.ts';
import { policyInputSchema } from '../core/policy/input_schema.ts';
import { type Command, textOf } from './command.ts';
import { readInput, readPolicy } from './policy_files.ts';
import { importBundle } from './policy_import.ts';
import { collectorVerbs } from './policy_sets.ts';
import { type VerbOptions, verbs } from './policy_verbs.ts';
import { watch } from './policy_watch.ts';

const ROOT = join(import.meta.dirname, '..');
/** Verbs that need the collector. */
const running = { ...collectorVerbs, import: { least: 1, run: importBundle } };
const VERBS = [...Object.keys(verbs), ...Object.keys(running), 'watch'].join('|');

export const policyCommand: Command = {
  summary:
    'Checks, mends, tests, evaluates and builds Rego policies; lists, compares, activates, imports and tries saved sets.',
  usage: `${VERBS} [PATH...|HASH|ENVIRONMENT]`,
  examples: [
    'trailmix policy check policies/',
    'trailmix policy test policies/ --run refunds --coverage',
    'trailmix policy eval policies/ --input call.json --json',
    'trailmix policy why policies/ --rule data.trailmix.approve --input call.json',
    'trailmix policy repair old-policies/ --merge --write',
    'trailmix policy build policies/ --out policy.wasm',
    'trailmix policy list',
    'trailmix policy diff prod policies/',
    'trailmix policy impact policies/ --app finance-bot --last 40000 --save --as ada',
    'trailmix policy activate policies/ --env staging --message "new limits" --as ada',
    'trailmix policy import bundle.tar.gz --key public.pem --as ada',
    'trailmix policy watch policies/ --save --committed --env staging --as ada',
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
    env: { type: 'string' },
    message: { type: 'string' },
    as: { type: 'string' },
    app: { type: 'string' },
    from: { type: 'string' },
    to: { type: 'string' },
    last: { type: 'string' },
    save: { type: 'boolean' },
    key: { type: 'string' },
    scope: { type: 'string' },
    committed: { type: 'boolean' },
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
    '--env NAME':
      'activate: dev, staging or prod (default prod); watch: also put what is saved in force there',
    '--message TEXT':
      'activate, impact, import, watch: why; it is signed and recorded (watch: else folder and commit)',
    '--as NAME': 'activate, impact, import, list, watch: sign in as this person; TRAILMIX_SIGN_IN or typed',
    '--app APP': 'impact: only decisions of this app',
    '--from, --to TIME': 'impact: only decisions received in this window',
    '--last N': 'impact: the newest N of them (default 40000)',
    '--save': 'impact: record the result as an event; watch: save what passes its tests as a set',
    '--key FILE':
      'import: the public key (PEM), or the shared secret, that checks the signature of the bundle',
    '--scope NAME': 'import: what the scope of its signature must be',
    '--committed': 'watch: save only what git has committed',
  },
  words: [1, 100],
  async run(invocation) {
    const { values, positionals, out } = invocation;
    const [name = '', ...paths] = positionals;
    const own = Object.hasOwn(running, name) ? running[name as keyof typeof running] : undefined;
    if (own !== undefined) {
      if (paths.length < own.least)
        throw new TrailmixError('usage', {
          where: name,
          message: `policy ${name} needs more words: see --help`,
        });
      return own.run(invocation, paths);
    }
    const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
    if (verb === undefined && name !== 'watch') {
      throw new TrailmixError('usage', { where: name, message: `policy has no ${name}: ${VERBS}` });
    }
    if (paths.length === 0)
      throw new TrailmixError('usage', { where: name, message: 'Name files or a folder' });
    const policy = verb === undefined ? undefined : await readPolicy(paths);
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
      const options: VerbOptions = {
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
      };
      return verb === undefined || policy === undefined
        ? await watch(invocation, paths, toolchain, options)
        : await verb(toolchain, policy, out, options);
    } finally {
      await toolchain.close();
    }
  },
};
