/** The page's only window on the desktop: two calls, no Node, nothing of the file system but a chosen pack. */
// A sandboxed preload is CommonJS and may require electron only.
const { contextBridge, ipcRenderer } = require('electron') as typeof import('electron');

type Pack = { name: string; bytes: Uint8Array };

// A pack may arrive before the page listens (it signs in first): the latest one waits for it.
let early: Pack | undefined;
let deliver = (pack: Pack): void => {
  early = pack;
};
ipcRenderer.on('trailmix:open-pack', (_event: unknown, pack: Pack) => deliver(pack));
const keep = deliver;

contextBridge.exposeInMainWorld('trailmixDesktop', {
  platform: process.platform,
  choosePack: (): Promise<Pack | undefined> => ipcRenderer.invoke('trailmix:choose-pack'),
  onOpenPack: (listener: (pack: Pack) => void) => {
    deliver = listener;
    if (early !== undefined) listener(early);
    early = undefined;
    return () => {
      deliver = keep;
    };
  },
});
