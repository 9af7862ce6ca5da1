/**
 * Streams: a producer's own numbering, bound to one API key. The writer holds the binding; gaps and duplicate numbers
 * are recorded as they come and judged by the verifier's completeness. Format: docs/spec/event.md, "stream".
 */
import type { Connection } from './database.ts';

const HELD = 4096;

export class Streams {
  readonly #get;
  readonly #put;
  #owners = new Map<string, string>();
  #taken = new Map<string, { keyId: string; n: number }>();

  constructor(db: Connection, sql: { stream: string; putStream: string }) {
    this.#get = db.prepare<[string], { key_id: string; last_n: number }>(sql.stream);
    this.#put = db.prepare(sql.putStream);
  }

  /** The API key that a stream belongs to. */
  owner(streamId: string): string | undefined {
    const held = this.#taken.get(streamId)?.keyId ?? this.#owners.get(streamId);
    if (held !== undefined) return held;
    const row = this.#get.get(streamId);
    if (row !== undefined) this.#owners.set(streamId, row.key_id);
    return row?.key_id;
  }

  take(stream: { id: string; n: number; keyId: string }): void {
    const held = this.#taken.get(stream.id);
    if (held === undefined) this.#taken.set(stream.id, { keyId: stream.keyId, n: stream.n });
    else if (stream.n > held.n) held.n = stream.n;
  }

  flush(): void {
    for (const [id, { keyId, n }] of this.#taken) {
      this.#put.run(id, keyId, n);
      this.#owners.set(id, keyId);
    }
    this.#taken.clear();
    if (this.#owners.size > HELD) this.#owners = new Map([...this.#owners].slice(-HELD / 2));
  }

  reset(): void {
    this.#owners.clear();
    this.#taken.clear();
  }
}
