/**
 * Lines of a .jsonl file from a stream of chunks, in batches, with a bound on each line: memory is one chunk and one
 * line, whatever the file's size. Every line ends with a newline, the last one too; the bytes are valid UTF-8.
 */
import { concat, fromUtf8, utf8Length } from '../proof/bytes.ts';

/** Most bytes of one line. A record has at most 65,535 and its seal; an approval may hold several statements. */
export const LINE_LIMIT = 2 ** 20;

export class LineError extends Error {
  override name = 'LineError';
  /** From 1. */
  readonly line: number;
  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

/** Yields the complete lines of each chunk, without their newlines, up to the first that cannot be read. Throws LineError. */
export async function* lineBatches(
  chunks: AsyncIterable<Uint8Array>,
  limit = LINE_LIMIT,
): AsyncGenerator<string[], void> {
  let carry: Uint8Array[] = [];
  let carried = 0;
  let done = 0;
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(10);
    if (end < 0) {
      carried += chunk.length;
      if (carried > limit) throw new LineError(done + 1, `a line has more than ${limit} bytes`);
      carry.push(chunk.slice());
      continue;
    }
    const head = chunk.subarray(0, end);
    const block = carried > 0 ? concat(...carry, head) : head;
    const { lines, fault } = decode(block, limit);
    if (lines.length > 0) yield lines;
    if (fault !== undefined) throw new LineError(done + lines.length + 1, fault);
    done += lines.length;
    carried = chunk.length - end - 1;
    carry = carried > 0 ? [chunk.slice(end + 1)] : [];
    if (carried > limit) throw new LineError(done + 1, `a line has more than ${limit} bytes`);
  }
  if (carried > 0) throw new LineError(done + 1, 'the last line does not end');
}

/** The lines of a block up to the first that cannot be read, and why that one cannot. */
function decode(block: Uint8Array, limit: number): { lines: string[]; fault?: string } {
  try {
    const lines = fromUtf8(block).split('\n');
    if (lines.every(line => 3 * line.length <= limit || utf8Length(line) <= limit)) return { lines };
  } catch {
    // One of them is not UTF-8: they are read one by one.
  }
  const lines: string[] = [];
  for (let from = 0; ; ) {
    const next = block.indexOf(10, from);
    const line = block.subarray(from, next < 0 ? block.length : next);
    if (line.length > limit) return { lines, fault: `a line has more than ${limit} bytes` };
    try {
      lines.push(fromUtf8(line));
    } catch {
      return { lines, fault: 'not valid UTF-8' };
    }
    if (next < 0) return { lines };
    from = next + 1;
  }
}

/** One line at a time; `await fill()` only where a batch is used up, so that a step costs no promise. */
export class LineCursor {
  readonly path: string;
  /** Number of the current line, from 1. */
  line = 0;
  readonly #batches: AsyncGenerator<string[], void>;
  #batch: string[] = [];
  #at = 0;
  #ended = false;

  constructor(path: string, chunks: AsyncIterable<Uint8Array>) {
    this.path = path;
    this.#batches = lineBatches(chunks);
  }

  /** The next line of this batch, or undefined: then `fill` and ask again, or it is the end. */
  next(): string | undefined {
    if (this.#at >= this.#batch.length) return undefined;
    this.line++;
    return this.#batch[this.#at++];
  }

  /** Whether there may be more. Throws LineError. */
  async fill(): Promise<boolean> {
    if (this.#ended) return false;
    const next = await this.#batches.next();
    if (next.done === true) {
      this.#ended = true;
      return false;
    }
    this.#batch = next.value;
    this.#at = 0;
    return true;
  }
}
