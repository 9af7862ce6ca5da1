/**
 * The background queue: events out of the host's way, to the collector in order, each at least once and, because the
 * collector knows event ids, at most once. Rules: bounded by count and bytes; what does not fit, or is refused, is
 * counted and reported as a `gap` event of the same stream as soon as there is room; nothing here throws; no timer
 * keeps the process alive. One batch is under way at a time.
 */
import type { Answer, Problem } from './transport.ts';
import { problemOf, Unreachable } from './transport.ts';
import type { Event, Notice } from './types.ts';

export type QueueLimits = {
  maxEvents: number;
  maxBytes: number;
  batchEvents: number;
  batchBytes: number;
  maxDelayMs: number;
};

export type QueueHost = {
  /** Posts `{"events": [...]}`. Throws Unreachable. */
  send(body: string): Promise<Answer>;
  /** An event of the queue's own, without its stream. */
  make(type: 'gap' | 'stream.end', input?: { stream: string; from: number; to: number }): Event;
  newStreamId(): string;
  /** Whether only proven answers count. */
  readonly mustProve: boolean;
  notice(notice: Notice): void;
};

type Item = { text: string; bytes: number; n: number; stream: string; seq: number; control: boolean };
type Gap = { stream: string; from: number; to: number };

/** Refusals of content: sending the same again cannot help. Any other status may get better. */
const CONTENT_REFUSED = new Set([400, 409, 413, 422]);
const FIRST_DELAY_MS = 200;
const LAST_DELAY_MS = 30_000;
/** Room for the member `stream`. */
const STREAM_BYTES = 100;
/** The collector takes 16 MiB at once; one event must leave room for its frame. */
const MAX_EVENT_BYTES = 12 * 1024 * 1024;

export class EventQueue {
  readonly #limits: QueueLimits;
  readonly #host: QueueHost;
  readonly #items: Item[] = [];
  #bytes = 0;
  #stream: { id: string; next: number } | undefined;
  #gaps: Gap[] = [];
  #sending = false;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  /** Most events in the next batch; halved to find one that is refused without being named. */
  #most: number;
  #flushing = 0;
  #taken = 0;
  readonly #waiters = new Set<() => void>();
  readonly stats = { recorded: 0, acknowledged: 0, dropped: 0 };

  constructor(limits: QueueLimits, host: QueueHost) {
    this.#limits = limits;
    this.#host = host;
    this.#most = limits.batchEvents;
  }

  get length(): number {
    return this.#items.length;
  }

  get hasOpenStream(): boolean {
    return this.#stream !== undefined;
  }

