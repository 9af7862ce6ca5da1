/**
 * The real `opa`, built from the Go module of policies/toolchain at its version, for comparison. Its command line needs
 * more modules than the toolchain does: from Go's module cache, else from the Go module proxy. Where it cannot be built
 * the answer is null, and stderr says why.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, cp, mkdir, readFile, rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const module = join(import.meta.dirname, '../../policies/toolchain');

export type Opa = (args: string[], cwd?: string) => Promise<{ code: number; stdout: string; stderr: string }>;

let built: Promise<string | null> | undefined;

/** Where it is; once in a process. The binary stays in the temp folder, under a name that states what it was built from. */
export function opaPath(): Promise<string | null> {
  built ??= build();
  return built;
}

async function build(): Promise<string | null> {
  const sums = createHash('sha256');
  for (const name of ['go.mod', 'go.sum']) sums.update(await readFile(join(module, name)));
  const dir = join(tmpdir(), `trailmix-opa-${sums.digest('hex').slice(0, 16)}`);
  const binary = join(dir, 'opa');
  const there = await access(binary).then(
    () => true,
    () => false,
  );
  if (!there) {
    await mkdir(dir, { recursive: true });
    for (const name of ['go.mod', 'go.sum']) await cp(join(module, name), join(dir, name));
    const made = join(dir, `opa.${process.pid}`);
    const flags = ['build', '-mod=mod', '-buildvcs=false', '-o', made, 'github.com/open-policy-agent/opa'];
    const env = { ...process.env, GOTOOLCHAIN: 'local', GOFLAGS: '' };
    try {
      await run('go', flags, { cwd: dir, env: { ...env, GOPROXY: 'off' } }).catch(() =>
        run('go', flags, { cwd: dir, env }),
      );
    } catch (error) {
      const why = String((error as { stderr?: string }).stderr ?? error).slice(-400);
      console.error(
        `NOT COMPARED: the real opa cannot be built here (no Go, or neither cache nor proxy has it): ${why}`,
      );
      return null;
    }
    await rename(made, binary);
  }
  return binary;
}

/** Runs it; null where it cannot be built. */
export async function realOpa(): Promise<Opa | null> {
  const binary = await opaPath();
  if (binary === null) return null;
  return async (args, cwd) => {
    try {
      const { stdout, stderr } = await run(binary, args, {
        maxBuffer: 256 * 1024 * 1024,
        ...(cwd === undefined ? {} : { cwd }),
      });
      return { code: 0, stdout, stderr };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { code, stdout, stderr };
    }
  };
}
