/**
 * The host of the page from disk: files in slices, the browser's own tools, and the collector's code for CMS and RFC 3161.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { checkCms } from '../collector/evidence/cms.ts';
import { checkTimestamp } from '../collector/evidence/timestamp.ts';
import type { VerifyHost } from '../core/pack/verify.ts';
import type { RandomAccess } from '../core/pack/zip.ts';
import { browserHost } from '../renderer/features/evidence/browser_host.ts';

export { sha256 };

/** A file that is read a slice at a time. The page gets to draw between two slices. */
export const sourceOf = (file: Blob): RandomAccess => ({
  size: file.size,
  async read(offset, length) {
    if (length >= 65_536) await new Promise(resolve => setTimeout(resolve));
    return new Uint8Array(await file.slice(offset, offset + length).arrayBuffer());
  },
});

/** `onProgress`: bytes of events.jsonl read so far, of how many. */
export async function webHost(onProgress: (done: number, total: number) => void): Promise<VerifyHost> {
  const { host } = await browserHost();
  return { ...host, checkCms, checkTimestamp, now: () => Date.now(), onProgress };
}
