/**
 * Power cuts under a whole collector that records and exports: after each, what was acknowledged is there, the ledger
 * verifies, no file with a pack's name is less than a whole pack, and the next export works.
 * `node test/fault/power_cut.ts [cuts, default 20] [seed]`; needs what cut_disk.ts says. Exit 1 where it is not so.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { verifyPackFile } from '../../cli/verify_pack.ts';
import type { OutputOf } from '../../core/api/operations.ts';
import { type Started, startApp, trailmix } from '../cli/trailmix.ts';
import { ask, bearer } from '../http/collector.ts';
import { type CutDisk, cutDisk } from './cut_disk.ts';
import { randomOf } from './kill.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'cli', 'main.ts');
const RECORDERS = 3;
/** When the power goes: after a time, once a file has a new pack's name, once the command has said that a pack is there. */
const MOMENTS = ['any moment', 'a pack is named', 'a pack is said'] as const;
type Moment = (typeof MOMENTS)[number];
const WINDOW = ['--from', '2026-01-01', '--to', '2099-01-01'];

type Recorded = { event: object; seq: number; hash: string };
/** What the collector and the command said, and must hold whatever comes. */
type Promised = { events: Map<string, Recorded>; packs: Map<string, string> };

const sha256Of = async (file: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
const packsIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder).catch(() => []))
    .filter(name => name.endsWith('.zip'))
    .map(name => join(folder, name));

/**
 * No program says anything once the power is gone. (Without this, an fsync that the shutdown overtakes may return without an
 * error, and what it was for would be acknowledged.) A thread inside a system call stops on its way out of it.
 */
async function halt({ pid }: ChildProcess): Promise<void> {
  const tasks = `/proc/${pid}/task`;
  process.kill(pid!, 'SIGSTOP');
  for (;;) {
    const stats = await Promise.all(
      (await readdir(tasks)).map(task => readFile(`${tasks}/${task}/stat`, 'utf8').catch(() => ') Z')),
    );
    // proc_pid_stat(5): the state follows the name in brackets; T stopped, D in the disk's hands, Z ended.
    if (stats.every(stat => /^[TDZX]/.test(stat.slice(stat.lastIndexOf(')') + 2)))) return;
  }
}

function must(holds: boolean, message: string): asserts holds {
  if (!holds) throw new Error(message);
}

class Round {
  readonly #disk: CutDisk;
  readonly #words: string[];
  readonly #promised: Promised;
  readonly #n: number;
  readonly #exported: string;
  #over = false;
  readonly #exports = new Set<ChildProcess>();

  constructor(disk: CutDisk, data: string, words: string[], promised: Promised, n: number) {
    this.#disk = disk;
    this.#exported = join(data, 'exports');
    this.#words = words;
    this.#promised = promised;
    this.#n = n;
  }

