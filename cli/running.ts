/** Whether a collector runs on a data folder, and where it answers: lock.json says, and its socket confirms. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { call } from './client.ts';

export type Running = { pid: number; url: string; port: number; socket: string; since: string };

/** What the lock says, if it says it; the process may be gone. */
export async function lockInfo(folder: string): Promise<Partial<Running> | undefined> {
  try {
    return JSON.parse(await readFile(join(folder, 'lock.json'), 'utf8')) as Partial<Running>;
  } catch {
    return undefined;
  }
}

/** The collector of this folder, if one answers on its socket. */
export async function runningCollector(folder: string): Promise<Running | undefined> {
  const info = await lockInfo(folder);
  if (info?.socket === undefined || info.url === undefined) return undefined;
  try {
    await call(info.socket, 'health');
    return info as Running;
  } catch {
    return undefined;
  }
}
