/** The page's only window on the desktop: two calls, no Node, nothing of the file system but a chosen pack. */
// A sandboxed preload is CommonJS and may require electron only.
const { contextBridge, ipcRenderer } = require('electron') as typeof import('electron');

type Pack = { name: string; bytes: Uint8Array };

contextBridge.exposeInMainWorld('trailmixDesktop', {
  platform: process.platform,
  choosePack: (): Promise<Pack | undefined> => ipcRenderer.invoke('trailmix:choose-pack'),
  onOpenPack: (listener: (pack: Pack) => void) => {
    const relay = (_event: unknown, pack: Pack) => listener(pack);
    ipcRenderer.on('trailmix:open-pack', relay);
    return () => ipcRenderer.removeListener('trailmix:open-pack', relay);
  },
});
