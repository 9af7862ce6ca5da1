/** The URL of the workbench: what is open in its three places. Pure. */
export type PoliciesSearch = {
  /** id of a draft of this browser */
  draft?: string;
  file?: string;
  row?: number;
  /** A saved set that is read: policy_hash. */
  set?: string;
  /** What the open text is compared with: policy_hash. */
  against?: string;
  /** Tab below the editor, tab beside it. */
  below?: string;
  side?: string;
  /** The recorded decision whose input is used. */
  decision?: string;
  /** An impact job, and the cell whose decisions are shown: `allow>deny`. */
  impact?: string;
  cell?: string;
};

export function readPoliciesSearch(search: Record<string, unknown>): PoliciesSearch {
  const kept: PoliciesSearch = {};
  for (const name of ['draft', 'file', 'below', 'side', 'decision', 'impact', 'cell'] as const) {
    const value = search[name];
    if (value !== undefined && value !== '') kept[name] = String(value).slice(0, 256);
  }
  for (const name of ['set', 'against'] as const) {
    const value = search[name];
    if (typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)) kept[name] = value;
  }
  const row = Number(search.row);
  if (Number.isSafeInteger(row) && row > 0) kept.row = row;
  return kept;
}
