/** Arithmetic on the ledger's own times: `YYYY-MM-DDTHH:MM:SS.ffffffZ`, ordered as text. */

/** The time `seconds` (whole) later; the six digits stay as they are. */
export function addSeconds(receivedAt: string, seconds: number): string {
  const whole = Date.parse(`${receivedAt.slice(0, 19)}Z`) + seconds * 1000;
  return new Date(whole).toISOString().slice(0, 19) + receivedAt.slice(19);
}

/** Milliseconds since 1970. */
export const millis = (time: string): number => Date.parse(time);
