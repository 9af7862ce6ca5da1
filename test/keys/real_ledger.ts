/** A real ledger in a temporary folder, with a vault, for tests of the rooms that stand on it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemIds } from '../../collector/clock.ts';
import { backupStream } from '../../collector/keys/backup.ts';
import type { CustodyChoice } from '../../collector/keys/custody.ts';
import { createVault, type OpenVault, thisHost, type VaultHost } from '../../collector/keys/vault.ts';
import { openLedger } from '../../collector/ledger/open.ts';
import type { Clock, Ledger } from '../../collector/ports.ts';

export type RealLedger = {
  root: string;
  folder: string;
  host: VaultHost;
  vault: OpenVault;
  phrase: string;
  ledger: Ledger;
  /** Adds to what the clock reads, in milliseconds. */
  skew: { ms: number };
  clock: Clock;
  close(): Promise<void>;
};

const silent = { info: () => {}, warn: () => {} };

export const openOn = (folder: string, vault: OpenVault, clock: Clock): Promise<Ledger> =>
  openLedger({ folder, vault, clock, ids: systemIds, log: silent });

export async function realLedger(custody: CustodyChoice = { kind: 'key_file' }): Promise<RealLedger> {
  const root = mkdtempSync(join(tmpdir(), 'trailmix-real-'));
  const folder = join(root, 'data');
  const skew = { ms: 0 };
  const clock: Clock = { now: () => Date.now() + skew.ms };
  const host: VaultHost = { ...thisHost, home: join(root, 'home'), env: {}, now: () => clock.now() };
  const { vault, recoveryPhrase } = await createVault({ folder, custody, host });
  const ledger = await openLedger({ folder, vault, clock, ids: systemIds, log: silent, create: {} });
  return {
    root,
    folder,
    host,
    vault,
    phrase: recoveryPhrase.reveal(),
    ledger,
    skew,
    clock,
    async close() {
      await ledger.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** Backs a ledger up into a file. */
export async function backupInto(
  file: string,
  parts: { ledger: Ledger; vault: OpenVault; folder: string; clock: Clock },
): Promise<void> {
  const { ledger, folder, ...rest } = parts;
  const tenants = [{ tenantId: 'default', name: 'default', folder, ledger }];
  const { stream } = await backupStream({ ...rest, folder, tenants });
  await writeFile(file, stream);
}
