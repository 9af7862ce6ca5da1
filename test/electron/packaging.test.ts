import { readdirSync, readFileSync, statSync } from 'node:fs';
import { builtinModules, createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { toJavaScript } from '../../resources/build/app-tree.ts';

const root = join(import.meta.dirname, '../..');
const require = createRequire(import.meta.url);
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

const sources = (folder: string): string[] =>
  readdirSync(folder).flatMap(name => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? sources(path) : /\.c?ts$/.test(name) ? [path] : [];
  });
const appSources = ['core', 'collector', 'cli', 'electron'].flatMap(room => sources(join(root, room)));

test("electron-builder.yml holds to app-builder-lib's own schema", async () => {
  const builder = createRequire(require.resolve('electron-builder/package.json'));
  const lib = createRequire(builder.resolve('app-builder-lib/package.json'));
  const { load } = lib('js-yaml');
  const { validateConfiguration } = lib('app-builder-lib/out/util/config/config');
  const config = load(readFileSync(join(root, 'electron-builder.yml'), 'utf8'));
  await expect(validateConfiguration(config, { isEnabled: false })).resolves.toBeUndefined();
  await expect(validateConfiguration({ ...config, asarr: true }, { isEnabled: false })).rejects.toThrow(
    /asarr/,
  );
  expect(config.electronFuses).toMatchObject({
    runAsNode: false,
    onlyLoadAppFromAsar: true,
    enableEmbeddedAsarIntegrityValidation: true,
  });
});

test('everything the app imports at run time is packaged', () => {
  const packaged = new Set([...Object.keys(manifest.dependencies), 'electron', ...builtinModules]);
  const imported = appSources.flatMap(file => {
    const text = readFileSync(file, 'utf8').replace(/^import type[^;]*;/gm, '');
    return [
      ...text.matchAll(
        /^(?:import|export)\b[^;]*?\bfrom '([^'.][^']*)'|\b(?:import|require)\('([^'.][^']*)'\)/gm,
      ),
    ].map(m => (m[1] ?? m[2])!);
  });
  const names = new Set(
    imported
      .filter(name => !name.startsWith('node:'))
      .map(name =>
        name
          .split('/')
          .slice(0, name.startsWith('@') ? 2 : 1)
          .join('/'),
      ),
  );
  expect([...names].filter(name => !packaged.has(name))).toEqual([]);
});

test('types strip to JavaScript that names its neighbours by .js', () => {
  for (const file of appSources) {
    const script = toJavaScript(readFileSync(file, 'utf8'));
    expect(script.match(/from '\.[^']*\.ts'/)).toBeNull();
  }
});
