/** `trailmix keys create|list|revoke|trust|identity`: API keys, who signs packs, and what a verifier needs apart from a pack. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { TrailmixError } from '../core/api/errors.ts';
import { type Environment, environments } from '../core/api/policy_views.ts';
import type { Scope } from '../core/api/views.ts';
import { custodyOf, withCollector } from './collector_for.ts';
import { type Command, type ExitCode, type Invocation, need, textOf } from './command.ts';
import { identity, identityHelp, identityOptions } from './identity.ts';

const SCOPES: readonly Scope[] = ['ingest', 'decide', 'read', 'export'];

function scopesOf(text: string | undefined): Scope[] | undefined {
  if (text === undefined) return undefined;
  const words = text.split(',').map(word => word.trim());
  const wrong = words.find(word => !SCOPES.includes(word as Scope));
  if (wrong !== undefined) {
    throw new TrailmixError('usage', {
      where: '--scopes',
      message: `${wrong} is no scope; they are ${SCOPES.join(', ')}`,
    });
  }
  return words as Scope[];
}

async function create(invocation: Invocation): Promise<ExitCode> {
  const { data, values, out } = invocation;
  const app = need(values, 'app');
  const tenant = textOf(values, 'tenant');
  const scopes = scopesOf(textOf(values, 'scopes'));
  const environment = textOf(values, 'env') as Environment | undefined;
  if (environment !== undefined && !environments.includes(environment)) {
    const message = `It is one of ${environments.join(', ')}`;
    throw new TrailmixError('usage', { where: '--env', message });
  }
  const made = await withCollector(data, custodyOf(invocation.values), ({ call }) =>
    call('createKey', {
      input: {
        app_id: app,
        ...(tenant === undefined ? {} : { tenant_id: tenant }),
        ...(scopes === undefined ? {} : { scopes }),
        ...(environment === undefined ? {} : { environment }),
      },
    }),
  );
  out.json(made);
  out.say(`API key for ${made.app_id} (${made.scopes.join(', ')}), shown once:`);
  out.say(`  ${made.api_key}`);
  out.say('Give it to the program as TRAILMIX_API_KEY.');
  return 0;
}

async function list(invocation: Invocation): Promise<ExitCode> {
  const { items } = await withCollector(invocation.data, custodyOf(invocation.values), ({ call }) =>
    call('keys'),
  );
  invocation.out.json({ keys: items });
  if (items.length === 0) invocation.out.say('No API keys. Make one: trailmix keys create --app my-agent');
  for (const key of items) {
    const state =
      key.revoked_at === undefined ? `last used ${key.last_used_at ?? 'never'}` : `revoked ${key.revoked_at}`;
    invocation.out.say(`${key.id}  ${key.app_id.padEnd(24)}  ${key.scopes.join(',').padEnd(26)}  ${state}`);
  }
  return 0;
}

async function revoke(invocation: Invocation, id: string): Promise<ExitCode> {
  const view = await withCollector(invocation.data, custodyOf(invocation.values), ({ call }) =>
    call('revokeKey', { params: { id } }),
  );
  invocation.out.json(view);
  invocation.out.say(`Key ${view.id} of ${view.app_id} is revoked.`);
  return 0;
}

async function trust(invocation: Invocation): Promise<ExitCode> {
  const folder = resolve(need(invocation.values, 'out'));
  const { files } = await withCollector(invocation.data, custodyOf(invocation.values), ({ call }) =>
    call('trust'),
  );
  await mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    const file = resolve(folder, name);
    if (!file.startsWith(folder + sep)) throw new TrailmixError('internal');
    await mkdir(dirname(file), { recursive: true });
    await writeFile(join(file), text);
  }
  const names = Object.keys(files).sort();
  invocation.out.json({ out: folder, files: names });
  invocation.out.say(`Wrote ${names.join(', ')} to ${folder}.`);
  invocation.out.say('Give these to the verifier by another way than the pack.');
  return 0;
}

export const keysCommand: Command = {
  summary: 'API keys of agents and exporters, and the public keys that verifiers trust.',
  usage:
    'create --app APP [--scopes ingest,decide,read,export] [--env prod] | list | revoke ID | trust --out DIR | identity show|csr|import FILE|self',
  examples: [
    'trailmix keys create --app support-bot',
    'trailmix keys list',
    'trailmix keys revoke 3f0c9a7be1d24466',
    'trailmix keys trust --out ./trust',
    'trailmix keys identity csr --common-name "Evidence" --organization "Example Ltd" --out evidence.csr',
  ],
  options: {
    app: { type: 'string' },
    scopes: { type: 'string' },
    env: { type: 'string' },
    out: { type: 'string' },
    ...identityOptions,
    'key-file': { type: 'string' },
  },
  help: {
    '--app APP': 'the app that the key is for',
    '--scopes LIST': 'of ingest, decide, read, export (default ingest,decide)',
    '--out DIR': 'where `trust` writes; the file of `identity csr`',
    ...identityHelp,
    '--key-file F': "the vault's key file, where it is not in its usual place",
  },
  words: [1, 3],
  async run(invocation) {
    const [verb, id, ...more] = invocation.positionals;
    if (verb === 'identity')
      return identity(invocation, custodyOf(invocation.values), invocation.positionals.slice(1));
    if (more.length > 0)
      throw new TrailmixError('usage', { where: more[0]!, message: `${more[0]} is one word too many` });
    if (verb !== 'revoke' && id !== undefined)
      throw new TrailmixError('usage', { where: id, message: `${id} is one word too many` });
    switch (verb) {
      case 'create':
        return create(invocation);
      case 'list':
        return list(invocation);
      case 'revoke':
        if (id === undefined) throw new TrailmixError('usage', { message: 'Name the key: keys revoke ID' });
        return revoke(invocation, id);
      case 'trust':
        return trust(invocation);
      default:
        throw new TrailmixError('usage', {
          where: verb ?? '',
          message: `keys has no ${verb}: create, list, revoke, trust or identity`,
        });
    }
  },
};
