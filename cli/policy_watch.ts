/**
 * `trailmix policy watch DIR`: a folder, under git or not, is checked and tested at each change, and on request saved as
 * a set and put in force. Rules: nothing but what passed its tests is saved; each signature asks for the passphrase anew;
 * a fault is said and the watch goes on. With --json one line of JSON for each state.
 */
import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { basename, relative, resolve, sep } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Toolchain } from '../collector/policy/toolchain.ts';
import { TrailmixError } from '../core/api/errors.ts';
import type { OutputOf } from '../core/api/operations.ts';
import type { Environment } from '../core/api/policy_views.ts';
import { type Actor, acting } from './acting.ts';
import { type ExitCode, type Invocation, type Output, signalled, textOf } from './command.ts';
import { type PolicyFiles, policyPaths, readPolicy } from './policy_files.ts';
import { environmentOf, filesOf, putInForce, save, sayState, short } from './policy_sets.ts';
import { type VerbOptions, verbs } from './policy_verbs.ts';

/** Milliseconds between two looks; a change counts once two looks in a row see the same. */
const EVERY_MS = 400;
const MESSAGE = 500;
const git = promisify(execFile);

type GitState = { commit: string; clean: boolean };

/** Standard output of git in a folder; undefined where it fails or is not there. */
async function gitSays(folder: string, words: string[]): Promise<string | undefined> {
  // The folder's own git settings must not make this start another program.
  const answer = await git('git', ['-c', 'core.fsmonitor=false', '-C', folder, ...words], {
    timeout: 10_000,
    maxBuffer: 4 * 1024 * 1024,
    env: { ...process.env, GIT_OPTIONAL_LOCKS: '0' },
  }).catch(() => undefined);
  return answer?.stdout;
}

/** The commit that is checked out and whether it holds the folder's policy as it is; undefined without git or a commit. */
async function gitState(folder: string): Promise<GitState | undefined> {
  const status = await gitSays(folder, ['status', '--porcelain=v2', '--branch', '--', '.']);
  const lines = status?.split('\n').filter(line => line !== '') ?? [];
  const commit = lines.find(line => line.startsWith('# branch.oid '))?.split(' ')[2];
  if (commit === undefined || !/^[0-9a-f]+$/.test(commit)) return undefined;
  // Files that git ignores are no change to it, but a part of the policy.
  const held = new Set((await gitSays(folder, ['ls-files', '-z', '--', '.']))?.split('\0'));
  const paths = await policyPaths(folder).catch(() => []);
  const all = paths.every(path => held.has(relative(folder, path).split(sep).join('/')));
  return { commit, clean: all && lines.every(line => line.startsWith('#')) };
}

/** What tells two states of the folder apart without reading its files. */
async function stampOf(folder: string): Promise<string> {
  const paths = await policyPaths(folder).catch(() => []);
  const stats = await Promise.all(
    paths.sort().map(path => stat(path, { bigint: true }).catch(() => undefined)),
  );
  return paths.map((path, n) => `${path} ${stats[n]?.size} ${stats[n]?.mtimeNs}`).join('\n');
}

type Options = { save: boolean; committed: boolean; environment: Environment | undefined };

/** Throws usage for options that do not go together. */
function optionsOf(invocation: Invocation): Options {
  const { values } = invocation;
  const environment = values.env === undefined ? undefined : environmentOf(invocation);
  const options = { save: values.save === true, committed: values.committed === true, environment };
  if (!options.save && (options.committed || environment !== undefined || values.as !== undefined))
    throw new TrailmixError('usage', {
      where: '--save',
      message: '--env, --as and --committed go with --save',
    });
  return options;
}

