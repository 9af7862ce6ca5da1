/**
 * The packaged app's code: our TypeScript with its types stripped and `.ts` specifiers turned into `.js`, in
 * the same folders under build/app. No bundling, so what runs is what was read. Needed because Node strips
 * types in a clone, and we do not rely on Electron doing so inside an archive.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, join, relative } from 'node:path';

const root = join(import.meta.dirname, '../..');
const rooms = ['core', 'collector', 'cli', 'electron'];
const specifier = /(['"`])(\.{1,2}\/[^'"`\n]*)\.(c?)ts\1/g;

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

/** Writes build/app anew; answers how many files it made. */
export const buildAppTree = (out = join(root, 'build/app')): number => {
  rmSync(out, { recursive: true, force: true });
  const files = rooms.flatMap(room => walk(join(root, room))).filter(file => !file.endsWith('tsconfig.json'));
  for (const file of files) {
    const target = join(out, relative(root, file)).replace(/\.(c?)ts$/, '.$1js');
    mkdirSync(dirname(target), { recursive: true });
    if (/\.c?ts$/.test(file)) writeFileSync(target, toJavaScript(readFileSync(file, 'utf8')));
    else cpSync(file, target);
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
  return files.length;
};

if (import.meta.main) console.error(`build/app: ${buildAppTree()} files`);
