/**
 * manifest.json and checksums.txt: their types, the rules for names, and strict reading. Format: docs/spec/pack.md.
 * Rules: both are canonical texts with exactly one spelling, so reading is writing again and comparing.
 */
import { compareBytes, fromUtf8, utf8 } from '../proof/bytes.ts';
import { isPlain, type JsonValue, jcs } from '../proof/jcs.ts';

export type Include = 'traces' | 'policies' | 'evals' | 'approvals';
export const INCLUDES: readonly Include[] = ['approvals', 'evals', 'policies', 'traces'];

export type FileRole =
  | 'events'
  | 'extras'
  | 'heads'
  | 'blob'
  | 'policies'
  | 'policy'
  | 'derived'
  | 'checkpoint'
  | 'proof'
  | 'consistency'
  | 'epoch'
  | 'anchor'
  | 'key'
  | 'summary'
  | 'readme';

export type ManifestFile = {
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly role: FileRole;
};

/**
 * `scope.from` and `to` have six digits, both inclusive; an empty scope has last_app_seq = first_app_seq - 1.
 * `checkpoint.root` is hex.
 */
export type Manifest = {
  readonly v: 1;
  readonly ledger_id: string;
  readonly tenant_id: string;
  readonly app_id: string;
  readonly scope: {
    readonly by: 'received_at' | 'ts' | 'session';
    readonly requested: { readonly from: string; readonly to: string };
    readonly from: string;
    readonly to: string;
    readonly first_app_seq: number;
    readonly last_app_seq: number;
  };
  readonly checkpoint: { readonly size: number; readonly root: string };
  readonly include: readonly Include[];
  readonly files: readonly ManifestFile[];
  readonly withheld: readonly { readonly seq: number; readonly hash_self: string; readonly reason: string }[];
};

export const MANIFEST = 'manifest.json';
export const CHECKSUMS = 'checksums.txt';
export const CMS = 'META-INF/checksums.p7s';

/** Names that checksums.txt does not cover and that are not unlisted files. */
export const UNCOVERED: ReadonlySet<string> = new Set([
  'mimetype',
  CMS,
  'META-INF/ASiCManifest001.xml',
  'META-INF/signature001.p7s',
  'META-INF/checksums.tsr',
  'META-INF/tsa-chain.pem',
  'META-INF/cosignatures.note',
]);

const NAMED: { readonly [path: string]: FileRole } = {
  'events.jsonl': 'events',
  'extras.jsonl': 'extras',
  'heads.jsonl': 'heads',
  'policies.json': 'policies',
  'approvals.jsonl': 'derived',
  'replays.jsonl': 'derived',
  'evals.jsonl': 'derived',
  'queries.jsonl': 'derived',
  'disclosures.jsonl': 'derived',
  'checkpoint.note': 'checkpoint',
  'checkpoint.body': 'checkpoint',
  'checkpoint.sig': 'checkpoint',
  'proofs/multiproof.jsonl': 'proof',
  'summary.pdf': 'summary',
  'README-VERIFY.txt': 'readme',
};

/** Files that every pack has. */
export const REQUIRED_FILES: readonly string[] = Object.keys(NAMED);

const PATTERNS: readonly (readonly [RegExp, FileRole])[] = [
  [/^blobs\/[0-9a-f]{64}$/, 'blob'],
  [/^policies\/[0-9a-f]{64}\/[0-9]{1,6}\.(?:rego|json)$/, 'policy'],
  [/^(?:epochs\/[0-9a-f]{32}\/)?consistency\/[0-9]{1,16}-[0-9]{1,16}$/, 'consistency'],
  [/^epochs\/[0-9a-f]{32}\/keys\.jsonl$/, 'epoch'],
  [/^anchors\/[0-9]{1,16}\.(?:note|body|tsr)$/, 'anchor'],
  [/^keys\/[0-9a-f]{64}\.pem$/, 'key'],
];

/** Role of a data file by its path, or undefined where the format knows no such file. */
export function roleOf(path: string): FileRole | undefined {
  return Object.hasOwn(NAMED, path) ? NAMED[path] : PATTERNS.find(([form]) => form.test(path))?.[1];
}

/** Why a name may not stand in a pack, or undefined. */
export function nameFault(name: string): string | undefined {
  if (name.length === 0 || name.length > 512) return 'a name has 1 to 512 characters';
  if (!/^[A-Za-z0-9._/-]+$/.test(name)) return 'a name has only the characters A-Z a-z 0-9 . _ / -';
  if (name.split('/').some(segment => segment === '' || segment === '.' || segment === '..')) {
    return 'a name has no empty, . or .. segment and no leading /';
  }
  return undefined;
}

export const byPath = (a: { readonly path: string }, b: { readonly path: string }): number =>
  compareBytes(utf8(a.path), utf8(b.path));

export class ManifestError extends Error {
  override name = 'ManifestError';
}

const HASH = /^[0-9a-f]{64}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

function check(holds: boolean, what: string): asserts holds {
  if (!holds) throw new ManifestError(what);
}

function members(
  value: JsonValue | undefined,
  names: readonly string[],
  where: string,
): { [name: string]: JsonValue } {
  check(
    typeof value === 'object' && value !== null && !Array.isArray(value) && isPlain(value),
    `${where} must be an object`,
  );
  const object = value as { [name: string]: JsonValue };
  check(
    Object.keys(object).sort().join() === [...names].sort().join(),
    `${where} must have exactly the members ${names.join(', ')}`,
  );
  return object;
}

