/**
 * `trailmix policy list|diff|activate|impact`: saved sets, environments and impact of the running collector. Whoever is
 * enrolled signs with --as; before, nothing is signed. Format: docs/spec/policy.md.
 */
import { createHash } from 'node:crypto';
import { basename, relative, resolve, sep } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { DATA_PATH } from '../collector/policy/bundle.ts';
import { TrailmixError } from '../core/api/errors.ts';
import type { InputOf, OutputOf } from '../core/api/operations.ts';
import { type Environment, environments } from '../core/api/policy_views.ts';
import { utf8 } from '../core/proof/bytes.ts';
import { impactMessage, type PolicyStatement, policyMessage, sourcesSha256 } from '../core/proof/policy.ts';
import { type Actor, acting, signerOf } from './acting.ts';
import { type ExitCode, type Invocation, textOf } from './command.ts';
import type { SignedIn } from './person_sign_in.ts';
import { diffFiles } from './policy_diff.ts';
import { type PolicyFiles, readPolicy } from './policy_files.ts';

type Files = InputOf<'savePolicySet'>['files'];
const HASH = /^[0-9a-f]{6,64}$/;
const sha256 = (data: Uint8Array): Uint8Array => createHash('sha256').update(data).digest();
const hexOf = (text: string): string => createHash('sha256').update(utf8(text)).digest('hex');
const sourcesOf = (files: Files): string =>
  sourcesSha256(
    sha256,
    files.map(({ path, text }) => ({ path, sha256: hexOf(text) })),
  );
const usage = (where: string, message: string): TrailmixError =>
  new TrailmixError('usage', { where, message });
export const short = (hash: string): string => hash.slice(0, 12);

/** Paths inside a set: below the one folder that was named, else the files' own names. */
export function filesOf(paths: string[], { files, data }: PolicyFiles): Files {
  const [only] = paths;
  const inside = ({ path }: { path: string }): string => {
    const below = relative(resolve(only!), resolve(path)).split(sep).join('/');
    return paths.length === 1 && below !== '' && !below.startsWith('..') ? below : basename(path);
  };
  return [
    ...files.map(file => ({ path: inside(file), text: file.text })),
    ...(data === undefined ? [] : [{ path: DATA_PATH, text: JSON.stringify(data) }]),
  ];
}

async function allSets({ call }: Pick<Actor, 'call'>): Promise<OutputOf<'policySets'>['items']> {
  const items: OutputOf<'policySets'>['items'] = [];
  let cursor: string | undefined;
  do {
    const page: OutputOf<'policySets'> = await call('policySets', {
      query: { limit: 1000, cursor },
    } as never);
    items.push(...page.items);
    cursor = page.next;
  } while (cursor !== undefined);
  return items;
}

/** The whole hash that a beginning or an environment names. */
async function hashOf(actor: Pick<Actor, 'call'>, word: string): Promise<string> {
  if (environments.includes(word as Environment)) {
    const { items } = await actor.call('policyEnvironments');
    const active = items.find(({ name }) => name === word)?.active;
    if (active === undefined) throw new TrailmixError('policy_unknown', { where: word });
    return active.hash;
  }
  if (word.length === 64) return word;
  const found = (await allSets(actor)).filter(({ hash }) => hash.startsWith(word));
  if (found.length === 1) return found[0]!.hash;
  const message =
    found.length === 0 ? `No set begins with ${word}` : `${found.length} sets begin with ${word}`;
  throw new TrailmixError('policy_unknown', { where: word, message });
}

const isSet = (word: string): boolean => environments.includes(word as Environment) || HASH.test(word);

