/**
 * The real `opa`, built from the Go module of policies/toolchain at its version, for comparison. Its modules were fetched
 * at install (resources/build/opa.ts); where they could not be, the answer is null, and stderr says why.
 */
import { execFile } from 'node:child_process';
import { access, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { goForOpa, OPA_COMMAND, opaFolder } from '../../resources/build/opa.ts';

const run = promisify(execFile);

export type Opa = (args: string[], cwd?: string) => Promise<{ code: number; stdout: string; stderr: string }>;

let built: Promise<string | null> | undefined;

/** Where it is; once in a process. The binary stays in the temp folder, under a name that states what it was built from. */
export function opaPath(): Promise<string | null> {
  built ??= build();
  return built;
}

async function build(): Promise<string | null> {
  const binary = join(await opaFolder(), 'opa');
  if (
    await access(binary).then(
      () => true,
      () => false,
    )
  )
    return binary;
  const made = `${binary}.${process.pid}`;
  try {
    await goForOpa(['build', '-mod=mod', '-buildvcs=false', '-o', made, OPA_COMMAND], { offline: true });
  } catch (error) {
    const why = String((error as { stderr?: string }).stderr ?? error).slice(-400);
    console.error(
      `NOT COMPARED: the real opa cannot be built here (no Go, or its modules were not fetched): ${why}`,
    );
    return null;
  }
  await rename(made, binary);
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
