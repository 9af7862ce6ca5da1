/**
 * The packaged app's code: our TypeScript with its types stripped and `.ts` specifiers turned into `.js`, in
 * the same folders under build/app. No bundling of our own code, so what runs is what was read. Needed because Node strips
 * types in a clone, and we do not rely on Electron doing so inside an archive.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, join, relative } from 'node:path';

const root = join(import.meta.dirname, '../..');
const rooms = ['core', 'collector', 'cli', 'electron'];
const specifier = /(['"`])(\.{1,2}\/[^'"`\n]*)\.(c?)ts\1/g;

/** Packages that vendor.ts puts into a few files under resources/generated/vendor. */
export const vendored: Readonly<Record<string, string>> = {
  typebox: 'typebox.js',
  'typebox/compile': 'typebox-compile.js',
  'typebox/value': 'typebox-value.js',
};
const vendor = 'resources/generated/vendor';
const bare = /(\bfrom )(['"])([^'".][^'"\n]*)\2/g;

/** The script with vendored packages taken from there; `path` is its place in the tree. */
const fromVendor = (script: string, path: string): string =>
  script.replace(bare, (all, from, quote, name) =>
    Object.hasOwn(vendored, name)
      ? `${from}${quote}${relative(dirname(path), join(vendor, vendored[name]!)).replaceAll('\\', '/')}${quote}`
      : all,
  );

/** Types stripped, specifiers renamed; throws where the syntax is not erasable. */
export const toJavaScript = (source: string): string =>
  stripTypeScriptTypes(source).replace(
    specifier,
    (_all, quote, path, kind) => `${quote}${path}.${kind}js${quote}`,
  );

const walk = (folder: string): string[] =>
  readdirSync(folder).flatMap(name => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? walk(path) : [path];
  });

/** Writes build/app anew, beside the old one and then in its place, for others may run from it; answers how many files it made. */
export const buildAppTree = (place = join(root, 'build/app')): number => {
  const out = `${place}.${process.pid}`;
  const files = rooms.flatMap(room => walk(join(root, room))).filter(file => !file.endsWith('tsconfig.json'));
  const hasVendor = existsSync(join(root, vendor));
  for (const file of files) {
    const path = relative(root, file).replace(/\.(c?)ts$/, '.$1js');
    const target = join(out, path);
    mkdirSync(dirname(target), { recursive: true });
    if (!/\.c?ts$/.test(file)) {
      cpSync(file, target);
      continue;
    }
    const script = toJavaScript(readFileSync(file, 'utf8'));
    writeFileSync(target, hasVendor ? fromVendor(script, path) : script);
  }
  cpSync(join(root, 'resources'), join(out, 'resources'), {
    recursive: true,
    filter: path => !path.startsWith(join(root, 'resources', 'build')),
  });
  cpSync(join(root, 'policies'), join(out, 'policies'), {
    recursive: true,
    filter: path => !path.includes('toolchain'),
  });
  writeFileSync(join(out, 'package.json'), '{"type":"module"}\n');
  rmSync(place, { recursive: true, force: true });
  renameSync(out, place);
  return files.length;
};

if (import.meta.main) console.error(`build/app: ${buildAppTree()} files`);
