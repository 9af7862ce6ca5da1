/**
 * `trailmix timestamp`: who dated a pack or a checkpoint (RFC 3161), by file across an air gap or from the configured
 * authorities. A pack is stamped without a ledger; nothing that was signed changes.
 */
import { access, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Stamped } from '../collector/evidence/stamping.ts';
import { TrailmixError } from '../core/api/errors.ts';
import type { OutputOf } from '../core/api/operations.ts';
import { custodyOf, withCollector } from './collector_for.ts';
import { type Command, type ExitCode, type Invocation, need, textOf } from './command.ts';
import { bytesOfFile } from './identity.ts';

// Loaded where a pack is stamped: ASN.1 is not needed for the rest.
const stamping = () => import('../collector/evidence/stamping.ts');

async function packOf(path: string | undefined): Promise<string> {
  if (path === undefined) throw new TrailmixError('usage', { message: 'Name the pack, or say --checkpoint' });
  await access(path).catch(() => {
    throw new TrailmixError('pack_unreadable', { where: path, message: `${path} is not there` });
  });
  return path;
}

async function request(invocation: Invocation, pack: string | undefined): Promise<ExitCode> {
  const { values, out } = invocation;
  const file = need(values, 'out');
  const checkpoint = values.checkpoint === true;
  let size: number | undefined;
  let bytes: Uint8Array;
  if (checkpoint) {
    const made = await withCollector(invocation.data, custodyOf(invocation.values), ({ call }) =>
      call('timestampRequest'),
    );
    size = made.size;
    bytes = Buffer.from(made.request, 'base64');
  } else {
    bytes = await (await stamping()).requestFor(
      await packOf(pack),
      values.signature === true ? 'signature' : 'pack',
    );
  }
  await writeFile(file, bytes, { flag: 'wx' }).catch(error => {
    throw new TrailmixError('usage', { where: file, message: `${file} cannot be written (${error.code})` });
  });
  out.json({ out: file, bytes: bytes.length, ...(size === undefined ? {} : { size }) });
  out.say(`Wrote ${file}. Carry it to a time-stamping authority, and keep it: the reply is held against it.`);
  out.say(
    `  curl -H 'Content-Type: application/timestamp-query' --data-binary @${file} https://AUTHORITY > REPLY.tsr`,
  );
  out.say(`  trailmix timestamp import ${checkpoint ? '--checkpoint' : pack} REPLY.tsr --request ${file}`);
  return 0;
}

/** The request that a reply answers: named, or beside it under the same name. */
async function requestBeside(values: Invocation['values'], reply: string): Promise<Uint8Array> {
  const named = textOf(values, 'request');
  if (named !== undefined) return bytesOfFile(named);
  const beside = reply.replace(/\.tsr$/, '.tsq');
  return readFile(beside).catch(() => {
    throw new TrailmixError('usage', {
      where: '--request',
      message: `Name the request that was sent: --request FILE (${beside} is not there)`,
    });
  });
}

async function rootsOf(values: Invocation['values']): Promise<string | undefined> {
  const trust = textOf(values, 'trust');
  return trust === undefined
    ? undefined
    : (await bytesOfFile(join(trust, 'tsa-root.pem'))).toString('latin1');
}

async function take(invocation: Invocation, words: readonly string[]): Promise<ExitCode> {
  const { values } = invocation;
  const checkpoint = values.checkpoint === true;
  const reply = checkpoint ? words[0] : words[1];
  if (reply === undefined || words.length !== (checkpoint ? 1 : 2))
    throw new TrailmixError('usage', { message: 'import takes PACK REPLY.tsr, or --checkpoint REPLY.tsr' });
  const [bytes, asked] = [await bytesOfFile(reply), await requestBeside(values, reply)];
  if (checkpoint) {
    const input = { request: Buffer.from(asked).toString('base64'), reply: bytes.toString('base64') };
    const stamp = await withCollector(invocation.data, custodyOf(invocation.values), ({ call }) =>
      call('timestampImport', { input }),
    );
    return told(invocation, stamp);
  }
  const pack = await packOf(words[0]);
  return stamped(invocation, pack, bytes, asked);
}

async function stamped(
  { values, out }: Invocation,
  pack: string,
  reply: Uint8Array,
  asked: Uint8Array,
): Promise<ExitCode> {
  const roots = await rootsOf(values);
  const { stampPack } = await stamping();
  const stamp = await stampPack(pack, { reply, request: asked, ...(roots === undefined ? {} : { roots }) });
  const time = new Date(stamp.time).toISOString();
  out.json({
    pack,
    over: stamp.over,
    time,
    authority: stamp.authority,
    policy: stamp.policy,
    serial: stamp.serial,
  });
  out.say(`${pack}: its ${stamp.over === 'pack' ? 'checksums' : 'CAdES signature'} stamped at ${time}`);
  out.say(`  by ${stamp.authority}, policy ${stamp.policy}. What was signed is as it was.`);
  if (roots === undefined)
    out.say('  Whether that authority is genuine was not checked (--trust DIR with tsa-root.pem).');
  return 0;
}

function told({ out }: Invocation, stamp: OutputOf<'timestampNow'>): ExitCode {
  out.json(stamp);
  out.say(`The checkpoint over ${stamp.size} records is stamped at ${stamp.time}`);
  out.say(`  by ${stamp.authority}, policy ${stamp.policy}; recorded as ${stamp.seq}. Later packs carry it.`);
  return 0;
}

