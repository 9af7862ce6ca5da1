/** Times on the page: always with a zone, always with local and UTC in the title. */
import { createContext, type ReactNode, useContext, useEffect, useState } from 'react';
import {
  formatAgo,
  formatDuration,
  formatShortTime,
  formatTime,
  type Precision,
  systemZone,
} from './times.ts';

const Zone = createContext(systemZone());
export const ZoneProvider = ({ zone, children }: { zone: string; children: ReactNode }) => (
  <Zone.Provider value={zone}>{children}</Zone.Provider>
);
export const useZone = (): string => useContext(Zone);

/** The present, renewed every `every` milliseconds: for countdowns and "3 s ago". */
export function useNow(every = 1_000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}

/** A recorded time. `short` leaves out what is true of today; `precision` default seconds. */
export function Time({ at, short, precision }: { at: string; short?: boolean; precision?: Precision }) {
  const zone = useZone();
  const text = short ? formatShortTime(at, zone, Date.now(), precision) : formatTime(at, zone, precision);
  return (
    <time
      dateTime={at}
      title={`${formatTime(at, zone, 'milli')}\n${formatTime(at, 'UTC', 'milli')}\nas recorded: ${at}`}
    >
      {text}
    </time>
  );
}

/** "3 s ago", renewed; the exact time is in the title. */
export function Ago({ at }: { at: string }) {
  const zone = useZone();
  const now = useNow(5_000);
  return (
    <time dateTime={at} title={`${formatTime(at, zone, 'milli')}\n${formatTime(at, 'UTC', 'milli')}`}>
      {formatAgo(at, now)}
    </time>
  );
}

/** Microseconds as people say them; the exact figure is in the title. */
export function Duration({ us }: { us: number }) {
  return <span title={`${us.toLocaleString('en')} microseconds`}>{formatDuration(us)}</span>;
}
