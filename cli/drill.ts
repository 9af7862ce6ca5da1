/**
 * `trailmix drill`: a tabletop exercise over the sample runs: a pack, a twin that somebody has changed, the trust folder,
 * a sheet for participants and the solution for who leads it. Guide: docs/incident_drill.md. Nothing of the person's own
 * data folder is touched.
 */
import { copyFile, mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { inflateRaw, openFile } from '../collector/evidence/verifier-host.ts';
import { ZipWriter } from '../collector/evidence/zip-writer.ts';
import { TrailmixError } from '../core/api/errors.ts';
import { MIMETYPE } from '../core/pack/asice.ts';
import { openZip } from '../core/pack/zip.ts';
import { concat } from '../core/proof/bytes.ts';
import { call } from './client.ts';
import { type Command, textOf } from './command.ts';
import { type Change, changes, type Files, forge, seeded, settled } from './drill_changes.ts';
import { type Drill, facilitatorGuide, participantSheet } from './drill_papers.ts';

const APP = 'finance-bot';
const CHANGED = 4;
const DEFAULT_SEED = '1';

export const drillCommand: Command = {
  summary:
    'An incident drill over the sample runs: two packs, one of them tampered with, and what leads a group to it.',
  usage: '--out DIR [--seed N]',
  examples: ['trailmix drill --out ./drill', 'trailmix drill --out ./drill --seed 7'],
  options: { out: { type: 'string' }, seed: { type: 'string' } },
  help: {
    '--out DIR': 'a new or empty folder: participants/ for the group, facilitator/ with the solution',
    '--seed N': `which changes are made, and to what (default ${DEFAULT_SEED})`,
  },
  async run({ values, out }) {
    const target = resolve(textOf(values, 'out') ?? 'trailmix-drill');
    const seedText = textOf(values, 'seed') ?? DEFAULT_SEED;
    if (!/^\d{1,9}$/.test(seedText))
      throw new TrailmixError('usage', { where: '--seed', message: `${seedText} is not a number` });
    if ((await readdir(target).catch(() => [])).length > 0)
      throw new TrailmixError('usage', {
        where: target,
        message: `${target} is not empty; choose a new folder`,
      });
    const folder = await mkdtemp(join(tmpdir(), 'trailmix-drill-'));
    try {
      out.say('Recording the sample runs on a throw-away ledger ...');
      const { pack, trust } = await recorded(folder);
      const made = await writeDrill(target, Number(seedText), pack, trust);
      out.say(`Wrote ${target}: hand out participants/, keep facilitator/ to yourself.`);
      out.say('How to run it: facilitator/FACILITATOR.md.');
      out.json({ out: target, seed: Number(seedText), changes: made.length });
      return 0;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

/** The sample runs on a ledger of their own, exported; and what a verifier must trust. */
async function recorded(folder: string): Promise<{ pack: string; trust: Record<string, string> }> {
  const { startCollector } = await import('../collector/compose.ts');
  const collector = await startCollector({ folder: join(folder, 'data'), port: 0 });
  try {
    await collector.initialise({ kind: 'key_file', file: join(folder, 'keys', 'drill.key') }, 'drill');
    const { socket } = collector;
    await call(socket, 'loadSamples');
    const now = Date.now();
    const { pack } = await call(socket, 'exportEvidence', {
      input: {
        app_id: APP,
        time_from: new Date(now - 86_400_000).toISOString(),
        time_to: new Date(now).toISOString(),
      },
    });
    const { files } = await call(socket, 'trust');
    // The collector removes its exports when it ends.
    const copy = join(folder, 'pack.zip');
    await copyFile(pack, copy);
    return { pack: copy, trust: files };
  } finally {
    await collector.close();
  }
}

async function writeDrill(
  target: string,
  seed: number,
  pack: string,
  trust: Record<string, string>,
): Promise<Change[]> {
  const random = seeded(seed);
  const files = await filesOf(pack);
  const chosen = [...changes];
  while (chosen.length > CHANGED) chosen.splice(Math.floor(random() * chosen.length), 1);
  const taken = new Set<number>();
  const pending = chosen.map(change => change(files, random, taken));
  const made = pending.map(change => settled(files, change));
  made.push(forge(files, new Date()));
  const names = ['exhibit-1.zip', 'exhibit-2.zip'] as const;
  const isFirst = random() < 0.5;
  const drill: Drill = { seed, app: APP, tampered: names[isFirst ? 0 : 1], honest: names[isFirst ? 1 : 0] };

  const participants = join(target, 'participants');
  const facilitator = join(target, 'facilitator');
  await mkdir(join(participants, 'trust'), { recursive: true });
  await mkdir(facilitator, { recursive: true });
  for (const [name, text] of Object.entries(trust)) await writeFile(join(participants, 'trust', name), text);
  await writeFile(join(participants, drill.honest), await readFile(pack));
  await writeZip(join(participants, drill.tampered), files);
  await writeFile(join(participants, 'PARTICIPANTS.md'), participantSheet(drill));
  await writeFile(join(facilitator, 'FACILITATOR.md'), facilitatorGuide(drill, made));
  await writeFile(
    join(facilitator, 'solution.json'),
    `${JSON.stringify({ ...drill, changes: made }, null, 2)}\n`,
  );
  return made;
}

/** The sample runs' pack is small: it is held whole. */
async function filesOf(path: string): Promise<Files> {
  const pack = await openFile(path);
  try {
    const zip = await openZip(pack, inflateRaw);
    const files: Files = new Map();
    for (const entry of zip.entries.values()) {
      const parts: Uint8Array[] = [];
      for await (const part of zip.open(entry)) parts.push(part);
      files.set(entry.path, concat(...parts));
    }
    return files;
  } finally {
    await pack.close();
  }
}

async function writeZip(path: string, files: Files): Promise<void> {
  const file = await open(path, 'wx');
  try {
    const zip = new ZipWriter(file);
    for (const [name, content] of files) await zip.add(name, content, { store: name === MIMETYPE });
    await zip.finish();
  } finally {
    await file.close();
  }
}
