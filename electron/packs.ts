/** Packs that come from the desktop: the native dialog, a double click, a file named on the command line. */

import { readFile, stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { type BrowserWindow, dialog, ipcMain } from 'electron';
import { channel, maxPackBytes } from './messages.ts';

const extensions = ['zip', 'asice', 'tmpack'];

export const packIn = (args: readonly string[]): string | undefined =>
  args.slice(1).find(arg => !arg.startsWith('-') && extensions.includes(extname(arg).slice(1).toLowerCase()));

const read = async (path: string) => {
  const { size } = await stat(path);
  if (size > maxPackBytes)
    throw new Error('The pack is larger than 512 MiB: verify it with `trailmix verify` instead.');
  return { name: basename(path), bytes: new Uint8Array(await readFile(path)) };
};

export const sendPack = async (window: BrowserWindow, path: string): Promise<void> => {
  try {
    window.webContents.send(channel.openPack, await read(path));
  } catch (error) {
    dialog.showErrorBox(
      'The pack could not be opened',
      error instanceof Error ? error.message : String(error),
    );
  }
};

/** Serves the page's request for a native dialog, from the app's own page only. */
export const servePackDialog = (window: () => BrowserWindow | undefined, origin: () => string): void => {
  ipcMain.handle(channel.choosePack, async event => {
    const own = window();
    if (!own || !event.senderFrame || new URL(event.senderFrame.url).origin !== origin()) return undefined;
    const { canceled, filePaths } = await dialog.showOpenDialog(own, {
      title: 'Choose an evidence pack',
      properties: ['openFile'],
      filters: [{ name: 'Evidence packs', extensions }],
    });
    return canceled || !filePaths[0] ? undefined : read(filePaths[0]);
  });
};
