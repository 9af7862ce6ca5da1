/** When the desktop says that something waits, and in which words: a number, never an action, an argument or a name. */

/** At most one notice in this time; what came meanwhile is in the next one's number. */
export const QUIET_MS = 20_000;

export const waitingNotice = (count: number): { title: string; body: string } => ({
  title: count === 1 ? '1 action waits for approval' : `${count} actions wait for approval`,
  body: 'Open Audit TrailMix to look at it.',
});

/** `shown` is whether the reader has the window in front: the page says it then. `now` in milliseconds. */
export const waitingNotices = () => {
  let before = 0;
  let last = Number.NEGATIVE_INFINITY;
  return (count: number, shown: boolean, now: number): { title: string; body: string } | undefined => {
    const more = count > before;
    if (!more || shown) {
      before = count;
      return undefined;
    }
    // Too soon: what is new stays new, so that the next change says it.
    if (now - last < QUIET_MS) return undefined;
    before = count;
    last = now;
    return waitingNotice(count);
  };
};
