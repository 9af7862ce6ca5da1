/**
 * Builds sdk/typescript to its dist/ and packs it to resources/generated/sdk/trailmix-ts-<version>.tgz.
 * Rules: one bundle (CommonJS) holds all state and index.js only passes its exports on, so that a program which both
 * imports and requires the package still has one recorder; the declarations reach nothing outside of the package;
 * the tarball holds dist, README.md, LICENSE and package.json, and has no dependencies. Does nothing when no input changed.
 * Run by itself: node resources/build/sdk.ts
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'vite';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const sdk = join(root, 'sdk/typescript');
const dist = join(sdk, 'dist');
const generated = join(root, 'resources/generated/sdk');

/** What the bundle takes from core; `inputs` fails when one is gone, and the stamp sees when one changed. */
const CORE = ['core/proof', 'core/event/types.ts'];

async function inputs(): Promise<string[]> {
  const own = ['package.json', 'README.md', 'LICENSE', 'src'].map(name => join('sdk/typescript', name));
  const files: string[] = [];
  for (const path of [...own, ...CORE, 'resources/build/sdk.ts']) {
    if ((await stat(join(root, path))).isDirectory()) {
      files.push(...(await readdir(join(root, path))).sort().map(name => join(path, name)));
    } else files.push(path);
  }
  return files;
}

async function stampOf(files: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${file}\0`).update(await readFile(join(root, file)));
  return hash.digest('hex');
}

async function bundle(): Promise<void> {
  await build({
    configFile: false,
    root: sdk,
    logLevel: 'warn',
    publicDir: false,
    build: {
      outDir: dist,
      emptyOutDir: true,
      target: 'node18',
      minify: false,
      lib: { entry: join(sdk, 'src/index.ts'), formats: ['cjs'], fileName: () => 'index.cjs' },
      rolldownOptions: { external: [/^node:/], platform: 'node' },
    },
  });
  const names = Object.keys(createRequire(import.meta.url)(join(dist, 'index.cjs')) as object).sort();
  const lines = names.map(name => `export const ${name} = sdk.${name};`);
  await writeFile(join(dist, 'index.js'), `import sdk from './index.cjs';\n\n${lines.join('\n')}\n`);
}

/** The declarations that index.d.ts reaches, once for import (.d.ts) and once for require (.d.cts). */
async function declarations(): Promise<void> {
  const out = await mkdtemp(join(tmpdir(), 'trailmix-sdk-'));
  try {
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const flags = ['--ignoreConfig', '--declaration', '--emitDeclarationOnly', '--strict', '--skipLibCheck'];
    const dialect = [
      '--target',
      'es2022',
      '--module',
      'nodenext',
      '--allowImportingTsExtensions',
      '--types',
      'node',
    ];
    const entry = join(sdk, 'src/index.ts');
    await run(process.execPath, [tsc, ...flags, ...dialect, '--rootDir', root, '--outDir', out, entry], {
      cwd: root,
    });
    const waiting = ['index'];
    const done = new Set<string>();
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
      if (done.has(name)) continue;
      done.add(name);
      const text = await readFile(join(out, 'sdk/typescript/src', `${name}.d.ts`), 'utf8');
      const imported = [...text.matchAll(/(?:from|import\() ?['"]([^'"]+)['"]/g)].map(match => match[1]!);
      for (const path of imported) {
        const local = /^\.\/([a-z]+)\.ts$/.exec(path)?.[1];
        if (local === undefined) throw new Error(`sdk: the declarations of ${name} reach ${path}`);
        waiting.push(local);
      }
      for (const [kind, extension] of [
        ['.d.ts', '.js'],
        ['.d.cts', '.cjs'],
      ] as const) {
        await writeFile(
          join(dist, name + kind),
          text.replaceAll(/(['"]\.\/[a-z]+)\.ts(?=['"])/g, `$1${extension}`),
        );
      }
    }
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

async function pack(version: string): Promise<string> {
  const args = ['pack', '--ignore-scripts', '--silent', '--pack-destination', generated];
  const npm = process.env.npm_execpath;
  if (npm?.endsWith('.js')) await run(process.execPath, [npm, ...args], { cwd: sdk });
  else await run('npm', args, { cwd: sdk, shell: process.platform === 'win32' });
  return join(generated, `trailmix-ts-${version}.tgz`);
}

/** Path of the tarball. */
export async function buildSdk(): Promise<string> {
  const { version } = JSON.parse(await readFile(join(sdk, 'package.json'), 'utf8')) as { version: string };
  const tarball = join(generated, `trailmix-ts-${version}.tgz`);
  const stamp = await stampOf(await inputs());
  const stampFile = join(generated, 'stamp');
  const made = await Promise.all(
    [tarball, join(dist, 'index.cjs')].map(path => stat(path).catch(() => undefined)),
  );
  if (made.every(Boolean) && (await readFile(stampFile, 'utf8').catch(() => '')) === stamp) return tarball;

  await rm(generated, { recursive: true, force: true });
  await mkdir(generated, { recursive: true });
  await bundle();
  await declarations();
  const packed = await pack(version);
  await writeFile(`${stampFile}.new`, stamp);
  await rename(`${stampFile}.new`, stampFile);
  return packed;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await buildSdk());