async function list(invocation: Invocation): Promise<ExitCode> {
  const { out } = invocation;
  const { sets, places } = await acting(invocation, async actor => ({
    sets: await allSets(actor),
    places: (await actor.call('policyEnvironments')).items,
  }));
  out.json({ sets, environments: places });
  for (const { name, active, candidate, pending, four_eyes } of places) {
    const parts = [
      name.padEnd(8),
      active === undefined
        ? 'nothing yet'
        : `${short(active.hash)}  version ${active.version}, ${active.since}, by ${active.by}`,
      candidate === undefined
        ? ''
        : `in shadow: ${short(candidate.hash)} (${candidate.differing} of ${candidate.compared} differ)`,
      pending === undefined ? '' : `waits for a second signature: ${short(pending.hash)} by ${pending.by}`,
      four_eyes ? 'two people' : '',
    ];
    out.say(parts.filter(part => part !== '').join('  '));
  }
  out.say('');
  for (const set of sets) {
    const { passed, failed, percent } = set.tests;
    const tests = set.built_in ? 'ships with the app' : `${passed} passed, ${failed} failed, ${percent} %`;
    out.say(
      `${short(set.hash)}  ${set.saved_at}  ${set.by}  ${tests}  ${set.active.join(',')}  ${set.message}`,
    );
  }
  return 0;
}

async function diff(invocation: Invocation, words: string[]): Promise<ExitCode> {
  const { out } = invocation;
  if (words.length !== 2) throw usage('', 'Name two: a hash, an environment or a folder each');
  const texts = await acting(invocation, actor =>
    Promise.all(
      words.map(async word =>
        isSet(word)
          ? (await actor.call('policySet', { params: { hash: await hashOf(actor, word) } } as never)).files
          : filesOf([word], await readPolicy([word])),
      ),
    ),
  );
  const changes = diffFiles(texts[0]!, texts[1]!);
  out.json({ same: changes.length === 0, files: changes });
  for (const { path, lines } of changes) {
    out.say(`--- ${path}`);
    for (const line of lines) out.say(line);
  }
  if (changes.length === 0) out.say('No difference.');
  return changes.length === 0 ? 0 : 1;
}

export const signedWith = (
  person: SignedIn | undefined,
  parts: Pick<
    PolicyStatement,
    'act' | 'environment' | 'message' | 'policy_hash' | 'replaces' | 'sources_sha256'
  >,
): { statement?: PolicyStatement; signature?: string } => {
  if (person === undefined) return {};
  const statement: PolicyStatement = { ...parts, ...signerOf(person) };
  return { statement, signature: person.sign(policyMessage(statement)) };
};

/** Saves files as a set, signed over what stands in this terminal's files. */
export async function save({ call, person }: Actor, files: Files, message: string): Promise<string> {
  const prepared = await call('preparePolicySet', { input: { files } } as never);
  if (!prepared.ok || prepared.policy_hash === undefined) {
    const [first] = prepared.diagnostics;
    const place = first?.path === undefined ? '' : `${first.path}:${first.row ?? 1}: `;
    throw new TrailmixError('policy_invalid', { message: `${place}${first?.message ?? ''}` });
  }
  const signed = signedWith(person, {
    act: 'save',
    environment: '',
    message,
    policy_hash: prepared.policy_hash,
    replaces: '',
    sources_sha256: sourcesOf(files),
  });
  const { hash } = await call('savePolicySet', { input: { files, message, ...signed } } as never);
  return hash;
}

/** The environment that `--env` names. Throws usage. */
export function environmentOf({ values }: Invocation): Environment {
  const environment = (textOf(values, 'env') ?? 'prod') as Environment;
  if (!environments.includes(environment)) throw usage('--env', `It is one of ${environments.join(', ')}`);
  return environment;
}

/** Signed for what it replaces; where two people are asked for, it then waits for the second. */
export async function putInForce(
  actor: Actor,
  hash: string,
  environment: Environment,
  message: string,
): Promise<OutputOf<'activatePolicySet'>> {
  const { files } = await actor.call('policySet', { params: { hash } } as never);
  const { items } = await actor.call('policyEnvironments');
  const replaces = items.find(({ name }) => name === environment)?.active?.hash ?? '';
  const signed = signedWith(actor.person, {
    act: 'activate',
    environment,
    message,
    policy_hash: hash,
    replaces,
    sources_sha256: sourcesOf(files.map(({ path, text }) => ({ path, text }))),
  });
  const input = { hash, message, replaces, ...signed };
  return actor.call('activatePolicySet', { params: { environment }, input } as never);
}

