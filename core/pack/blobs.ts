/**
 * Large values that left their records: every `$blob` must be in the pack with its size, and what is JSON is followed
 * into further ones. Format: docs/spec/ledger.md, "Large values". Memory: one entry for each blob that is named.
 */

import { type BlobRef, isBlobRef, JCS_BLOB_TYPE } from '../proof/blob.ts';
import { fromUtf8 } from '../proof/bytes.ts';
import { type JsonValue, jcs } from '../proof/jcs.ts';
import type { Findings } from './findings.ts';

/** Most bytes of a JSON blob that is followed: an event has at most 16 MiB. */
export const JCS_BLOB_LIMIT = 32 * 2 ** 20;

/** Every blob reference in a value, at any depth. */
export function* blobRefs(value: JsonValue): Generator<BlobRef['$blob']> {
  if (typeof value !== 'object' || value === null) return;
  if (isBlobRef(value)) yield value.$blob;
  else for (const item of Object.values(value)) yield* blobRefs(item as JsonValue);
}

/** Whether a canonical line may hold a blob reference: spares the walk. */
export const mayHoldBlobs = (line: string): boolean => line.includes('$blob"');

export class BlobWatch {
  readonly #named = new Map<string, { bytes: number; type: string; where: string }>();

  get size(): number {
    return this.#named.size;
  }

  take(value: JsonValue, where: string, findings: Findings): void {
    for (const { sha256, bytes, type } of blobRefs(value)) {
      const known = this.#named.get(sha256);
      if (known === undefined) this.#named.set(sha256, { bytes, type, where });
      else if (known.bytes !== bytes) findings.add('blob_wrong', where, `${sha256} has two sizes.`);
    }
  }

  /** `sizeOf` answers a blob's size in the pack; `read` its bytes. The blobs' hashes are checked with all files. */
  async finish(
    files: readonly { readonly path: string; readonly sha256: string; readonly bytes: number }[],
    read: (path: string) => Promise<Uint8Array>,
    findings: Findings,
  ): Promise<void> {
    const present = new Map(files.map(file => [file.path.slice('blobs/'.length), file]));
    for (const [sha256, file] of present) {
      if (file.sha256 !== sha256) findings.add('blob_wrong', file.path, 'Its name is not its hash.');
    }
    // A Map iterates what is added on the way: blobs within blobs follow.
    for (const [sha256, { bytes, type, where }] of this.#named) {
      const file = present.get(sha256);
      if (file === undefined) {
        findings.add('blob_missing', where, `${sha256}.`);
        continue;
      }
      if (file.bytes !== bytes)
        findings.add('blob_wrong', file.path, `It has ${file.bytes} bytes, not ${bytes}.`);
      if (type !== JCS_BLOB_TYPE) continue;
      if (file.bytes > JCS_BLOB_LIMIT) {
        findings.add('blob_wrong', file.path, 'It is too large for a value.');
        continue;
      }
      try {
        const text = fromUtf8(await read(file.path));
        const value = JSON.parse(text) as JsonValue;
        if (jcs(value) !== text) throw new Error('not canonical');
        if (mayHoldBlobs(text)) this.take(value, file.path, findings);
      } catch (error) {
        findings.add('blob_wrong', file.path, `It is not canonical JSON (${(error as Error).message}).`);
      }
    }
    for (const [sha256, file] of present)
      if (!this.#named.has(sha256)) findings.add('blob_unreferenced', file.path);
  }
}
