/**
 * Verification of a pack beside what it cannot do without: hashing every head and body and checking every signature.
 * `node test/bench/verification.ts [events]`. Prints CPU and wall time; `ratio` is raw CPU by the verifier's.
 */
import { createPublicKey, hash, verify } from 'node:crypto';
import { nodeHost } from '../../collector/evidence/verifier-host.ts';
import { verifyPack } from '../../core/pack/verify.ts';
import { jcs } from '../../core/proof/jcs.ts';
import { bodyOf, eventSignatureMessage, headJcs, headOf } from '../../core/proof/record.ts';
import { MemoryLedger } from '../pack/memory-ledger.ts';
import { access, makePack, trustOf } from '../pack/packs.ts';

export type VerificationFigures = {
  events: number;
  packBytes: number;
  rawCpuMs: number;
  verifierCpuMs: number;
  verifierWallMs: number;
  ratio: number;
  rssGrowthMb: number;
};

const cpu = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** A pack, what to trust it by, and its records' bytes. What made them is let go of: who verifies a pack holds none of it. */
async function prepare(events: number) {
  const ledger = new MemoryLedger();
  const words = 'Draft a confirmation for a wire to an EU account, with due care. ';
  for (let i = 1; i < events; i++) {
    ledger.append({
      body: {
        session_id: `s${i % 100}`,
        name: `step ${i}`,
        input: { prompt: words.repeat(3), n: i },
        output: { model_output: words.repeat(2) },
      },
    });
  }
  const pack = await makePack(ledger);
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), ledger.eventKey.raw]);
  const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  const rows = ledger.all.map(record => ({
    body: Buffer.from(jcs(bodyOf(record as never))),
    head: Buffer.from(headJcs(headOf(record))),
    message: eventSignatureMessage(record.hash_self),
    signature: Buffer.from(String(record.signature), 'base64'),
  }));
  return { pack, trust: trustOf(ledger), key, rows };
}

/** Threads included: cpuUsage is the process's. */
export async function measureVerification(events = 20_000): Promise<VerificationFigures> {
  const { pack, trust, key, rows } = await prepare(events);
  let from = cpu();
  for (const { body, head, message, signature } of rows.splice(0)) {
    hash('sha256', body, 'buffer');
    hash('sha256', head, 'buffer');
    if (!verify(null, message, key, signature)) throw new Error('a signature does not verify');
  }
  const rawCpuMs = cpu() - from;
  const host = nodeHost();
  try {
    const rss = process.memoryUsage().rss;
    const wall = performance.now();
    from = cpu();
    const { verdicts } = await verifyPack(access(pack), host, { trust });
    if (verdicts.integrity.result !== 'pass') throw new Error('the pack does not verify');
    const verifierCpuMs = cpu() - from;
    return {
      events,
      packBytes: pack.length,
      rawCpuMs: Math.round(rawCpuMs),
      verifierCpuMs: Math.round(verifierCpuMs),
      verifierWallMs: Math.round(performance.now() - wall),
      ratio: Number((rawCpuMs / verifierCpuMs).toFixed(2)),
      rssGrowthMb: Math.round((process.memoryUsage().rss - rss) / 2 ** 20),
    };
  } finally {
    await host.close();
  }
}

if (process.argv[1] === import.meta.filename) {
  console.log(JSON.stringify(await measureVerification(Number(process.argv[2] ?? 20_000)), null, 1));
}
