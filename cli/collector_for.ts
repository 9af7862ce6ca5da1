/**
 * Runs a command's work on the collector of a data folder: over the socket where one runs, else by starting one for
 * the moment, on a free port. Either way the same operations do it.
 */
import { errorTable, TrailmixError } from '../core/api/errors.ts';
import type { InputOf, OperationName, OutputOf } from '../core/api/operations.ts';
import { type Call, call } from './client.ts';
import { type Invocation, textOf } from './command.ts';
import { runningCollector } from './running.ts';

export type Caller = {
  /** The socket that answers. */
  socket: string;
  call<N extends OperationName>(name: N, options?: Call<N>): Promise<OutputOf<N>>;
};
export type { InputOf };

const callerOf = (socket: string): Caller => ({
  socket,
  call: (name, options) => call(socket, name, { ...tenantNamed(), ...options } as typeof options),
});

const tenantNamed = (): { tenant?: string } => {
  const tenant = process.env.TRAILMIX_TENANT;
  return tenant === undefined || tenant === '' ? {} : { tenant };
};

export type Custody = { keyFile?: string; passphrase?: string };

/** `--key-file`, where it was given. */
export const custodyOf = (values: Invocation['values']): Custody => {
  const keyFile = textOf(values, 'key-file');
  return keyFile === undefined ? {} : { keyFile };
};

/** The passphrase that a program gives: TRAILMIX_PASSPHRASE. */
export const passphraseFromEnvironment = (): Custody =>
  process.env.TRAILMIX_PASSPHRASE === undefined ? {} : { passphrase: process.env.TRAILMIX_PASSPHRASE };

/** Throws setup_needed, vault_locked, and whatever the ledger was refused for. */
export async function withCollector<T>(
  folder: string,
  custody: Custody,
  work: (caller: Caller) => Promise<T>,
): Promise<T> {
  const running = await runningCollector(folder);
  if (running !== undefined) return work(callerOf(running.socket));
  // Loaded only where no collector runs: most calls go to one that does.
  const { startCollector } = await import('../collector/compose.ts');
  const collector = await startCollector({ folder, port: 0, ...passphraseFromEnvironment(), ...custody });
  try {
    if (collector.phase() === 'setup') throw new TrailmixError('setup_needed');
    const refusal = collector.refusal();
    if (refusal !== undefined) throw refusal;
    if (collector.phase() === 'locked') {
      throw new TrailmixError('vault_locked', {
        message: `${errorTable.vault_locked.title}: set TRAILMIX_PASSPHRASE, or start the app and unlock it`,
      });
    }
    return await work(callerOf(collector.socket));
  } finally {
    await collector.close();
  }
}
