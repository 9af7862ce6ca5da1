/**
 * The Go modules of OPA's command line, which `npm test` builds to compare with (test/conformance): fetched at install, so
 * that nothing is downloaded afterwards. Rules: uses Go's module cache and proxy as they are set; where they do not
 * have them it says so and goes on, for nothing in the app needs them.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const module = fileURLToPath(new URL('../../policies/toolchain', import.meta.url));
const sums = ['go.mod', 'go.sum'];
export const OPA_COMMAND = 'github.com/open-policy-agent/opa';

/** A folder outside the clone with a module of the toolchain's versions, named by them: -mod=mod writes into it. */
export async function opaFolder(): Promise<string> {
  const hash = createHash('sha256');
  for (const name of sums) hash.update(await readFile(join(module, name)));
  const folder = join(tmpdir(), `trailmix-opa-${hash.digest('hex').slice(0, 16)}`);
  await mkdir(folder, { recursive: true });
  for (const name of sums) await cp(join(module, name), join(folder, name), { force: false });
  return folder;
}

/** Runs `go` there. With `offline` only the module cache is asked. Throws as execFile does. */
export async function goForOpa(args: string[], { offline }: { offline: boolean }): Promise<void> {
  const cwd = await opaFolder();
  const env = { ...process.env, GOTOOLCHAIN: 'local', GOFLAGS: '', ...(offline && { GOPROXY: 'off' }) };
  await run('go', args, { cwd, env, maxBuffer: 16 * 1024 * 1024 });
}

/** Answers whether they are there afterwards. */
export async function fetchOpa(): Promise<boolean> {
  const list = ['list', '-mod=mod', '-deps', OPA_COMMAND];
  try {
    await goForOpa(list, { offline: true }).catch(() => goForOpa(list, { offline: false }));
    return true;
  } catch (error) {
    const why = String((error as { stderr?: string }).stderr ?? error).trim();
    console.warn(
      `opa: its modules are not to be had here (${why.slice(-200)}); the tests beside the real opa are skipped`,
    );
    return false;
  }
}
