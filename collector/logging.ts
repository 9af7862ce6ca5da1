/**
 * Logs: JSON lines in <data>/logs/collector.log, rotated by size, a few files kept; or to stderr. Rules: no payload,
 * no secret. Callers pass codes, ids, counts and times; what looks like a credential is struck out of every line
 * before it is written, so that a careless call leaks nothing.
 */
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { type DestinationStream, type Logger, pino } from 'pino';
import { strikeSecrets } from './strike-secrets.ts';

export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

export const LOG_FILE = 'collector.log';
const FILE_BYTES = 4 * 1024 * 1024;
const FILES = 5;

/** A file that starts anew when it is full; `.1` is the newest of the older ones. Never throws: a full disk loses log lines, nothing else. */
class RotatingFile implements DestinationStream {
  readonly #folder: string;
  readonly #fileBytes: number;
  #fd: number | undefined;
  #size = 0;

  constructor(folder: string, fileBytes: number) {
    this.#folder = folder;
    this.#fileBytes = fileBytes;
  }

  #path(number = 0): string {
    return join(this.#folder, number === 0 ? LOG_FILE : `${LOG_FILE}.${number}`);
  }

  #open(): number {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const fd = openSync(this.#path(), 'a', 0o600);
    this.#size = statSync(this.#path()).size;
    return fd;
  }

  #rotate(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    rmSync(this.#path(FILES - 1), { force: true });
    for (let number = FILES - 2; number >= 0; number--) {
      try {
        renameSync(this.#path(number), this.#path(number + 1));
      } catch {
        // Not there yet.
      }
    }
  }

  write(line: string): void {
    try {
      const bytes = Buffer.from(strikeSecrets(line));
      this.#fd ??= this.#open();
      if (this.#size + bytes.length > this.#fileBytes && this.#size > 0) {
        this.#rotate();
        this.#fd = this.#open();
      }
      writeSync(this.#fd, bytes);
      this.#size += bytes.length;
    } catch {
      // Logging must not stop recording.
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}

const serializers = {
  /** Name, code and stack; an error's own members may hold payloads. */
  err: (error: unknown) =>
    error instanceof Error
      ? {
          name: error.name,
          code: (error as { code?: unknown }).code,
          message: error.message.slice(0, 500),
          stack: error.stack?.slice(0, 4000),
        }
      : { name: typeof error },
};

export type LogOptions = { level?: 'debug' | 'info' | 'warn' | 'error'; fileBytes?: number };

/** Logs into a folder. `close` ends the file; later lines reopen it. */
export function fileLog(folder: string, options: LogOptions = {}): Log & { close(): void } {
  const file = new RotatingFile(folder, options.fileBytes ?? FILE_BYTES);
  const log = pino(
    { level: options.level ?? 'info', base: null, serializers, timestamp: pino.stdTimeFunctions.isoTime },
    file,
  );
  return Object.assign(log, { close: () => file.close() });
}

/** Bytes of all log files of a folder. */
export function logBytes(folder: string): number {
  try {
    return readdirSync(folder)
      .filter(name => name.startsWith(LOG_FILE))
      .reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  } catch {
    return 0;
  }
}
