/**
 * A draft: the files of a policy set while someone writes them, kept in this browser only. Pure; where it is kept is
 * draft_store.ts. Bounds are those of a set (core/api/policy_views.ts), and 12 drafts of a ledger.
 */
import { POLICY_LIMITS, type PolicyFile } from '../../../core/api/policy_views.ts';

export const DRAFTS = 12;

export type Draft = {
  id: string;
  name: string;
  files: PolicyFile[];
  /** policy_hash of the set that it was opened from. */
  base?: string;
  /** Milliseconds since 1970. */
  changed: number;
  /** The tab that wrote it last. */
  by?: string;
};

const PATH = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*\.(rego|json)$/;
export const isTest = (path: string): boolean => path.endsWith('_test.rego');
export const isRego = (path: string): boolean => path.endsWith('.rego');

/** Why a file cannot have this path; undefined where it can. */
export function pathFault(files: readonly PolicyFile[], path: string, was?: string): string | undefined {
  if (path.length > POLICY_LIMITS.path) return `At most ${POLICY_LIMITS.path} characters.`;
  if (!PATH.test(path)) return 'A name of letters, digits, . _ - and /, that ends in .rego.';
  if (path.endsWith('.json') && path !== 'data.json')
    return 'The only JSON file of a set is data.json, at its top.';
  if (path !== was && files.some(file => file.path === path)) return 'A file of that name is already there.';
  if (was === undefined && files.length >= POLICY_LIMITS.files)
    return `At most ${POLICY_LIMITS.files} files.`;
  return undefined;
}

export const byPath = (files: readonly PolicyFile[]): PolicyFile[] =>
  [...files].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));

export const textOf = (files: readonly PolicyFile[], path: string | undefined): string | undefined =>
  files.find(file => file.path === path)?.text;

/** Adds files, or replaces those with the same path. */
export function withFiles(files: readonly PolicyFile[], more: readonly PolicyFile[]): PolicyFile[] {
  const paths = new Set(more.map(file => file.path));
  return byPath([...files.filter(file => !paths.has(file.path)), ...more]);
}

export const sizeFault = (files: readonly PolicyFile[]): string | undefined => {
  const large = files.find(file => file.text.length > POLICY_LIMITS.text);
  if (large !== undefined) return `${large.path} has more than ${POLICY_LIMITS.text} characters.`;
  const all = files.reduce((sum, { text }) => sum + text.length, 0);
  return all > POLICY_LIMITS.all
    ? `The files have ${all} characters; at most ${POLICY_LIMITS.all}.`
    : undefined;
};

/** Files for the toolchain: nothing without a Rego file can be checked. */
export const checkable = (files: readonly PolicyFile[]): boolean =>
  files.some(file => isRego(file.path)) && sizeFault(files) === undefined;

/**
 * What was chosen from a folder, as files of a draft: paths without the folder's own name. `skipped` says what is no part
 * of a policy set and why.
 */
export function imported(given: readonly { path: string; text: string }[]): {
  files: PolicyFile[];
  skipped: string[];
} {
  const top =
    given.length > 0 && given.every(({ path }) => path.includes('/')) ? given[0]!.path.split('/')[0] : '';
  const common = top !== '' && given.every(({ path }) => path.startsWith(`${top}/`)) ? `${top}/` : '';
  const files: PolicyFile[] = [];
  const skipped: string[] = [];
  for (const { path, text } of given) {
    const own = path.slice(common.length);
    const fault = pathFault(files, own);
    if (fault !== undefined || text.length > POLICY_LIMITS.text) skipped.push(own);
    else files.push({ path: own, text });
  }
  return { files: byPath(files), skipped };
}

/** A draft as it was kept; undefined for anything else. */
export function readDraft(text: string): Draft | undefined {
  try {
    const draft = JSON.parse(text) as Draft;
    const ok =
      typeof draft.id === 'string' &&
      typeof draft.name === 'string' &&
      typeof draft.changed === 'number' &&
      Array.isArray(draft.files) &&
      draft.files.every(({ path, text: kept }) => typeof path === 'string' && typeof kept === 'string');
    return ok ? draft : undefined;
  } catch {
    return undefined;
  }
}
