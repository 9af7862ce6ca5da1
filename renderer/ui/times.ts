/**
 * Times and durations as people say them. Pure: the zone and "now" are arguments.
 * Rule: a time that a person reads always says its zone.
 */

export type Precision = 'minute' | 'second' | 'milli';

/** What to call a zone: `Europe/Berlin` is "Berlin", `UTC` stays. */
export function zoneName(zone: string): string {
  if (zone === 'UTC' || zone === 'Etc/UTC' || zone === 'GMT') return 'UTC';
  return (zone.split('/').at(-1) ?? zone).replaceAll('_', ' ');
}

/** The zone of this computer, as an IANA name. */
export function systemZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
}

/** Whether the browser knows the zone. */
export function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

const formats = new Map<string, Intl.DateTimeFormat>();

function partsOf(at: Date, zone: string): Record<string, string> {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      year: 'numeric',
      month: 'short',
      day: 'numeric',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      fractionalSecondDigits: 3,
      hourCycle: 'h23',
    });
    formats.set(zone, format);
  }
  return Object.fromEntries(format.formatToParts(at).map(part => [part.type, part.value]));
}

const clock = (p: Record<string, string>, precision: Precision): string => {
  const minute = `${p.hour}:${p.minute}`;
  if (precision === 'minute') return minute;
  return `${minute}:${p.second}${precision === 'milli' ? `.${p.fractionalSecond}` : ''}`;
};

/** "22 Nov 2026, 16:40:11 Berlin". What is not a time is given back as it is. */
export function formatTime(iso: string, zone: string, precision: Precision = 'second'): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  const p = partsOf(at, zone);
  return `${p.day} ${p.month} ${p.year}, ${clock(p, precision)} ${zoneName(zone)}`;
}

/** Without the year when it is this year, without the day when it is today: "16:40:11 Berlin". */
export function formatShortTime(
  iso: string,
  zone: string,
  now: number,
  precision: Precision = 'second',
): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  const p = partsOf(at, zone);
  const today = partsOf(new Date(now), zone);
  const time = `${clock(p, precision)} ${zoneName(zone)}`;
  const sameYear = p.year === today.year;
  if (sameYear && p.month === today.month && p.day === today.day) return time;
  return `${p.day} ${p.month}${sameYear ? '' : ` ${p.year}`}, ${time}`;
}

/** "3 s ago", "2 min ago", "5 h ago", "4 days ago"; a time to come reads "in 3 s". */
export function formatAgo(iso: string, now: number): string {
  const ms = now - new Date(iso).getTime();
  if (Number.isNaN(ms)) return iso;
  const s = Math.round(Math.abs(ms) / 1000);
  if (s < 2) return 'just now';
  const text =
    s < 60
      ? `${s} s`
      : s < 3600
        ? `${Math.round(s / 60)} min`
        : s < 48 * 3600
          ? `${Math.round(s / 3600)} h`
          : `${Math.round(s / 86_400)} days`;
  return ms < 0 ? `in ${text}` : `${text} ago`;
}

/** Microseconds as people say them: "450 µs", "805 ms", "11.3 s", "2 m 41 s", "3 h 5 m", "2 d 4 h". */
export function formatDuration(us: number): string {
  if (!Number.isFinite(us) || us < 0) return '';
  if (us === 0) return '0 ms';
  if (us < 1_000) return `${Math.round(us)} µs`;
  if (us < 999_500) return `${Math.round(us / 1_000)} ms`;
  if (us < 59_950_000) return `${(us / 1_000_000).toFixed(1)} s`;
  const s = Math.round(us / 1_000_000);
  if (s < 3_600) return pair(Math.floor(s / 60), 'm', s % 60, 's');
  const m = Math.round(s / 60);
  if (m < 24 * 60) return pair(Math.floor(m / 60), 'h', m % 60, 'm');
  const h = Math.round(m / 60);
  return pair(Math.floor(h / 24), 'd', h % 24, 'h');
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

/** Time left until an instant, for countdowns: "4 m 12 s", "0 s" once it is past. */
export function formatLeft(iso: string, now: number): string {
  const us = Math.max(0, new Date(iso).getTime() - now) * 1_000;
  return us === 0 ? '0 s' : formatDuration(Math.ceil(us / 1_000_000) * 1_000_000).replace('.0 s', ' s');
}
