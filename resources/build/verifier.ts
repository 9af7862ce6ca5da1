/**
 * Builds the verifier as single files into resources/generated/verify: trailmix-verify.mjs (plain Node, nothing to install)
 * and trailmix-verify.html (any current browser, from disk, without a network). Both are core's verifier with another host.
 * Rules: not minified, so that it can be read; a header says what it is and whose code is in it, with the full licences at
 * the end; the page allows exactly its own script and style, by hash. Run by itself: node resources/build/verifier.ts
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Rolldown } from 'vite';

const root = fileURLToPath(new URL('../..', import.meta.url));
const FOLDER = join(root, 'resources/generated/verify');

type Bundled = { code: string; packages: string[] };

/** One script of an entry and everything that it imports. */
async function bundle(entry: string, target: 'node' | 'browser', version: string): Promise<Bundled> {
  const output = (await build({
    configFile: false,
    root,
    logLevel: 'warn',
    publicDir: false,
    plugins: [
      {
        name: 'version',
        enforce: 'pre',
        load: id =>
          id === join(root, 'collector/version.ts')
            ? `export const VERSION = ${JSON.stringify(version)};`
            : undefined,
      },
    ],
    ...(target === 'node' ? { ssr: { noExternal: true as const } } : {}),
    build: {
      ...(target === 'node' ? { ssr: true } : {}),
      write: false,
      minify: false,
      target: target === 'node' ? 'node22' : ['chrome113', 'firefox117', 'safari16.4'],
      modulePreload: false,
      rolldownOptions: {
        input: join(root, entry),
        ...(target === 'node'
          ? { external: [/^node:/, ...builtinModules], platform: 'node' as const }
          : { platform: 'browser' as const }),
        output: { format: 'es', codeSplitting: false },
      },
    },
  })) as Rolldown.RolldownOutput;
  const chunks = output.output.filter(one => one.type === 'chunk');
  const [chunk] = chunks;
  if (chunk === undefined || chunks.length !== 1) throw new Error(`${entry}: not one file`);
  const named = chunk.moduleIds.flatMap(
    id => /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules)/.exec(id)?.[1] ?? [],
  );
  return { code: chunk.code, packages: [...new Set(named)].sort() };
}

type Licence = { line: string; text: string };

async function licenceOf(name: string): Promise<Licence> {
  const folder = join(root, 'node_modules', name);
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
    version: string;
    license: string;
  };
  const file = (await readdir(folder)).find(one => /^licen[sc]e/i.test(one));
  if (file === undefined) throw new Error(`${name} has no licence text`);
  const text = (await readFile(join(folder, file), 'utf8')).trim().replaceAll('*/', '* /');
  return { line: `${name} ${manifest.version} (${manifest.license})`, text };
}

/** Where it is from and whose code is in it; the full licences go to the end. */
async function notes(packages: readonly string[], version: string): Promise<{ header: string; end: string }> {
  const own = (await readFile(join(root, 'LICENSE'), 'utf8')).trim();
  const licences = await Promise.all(packages.map(licenceOf));
  const header = [
    `Audit TrailMix ${version}: the verifier of evidence packs, in one file. MIT licence.`,
    'It needs no ledger, no network and nothing installed. Format: docs/spec/pack.md of Audit TrailMix.',
    'Nothing is trusted but what you give it apart from the pack (trailmix keys trust --out DIR).',
    `Contains: ${licences.map(({ line }) => line).join(', ') || 'no code of others'}. Licences: at the end.`,
  ].join('\n');
  const end = [`Audit TrailMix\n\n${own}`, ...licences.map(({ line, text }) => `${line}\n\n${text}`)].join(
    `\n\n${'-'.repeat(72)}\n\n`,
  );
  return { header, end };
}

const comment = (text: string): string =>
  `/*\n${text
    .split('\n')
    .map(line => ` * ${line}`.trimEnd())
    .join('\n')}\n */\n`;

async function write(name: string, text: string): Promise<string> {
  const path = join(FOLDER, name);
  const made = `${path}.${process.pid}`;
  await writeFile(made, text);
  await rename(made, path);
  return path;
}

async function versionOf(): Promise<string> {
  return (JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }).version;
}

async function buildNode(version: string): Promise<string> {
  const { code, packages } = await bundle('cli/verify_single.ts', 'node', version);
  const { header, end } = await notes(packages, version);
  const use =
    'Use: node trailmix-verify.mjs PACK.zip --trust DIR [--since OLD.zip] [--json]   (Node 22 or newer)';
  const text = `#!/usr/bin/env node\n${comment(`${header}\n\n${use}`)}${code}\n${comment(end)}`;
  return write('trailmix-verify.mjs', text);
}

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

async function buildPage(version: string): Promise<string> {
  const { code, packages } = await bundle('verifier/page/page.ts', 'browser', version);
  const { header, end } = await notes(packages, version);
  const page = await readFile(join(root, 'verifier/page/page.html'), 'utf8');
  const style = await readFile(join(root, 'verifier/page/page.css'), 'utf8');
  // A script ends where its text says so, whatever the text means by it.
  const script = `${code.replaceAll(/<(?=\/script|!--)/gi, '\\x3c')}\n${comment(end.replaceAll('</', '< /'))}`;
  const policy = `default-src 'none'; script-src ${hashOf(script)}; style-src ${hashOf(style)}; base-uri 'none'; form-action 'none'`;
  const put = (text: string, mark: string, what: string): string => {
    const [before, after, ...more] = text.split(mark);
    if (after === undefined || more.length > 0) throw new Error(`page.html: ${mark} must stand once`);
    return before + what + after;
  };
  let text = put(page, '@NOTES@', header);
  text = put(text, '@POLICY@', policy);
  text = put(text, '<style></style>', `<style>${style}</style>`);
  text = put(text, '<script type="module"></script>', `<script type="module">${script}</script>`);
  return write('trailmix-verify.html', text);
}

/** Paths of the two files. */
export async function buildVerifier(): Promise<string[]> {
  await mkdir(FOLDER, { recursive: true });
  const version = await versionOf();
  return [await buildNode(version), await buildPage(version)];
}

/** What the bundles are made of. */
const SOURCES = [
  'core',
  'cli',
  'collector',
  'verifier',
  'renderer/features/evidence',
  'resources/build/verifier.ts',
];

async function newestSource(): Promise<number> {
  const lists = SOURCES.map(async name => {
    const path = join(root, name);
    const inside = (await stat(path)).isDirectory() ? await readdir(path, { recursive: true }) : [''];
    const times = inside.map(async file => (await stat(join(path, file))).mtimeMs);
    return Math.max(...(await Promise.all(times)));
  });
  return Math.max(...(await Promise.all(lists)));
}

/** The two files, built again where a source is newer. For tests. */
export async function builtVerifier(): Promise<{ node: string; page: string }> {
  const [node, page] = [join(FOLDER, 'trailmix-verify.mjs'), join(FOLDER, 'trailmix-verify.html')];
  const made = await Promise.all([node, page].map(path => stat(path).catch(() => undefined)));
  const newest = await newestSource();
  if (!made.every(file => file !== undefined && file.mtimeMs > newest)) await buildVerifier();
  return { node, page };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log((await buildVerifier()).join('\n'));