/** Runs until SIGTERM or SIGINT. Throws usage where the folder is not there when it begins. */
export async function watch(
  invocation: Invocation,
  words: string[],
  toolchain: Toolchain,
  options: VerbOptions,
): Promise<ExitCode> {
  const { out } = invocation;
  const [word = ''] = words;
  const folder = resolve(word);
  if (words.length !== 1 || !(await stat(folder).catch(() => undefined))?.isDirectory())
    throw new TrailmixError('usage', { where: word, message: 'Name one folder to watch' });
  const wanted = optionsOf(invocation);
  if (wanted.committed && (await gitState(folder)) === undefined)
    throw new TrailmixError('usage', {
      where: '--committed',
      message: `${word} is not in a git repository with a commit`,
    });
  const ended = new AbortController();
  void signalled().then(() => ended.abort());
  out.note(`Watching ${word}. Ctrl-C ends it.`);
  let [judged, before] = ['', ''];
  while (!ended.signal.aborted) {
    const state = wanted.committed ? await gitState(folder) : undefined;
    const now = `${await stampOf(folder)}\n${state?.commit} ${state?.clean}\n`;
    if (now === before && now !== judged) {
      judged = now;
      await judge(invocation, word, toolchain, options, wanted);
    }
    before = now;
    await pause(EVERY_MS, undefined, { signal: ended.signal }).catch(() => undefined);
  }
  return 0;
}

/** One state of the folder: checked, tested, and saved where that was asked for. Says what is wrong instead of throwing. */
async function judge(
  invocation: Invocation,
  folder: string,
  toolchain: Toolchain,
  options: VerbOptions,
  wanted: Options,
): Promise<void> {
  const { out } = invocation;
  let said: object = {};
  const kept: Output = {
    ...out,
    json: value => {
      said = { ...said, ...(value as object) };
    },
  };
  out.say(`-- ${new Date().toISOString()}`);
  try {
    const policy = await readPolicy([folder]);
    const sound =
      (await verbs.check!(toolchain, policy, kept, options)) === 0 &&
      (await verbs.test!(toolchain, policy, kept, options)) === 0;
    if (sound && wanted.save) said = { ...said, ...(await saved(invocation, folder, policy, wanted)) };
  } catch (error) {
    const { code, message, where } =
      error instanceof TrailmixError ? error : new TrailmixError('internal', { message: String(error) });
    said = { ...said, ok: false, error: { code, message, ...(where === undefined ? {} : { where }) } };
    out.say(message);
  }
  out.json({ at: new Date().toISOString(), ...said });
}

type Saved = { skipped: 'uncommitted' } | { saved: string; activation?: OutputOf<'activatePolicySet'> };

async function saved(
  invocation: Invocation,
  folder: string,
  policy: PolicyFiles,
  wanted: Options,
): Promise<Saved> {
  const { out, values } = invocation;
  const { environment, committed } = wanted;
  const state = await gitState(resolve(folder));
  // What was tested must be what git holds: it is read once more behind git's answer.
  const asTested = async () => JSON.stringify(await readPolicy([folder])) === JSON.stringify(policy);
  if (committed && (state?.clean !== true || !(await asTested()))) {
    out.say('Not saved: not all of it is committed.');
    return { skipped: 'uncommitted' };
  }
  const message = (textOf(values, 'message') ?? from(folder, state)).slice(0, MESSAGE);
  const done: Saved = await acting(invocation, async (actor: Actor) => {
    const hash = await save(actor, filesOf([folder], policy), message);
    if (environment === undefined) return { saved: hash };
    const { items } = await actor.call('policyEnvironments');
    const place = items.find(({ name }) => name === environment);
    if (place?.active?.hash === hash || place?.pending?.hash === hash) return { saved: hash };
    return { saved: hash, activation: await putInForce(actor, hash, environment, message) };
  });
  if ('saved' in done) out.say(`Saved as ${short(done.saved)}.`);
  if ('activation' in done) out.say(sayState(done.activation));
  return done;
}

const from = (folder: string, state: GitState | undefined): string =>
  state === undefined
    ? `From the folder ${basename(resolve(folder))}`
    : `From the folder ${basename(resolve(folder))} at commit ${state.commit.slice(0, 12)}${state.clean ? '' : ', with changes that are not committed'}`;
