/**
 * What the shell and the collector's process say to each other (structured clone over the utility process
 * port), and what the preload offers to the page. Small on purpose: everything else goes over HTTP.
 */
export type ToShell =
  | { type: 'ready'; url: string; uiUrl: string }
  | { type: 'ui-url'; id: number; uiUrl: string }
  | { type: 'vault'; id: number; op: 'encrypt' | 'decrypt'; data: Uint8Array }
  | { type: 'waiting'; count: number }
  | { type: 'failed'; code: string; message: string; next: string };

export type ToCollector =
  | { type: 'start'; folder: string; port: number; uiDir: string; backend: string }
  | { type: 'new-ui-url'; id: number }
  | { type: 'vault-answer'; id: number; data?: Uint8Array; error?: string }
  | { type: 'stop' };

/** `window.trailmixDesktop`, typed for the page. */
export type DesktopBridge = {
  readonly platform: string;
  /** A native dialog; the file's name and bytes, or undefined when cancelled. At most 512 MiB. */
  choosePack(): Promise<{ name: string; bytes: Uint8Array } | undefined>;
  /** Called when the system opens a pack with the app. Returns how to stop listening. */
  onOpenPack(listener: (pack: { name: string; bytes: Uint8Array }) => void): () => void;
};

export const channel = { choosePack: 'trailmix:choose-pack', openPack: 'trailmix:open-pack' } as const;
export const maxPackBytes = 512 * 1024 * 1024;
