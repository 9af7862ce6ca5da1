/** The signing thread: signs whatever the writer publishes (signer.ts), and sleeps when there is nothing. */
import { workerData } from 'node:worker_threads';
import { PUBLISHED, type SignerData, SigningBench } from './signer.ts';

const bench = new SigningBench(workerData as SignerData);
for (;;) {
  const published = Atomics.load(bench.control, PUBLISHED);
  while (bench.signNext());
  bench.sleep(published);
}
