/**
 * The files of an opened pack: each is read as a stream, hashed as it passes, and compared with manifest and
 * checksums. Rules: whoever reads gets the bytes as they come; what nobody read is read at the end, for its hash.
 */
import { concat, hex } from '../proof/bytes.ts';
import type { Findings } from './findings.ts';
import { CHECKSUMS, MANIFEST, type Manifest, REQUIRED_FILES, roleOf, UNCOVERED } from './manifest.ts';
import { type Zip, ZipError } from './zip.ts';

export type HashStream = { update(bytes: Uint8Array): void; digest(): Uint8Array };
/** A SHA-256 that takes its input in parts. */
export type Sha256Stream = () => HashStream;

/** Most bytes of a file that is held whole. */
export const WHOLE_LIMIT = 64 * 2 ** 20;

export class PackFiles {
  readonly #zip: Zip;
  readonly #hash: Sha256Stream;
  readonly #findings: Findings;
  /** Hex SHA-256 of what was read to its end. */
  readonly #digests = new Map<string, string>();
  readonly #damaged = new Set<string>();

  constructor(zip: Zip, hash: Sha256Stream, findings: Findings) {
    this.#zip = zip;
    this.#hash = hash;
    this.#findings = findings;
  }

  has(path: string): boolean {
    return this.#zip.entries.has(path);
  }

  get paths(): Iterable<string> {
    return this.#zip.entries.keys();
  }

  /** Whether it is the first entry, and stored. */
  standsFirst(path: string): boolean {
    const [first] = this.#zip.entries.values();
    return first?.path === path && first.stored;
  }

  bytes(path: string): number {
    return this.#zip.entries.get(path)?.bytes ?? 0;
  }

  /** Streams a file; empty where it is not there. Damage ends the stream and becomes a finding. */
  async *stream(path: string): AsyncGenerator<Uint8Array, void> {
    const entry = this.#zip.entries.get(path);
    if (entry === undefined) return;
    const hash = this.#hash();
    try {
      for await (const chunk of this.#zip.open(entry)) {
        hash.update(chunk);
        yield chunk;
      }
      this.#digests.set(path, hex(hash.digest()));
    } catch (error) {
      if (!(error instanceof ZipError)) throw error;
      if (!this.#damaged.has(path)) this.#findings.add('file_damaged', path, `${error.fault}.`);
      this.#damaged.add(path);
    }
  }

  /** A file as a whole; undefined where it is missing, damaged or beyond the limit. */
  async read(path: string, limit = WHOLE_LIMIT): Promise<Uint8Array | undefined> {
    const entry = this.#zip.entries.get(path);
    if (entry === undefined || entry.bytes > limit) return undefined;
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.stream(path)) chunks.push(chunk);
    return this.#damaged.has(path) ? undefined : concat(...chunks);
  }

  /** Hash of a file, reading it if nobody has. */
  async digest(path: string): Promise<string | undefined> {
    if (!this.#digests.has(path) && !this.#damaged.has(path)) {
      for await (const _chunk of this.stream(path));
    }
    return this.#digests.get(path);
  }

  /** Names: what must be there is, what is there is named, and manifest and checksums agree. */
  checkNames(manifest: Manifest | undefined, checksums: ReadonlyMap<string, string>): void {
    const findings = this.#findings;
    for (const path of this.paths) {
      const named = checksums.has(path) || path === CHECKSUMS || UNCOVERED.has(path);
      if (!named) findings.add('file_unlisted', path);
    }
    for (const path of checksums.keys()) {
      if (!this.has(path)) findings.add('file_missing', path);
      if (path !== MANIFEST && roleOf(path) === undefined) findings.add('file_role_wrong', path);
    }
    if (!checksums.has(MANIFEST))
      findings.add('manifest_disagrees', CHECKSUMS, 'It does not cover manifest.json.');
    if (manifest === undefined) return;
    const listed = new Map(manifest.files.map(file => [file.path, file]));
    for (const [path, sha256] of checksums) {
      if (path !== MANIFEST && listed.get(path)?.sha256 !== sha256) findings.add('manifest_disagrees', path);
    }
    for (const { path, bytes } of manifest.files) {
      if (!checksums.has(path)) findings.add('manifest_disagrees', path);
      else if (this.has(path) && this.bytes(path) !== bytes)
        findings.add('file_hash_wrong', path, 'Its size differs.');
    }
    for (const path of REQUIRED_FILES) if (!listed.has(path)) findings.add('file_missing', path);
  }

  /** Hashes of everything that checksums.txt covers. Reads what was not read before. */
  async checkHashes(checksums: ReadonlyMap<string, string>): Promise<void> {
    for (const [path, sha256] of checksums) {
      if (!this.has(path)) continue;
      const digest = await this.digest(path);
      if (digest !== undefined && digest !== sha256) this.#findings.add('file_hash_wrong', path);
    }
  }
}
