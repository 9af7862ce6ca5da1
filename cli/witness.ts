/**
 * `trailmix witness`: others cosign this ledger's checkpoints, so that its history cannot be rewritten unseen. The side of
 * the ledger (add, list, request, import) and that of the witness (key, sign), which needs no ledger. By file, both ways.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../collector/sha256.ts';
import { TrailmixError } from '../core/api/errors.ts';
import { parseTrust } from '../core/pack/trust.ts';
import { custodyOf, withCollector } from './collector_for.ts';
import { type Command, type ExitCode, type Invocation, need, textOf } from './command.ts';
import { bytesOfFile } from './identity.ts';
import { makeWitnessKey, signRequest, stateFileOf } from './witness_keys.ts';

function countOf(values: Invocation['values'], name: string): number | undefined {
  const text = textOf(values, name);
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text))
    throw new TrailmixError('usage', { where: `--${name}`, message: `${text} is no number of records` });
  return Number(text);
}

async function write(file: string, content: string): Promise<void> {
  await writeFile(file, content, { flag: 'wx' }).catch(error => {
    throw new TrailmixError('usage', { where: file, message: `${file} cannot be written (${error.code})` });
  });
}

async function key({ values, out }: Invocation): Promise<ExitCode> {
  const file = need(values, 'out');
  const vkey = await makeWitnessKey(file, need(values, 'name'), values['ml-dsa'] === true);
  out.json({ out: file, vkey });
  out.say(
    `Made ${file} and ${stateFileOf(file)}. Keep them together, and to yourself: this key signs as you.`,
  );
  out.say('Give this line (it is no secret) to the ledger, and to those who verify its packs:');
  out.say(`  ${vkey}`);
  return 0;
}

async function sign({ values, out }: Invocation, file: string | undefined): Promise<ExitCode> {
  if (file === undefined) throw new TrailmixError('usage', { message: 'Name the request to sign' });
  const target = need(values, 'out');
  const trust = textOf(values, 'trust');
  const vkeys =
    trust === undefined ? undefined : parseTrust(sha256, await bytesOfFile(join(trust, 'trust.json'))).vkeys;
  const signed = await signRequest(need(values, 'witness-key'), await bytesOfFile(file), {
    now: Date.now(),
    ...(vkeys === undefined ? {} : { vkeys }),
  });
  await write(target, signed.note);
  const { origin, size, before, name } = signed;
  out.json({ out: target, origin, size, before, name });
  out.say(
    before === 0
      ? `${name} cosigned the first checkpoint that it sees of ${origin}: ${size} records.`
      : `${name} cosigned ${size} records of ${origin}, which continue the ${before} that it had signed.`,
  );
  out.say(`Carry ${target} back: trailmix witness import ${target}`);
  return 0;
}

async function request(invocation: Invocation): Promise<ExitCode> {
  const { values, out, data } = invocation;
  const [file, witness] = [need(values, 'out'), textOf(values, 'witness')];
  const [old, at] = [countOf(values, 'old'), countOf(values, 'at')];
  const input = {
    ...(witness === undefined ? {} : { witness }),
    ...(old === undefined ? {} : { old }),
    ...(at === undefined ? {} : { at }),
  };
  const made = await withCollector(data, custodyOf(invocation.values), ({ call }) =>
    call('witnessRequest', { input }),
  );
  await write(file, made.request);
  out.json({ out: file, size: made.size, old: made.old });
  out.say(
    `Wrote ${file}: a checkpoint over ${made.size} records, with the proof that it continues the first ${made.old}.`,
  );
  out.say(`The witness runs: trailmix witness sign ${file} --witness-key KEY --out ANSWER.note`);
  return 0;
}

async function take(invocation: Invocation, file: string | undefined): Promise<ExitCode> {
  if (file === undefined) throw new TrailmixError('usage', { message: 'Name the cosigned checkpoint' });
  const { values, out, data } = invocation;
  const bytes = await bytesOfFile(file);
  const pack = textOf(values, 'pack');
  if (pack !== undefined) {
    const { cosignPack } = await import('../collector/evidence/stamping.ts');
    const { lines } = await cosignPack(pack, bytes);
    out.json({ pack, lines });
    out.say(`${pack} carries ${lines} cosignature${lines === 1 ? '' : 's'}. What was signed is as it was.`);
    return 0;
  }
  const done = await withCollector(data, custodyOf(invocation.values), ({ call }) =>
    call('witnessImport', { input: { note: bytes.toString('utf8') } }),
  );
  out.json(done);
  for (const { name, time, seq } of done.cosigned)
    out.say(`${name} cosigned ${done.size} records at ${time}; recorded as ${seq}. Later packs carry it.`);
  if (done.cosigned.length === 0) out.say('Every line of it was recorded before.');
  return 0;
}

async function list(invocation: Invocation, verb: string, vkeys: readonly string[]): Promise<ExitCode> {
  const { out, data } = invocation;
  if (verb === 'add' && vkeys.length === 0)
    throw new TrailmixError('usage', { message: 'Name the vkey to add' });
  const view = await withCollector(data, custodyOf(invocation.values), async ({ call }) => {
    const now = await call('witnesses');
    if (verb === 'list') return now;
    const had = now.witnesses.map(({ vkey }) => vkey);
    const next =
      verb === 'add'
        ? [...new Set([...had, ...vkeys])]
        : had.filter(one => !vkeys.includes(one) && !vkeys.includes(one.split('+')[0]!));
    return call('changeWitnesses', { input: { vkeys: next } });
  });
  out.json(view);
  if (view.witnesses.length === 0)
    out.say('No witness is named: this history can be rewritten by whoever holds its keys.');
  for (const { name, vkey, last } of view.witnesses) {
    out.say(
      `${name}: ${last === undefined ? 'has cosigned nothing yet' : `${last.size} records at ${last.time}`}`,
    );
    out.say(`  ${vkey}`);
  }
  return 0;
}

export const witnessCommand: Command = {
  summary:
    "Has this ledger's checkpoints cosigned by others, or cosigns those of another ledger (C2SP tlog-cosignature).",
  usage:
    'add|remove VKEY... | list | request --out F | import G [--pack PACK] | key --name NAME --out KEY | sign F --witness-key KEY --out G',
  examples: [
    'trailmix witness key --name example.org/audit --out audit.witness',
    'trailmix witness add example.org/audit+8f3e2a10+BCe...',
    'trailmix witness request --out june.ask',
    'trailmix witness sign june.ask --witness-key audit.witness --trust trust --out june.note',
    'trailmix witness import june.note',
  ],
  options: {
    out: { type: 'string' },
    name: { type: 'string' },
    witness: { type: 'string' },
    'witness-key': { type: 'string' },
    'ml-dsa': { type: 'boolean' },
    old: { type: 'string' },
    at: { type: 'string' },
    trust: { type: 'string' },
    pack: { type: 'string' },
    'key-file': { type: 'string' },
  },
  help: {
    '--out FILE': 'where key, request and sign write',
    '--name NAME': "the new witness's name, like example.org/audit",
    '--ml-dsa': 'a key of type ML-DSA-44 instead of Ed25519',
    '--witness NAME': 'whom the request is for (default: the only one)',
    '--witness-key F': 'the key file of the witness who signs; its state lies beside it',
    '--trust DIR': 'at the first signing: the keys of the ledger, got another way than the request',
    '--old SIZE': 'the size that the witness signed last, where the ledger does not know',
    '--at SIZE': "an older checkpoint, like a pack's",
    '--pack PACK': 'put the cosignatures into this pack instead of the ledger',
    '--key-file F': "the vault's key file, where it is not in its usual place",
  },
  words: [1, 17],
  async run(invocation) {
    const [verb = '', ...words] = invocation.positionals;
    const most = { key: 0, sign: 1, request: 0, import: 1, add: 16, remove: 16, list: 0 }[verb];
    if (most === undefined)
      throw new TrailmixError('usage', {
        where: verb,
        message: `witness has no ${verb}: add, remove, list, request, import, key or sign`,
      });
    if (words.length > most)
      throw new TrailmixError('usage', { message: `${words[most]} is one word too many` });
    switch (verb) {
      case 'key':
        return key(invocation);
      case 'sign':
        return sign(invocation, words[0]);
      case 'request':
        return request(invocation);
      case 'import':
        return take(invocation, words[0]);
      default:
        return list(invocation, verb, words);
    }
  },
};
