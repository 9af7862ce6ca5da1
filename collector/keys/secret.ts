/**
 * Secrets as branded types: whatever logs, serialises or inspects them sees `[secret]`. They are ordinary bytes (or a
 * text behind `reveal`) to who uses them on purpose.
 */
import { inspect } from 'node:util';

const SHOWN = '[secret]';

/** Bytes that print `[secret]` in JSON, inspect, templates and concatenation. Crossing a thread makes them plain. */
export class SecretBytes extends Uint8Array<ArrayBuffer> {
  static copy(bytes: Uint8Array): SecretBytes {
    const secret = new SecretBytes(new ArrayBuffer(bytes.length));
    secret.set(bytes);
    return secret;
  }

  toJSON(): string {
    return SHOWN;
  }

  override toString(): string {
    return SHOWN;
  }

  override toLocaleString(): string {
    return SHOWN;
  }

  [inspect.custom](): string {
    return SHOWN;
  }
}

/** A text that is shown once, on purpose: `reveal()` is the one way to it. */
export class SecretText {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  toJSON(): string {
    return SHOWN;
  }

  toString(): string {
    return SHOWN;
  }

  [inspect.custom](): string {
    return SHOWN;
  }
}
