/**
 * The queue with 10,000 waiting approvals beside an empty one, in a browser too, and what 500 agents cost that wait in long polls:
 * memory, CPU, and how soon one of them hears its answer. Asked over HTTP as an agent does; lists by the socket, as `trailmix` does.
 */
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { socketPath } from '../../collector/data-folder.ts';
import { openBrowser } from '../e2e/browser.ts';
import { BenchCollector } from './collector.ts';
import { appId } from './events.ts';

export type ApprovalBench = {
  waiting: number;
  /** Median ms of one page of 100. */
  emptyPageMs: number;
  fullPageMs: number;
  /** The slowest filter of those tried. */
  filteredPageMs: number;
  detailMs: number;
  /** Median ms until Approvals shows its first row (empty: that nothing waits): from another screen, and from an address in a new browser. */
  openEmptyMs: number;
  openFullMs: number;
  freshEmptyMs: number;
  freshFullMs: number;
  polls: number;
  pollsMiB: number | undefined;
  /** CPU of the collector while nothing happens but the waiting, percent of one core; before, and with the polls. */
  restCpuPercent: number | undefined;
  pollsCpuPercent: number | undefined;
  /** From sending the answer until the one that waits for it has it, with all others waiting. */
  wakeMs: number;
};

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

const ask = (collector: BenchCollector, key: string, i: number) =>
  collector.send(
    'POST',
    '/api/decisions',
    key,
    JSON.stringify({
      action: 'send_wire',
      risk: (['low', 'medium', 'high', 'critical'] as const)[i % 4],
      actor: { type: 'agent', id: `agent-${i % 50}` },
      payload: { amount: 10_001 + i, iban: `DE${String(i).padStart(20, '0')}`, reference: `invoice ${i}` },
      session_id: `bench-${i % 500}`,
      app_id: appId,
    }),
  );

/** One request by the 0700 socket. */
const local = (socket: string, path: string, body?: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const call = request(
      {
        socketPath: socket,
        path,
        method: body === undefined ? 'GET' : 'POST',
        headers: body === undefined ? {} : { 'content-type': 'application/json' },
      },
      answer => {
        const parts: Buffer[] = [];
        answer.on('data', part => parts.push(part));
        answer.on('end', () => {
          const text = Buffer.concat(parts).toString('utf8');
          if (answer.statusCode === 200) resolve(text);
          else reject(new Error(`${path}: ${answer.statusCode} ${text}`));
        });
      },
    );
    call.on('error', reject);
    call.end(body);
  });

async function pageMs(socket: string, path: string, count = 25): Promise<number> {
  const took: number[] = [];
  for (let i = 0; i < count; i++) {
    const started = performance.now();
    await local(socket, path);
    took.push(performance.now() - started);
  }
  return median(took.slice(3));
}

/** What Approvals shows when it stands: a row of the queue, or that there is none. */
const STANDS = '[data-approval], main .empty';

/** Opens Approvals from Overview and from its address, several times, in a browser of its own. */
async function openMs(browser: Browser, socket: string): Promise<{ open: number; fresh: number }> {
  const open: number[] = [];
  const fresh: number[] = [];
  for (let i = 0; i < 5; i++) {
    const { ui_url } = JSON.parse(await local(socket, '/api/tickets', '{}')) as { ui_url: string };
    const link = new URL(ui_url);
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    const page = await context.newPage();
    await page.goto(`${link.origin}/approvals${link.hash}`);
    await page.locator(STANDS).first().waitFor();
    const at = (): Promise<number> =>
      page.evaluate(
        stands =>
          new Promise<number>(done => {
            const look = (): unknown =>
              document.querySelector(stands) === null
                ? requestAnimationFrame(look)
                : requestAnimationFrame(() => done(performance.now()));
            look();
          }),
        STANDS,
      );
    // performance.now() counts from the navigation. The one that signed in is not counted.
    await page.goto(`${link.origin}/approvals`);
    fresh.push(await at());
    await page.locator('a[href="/overview"]').first().click();
    await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
    const started = await page.evaluate(() => {
      const now = performance.now();
      document.querySelector<HTMLElement>('a[href="/approvals"]')?.click();
      return now;
    });
    open.push((await at()) - started);
    await context.close();
  }
  return { open: median(open), fresh: median(fresh) };
}

