/**
 * `trailmix policy import BUNDLE.tar.gz`: a bundle of someone's own `opa build -t wasm`, saved as a set. The bundle is read here too, so
 * that who signs with --as signs what stands in this terminal's file. Format: docs/spec/policy.md, "Imported bundles".
 */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readOpaBundle } from '../collector/policy/opa_bundle.ts';
import { setParts } from '../collector/policy/stored_set.ts';
import { TrailmixError } from '../core/api/errors.ts';
import type { OutputOf } from '../core/api/operations.ts';
import { acting } from './acting.ts';
import { type ExitCode, type Invocation, textOf } from './command.ts';
import { short, signedWith } from './policy_sets.ts';

const CAPABILITIES = join(import.meta.dirname, '..', 'policies', 'capabilities.json');
const MOST_BYTES = 8 * 1024 * 1024;
const MOST_KEY = 16 * 1024;

const usage = (where: string, message: string): TrailmixError =>
  new TrailmixError('usage', { where, message });

async function bytesOf(name: string, most: number): Promise<Buffer> {
  const entry = await stat(name).catch(() => {
    throw usage(name, `${name} is not there`);
  });
  if (!entry.isFile()) throw usage(name, `${name} is no file`);
  if (entry.size > most) throw usage(name, `${name} has ${entry.size} bytes; at most ${most}`);
  return readFile(name);
}

/** A shared secret in a file ends where its line does. */
const keyIn = async (name: string): Promise<string> =>
  (await bytesOf(name, MOST_KEY)).toString('utf8').replace(/\r?\n$/, '');

export async function importBundle(invocation: Invocation, words: string[]): Promise<ExitCode> {
  const { out, values } = invocation;
  const [name = '', ...more] = words;
  if (more.length > 0) throw usage(more[0]!, 'Name one bundle: what `opa build -t wasm` wrote');
  const bytes = await bytesOf(name, MOST_BYTES);
  const keyFile = textOf(values, 'key');
  const scope = textOf(values, 'scope');
  const message = textOf(values, 'message') ?? '';
  const checked = {
    ...(keyFile === undefined ? {} : { key: await keyIn(keyFile) }),
    ...(scope === undefined ? {} : { scope }),
  };
  const capabilities = await readFile(CAPABILITIES, 'utf8');
  const { bundle } = readOpaBundle(bytes, { capabilities, version: 0, ...checked });
  const { hash, sourcesSha256 } = setParts(bundle);
  const saved: OutputOf<'importPolicyBundle'> = await acting(invocation, ({ call, person }) => {
    const signed = signedWith(person, {
      act: 'save',
      environment: '',
      message,
      policy_hash: hash,
      replaces: '',
      sources_sha256: sourcesSha256,
    });
    const input = { bundle: bytes.toString('base64'), ...checked, message, ...signed };
    return call('importPolicyBundle', { input } as never);
  });
  out.json(saved);
  const { set, bundle: origin } = saved;
  const { passed, failed } = set.tests;
  out.say(`Saved as ${short(set.hash)}, ${set.files} files.`);
  const { alg, key_sha256 } = origin.signature ?? {};
  const by = key_sha256 === undefined ? 'a shared secret' : `public key ${short(key_sha256)}`;
  out.say(alg === undefined ? 'The bundle is not signed.' : `Its signature holds: ${alg}, ${by}.`);
  out.say(
    passed + failed === 0
      ? 'It holds no tests, so it cannot come into force: build it with its *_test.rego files.'
      : `${passed} of ${passed + failed} tests in it passed.`,
  );
  return failed === 0 ? 0 : 1;
}
