/**
 * A process that exports a pack from the ledger in `folder` until a fault plan kills it. Argument: JSON {folder, out, faults}.
 */
import { randomBytes } from 'node:crypto';
import { exportPack } from '../../collector/evidence/export.ts';
import type { FaultPlan } from '../../collector/ledger/faults.ts';
import { openLedger } from '../../collector/ledger/open.ts';
import { memoryVault } from '../ledger/vault.fixture.ts';
import { testSigner } from '../pack/packs.ts';

const { folder, out, faults } = JSON.parse(process.argv[2]!) as {
  folder: string;
  out: string;
  faults: FaultPlan;
};
const vault = { ...memoryVault(), packSigner: async () => testSigner() };
const clock = { now: Date.now };
const ledger = await openLedger({
  folder,
  vault,
  clock,
  ids: {
    bytes: (n: number) => randomBytes(n),
    id: (prefix: string) => `${prefix}_${randomBytes(12).toString('hex')}`,
  },
  log: { info: () => {}, warn: () => {} },
});
const request = { app_id: 'support-bot', time_from: '2026-01-01T00:00:00Z', time_to: '2030-01-01T00:00:00Z' };
await exportPack(
  { ledger, vault, clock, version: '0.0.0-test', testFaults: faults },
  { request, out, by: 'test' },
);
await ledger.close();
