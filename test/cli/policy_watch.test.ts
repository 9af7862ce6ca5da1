/** `trailmix policy watch`: a folder is judged at each change, saved and put in force on request, by what git has committed. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { OutputOf } from '../../core/api/operations.ts';
import { startTestCollector, type TestCollector } from '../http/collector.ts';
import { addPerson, enrolFirstAdmin, expectJson } from '../people/person.ts';
import { refundSet } from '../policy/authored.ts';
import { trailmix } from './trailmix.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'cli', 'main.ts');
const LONG = { timeout: 180_000 };
let tm: TestCollector;
let place: string;
beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'tm-watch-'));
  tm = await startTestCollector();
});
afterAll(async () => {
  await tm.stop();
  await rm(place, { recursive: true, force: true });
});

async function folderOf(name: string): Promise<{ path: string; write(limit: number): Promise<void> }> {
  const path = join(place, name);
  await mkdir(path);
  const write = async (limit: number) => {
    for (const file of refundSet(limit)) await writeFile(join(path, file.path), file.text);
  };
  await write(100);
  return { path, write };
}

type State = {
  ok: boolean;
  tests?: { outcome: string }[];
  errors?: { code: string }[];
  error?: { code: string; message: string };
  saved?: string;
  skipped?: string;
  activation?: OutputOf<'activatePolicySet'>;
};

/** A watch in a process of its own; `until` answers the first state from here on that is as wanted. */
function watching(words: string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [MAIN, 'policy', 'watch', ...words, '--data', tm.folder, '--json'], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const states: State[] = [];
  let [open, err, read] = ['', '', 0];
  let look = (): void => {};
  child.stdout.on('data', chunk => {
    const lines = `${open}${chunk}`.split('\n');
    open = lines.pop()!;
    states.push(...lines.map(line => JSON.parse(line) as State));
    look();
  });
  child.stderr.on('data', chunk => {
    err += chunk;
  });
  const ended = new Promise<number | null>(done => child.on('close', done));
  return {
    states,
    until: (wanted: (state: State) => boolean): Promise<State> =>
      new Promise((resolve, reject) => {
        look = () => {
          while (read < states.length) {
            const state = states[read++]!;
            if (wanted(state)) resolve(state);
          }
        };
        void ended.then(code => reject(new Error(`ended with ${code}: ${err}`)));
        look();
      }),
    end: (): Promise<number | null> => {
      child.kill('SIGINT');
      return ended;
    },
  };
}

const sets = async (): Promise<OutputOf<'policySets'>['items']> =>
  expectJson<OutputOf<'policySets'>>(await tm.ask('/api/policies/sets', { socket: tm.collector.socket }), 200)
    .items;

test('each change is checked and tested, and what is wrong is said; the watch goes on', LONG, async () => {
  const { path, write } = await folderOf('plain');
  const watch = watching([path]);
  expect(await watch.until(({ ok }) => ok)).toMatchObject({
    tests: [{ outcome: 'pass' }, { outcome: 'pass' }],
  });
  await writeFile(join(path, 'refunds.rego'), 'package trailmix\n\nnot rego\n');
  expect(await watch.until(({ ok }) => !ok)).toMatchObject({
    errors: [expect.objectContaining({ code: 'rego_parse_error' })],
  });
  await writeFile(join(path, 'refunds.rego'), refundSet(5)[0]!.text);
  expect((await watch.until(({ tests }) => tests !== undefined)).tests).toContainEqual(
    expect.objectContaining({ outcome: 'fail' }),
  );
  await rm(join(path, 'refunds.rego'));
  await rm(join(path, 'refunds_test.rego'));
  expect((await watch.until(({ error }) => error !== undefined)).error?.message).toContain('no .rego file');
  await write(200);
  await watch.until(({ ok, tests }) => ok && tests?.length === 2);
  expect(await watch.end()).toBe(0);
  expect((await sets()).filter(set => !set.built_in)).toEqual([]);
});

test('only what git has committed is saved and put in force, named by its commit', LONG, async () => {
  const { path, write } = await folderOf('repository');
  const git = (...words: string[]): string =>
    execFileSync('git', ['-C', path, '-c', 'user.name=A', '-c', 'user.email=a@b', ...words], {
      encoding: 'utf8',
      env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' },
    });
  git('init', '-q');
  const none = await trailmix(['policy', 'watch', path, '--save', '--committed', '--data', tm.folder]);
  expect([none.code, none.err]).toEqual([2, expect.stringContaining('git repository with a commit')]);
  git('add', '.');
  git('commit', '-qm', 'first');
  const watch = watching([path, '--save', '--committed', '--env', 'staging']);
  const first = await watch.until(({ saved }) => saved !== undefined);
  expect(first.activation).toMatchObject({ state: 'active', environment: { name: 'staging' } });
  await write(300);
  expect(await watch.until(({ ok }) => ok)).toMatchObject({ skipped: 'uncommitted' });
  // A file that git ignores is part of the policy, and not committed.
  await writeFile(join(path, '.gitignore'), 'own.rego\n');
  await writeFile(join(path, 'own.rego'), 'package trailmix.own\n\nlimit := 1\n');
  git('add', '.gitignore');
  git('commit', '-qam', 'without own.rego');
  expect(await watch.until(({ ok, errors }) => ok && errors === undefined)).toMatchObject({
    skipped: 'uncommitted',
  });
  await rm(join(path, 'own.rego'));
  const second = await watch.until(({ saved }) => saved !== undefined);
  expect(second.saved).not.toBe(first.saved);
  expect(await watch.end()).toBe(0);
  const set = (await sets()).find(({ hash }) => hash === second.saved)!;
  const commit = git('rev-parse', 'HEAD').slice(0, 12);
  expect(set).toMatchObject({
    active: ['staging'],
    message: `From the folder repository at commit ${commit}`,
  });
});

test(
  'who is enrolled signs with --as; where two people are asked for, it waits; options that need --save say so',
  LONG,
  async () => {
    const { path } = await folderOf('signed');
    const alone = await trailmix(['policy', 'watch', path, '--env', 'dev', '--data', tm.folder]);
    expect([alone.code, alone.err]).toEqual([2, expect.stringContaining('go with --save')]);
    await tm.key('bot', ['decide']);
    const ada = await enrolFirstAdmin(tm, { roles: ['admin', 'policy_author'] });
    await addPerson(tm, ada, { id: 'bea', roles: ['policy_author'] });
    expectJson(await ada.call('/api/policies/settings', { body: { four_eyes: ['prod'] } }), 200);
    const watch = watching([path, '--save', '--env', 'prod', '--message', 'From the office', '--as', 'bea'], {
      TRAILMIX_SIGN_IN: 'not the passphrase of bea',
    });
    expect((await watch.until(({ error }) => error !== undefined)).error?.code).toBe('sign_in_failed');
    expect(await watch.end()).toBe(0);
    const right = watching([path, '--save', '--env', 'prod', '--message', 'From the office', '--as', 'ada'], {
      TRAILMIX_SIGN_IN: ada.passphrase,
    });
    const { saved, activation } = await right.until(state => state.saved !== undefined);
    expect(activation).toMatchObject({
      state: 'pending',
      environment: { pending: { hash: saved, by: 'ada', message: 'From the office' } },
    });
    expect(await right.end()).toBe(0);
  },
);