/** Asks the configured authorities. A pack gets both stamps, so that its signature is CAdES-BASELINE-T. */
async function now(invocation: Invocation, pack: string | undefined): Promise<ExitCode> {
  const { values, out } = invocation;
  if (values.checkpoint === true) {
    return told(
      invocation,
      await withCollector(invocation.data, custodyOf(invocation.values), ({ call }) => call('timestampNow')),
    );
  }
  const path = await packOf(pack);
  const { requestFor, stampPack } = await stamping();
  const roots = await rootsOf(values);
  const stamps = await withCollector(invocation.data, custodyOf(invocation.values), async ({ call }) => {
    const made = [];
    for (const what of ['signature', 'pack'] satisfies Stamped[]) {
      const asked = await requestFor(path, what);
      const { reply, url } = await call('timestampAsk', {
        input: { request: Buffer.from(asked).toString('base64') },
      });
      const { over, time, authority } = await stampPack(path, {
        reply: Buffer.from(reply, 'base64'),
        request: asked,
        ...(roots === undefined ? {} : { roots }),
      });
      made.push({ over, time: new Date(time).toISOString(), authority, url });
    }
    return made;
  });
  out.json({ pack: path, stamps });
  for (const { over, time, authority } of stamps)
    out.say(`${path}: ${over} stamped at ${time} by ${authority}`);
  return 0;
}

async function authorities(invocation: Invocation, urls: readonly string[]): Promise<ExitCode> {
  const { values, out } = invocation;
  const every = textOf(values, 'every');
  if (every !== undefined && !/^\d{1,4}$/.test(every))
    throw new TrailmixError('usage', { where: '--every', message: `${every} is no number of hours` });
  const roots = textOf(values, 'roots');
  const changes = {
    ...(urls.length > 0 || values.none === true ? { urls: values.none === true ? [] : [...urls] } : {}),
    ...(every === undefined ? {} : { every_hours: Number(every) }),
    ...(roots === undefined ? {} : { roots: (await bytesOfFile(roots)).toString('latin1') }),
  };
  const view = await withCollector(invocation.data, custodyOf(invocation.values), ({ call }) =>
    Object.keys(changes).length === 0
      ? call('timestampAuthorities')
      : call('changeTimestampAuthorities', { input: changes }),
  );
  out.json(view);
  if (view.urls.length === 0) out.say('No authority is configured: nothing is sent anywhere.');
  for (const url of view.urls) out.say(url);
  if (view.urls.length > 0)
    out.say(
      view.every_hours === 0
        ? 'Checkpoints are not stamped by schedule.'
        : `A checkpoint is stamped every ${view.every_hours} hours.`,
    );
  if (view.last !== undefined)
    out.say(`Last: ${view.last.size} records at ${view.last.time} by ${view.last.authority}`);
  return 0;
}

export const timestampCommand: Command = {
  summary: 'Has a pack, or a checkpoint of the ledger, dated by a time-stamping authority (RFC 3161).',
  usage:
    'request PACK|--checkpoint [--signature] --out X.tsq | import PACK|--checkpoint X.tsr [--request X.tsq] | now PACK|--checkpoint | authorities [URL...]',
  examples: [
    'trailmix timestamp request november.zip --out november.tsq',
    'trailmix timestamp import november.zip november.tsr',
    'trailmix timestamp request --checkpoint --out checkpoint.tsq',
    'trailmix timestamp authorities https://tsa.example.org/tsr --every 24 --roots tsa-root.pem',
  ],
  options: {
    checkpoint: { type: 'boolean' },
    signature: { type: 'boolean' },
    out: { type: 'string' },
    request: { type: 'string' },
    trust: { type: 'string' },
    every: { type: 'string' },
    roots: { type: 'string' },
    none: { type: 'boolean' },
    'key-file': { type: 'string' },
  },
  help: {
    '--checkpoint': "the ledger's newest checkpoint instead of a pack",
    '--signature': 'of a pack, its CAdES signature (CAdES-BASELINE-T) instead of checksums.txt',
    '--out FILE': 'where `request` writes',
    '--request FILE': 'the request that a reply answers (default: its name with .tsq)',
    '--trust DIR': 'refuse an authority that does not lead to DIR/tsa-root.pem',
    '--every HOURS': 'how often a checkpoint is stamped (0: never)',
    '--roots FILE': 'root certificates of the authorities (PEM); `keys trust` hands them on',
    '--none': 'forget all authorities',
    '--key-file F': "the vault's key file, where it is not in its usual place",
  },
  words: [1, 9],
  async run(invocation) {
    const [verb = '', ...words] = invocation.positionals;
    const most = { request: 1, now: 1, import: 2, authorities: 8 }[verb];
    if (most === undefined) {
      throw new TrailmixError('usage', {
        where: verb,
        message: `timestamp has no ${verb}: request, import, now or authorities`,
      });
    }
    if (words.length > most)
      throw new TrailmixError('usage', { message: `${words[most]} is one word too many` });
    switch (verb) {
      case 'request':
        return request(invocation, words[0]);
      case 'import':
        return take(invocation, words);
      case 'now':
        return now(invocation, words[0]);
      default:
        return authorities(invocation, words);
    }
  },
};
