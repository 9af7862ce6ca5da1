/** Members of records on policies that became blobs, read back. Format: docs/spec/pack.md, "Policy statements". */
import { type BlobRef, isBlobRef } from '../proof/blob.ts';
import { fromUtf8 } from '../proof/bytes.ts';
import { type JsonObject, type JsonValue, jcs } from '../proof/jcs.ts';

const MAY_BE_LARGE = ['policy', 'files', 'impact'] as const;

/** Names of the members to read; none for other records. */
export const largeMembers = (record: JsonObject): readonly string[] =>
  String(record.event_type).startsWith('policy.') ? MAY_BE_LARGE.filter(name => isBlobRef(record[name])) : [];

/** The record with these members in place; one that cannot be read is empty, and `unread` names it. `read` answers a blob. */
export async function wholeRecord(
  record: JsonObject,
  large: readonly string[],
  read: (sha256: string) => Promise<Uint8Array | undefined>,
): Promise<{ record: JsonObject; unread: readonly string[] }> {
  const whole: { [name: string]: JsonValue } = { ...record };
  const unread: string[] = [];
  for (const name of large) {
    const { sha256 } = (record[name] as unknown as BlobRef).$blob;
    try {
      const text = fromUtf8((await read(sha256)) ?? new Uint8Array(0));
      whole[name] = JSON.parse(text) as JsonValue;
      if (jcs(whole[name]) !== text) throw new Error('not canonical');
    } catch {
      whole[name] = {};
      unread.push(name);
    }
  }
  return { record: whole, unread };
}
