/**
 * A draft and the folder that it came from: what was changed on which side since both last said the same. Pure. Rule:
 * what changed on both sides is never settled by itself.
 */
import type { PolicyFile } from '../../../core/api/policy_views.ts';
import { byPath, textOf } from './drafts.ts';

/** Who changed it: the folder, the draft, or both, differently. A text that is absent: the file is not there. */
export type FolderChange = {
  path: string;
  side: 'folder' | 'draft' | 'both';
  folder: string | undefined;
  draft: string | undefined;
};

type Files = readonly PolicyFile[];

const pathsOf = (...sides: Files[]): string[] => [...new Set(sides.flat().map(({ path }) => path))].sort();

/** `agreed`: the files as both sides last had them. */
export function folderChanges(agreed: Files, folder: Files, draft: Files): FolderChange[] {
  return pathsOf(agreed, folder, draft).flatMap(path => {
    const [was, there, here] = [textOf(agreed, path), textOf(folder, path), textOf(draft, path)];
    if (there === here) return [];
    const side = here === was ? 'folder' : there === was ? 'draft' : 'both';
    return [{ path, side, folder: there, draft: here }];
  });
}

/** What both sides have said last: their text where they say the same, else what they had agreed on before. */
export function agreedNow(agreed: Files, folder: Files, draft: Files): PolicyFile[] {
  return pathsOf(agreed, folder, draft).flatMap(path => {
    const there = textOf(folder, path);
    const text = there === textOf(draft, path) ? there : textOf(agreed, path);
    return text === undefined ? [] : [{ path, text }];
  });
}

/** `files` with the folder's texts of `changes`; a file whose text here is no longer the one that was shown stays as it is. */
export function takenInto(files: Files, changes: readonly FolderChange[]): PolicyFile[] {
  const shown = changes.filter(({ path, draft }) => textOf(files, path) === draft);
  const gone = new Set(shown.map(({ path }) => path));
  const come = shown.flatMap(({ path, folder }) => (folder === undefined ? [] : [{ path, text: folder }]));
  return byPath([...files.filter(({ path }) => !gone.has(path)), ...come]);
}

export const sameFiles = (a: Files, b: Files): boolean =>
  a.length === b.length && a.every(({ path, text }) => textOf(b, path) === text);
