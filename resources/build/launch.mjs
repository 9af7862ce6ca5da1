/**
 * `npm start` and `npm run trailmix` in a clone: the app tree (build/app, what also ships), brought up to date when a
 * source is newer, then the command in this very process. Plain JavaScript, because every thread of a process that
 * loads a .ts file pays some 12 MB for the type stripper. `desktop` as first word: Electron where its runtime is.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const tree = join(root, 'build/app');

const newest = folder =>
  readdirSync(folder, { withFileTypes: true, recursive: true }).reduce(
    (latest, entry) =>
      entry.isFile() ? Math.max(latest, statSync(join(entry.parentPath, entry.name)).mtimeMs) : latest,
    0,
  );
const sources = [
  'core',
  'collector',
  'cli',
  'electron',
  'resources/generated',
  'resources/samples',
  'policies',
];
const stamp = join(tree, 'package.json');
if (
  !existsSync(stamp) ||
  sources.some(room => existsSync(join(root, room)) && newest(join(root, room)) > statSync(stamp).mtimeMs)
)
  execFileSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(root, 'resources/build/app-tree.ts')],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );

const [first, ...rest] = process.argv.slice(2);
const run = async words => {
  process.argv = [process.argv[0], join(tree, 'cli/main.js'), ...words];
  await import(new URL('../../build/app/cli/main.js', import.meta.url).href);
};

if (first !== 'desktop') await run([first, ...rest].filter(word => word !== undefined));
else {
  const { runtime, wantsBrowserHost } = await import(
    new URL('../../build/app/electron/runtime.js', import.meta.url).href
  );
  const headless = wantsBrowserHost(rest, process.env, process.platform);
  const shell = headless ? undefined : runtime(join(root, 'node_modules/electron'));
  if (shell) {
    const child = spawn(shell, [join(tree, 'electron/main.js'), ...rest], { stdio: 'inherit' });
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
    child.once('exit', code => {
      process.exitCode = code ?? 1;
    });
  } else {
    if (!headless)
      console.error(
        'The desktop runtime is not installed (npm run electron:fetch); starting in your browser instead.',
      );
    await run(['start', ...rest]);
  }
}
