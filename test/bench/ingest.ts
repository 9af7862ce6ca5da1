/** Durable events per second through HTTP, client included: bodies are ready, `inFlight` requests at once. */
import type { BenchCollector } from './collector.ts';
import { appId, batchText } from './events.ts';

export type Ingest = {
  batch: number;
  inFlight: number;
  events: number;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
};

const at = (sorted: number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;

export const measureIngest = async (
  collector: BenchCollector,
  key: string,
  batch: number,
  events: number,
  inFlight: number,
  run: string,
): Promise<Ingest> => {
  const bodies = Array.from({ length: Math.ceil(events / batch) }, (_, i) =>
    Buffer.from(batchText(i * batch, batch, run)),
  );
  const took: number[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let body = bodies[next++]; body; body = bodies[next++]) {
      const started = performance.now();
      const { status, body: answer } = await collector.send('POST', '/api/events', key, body);
      if (status === 429) {
        next--;
        await new Promise(done => setTimeout(done, 50));
        continue;
      }
      if (status !== 201) throw new Error(`${status} ${answer}`);
      took.push(performance.now() - started);
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: inFlight }, worker));
  const seconds = (performance.now() - started) / 1000;
  const sorted = took.toSorted((a, b) => a - b);
  return {
    batch,
    inFlight,
    events: bodies.length * batch,
    perSecond: (bodies.length * batch) / seconds,
    p50Ms: at(sorted, 0.5),
    p99Ms: at(sorted, 0.99),
  };
};

/** The same batch size against a growing ledger: events per second at each size. */
export const measureGrowth = async (
  collector: BenchCollector,
  key: string,
  sizes: number[],
): Promise<{ size: number; perSecond: number }[]> => {
  const found: { size: number; perSecond: number }[] = [];
  let have = 0;
  for (const size of sizes) {
    while (have < size - 5_000) {
      const part = Math.min(20_000, size - 5_000 - have);
      await measureIngest(collector, key, 500, part, 4, `grow${have}`);
      have += part;
    }
    const { perSecond } = await measureIngest(collector, key, 500, 5_000, 4, `at${size}`);
    have += 5_000;
    found.push({ size, perSecond });
  }
  return found;
};

export { appId };
