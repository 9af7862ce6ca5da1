/** A real ledger in a temporary folder, with a clock that the test moves, and events as a producer would send them. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { type OpenOptions, openLedger } from '../../collector/ledger/open.ts';
import { prepareEvents } from '../../collector/ledger/prepare.ts';
import type { Ids, Ledger, PreparedEvent, Source } from '../../collector/ports.ts';
import { validateEvent } from '../../core/event/validate.ts';
import type { JsonObject } from '../../core/proof/jcs.ts';
import { memoryVault } from './vault.fixture.ts';

export const sha256 = (data: Uint8Array): Uint8Array => createHash('sha256').update(data).digest();

export const ids: Ids = {
  bytes: n => randomBytes(n),
  id: prefix => `${prefix}_${randomBytes(12).toString('hex')}`,
};

export class TestClock {
  #offset = 0;
  now(): number {
    return Date.now() + this.#offset;
  }
  move(ms: number): void {
    this.#offset += ms;
  }
}

export type Opened = { ledger: Ledger; folder: string; clock: TestClock; warnings: string[] };

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'trailmix-ledger-'));
  cleanups.push(async () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export async function openTest(options: Partial<OpenOptions> = {}): Promise<Opened> {
  const folder = options.folder ?? temporaryFolder();
  const clock = new TestClock();
  const warnings: string[] = [];
  const ledger = await openLedger({
    folder,
    vault: memoryVault(),
    clock,
    ids,
    log: { info: () => {}, warn: message => warnings.push(message) },
    create: {},
    ...options,
  });
  cleanups.push(() => ledger.close());
  return { ledger, folder, clock, warnings };
}

let count = 0;

export function event(members: JsonObject = {}): JsonObject {
  return {
    event_id: `e-${++count}`,
    session_id: 's-1',
    ts: '2026-11-22T10:00:00Z',
    actor_type: 'agent',
    app_id: 'support-bot',
    ...members,
  };
}

export function prepared(
  ledger: Pick<Ledger, 'ledgerId' | 'tenantId'>,
  events: JsonObject[],
  source: Source = { via: 'api', auth: 'key', key: 'k1' },
): PreparedEvent[] {
  const valid = events.map(one => {
    const result = validateEvent(one, { appId: String(one.app_id) });
    if (!result.ok) throw new Error(JSON.stringify(result.errors));
    return result.event;
  });
  const { ledgerId, tenantId } = ledger;
  return prepareEvents(valid, { ledgerId, tenantId, source, ids, sha256 });
}

export const append = (ledger: Ledger, events: JsonObject[], source?: Source) =>
  ledger.write.append(prepared(ledger, events, source));

export async function until(check: () => boolean | Promise<boolean>, ms = 40_000): Promise<void> {
  const end = Date.now() + ms;
  while (!(await check())) {
    if (Date.now() > end) throw new Error('it did not happen in time');
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}
