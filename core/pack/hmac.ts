/** HMAC-SHA256 (RFC 2104) over an injected SHA-256, for hosts that give only the hash. Not for long messages. */
import { concat } from '../proof/bytes.ts';
import type { HmacSha256, Sha256 } from '../proof/hash.ts';

export function hmacOf(sha256: Sha256): HmacSha256 {
  return (key, message) => {
    const block = new Uint8Array(64);
    block.set(key.length > 64 ? sha256(key) : key);
    const inner = sha256(
      concat(
        block.map(byte => byte ^ 0x36),
        message,
      ),
    );
    return sha256(
      concat(
        block.map(byte => byte ^ 0x5c),
        inner,
      ),
    );
  };
}