  async #record(url: string, headers: Record<string, string>, worker: number): Promise<void> {
    for (let turn = 0; !this.#over; turn++) {
      const events = Array.from({ length: 1 + ((turn * 7 + worker) % 20) }, (_, i) => ({
        event_id: `cut-${this.#n}-${worker}-${turn}-${i}`,
        session_id: `run-${worker}`,
        ts: '2026-11-22T10:00:00Z',
        app_id: 'bot',
        actor_type: 'agent',
        actor_id: 'a',
        input: { text: `step ${turn} `.repeat(turn % 9 === 0 ? 9000 : 3) },
      }));
      const answer = await ask(`${url}/api/events`, { body: { events }, headers }).catch(() => undefined);
      if (answer?.status !== 201) continue;
      const { accepted } = answer.json as unknown as OutputOf<'appendEvents'>;
      for (const [i, { event_id, seq, hash_self }] of accepted.entries())
        this.#promised.events.set(event_id, { event: events[i]!, seq, hash: hash_self });
    }
  }

  async #export(): Promise<void> {
    for (let turn = 0; !this.#over; turn++) {
      const out = join(this.#disk.folder, 'packs', `pack-${this.#n}-${turn}.zip`);
      const words = ['export', '--app', 'bot', ...WINDOW, '--out', out, '--json', ...this.#words];
      const child = spawn(process.execPath, [MAIN, ...words], { stdio: ['ignore', 'pipe', 'ignore'] });
      this.#exports.add(child);
      let said = '';
      child.stdout!.on('data', part => {
        said += part;
      });
      const [code] = await once(child, 'close');
      this.#exports.delete(child);
      if (code === 0) this.#promised.packs.set(out, (JSON.parse(said) as { sha256: string }).sha256);
    }
  }

  /** Records and exports until the cut, then ends what still runs. */
  async untilCut(
    app: Started,
    headers: Record<string, string>,
    moment: Moment,
    afterMs: number,
  ): Promise<void> {
    const all = [
      ...Array.from({ length: RECORDERS }, (_, worker) => this.#record(app.ready.url, headers, worker)),
      this.#export(),
    ];
    const named = async (): Promise<number> =>
      (await packsIn(join(this.#disk.folder, 'packs'))).length + (await packsIn(this.#exported)).length;
    const before = { named: await named(), said: this.#promised.packs.size };
    if (moment === 'any moment') await sleep(afterMs);
    if (moment === 'a pack is named') while ((await named()) <= before.named) await sleep(1);
    if (moment === 'a pack is said') while (this.#promised.packs.size === before.said) await sleep(1);
    this.#over = true;
    await Promise.all([app.child, ...this.#exports].map(halt));
    await this.#disk.cut();
    const stopped = app.stop('SIGKILL');
    for (const child of this.#exports) child.kill('SIGKILL');
    await Promise.all([stopped, ...all]);
    await this.#disk.mountAgain();
  }
}

/** Of what the disk holds before anything of ours has looked at it. Answers how many packs there are. */
async function packsAreWhole(data: string, folder: string, promised: Promised): Promise<number> {
  for (const [file, sha256] of promised.packs)
    must((await sha256Of(file)) === sha256, `${file} is not the pack that was said`);
  const found = [...(await packsIn(folder)), ...(await packsIn(join(data, 'exports')))];
  for (const file of found) {
    const { verdicts } = await verifyPackFile(file, {});
    const codes = verdicts.integrity.findings.map(({ code }) => code).join();
    must(codes === 'keys_untrusted', `${file} is not whole: ${codes}`);
  }
  return found.length;
}

async function eventsAreThere(app: Started, headers: Record<string, string>, promised: Promised) {
  const all = [...promised.events];
  for (let n = 0; n < all.length; n += 200) {
    const some = all.slice(n, n + 200);
    const answer = await ask(`${app.ready.url}/api/events`, {
      body: { events: some.map(([, { event }]) => event) },
      headers,
    });
    must(
      answer.status === 201,
      `the collector does not record after the cut: ${JSON.stringify(answer.json)}`,
    );
    const { accepted } = answer.json as unknown as OutputOf<'appendEvents'>;
    for (const [i, [id, { seq, hash }]] of some.entries()) {
      const now = accepted[i];
      must(
        now?.duplicate === true && now.seq === seq && now.hash_self === hash,
        `${id} (#${seq}) is lost: ${JSON.stringify(now)}`,
      );
    }
  }
}

export async function cutAgainAndAgain(cuts: number, seed: number, say: (line: string) => void) {
  const random = randomOf(seed);
  const disk = await cutDisk(1024);
  const promised: Promised = { events: new Map(), packs: new Map() };
  const data = join(disk.folder, 'data');
  const folder = join(disk.folder, 'packs');
  const words = ['--data', data, '--key-file', join(disk.folder, 'keys', 'main.key')];
  let app: Started | undefined;
  try {
    await mkdir(folder);
    app = await startApp(words);
    const scopes = ['--scopes', 'ingest,export', '--data', data, '--json'];
    const made = await trailmix(['keys', 'create', '--app', 'bot', ...scopes]);
    const key = (made.json as { api_key: string }).api_key;
    const headers = bearer(key.split('.').slice(0, 3).join('.'));
    let packs = 0;
    for (let n = 1; n <= cuts; n++) {
      const moment = MOMENTS[Math.floor(random() * MOMENTS.length)]!;
      await new Round(disk, data, words, promised, n).untilCut(app, headers, moment, 300 + random() * 4000);
      packs = await packsAreWhole(data, folder, promised);
      app = await startApp(words);
      await eventsAreThere(app, headers, promised);
      const out = join(folder, `after-${n}.zip`);
      const again = await trailmix(['export', '--app', 'bot', ...WINDOW, '--out', out, '--json', ...words]);
      must(again.code === 0, `the export after cut ${n} failed: ${again.err}`);
      promised.packs.set(out, (again.json as { sha256: string }).sha256);
      say(
        `${n}/${cuts} cut, ${moment}: ${promised.events.size} events acknowledged and there, ${packs} packs whole`,
      );
    }
    must((await app.stop()) === 0, 'the collector does not end in order');
    const whole = await trailmix(['verify', '--ledger', '--json', ...words]);
    const { integrity } = (whole.json as { verdicts: Record<'integrity', { result: string }> }).verdicts;
    must(integrity.result === 'pass', `the ledger is not whole: ${whole.out}`);
    return { cuts, acknowledged: promised.events.size, packs, ledger: integrity.result };
  } finally {
    app?.child.kill('SIGKILL');
    await disk.remove();
  }
}

if (import.meta.main) {
  const report = await cutAgainAndAgain(Number(process.argv[2] ?? 20), Number(process.argv[3] ?? 1), line =>
    console.log(line),
  );
  console.log(JSON.stringify(report));
}