export const sayState = ({
  state,
  environment: { name, active, pending },
}: OutputOf<'activatePolicySet'>): string =>
  state === 'active'
    ? `${short(active!.hash)} is in force in ${name}, version ${active!.version}.`
    : `${short(pending!.hash)} waits for another person's signature.`;

async function activate(invocation: Invocation, words: string[]): Promise<ExitCode> {
  const { values, out } = invocation;
  const environment = environmentOf(invocation);
  const message = textOf(values, 'message') ?? '';
  const [first = ''] = words;
  const done = await acting(invocation, async actor => {
    const hash =
      words.length === 1 && isSet(first)
        ? await hashOf(actor, first)
        : await save(actor, filesOf(words, await readPolicy(words)), message);
    return putInForce(actor, hash, environment, message);
  });
  out.json(done);
  out.say(sayState(done));
  return 0;
}

const filterOf = ({ values }: Invocation): InputOf<'startImpact'>['filter'] => {
  const last = textOf(values, 'last');
  if (last !== undefined && !/^[1-9][0-9]{0,7}$/.test(last)) throw usage('--last', 'It is a number');
  const named = { app: textOf(values, 'app'), from: textOf(values, 'from'), to: textOf(values, 'to') };
  return {
    ...Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined)),
    ...(last === undefined ? {} : { last: Number(last) }),
  };
};

async function impact(invocation: Invocation, words: string[]): Promise<ExitCode> {
  const { out, values } = invocation;
  const [first = ''] = words;
  const message = textOf(values, 'message') ?? '';
  const view = await acting(invocation, async actor => {
    const what =
      words.length === 1 && isSet(first)
        ? { hash: await hashOf(actor, first) }
        : { files: filesOf(words, await readPolicy(words)) };
    const started = await actor.call('startImpact', {
      input: { ...what, filter: filterOf(invocation) },
    } as never);
    const params = { id: started.id };
    let now = started;
    while (now.finished_at === undefined) {
      await pause(100);
      now = await actor.call('impact', { params } as never);
    }
    if (values.save !== true || now.state !== 'done') return now;
    const { person } = actor;
    const statement = person && { report_sha256: now.report_sha256!, ...signerOf(person) };
    const signed =
      statement === undefined ? {} : { statement, signature: person!.sign(impactMessage(statement)) };
    return actor.call('saveImpact', { params, input: { message, ...signed } } as never);
  });
  out.json(view);
  out.say(
    `${view.decided} of ${view.total} recorded decisions decided again under ${short(view.hash)}; ${view.flipped} differ.`,
  );
  for (const { from, to, decisions, runs } of view.cells)
    out.say(`  ${from.padEnd(8)} -> ${to.padEnd(8)}  ${decisions} decisions, ${runs} runs`);
  for (const [reason, count] of Object.entries(view.skipped))
    out.say(`  not decided again: ${count} ${reason}`);
  if (view.error !== undefined) out.say(`${view.state}: ${view.error.message}`);
  if (view.saved_seq !== undefined) out.say(`Recorded as event ${view.saved_seq}.`);
  return view.state === 'done' ? 0 : 1;
}

/** Verbs that need the collector, with the least number of words after them. */
export const collectorVerbs: Readonly<
  Record<string, { least: number; run(invocation: Invocation, words: string[]): Promise<ExitCode> }>
> = {
  list: { least: 0, run: list },
  diff: { least: 2, run: diff },
  activate: { least: 1, run: activate },
  impact: { least: 1, run: impact },
};
