/**
 * Builds the Rego toolchain (policies/toolchain, Go) to resources/generated/toolchain/{opa.wasm,
 * wasm_exec.js,licences.txt}.
 * Rules: does nothing when neither the sources nor the Go version changed; without Go says so and goes on, for all
 * but policies works; every other failure fails. Run by itself: node resources/build/toolchain.ts
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const sourceDir = join(root, 'policies/toolchain');

export const TOOLCHAIN_DIR = join(root, 'resources/generated/toolchain');
/** Oldest Go that builds it: major, minor. */
const GO_NEEDED = [1, 26] as const;
const FLAGS = ['build', '-trimpath', '-buildvcs=false', '-mod=readonly', '-ldflags', '-s -w'];

type Go = { version: string; root: string };

/** The Go on the PATH, or null where there is none that is new enough. */
async function findGo(): Promise<Go | null> {
  try {
    const { stdout } = await run('go', ['env', 'GOVERSION', 'GOROOT'], {
      cwd: sourceDir,
      env: { ...process.env, GOTOOLCHAIN: 'local', GOFLAGS: '-mod=mod' },
    });
    const [version = '', goRoot = ''] = stdout.trim().split('\n');
    const [, major, minor] = /^go(\d+)\.(\d+)/.exec(version) ?? [];
    const new_enough =
      Number(major) > GO_NEEDED[0] || (Number(major) === GO_NEEDED[0] && Number(minor) >= GO_NEEDED[1]);
    return new_enough ? { version, root: goRoot } : null;
  } catch (error) {
    const { code, stderr } = error as NodeJS.ErrnoException & { stderr?: string };
    // Not there, or too old to read our go.mod.
    if (code === 'ENOENT' || /go\.mod requires go/.test(stderr ?? '')) return null;
    throw error;
  }
}

async function digestOfInputs(go: Go): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([go.version, FLAGS]));
  const names = (await readdir(sourceDir)).filter(name => /\.go$|^go\.(mod|sum)$/.test(name)).sort();
  for (const name of names) hash.update(`${name}\n`).update(await readFile(join(sourceDir, name)));
  return hash.digest('hex');
}

const readIfThere = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');

/** Licence texts of every Go module that is linked into opa.wasm, for those who pass the app on. */
async function licences(env: NodeJS.ProcessEnv): Promise<string> {
  const format = '{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Version}}\t{{.Dir}}{{end}}{{end}}';
  const { stdout } = await run('go', ['list', '-deps', '-f', format, '.'], { cwd: sourceDir, env });
  const modules = [...new Set(stdout.trim().split('\n'))].filter(line => line !== '').sort();
  const texts = modules.map(async line => {
    const [path = '', version = '', dir = ''] = line.split('\t');
    const name = (await readdir(dir)).find(file => /^(licen[cs]e|copying)/i.test(file));
    if (name === undefined) throw new Error(`policy toolchain: ${path} states no licence`);
    return `${path} ${version}\n\n${(await readFile(join(dir, name), 'utf8')).trim()}\n`;
  });
  return (await Promise.all(texts)).join(`\n${'-'.repeat(78)}\n\n`);
}

let result: Promise<boolean> | undefined;

/** Answers whether a toolchain is there afterwards. Works once in a process, whoever asks. */
export function buildToolchain(): Promise<boolean> {
  result ??= build();
  return result;
}

async function build(): Promise<boolean> {
  const wasm = join(TOOLCHAIN_DIR, 'opa.wasm');
  const stamp = join(TOOLCHAIN_DIR, 'stamp');
  const go = await findGo();
  if (go === null) {
    console.warn(
      'policy toolchain: Go 1.26 is needed to build the policy toolchain; everything else works; gated calls will be denied',
    );
    return (await readIfThere(stamp)) !== '';
  }
  const digest = await digestOfInputs(go);
  if ((await readIfThere(stamp)) === digest) return true;
  console.log('policy toolchain: building OPA to Wasm (half a minute or more) ...');
  await mkdir(TOOLCHAIN_DIR, { recursive: true });
  const started = Date.now();
  const env = { ...process.env, GOTOOLCHAIN: 'local', GOOS: 'js', GOARCH: 'wasm', GOFLAGS: '' };
  await run('go', [...FLAGS, '-o', `${wasm}.new`, '.'], { cwd: sourceDir, env });
  const goLicence = await readIfThere(join(go.root, 'LICENSE'));
  await writeFile(
    join(TOOLCHAIN_DIR, 'licences.txt'),
    `${await licences(env)}\nGo ${go.version}\n\n${goLicence}`,
  );
  await copyFile(join(go.root, 'lib/wasm/wasm_exec.js'), join(dirname(wasm), 'wasm_exec.js'));
  await rename(`${wasm}.new`, wasm);
  await writeFile(stamp, digest);
  console.log(`policy toolchain: built in ${Math.round((Date.now() - started) / 1000)} s`);
  return true;
}

if (import.meta.main) await buildToolchain();
