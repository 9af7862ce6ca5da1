/** What the desktop shell offers the page, when there is one. Contract: electron/messages.ts, DesktopBridge. */

export type DroppedPack = { name: string; bytes: Uint8Array };
export type Desktop = {
  readonly platform: string;
  choosePack(): Promise<DroppedPack | undefined>;
  onOpenPack(listener: (pack: DroppedPack) => void): () => void;
};

export const desktop = (): Desktop | undefined =>
  (globalThis as { trailmixDesktop?: Desktop }).trailmixDesktop;