async function cpuPercent(collector: BenchCollector, seconds: number): Promise<number | undefined> {
  const before = collector.cpuSeconds();
  await sleep(seconds * 1000);
  const after = collector.cpuSeconds();
  return before === undefined || after === undefined ? undefined : ((after - before) / seconds) * 100;
}

/** Until what works behind the ledger has caught up with what was just asked; half a minute at most. */
async function calm(collector: BenchCollector): Promise<void> {
  for (let i = 0; i < 15; i++) if (((await cpuPercent(collector, 2)) ?? 0) < 2) return;
}

export async function measureApprovals(waiting = 10_000, polls = 500): Promise<ApprovalBench> {
  const collector = await BenchCollector.start({ sockets: polls + 16 });
  const browser = await openBrowser();
  try {
    const key = collector.createKey(appId);
    const socket = await socketPath(join(collector.folder, 'data'));
    const emptyPageMs = await pageMs(socket, '/api/approvals?limit=100');
    const empty = await openMs(browser, socket);

    const ids: string[] = [];
    let next = 0;
    const asking = async (): Promise<void> => {
      while (next < waiting) {
        const i = next++;
        for (let asked = false; !asked; ) {
          const { status, body } = await ask(collector, key, i);
          const { approval, code } = JSON.parse(body.toString()) as {
            approval?: { id: string };
            code?: string;
          };
          // A machine that is busy with something else can hold the policy up: what was denied for that is asked again.
          asked = code !== 'policy_failed';
          if (asked && (status !== 200 || approval === undefined)) throw new Error(`${status} ${body}`);
          if (approval !== undefined) ids.push(approval.id);
        }
      }
    };
    await Promise.all(Array.from({ length: 16 }, asking));
    const { total } = JSON.parse(await local(socket, '/api/approvals?limit=1')) as { total: number };
    if (total !== waiting) throw new Error(`${total} wait, not ${waiting}`);
    const fullPageMs = await pageMs(socket, '/api/approvals?limit=100');
    const filters = ['risk=critical', 'action=send_wire&app=none', 'q=wire%20agent-7', 'status=all'];
    const filtered: number[] = [];
    for (const filter of filters) filtered.push(await pageMs(socket, `/api/approvals?limit=100&${filter}`));
    const detailMs = await pageMs(socket, `/api/approvals/${ids.at(-1)}/detail`);
    const full = await openMs(browser, socket);
    await browser.close();

    await calm(collector);
    const restCpuPercent = await cpuPercent(collector, 5);
    const restMiB = collector.memoryMiB();
    const waits = ids.slice(0, polls).map(async id => {
      const { body } = await collector.send('GET', `/api/approvals/${id}?wait=60`, key);
      return { status: (JSON.parse(body.toString()) as { status: string }).status, at: performance.now() };
    });
    await calm(collector);
    const pollsMiB = collector.memoryMiB();
    const pollsCpuPercent = await cpuPercent(collector, 5);
    const started = performance.now();
    await local(socket, `/api/approvals/${ids[0]}/answer`, JSON.stringify({ verdict: 'approve' }));
    const first = await waits[0]!;
    if (first.status !== 'approved') throw new Error(`the one that was answered heard ${first.status}`);
    // The others are let go when the collector stops; what they heard is not looked at.
    for (const wait of waits) wait.catch(() => {});
    return {
      waiting,
      emptyPageMs,
      fullPageMs,
      filteredPageMs: Math.max(...filtered),
      detailMs,
      openEmptyMs: empty.open,
      openFullMs: full.open,
      freshEmptyMs: empty.fresh,
      freshFullMs: full.fresh,
      polls,
      pollsMiB: pollsMiB === undefined || restMiB === undefined ? undefined : pollsMiB - restMiB,
      restCpuPercent,
      pollsCpuPercent,
      wakeMs: first.at - started,
    };
  } finally {
    await browser.close();
    await collector.stop();
  }
}

if (import.meta.main) console.log(await measureApprovals());
