/** The preload, run as Electron runs it (CommonJS, `require('electron')`), with the two modules it may use. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { DesktopBridge } from '../../electron/messages.ts';
import { toJavaScript } from '../../resources/build/app-tree.ts';

type Pack = { name: string; bytes: Uint8Array };

const load = () => {
  let bridge: DesktopBridge | undefined;
  let arrive = (_event: unknown, _pack: Pack): void => {};
  const electron = {
    contextBridge: {
      exposeInMainWorld: (_name: string, made: DesktopBridge) => {
        bridge = made;
      },
    },
    ipcRenderer: {
      on: (_channel: string, listener: typeof arrive) => {
        arrive = listener;
      },
      invoke: async () => undefined,
    },
  };
  const source = toJavaScript(readFileSync(join(import.meta.dirname, '../../electron/preload.cts'), 'utf8'));
  new Function('require', 'process', source)(() => electron, process);
  return { bridge: bridge!, open: (name: string) => arrive({}, { name, bytes: new Uint8Array() }) };
};

test('a pack that was opened before the page listens is not lost, and comes once', () => {
  const { bridge, open } = load();
  open('first.zip');
  const got: string[] = [];
  const stop = bridge.onOpenPack(({ name }) => got.push(name));
  open('second.zip');
  expect(got).toEqual(['first.zip', 'second.zip']);
  stop();
  open('third.zip');
  bridge.onOpenPack(({ name }) => got.push(name));
  expect(got).toEqual(['first.zip', 'second.zip', 'third.zip']);
});
