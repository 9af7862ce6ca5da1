/**
 * Times as producers send them: `YYYY-MM-DDTHH:MM:SS[.1-9 digits]Z`, a real date of the Gregorian calendar, seconds
 * 00 to 59 (no leap second). Kept as sent; compared only through `tsMicros`. Format: docs/spec/event.md.
 */
const TS = /^([0-9]{4})-([0-9]{2})-([0-9]{2})T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?Z$/;
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Whether the text is a time in the one accepted form. */
export function validTs(text: string): boolean {
  const parts = TS.exec(text);
  if (parts === null) return false;
  const month = Number(parts[2]);
  const day = Number(parts[3]);
  if (month < 1 || month > 12 || day < 1) return false;
  return day <= (month === 2 && isLeap(Number(parts[1])) ? 29 : DAYS[month - 1]!);
}

function isLeap(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
}

/** Microseconds since 1970-01-01T00:00:00Z of a valid time; digits beyond six are cut. Exact from 1685 to 2255. */
export const tsMicros = (text: string): number =>
  tsSeconds(text) * 1_000_000 + Number(text.slice(20, -1).padEnd(6, '0').slice(0, 6));

/** Whole seconds since 1970-01-01T00:00:00Z of a valid time; a fraction is cut. */
export function tsSeconds(text: string): number {
  const year = Number(text.slice(0, 4));
  const month = Number(text.slice(5, 7));
  const day = Number(text.slice(8, 10));
  // Days since 0000-03-01, years beginning in March, so that the leap day comes last.
  const y = month > 2 ? year : year - 1;
  const m = (month + 9) % 12;
  const days =
    365 * y +
    Math.floor(y / 4) -
    Math.floor(y / 100) +
    Math.floor(y / 400) +
    Math.floor((153 * m + 2) / 5) +
    day -
    1;
  return (
    (days - 719_468) * 86_400 +
    Number(text.slice(11, 13)) * 3600 +
    Number(text.slice(14, 16)) * 60 +
    Number(text.slice(17, 19))
  );
}

/** The six-digit form of `received_at` for microseconds since 1970 (years 0000 to 9999). */
export function formatMicros(micros: number): string {
  const seconds = Math.floor(micros / 1_000_000);
  const fraction = micros - seconds * 1_000_000;
  const days = Math.floor(seconds / 86_400);
  const second = seconds - days * 86_400;
  const z = days + 719_468;
  const era = Math.floor(z / 146_097);
  const dayOfEra = z - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const m = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * m + 2) / 5) + 1;
  const month = m < 10 ? m + 3 : m - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const two = (n: number) => String(n).padStart(2, '0');
  const clock = `${two(Math.floor(second / 3600))}:${two(Math.floor(second / 60) % 60)}:${two(second % 60)}`;
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${clock}.${String(fraction).padStart(6, '0')}Z`;
}
