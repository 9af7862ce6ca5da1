/**
 * JSON as lines to show: one row per member, folding by path. Pure, and linear in the size of the value.
 * Nothing is left out: a folded row says how much it holds.
 */

export type JsonKind = 'string' | 'number' | 'boolean' | 'null' | 'object' | 'array';

export type JsonLine = {
  /** JSON Pointer of the value, with `]` or `}` appended on a closing row: unique in one document. */
  id: string;
  path: string;
  depth: number;
  key?: string;
  kind: JsonKind;
  /** What stands on the row: the value itself, an opening or a closing bracket. */
  text: string;
  foldable: boolean;
  folded: boolean;
  /** Members or items of a folded value. */
  count: number;
  comma: boolean;
};

/** Rows of `value`. Paths in `folded` show their opening row only. */
export function buildJsonLines(value: unknown, folded: ReadonlySet<string>): JsonLine[] {
  const lines: JsonLine[] = [];
  const walk = (
    item: unknown,
    path: string,
    depth: number,
    key: string | undefined,
    comma: boolean,
  ): void => {
    const kind = kindOf(item);
    const row = { path, depth, ...(key === undefined ? {} : { key }), kind };
    if (kind !== 'object' && kind !== 'array') {
      const text = JSON.stringify(item) ?? 'null';
      lines.push({ ...row, id: path, text, foldable: false, folded: false, count: 0, comma });
      return;
    }
    const entries: [string, unknown][] =
      kind === 'array'
        ? (item as unknown[]).map((child, i) => [String(i), child])
        : Object.entries(item as Record<string, unknown>);
    const [open, close] = kind === 'array' ? ['[', ']'] : ['{', '}'];
    const shut = folded.has(path);
    if (entries.length === 0 || shut) {
      const text = entries.length === 0 ? `${open}${close}` : `${open}…${close}`;
      lines.push({
        ...row,
        id: path,
        text,
        foldable: entries.length > 0,
        folded: shut && entries.length > 0,
        count: entries.length,
        comma,
      });
      return;
    }
    lines.push({
      ...row,
      id: path,
      text: open,
      foldable: true,
      folded: false,
      count: entries.length,
      comma: false,
    });
    entries.forEach(([name, child], i) => {
      const childPath = `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
      walk(child, childPath, depth + 1, kind === 'array' ? undefined : name, i < entries.length - 1);
    });
    lines.push({
      path,
      depth,
      kind,
      id: `${path}${close}`,
      text: close,
      foldable: false,
      folded: false,
      count: 0,
      comma,
    });
  };
  walk(value, '', 0, undefined, false);
  return lines;
}

function kindOf(value: unknown): JsonKind {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return 'array';
  const kind = typeof value;
  return kind === 'object' || kind === 'string' || kind === 'number' || kind === 'boolean' ? kind : 'null';
}
