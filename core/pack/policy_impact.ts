/** Whether the figures of an impact report go together. Format: docs/spec/policy.md, "Records", `report`. */
import type { JsonObject, JsonValue } from '../proof/jcs.ts';
import { asObject } from './approval_line.ts';

const WORDS: ReadonlySet<JsonValue | undefined> = new Set(['allow', 'approve', 'deny', 'failed']);
const isCount = (value: JsonValue | undefined): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0;

/**
 * `decided` is what the cells hold together, `flipped` those of them that differ, `total` all with those that were not decided
 * again; what was decided lies before the report's own record (`seq`).
 */
export function isImpactSum(report: JsonObject, seq: number): boolean {
  const { total, decided, flipped, first_seq, last_seq, cells } = report;
  const skipped = Object.values(asObject(report.skipped));
  if (!Array.isArray(cells) || ![total, decided, flipped, ...skipped].every(isCount)) return false;
  let [sum, differing] = [0, 0];
  for (const cell of cells as readonly JsonValue[]) {
    const { from, to, decisions, runs } = asObject(cell);
    if (!WORDS.has(from) || !WORDS.has(to) || !isCount(decisions) || !isCount(runs) || runs > decisions)
      return false;
    sum += decisions;
    if (from !== to) differing += decisions;
  }
  const left = (skipped as number[]).reduce((all, count) => all + count, 0);
  if (sum !== decided || differing !== flipped || sum + left !== total) return false;
  if (total === 0) return first_seq === undefined && last_seq === undefined;
  return (
    isCount(first_seq) &&
    isCount(last_seq) &&
    first_seq <= last_seq &&
    last_seq < seq &&
    total <= last_seq - first_seq + 1
  );
}
