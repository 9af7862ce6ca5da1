/** `trailmix export`: an evidence pack to a file, made by the running collector or by one started for the moment. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, copyFile, open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { TrailmixError } from '../core/api/errors.ts';
import type { InputOf } from '../core/api/operations.ts';
import { custodyOf, withCollector } from './collector_for.ts';
import { type Command, need, textOf } from './command.ts';

type Include = NonNullable<InputOf<'exportEvidence'>['include']>[number];
const INCLUDE: readonly Include[] = ['traces', 'policies', 'evals', 'approvals'];

function includeOf(text: string | undefined): Include[] | undefined {
  if (text === undefined) return undefined;
  const words = text.split(',').map(word => word.trim());
  const wrong = words.find(word => !INCLUDE.includes(word as Include));
  if (wrong !== undefined) {
    throw new TrailmixError('usage', {
      where: '--include',
      message: `${wrong} is none of ${INCLUDE.join(', ')}`,
    });
  }
  return words as Include[];
}

const DATE = /^\d{4}-\d\d-\d\d$/;
/** A date alone means its whole day. */
const fromOf = (text: string): string => (DATE.test(text) ? `${text}T00:00:00Z` : text);
const toOf = (text: string): string => (DATE.test(text) ? `${text}T23:59:59Z` : text);

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** So that the name never stands for less than the whole file, a power cut included. */
async function syncAll(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export const exportCommand: Command = {
  summary:
    'Writes an evidence pack: what one app recorded in a window of time, for anyone to verify offline.',
  usage:
    '--app APP --from T --to T [--include traces,policies,evals,approvals] [--at SIZE] [--withhold SEQ,... --reason TEXT] --out FILE',
  examples: ['trailmix export --app support-bot --from 2026-11-01 --to 2026-11-30 --out november.zip'],
  options: {
    app: { type: 'string' },
    from: { type: 'string' },
    to: { type: 'string' },
    include: { type: 'string' },
    at: { type: 'string' },
    out: { type: 'string' },
    withhold: { type: 'string' },
    reason: { type: 'string' },
    'key-file': { type: 'string' },
  },
  help: {
    '--app APP': 'whose events',
    '--from T, --to T':
      'the window by time of receipt, both ends included: 2026-11-01 or 2026-11-01T08:30:00Z',
    '--include LIST': 'parts to add (default all): traces, policies, evals, approvals',
    '--at SIZE': 'pin the checkpoint of this size, for a pack that can be made again byte for byte',
    '--out FILE': 'the pack',
    '--withhold SEQ,...': 'leave out the bodies of these records; their place in the chain stays proved',
    '--reason TEXT': 'why they are withheld: stands in the pack and in the ledger',
    '--key-file F': "the vault's key file, where it is not in its usual place",
  },
  async run({ data, values, out }) {
    const file = resolve(need(values, 'out'));
    const [app, from, to] = [need(values, 'app'), fromOf(need(values, 'from')), toOf(need(values, 'to'))];
    const include = includeOf(textOf(values, 'include'));
    const at = textOf(values, 'at');
    if (at !== undefined && !/^\d{1,15}$/.test(at)) {
      throw new TrailmixError('usage', { where: '--at', message: `${at} is not a number of records` });
    }
    const withheld = textOf(values, 'withhold');
    if (withheld !== undefined && !/^\d{1,15}(?:,\d{1,15})*$/.test(withheld)) {
      throw new TrailmixError('usage', { where: '--withhold', message: `${withheld} is no list of seqs` });
    }
    const withhold =
      withheld === undefined
        ? {}
        : { withhold: { seqs: withheld.split(',').map(Number), reason: need(values, 'reason') } };
    const there = await access(file).then(
      () => true,
      () => false,
    );
    if (there)
      throw new TrailmixError('usage', {
        where: file,
        message: `${file} is there already; choose a new name`,
      });
    out.say('Making the pack...');
    const made = await withCollector(data, custodyOf(values), async ({ call }) => {
      const pack = await call('exportEvidence', {
        input: {
          app_id: app,
          time_from: from,
          time_to: to,
          ...(include === undefined ? {} : { include }),
          ...(at === undefined ? {} : { at: Number(at) }),
          ...withhold,
        },
      });
      // The socket is for this host alone: the collector's file can be read here.
      const part = `${file}.part`;
      try {
        await copyFile(pack.pack, part);
        if ((await sha256Of(part)) !== pack.sha256)
          throw new TrailmixError('internal', { message: 'The copy is not the pack' });
        await syncAll(part);
        await rename(part, file);
        // Where a folder cannot be synced (Windows), a power cut may take the new name, not the file's content.
        await syncAll(dirname(file)).catch(() => {});
      } finally {
        await rm(part, { force: true });
        await rm(pack.pack, { force: true });
      }
      return pack;
    });
    const shown = { ...made, pack: file };
    out.json(shown);
    out.say(`Wrote ${file}: ${made.events} events, ${made.bytes} bytes.`);
    out.say(`  pack id     ${made.pack_id}`);
    out.say(`  checkpoint  ${made.checkpoint.size} records, root ${made.checkpoint.root}`);
    out.say(
      'Check it anywhere: trailmix verify FILE --trust DIR (trailmix keys trust --out DIR makes the folder).',
    );
    return 0;
  },
};
