/**
 * The collector by itself, without the command line's conveniences: for service managers and containers.
 * Environment: TRAILMIX_DATA, TRAILMIX_PORT (4318), TRAILMIX_HOST (127.0.0.1), TRAILMIX_KEY_FILE, TRAILMIX_PASSPHRASE.
 * Prints one line of JSON when it is ready. SIGTERM and SIGINT: drains, checkpoints, exit 0.
 */
import { type ProblemDocument, problemDocument, TrailmixError } from '../core/api/errors.ts';
import { type CollectorOptions, startCollector } from './compose.ts';
import { defaultDataFolder } from './data-folder.ts';

const DEFAULT_PORT = 4318;

function optionsFrom(env: NodeJS.ProcessEnv): CollectorOptions {
  const port = Number(env.TRAILMIX_PORT ?? DEFAULT_PORT);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new TrailmixError('usage', { where: 'TRAILMIX_PORT', message: 'TRAILMIX_PORT is not a port' });
  }
  const { TRAILMIX_HOST: host, TRAILMIX_KEY_FILE: keyFile, TRAILMIX_PASSPHRASE: passphrase } = env;
  return {
    folder: defaultDataFolder(env),
    port,
    ...(host === undefined ? {} : { host }),
    ...(keyFile === undefined ? {} : { keyFile }),
    ...(passphrase === undefined ? {} : { passphrase }),
  };
}

const print = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`);

function fail(error: unknown): never {
  const known = error instanceof TrailmixError ? error : new TrailmixError('internal');
  print({ error: problemDocument(known) } satisfies { error: ProblemDocument });
  process.exit(1);
}

process.on('uncaughtException', fail);
const stopped = new Promise<void>(resolve => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
});
try {
  const collector = await startCollector(optionsFrom(process.env));
  print({
    url: collector.url,
    port: collector.port,
    phase: collector.phase(),
    data: collector.folder,
    pid: process.pid,
  });
  await stopped;
  await collector.close();
  process.exit(0);
} catch (error) {
  fail(error);
}
