/** Figures as people read them. Pure. */

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** 18204 as "18,204". */
export const formatCount = (n: number): string => whole.format(n);

/** "1 event", "26 events"; an irregular plural is given. */
export const countOf = (n: number, one: string, many = `${one}s`): string =>
  `${formatCount(n)} ${n === 1 ? one : many}`;

/** Dollars: "$0.31", "$0.0042" when small, "$1,204.50"; nothing for 0. */
export function formatCost(cost: number): string {
  if (cost === 0) return '';
  if (Math.abs(cost) < 0.01) return `$${cost.toPrecision(2)}`;
  return `$${new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(cost)}`;
}

/** Bytes: "835 B", "1.2 kB", "41 MB" (powers of 1000, as disks are sold). */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = -1;
  do {
    value /= 1000;
    unit++;
  } while (value >= 999.5 && unit < units.length - 1);
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** A long hash for reading: its first and last characters. The whole is always copyable beside it. */
export const shortHash = (hash: string, keep = 8): string =>
  hash.length <= keep * 2 + 1 ? hash : `${hash.slice(0, keep)}…${hash.slice(-4)}`;