const isCount = (value: JsonValue | undefined, least = 0): boolean =>
  Number.isSafeInteger(value) && (value as number) >= least;
const isText = (value: JsonValue | undefined, form?: RegExp): boolean =>
  typeof value === 'string' && value.length <= 1024 && (form?.test(value) ?? true);

function list(value: JsonValue | undefined, where: string): readonly JsonValue[] {
  check(Array.isArray(value), `${where} must be an array`);
  return value as readonly JsonValue[];
}

/** Reads manifest.json. Throws ManifestError on anything but the one text of a manifest. */
export function parseManifest(bytes: Uint8Array): Manifest {
  const value = parseCanonical(bytes);
  const top = members(
    value,
    ['v', 'ledger_id', 'tenant_id', 'app_id', 'scope', 'checkpoint', 'include', 'files', 'withheld'],
    'the manifest',
  );
  check(top.v === 1, 'v must be 1');
  check(isText(top.ledger_id, /^[0-9a-f]{32}$/), 'ledger_id must be 32 hex characters');
  check(isText(top.tenant_id, /^[a-z0-9-]{1,64}$/), 'tenant_id must match [a-z0-9-]{1,64}');
  check(isText(top.app_id, /^.{1,256}$/su), 'app_id must be a string');
  const scope = members(
    top.scope,
    ['by', 'requested', 'from', 'to', 'first_app_seq', 'last_app_seq'],
    'scope',
  );
  check(['received_at', 'ts', 'session'].includes(scope.by as string), 'scope.by is not known');
  const requested = members(scope.requested, ['from', 'to'], 'scope.requested');
  check(isText(requested.from) && isText(requested.to), 'scope.requested must hold times');
  check(isText(scope.from, TIME) && isText(scope.to, TIME), 'scope.from and to must have six digits');
  check(
    isCount(scope.first_app_seq, 1) && isCount(scope.last_app_seq),
    'scope has an app_seq that is no count',
  );
  check(
    (scope.last_app_seq as number) >= (scope.first_app_seq as number) - 1,
    'scope.last_app_seq is before first_app_seq',
  );
  const checkpoint = members(top.checkpoint, ['size', 'root'], 'checkpoint');
  check(isCount(checkpoint.size) && isText(checkpoint.root, HASH), 'checkpoint must be {size, root}');
  const include = list(top.include, 'include');
  check(
    include.every(
      (word, i) =>
        INCLUDES.includes(word as Include) && (i === 0 || (include[i - 1] as string) < (word as string)),
    ),
    'include must be sorted words of its list',
  );
  const files = list(top.files, 'files');
  let last: Uint8Array | undefined;
  for (const [i, item] of files.entries()) {
    const file = members(item, ['path', 'sha256', 'bytes', 'role'], `files/${i}`);
    check(isText(file.path) && nameFault(file.path as string) === undefined, `files/${i}: bad name`);
    check(isText(file.sha256, HASH) && isCount(file.bytes), `files/${i}: bad sha256 or bytes`);
    check(roleOf(file.path as string) === file.role, `files/${i}: ${file.path} does not have that role`);
    const path = utf8(file.path as string);
    check(last === undefined || compareBytes(last, path) < 0, 'files must be sorted by path, each once');
    last = path;
  }
  for (const [i, item] of list(top.withheld, 'withheld').entries()) {
    const entry = members(item, ['seq', 'hash_self', 'reason'], `withheld/${i}`);
    check(
      isCount(entry.seq) && isText(entry.hash_self, HASH) && isText(entry.reason),
      `withheld/${i} is not right`,
    );
  }
  return value as unknown as Manifest;
}

/** Value of canonical JSON without a final newline. Throws ManifestError. */
export function parseCanonical(bytes: Uint8Array): JsonValue {
  let value: JsonValue;
  let same: boolean;
  try {
    const text = fromUtf8(bytes);
    value = JSON.parse(text) as JsonValue;
    same = jcs(value) === text;
  } catch (error) {
    throw new ManifestError(`not canonical JSON: ${(error as Error).message}`);
  }
  check(same, 'not canonical JSON');
  return value;
}

/** checksums.txt: `<sha256>  <path>\n`, sorted by path bytes, as sha256sum writes it. */
export function checksumsText(files: readonly { readonly path: string; readonly sha256: string }[]): string {
  return [...files]
    .sort(byPath)
    .map(({ path, sha256 }) => `${sha256}  ${path}\n`)
    .join('');
}

/** Reads checksums.txt. Throws ManifestError. */
export function parseChecksums(bytes: Uint8Array): Map<string, string> {
  let text: string;
  try {
    text = fromUtf8(bytes);
  } catch {
    throw new ManifestError('not UTF-8');
  }
  check(text.endsWith('\n'), 'the last line must end');
  const rows = text
    .slice(0, -1)
    .split('\n')
    .map((line, i) => {
      const [, sha256, path] = /^([0-9a-f]{64}) {2}(.+)$/.exec(line) ?? [];
      check(sha256 !== undefined && path !== undefined, `line ${i + 1} is not "<sha256>  <path>"`);
      check(nameFault(path) === undefined, `line ${i + 1}: bad name`);
      return { path, sha256 };
    });
  check(checksumsText(rows) === text, 'the lines must be sorted by path');
  const map = new Map(rows.map(({ path, sha256 }) => [path, sha256]));
  check(map.size === rows.length, 'a path stands twice');
  return map;
}