  /** Numbers the event and takes it, or drops it. The event is not kept: later changes to it do not matter. */
  add(event: Event): void {
    this.stats.recorded++;
    const text = JSON.stringify(event);
    const bytes = Buffer.byteLength(text) + STREAM_BYTES;
    const full =
      this.#items.length + this.#gaps.length >= this.#limits.maxEvents ||
      this.#bytes + bytes > this.#limits.maxBytes;
    if (full || bytes > MAX_EVENT_BYTES) {
      const { id, n } = this.#number();
      this.#lose(id, n);
      this.#host.notice({
        code: 'queue_full',
        message: full ? 'the queue is full: an event was dropped' : 'an event is too large and was dropped',
        next: full
          ? 'Start the collector, or raise the bounds of the queue.'
          : 'Record less, or lower maxValueBytes.',
        dropped: 1,
      });
    } else {
      this.#reportGaps();
      this.#push(text, false);
    }
    this.#schedule();
  }

  /** Closes the stream, if one is open; the next event opens a new one. */
  end(): void {
    if (this.#stream === undefined) return;
    this.#reportGaps();
    this.#push(JSON.stringify(this.#host.make('stream.end')), true);
    this.#stream = undefined;
    this.#schedule();
  }

  /** Waits until everything taken so far is acknowledged or dropped; false when `timeoutMs` passed first. */
  async flush(timeoutMs: number): Promise<boolean> {
    if (this.#items.length === 0 && this.#gaps.length === 0) return true;
    this.#flushing++;
    this.#reportGaps();
    this.#wake();
    const last = this.#taken;
    const isDone = (): boolean => this.#items.length === 0 || this.#items[0]!.seq > last;
    await new Promise<void>(resolve => {
      const leave = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(check);
        resolve();
      };
      const check = (): void => {
        if (isDone()) leave();
      };
      // This timer does keep the process alive: the host awaits it.
      const timer = setTimeout(leave, timeoutMs);
      this.#waiters.add(check);
      check();
    });
    const done = isDone();
    this.#flushing--;
    return done;
  }

  /** Gives up what is left: counted, not reported. Answers how many events that were. */
  abandon(): number {
    clearTimeout(this.#timer);
    const left = this.#items.filter(item => !item.control).length;
    this.stats.dropped += left;
    this.#items.length = 0;
    this.#bytes = 0;
    this.#settled();
    return left;
  }

  #number(): { id: string; n: number } {
    this.#stream ??= { id: this.#host.newStreamId(), next: 1 };
    return { id: this.#stream.id, n: this.#stream.next++ };
  }

  /** `json` is an object's text, not empty and without `stream`. */
  #push(json: string, control: boolean): void {
    const { id, n } = this.#number();
    const text = `${json.slice(0, -1)},"stream":{"id":"${id}","n":${n}}}`;
    const bytes = Buffer.byteLength(text);
    this.#items.push({ text, bytes, n, stream: id, seq: ++this.#taken, control });
    this.#bytes += bytes;
  }

  #lose(stream: string, n: number): void {
    this.stats.dropped++;
    const last = this.#gaps.at(-1);
    if (last !== undefined && last.stream === stream && last.to === n - 1) last.to = n;
    else this.#gaps.push({ stream, from: n, to: n });
  }

  /** Gap events pass the bounds: while nothing fits they are one range, and each refused event has left its place. */
  #reportGaps(): void {
    const gaps = this.#gaps;
    this.#gaps = [];
    for (const gap of gaps) this.#push(JSON.stringify(this.#host.make('gap', gap)), true);
  }

  #schedule(): void {
    if (this.#sending || this.#items.length === 0) return;
    const isFull = this.#items.length >= this.#limits.batchEvents || this.#bytes >= this.#limits.batchBytes;
    if (isFull && this.#failures === 0) this.#wake();
    else if (this.#timer === undefined) this.#after(this.#flushing > 0 ? 0 : this.#limits.maxDelayMs);
  }

  #after(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#wake(), delayMs);
    this.#timer.unref();
  }

  #wake(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#sending && this.#items.length > 0) void this.#send();
  }

  #take(): Item[] {
    let count = 0;
    let bytes = 0;
    while (count < this.#items.length && count < this.#most) {
      bytes += this.#items[count]!.bytes + 1;
      if (count > 0 && bytes > this.#limits.batchBytes) break;
      count++;
    }
    return this.#items.slice(0, count);
  }

  async #send(): Promise<void> {
    this.#sending = true;
    const batch = this.#take();
    let delay: number | undefined;
    try {
      const answer = await this.#host.send(`{"events":[${batch.map(item => item.text).join(',')}]}`);
      delay = this.#answered(batch, answer);
    } catch (error) {
      delay = this.#failed(error instanceof Unreachable ? error.message : 'the request failed');
    }
    this.#sending = false;
    this.#settled();
    if (this.#items.length === 0) return;
    if (delay === undefined) this.#wake();
    else this.#after(delay);
  }

  /** Milliseconds to wait before the next batch; undefined for none. */
  #answered(batch: Item[], answer: Answer): number | undefined {
    const counts = answer.proven || !this.#host.mustProve;
    if (counts && answer.status >= 200 && answer.status < 300) {
      this.#failures = 0;
      this.#most = this.#limits.batchEvents;
      this.#remove(new Set(batch));
      this.stats.acknowledged += batch.filter(item => !item.control).length;
      this.#reportGaps();
      return undefined;
    }
    if (counts && CONTENT_REFUSED.has(answer.status)) {
      this.#failures = 0;
      this.#refused(batch, problemOf(answer));
      return undefined;
    }
    const why =
      counts || answer.status >= 400
        ? problemOf(answer).detail
        : 'the answer does not prove to be the collector’s';
    return this.#failed(why, answer.retryAfter);
  }

  #failed(why: string, retryAfter?: number): number {
    if (this.#failures === 0) {
      this.#host.notice({
        code: 'collector_unavailable',
        message: `events are kept and sent later: ${why}`,
        next: 'Start the collector, or check the endpoint, what listens there, and the key.',
      });
    }
    const backoff = Math.min(LAST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(this.#failures, 10));
    this.#failures++;
    // Spread, so that many processes do not come back in the same moment.
    return Math.max((retryAfter ?? 0) * 1000, backoff * (0.75 + Math.random() / 2));
  }

  /** Batches are all or nothing: drops the events that are named, else narrows the batch until one stands alone. */
  #refused(batch: Item[], problem: Problem): void {
    const named = new Map<Item, string>();
    for (const { code, where } of problem.errors) {
      const item = batch[Number(/^\/events\/(0|[1-9][0-9]*)(?:\/|$)/.exec(where)?.[1] ?? Number.NaN)];
      if (item !== undefined && !named.has(item)) named.set(item, `${code} at ${where}`);
    }
    if (named.size === 0) {
      if (batch.length > 1) {
        this.#most = Math.ceil(batch.length / 2);
        return;
      }
      named.set(batch[0]!, `${problem.code}: ${problem.detail}`);
      this.#most = this.#limits.batchEvents;
    }
    this.#remove(new Set(named.keys()));
    for (const [item, why] of named) {
      // A gap in reporting gaps would never end.
      if (!item.control) this.#lose(item.stream, item.n);
      this.#host.notice({
        code: 'event_refused',
        message: `the collector refused an event: ${why}`,
        next: problem.next,
        dropped: 1,
      });
    }
    this.#reportGaps();
  }

  #remove(gone: Set<Item>): void {
    let kept = 0;
    for (const item of this.#items) {
      if (gone.has(item)) this.#bytes -= item.bytes;
      else this.#items[kept++] = item;
    }
    this.#items.length = kept;
  }

  #settled(): void {
    for (const check of this.#waiters) check();
  }
}
