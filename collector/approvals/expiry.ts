/**
 * Ends approvals when their time is over: sleeps until the next one is due, and asks nothing of the writer before.
 * An approval past its time is refused whether or not its end is recorded yet.
 */
import type { Clock, Ledger } from '../ports.ts';
import { millis } from './time.ts';

/** The clock may be set meanwhile: look again after this many milliseconds at the latest. */
const LONGEST_SLEEP = 60_000;
/** The writer's clock and ours may differ while it is clamped, and a full writer needs time. */
const AGAIN = 1_000;

export type Expiry = {
  /** An approval was asked that ends then. */
  expect(expiresAt: string): void;
  stop(): void;
};

export function startExpiry(options: {
  ledger: Pick<Ledger, 'read' | 'write'>;
  clock: Clock;
  onError: (error: unknown) => void;
}): Expiry {
  const { ledger, clock, onError } = options;
  let timer: NodeJS.Timeout | undefined;
  let wakesAt = Number.POSITIVE_INFINITY;
  let stopped = false;

  const sleepUntil = (at: number): void => {
    if (stopped || at >= wakesAt) return;
    clearTimeout(timer);
    const now = clock.now();
    wakesAt = Math.min(at, now + LONGEST_SLEEP);
    timer = setTimeout(look, Math.max(wakesAt - now, 0));
    timer.unref();
  };

  const look = async (): Promise<void> => {
    wakesAt = Number.POSITIVE_INFINITY;
    try {
      const due = await nextExpiry(ledger);
      if (due === undefined || stopped) return;
      if (due > clock.now()) return sleepUntil(due);
      const { expired } = await ledger.write.run('expireApprovals', {});
      sleepUntil(clock.now() + (expired.length === 0 ? AGAIN : 0));
    } catch (error) {
      if (!stopped) onError(error);
      sleepUntil(clock.now() + AGAIN);
    }
  };

  void look();
  return {
    expect: expiresAt => sleepUntil(millis(expiresAt)),
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

async function nextExpiry(ledger: Pick<Ledger, 'read'>): Promise<number | undefined> {
  const [row] = await ledger.read.query<{ at: string | null }>('approvals.next_expiry');
  return row === undefined || row.at === null ? undefined : millis(row.at);
}
