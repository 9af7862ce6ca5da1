/**
 * A key's fingerprint in two forms for reading aloud (docs/spec/people.md, "Fingerprint"): eight words for the first 88 bits of
 * the key id, and the whole id in groups of four. Pure.
 */
import { fromHex } from '../../../core/proof/bytes.ts';

const WORD_BITS = 11;
const WORDS = 8;

/** `wordlist`: the 2,048 English words of BIP39. */
export function fingerprintWords(keyId: string, wordlist: readonly string[]): string[] {
  let bits = 0n;
  for (const byte of fromHex(keyId).subarray(0, (WORDS * WORD_BITS) / 8)) bits = (bits << 8n) | BigInt(byte);
  return Array.from({ length: WORDS }, (_, i) => {
    const index = Number((bits >> BigInt(WORD_BITS * (WORDS - 1 - i))) & 2047n);
    return wordlist[index]!;
  });
}

export const fingerprintGroups = (keyId: string): string[] => keyId.match(/.{1,4}/g) ?? [];
