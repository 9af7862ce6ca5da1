/** What the `policy` command reads and writes: .rego files in their order, one data.json, an input. All bounded. */
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { text } from 'node:stream/consumers';
import { DATA_PATH } from '../collector/policy/bundle.ts';
import type { RegoFile } from '../collector/policy/toolchain.ts';
import { TrailmixError } from '../core/api/errors.ts';

const MOST_FILES = 500;
const FILE_BYTES = 1024 * 1024;

export type PolicyFiles = {
  /** Paths relative to the working folder, with `/`. */
  files: RegoFile[];
  /** Content of data.json, where one stands at the top of a folder that was named, or was named itself. */
  data?: unknown;
};

const usage = (where: string, message: string): TrailmixError =>
  new TrailmixError('usage', { where, message });

/** Files of a policy at or below a path. Throws usage where it is not there. */
export async function policyPaths(path: string): Promise<string[]> {
  const entry = await stat(path).catch(() => {
    throw usage(path, `${path} is not there`);
  });
  if (!entry.isDirectory()) return [path];
  const inside = await readdir(path, { recursive: true, withFileTypes: true });
  return inside
    .filter(one => one.isFile() && !one.parentPath.split(sep).includes('node_modules'))
    .filter(
      one =>
        one.name.endsWith('.rego') || (one.name === DATA_PATH && resolve(one.parentPath) === resolve(path)),
    )
    .map(one => join(one.parentPath, one.name));
}

async function bounded(name: string): Promise<string> {
  const read = await readFile(name, 'utf8');
  if (read.length > FILE_BYTES) throw usage(name, `${name} is over 1 MiB`);
  return read;
}

function json(read: string, where: string): unknown {
  try {
    return JSON.parse(read);
  } catch (error) {
    throw usage(where, `${where} is no JSON: ${(error as Error).message}`);
  }
}

/** Throws usage. */
export async function readPolicy(paths: string[]): Promise<PolicyFiles> {
  const names = [
    ...new Set((await Promise.all(paths.map(path => policyPaths(resolve(path))))).flat()),
  ].sort();
  const data = names.filter(name => basename(name) === DATA_PATH);
  const rego = names.filter(name => !data.includes(name));
  if (rego.length === 0) throw usage('', 'There is no .rego file in what you named');
  if (rego.length > MOST_FILES) throw usage('', `${rego.length} files; at most ${MOST_FILES}`);
  if (data.length > 1) throw usage(data[1]!, `There is more than one ${DATA_PATH}: ${data.join(', ')}`);
  const files = await Promise.all(
    rego.map(async name => ({
      path: relative(process.cwd(), name).split(sep).join('/'),
      text: await bounded(name),
    })),
  );
  const [only] = data;
  return { files, ...(only === undefined ? {} : { data: json(await bounded(only), only) }) };
}

/** JSON of a file, or of stdin for `-`. Throws usage. */
export async function readInput(name: string): Promise<unknown> {
  if (name === '-') return json(await text(process.stdin), 'stdin');
  const read = await bounded(name).catch(error => {
    throw error instanceof TrailmixError ? error : usage(name, `${name} is not there`);
  });
  return json(read, name);
}

/** Each file whole or not at all. */
export async function writeFiles(files: readonly RegoFile[]): Promise<void> {
  for (const { path, text: content } of files) {
    const beside = join(dirname(path), `.${basename(path)}.${process.pid}.new`);
    try {
      await writeFile(beside, content, { flag: 'wx' });
      await rename(beside, path);
    } catch (error) {
      await rm(beside, { force: true });
      throw usage(path, `${path} cannot be written: ${(error as Error).message}`);
    }
  }
}
