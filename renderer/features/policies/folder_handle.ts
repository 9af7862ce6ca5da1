/**
 * A folder of this computer as the browser gives it (File System Access API): read whole, written file by file. Rules:
 * bounded in files, depth and size; hidden folders, .git among them, are not entered; line ends become \n.
 */
import { POLICY_LIMITS, type PolicyFile } from '../../../core/api/policy_views.ts';
import { imported } from './drafts.ts';

type FileHandle = {
  kind: 'file';
  getFile(): Promise<File>;
  createWritable(): Promise<{ write(text: string): Promise<void>; close(): Promise<void> }>;
};
/** FileSystemDirectoryHandle, as far as it is used here; TypeScript's own has no permissions. */
export type Folder = {
  kind: 'directory';
  name: string;
  values(): AsyncIterable<(FileHandle | Folder) & { name: string }>;
  getDirectoryHandle(name: string, options: { create: boolean }): Promise<Folder>;
  getFileHandle(name: string, options: { create: boolean }): Promise<FileHandle>;
  removeEntry(name: string): Promise<void>;
  queryPermission(wish: { mode: 'read' | 'readwrite' }): Promise<PermissionState>;
  requestPermission(wish: { mode: 'read' | 'readwrite' }): Promise<PermissionState>;
};

type Picker = (wish: { mode: 'read' | 'readwrite' }) => Promise<Folder>;
const picker = (): Picker | undefined => (globalThis as { showDirectoryPicker?: Picker }).showDirectoryPicker;

/** Not every browser lets a page keep a folder. */
export const canKeepFolders = (): boolean => picker() !== undefined;

/** Undefined when the reader cancelled. */
export async function chooseFolder(mode: 'read' | 'readwrite'): Promise<Folder | undefined> {
  try {
    return await picker()?.({ mode });
  } catch (error) {
    if ((error as Error).name === 'AbortError') return undefined;
    throw error;
  }
}

const MOST_ENTRIES = 5_000;
const DEEPEST = 8;

/** Texts by path, with what tells that a file is as it was: reading again is then not needed. */
export type Read = Map<string, { size: number; modified: number; text: string }>;

export type FolderFiles = { files: PolicyFile[]; skipped: string[] };

/** Throws what the browser throws where the folder is gone or may not be read. */
export async function readHandle(folder: Folder, seen: Read): Promise<FolderFiles> {
  const found: PolicyFile[] = [];
  let entries = 0;
  const enter = async (from: Folder, path: string, depth: number): Promise<void> => {
    for await (const entry of from.values()) {
      entries += 1;
      if (entries > MOST_ENTRIES || entry.name.startsWith('.') || entry.name === 'node_modules') continue;
      const own = `${path}/${entry.name}`;
      if (entry.kind === 'directory') {
        if (depth < DEEPEST) await enter(entry, own, depth + 1);
      } else if (/\.rego$/.test(entry.name) || (entry.name === 'data.json' && depth === 0))
        found.push({ path: own, text: await textIn(entry, own, seen) });
    }
  };
  await enter(folder, folder.name, 0);
  return imported(found);
}

async function textIn(handle: FileHandle, path: string, seen: Read): Promise<string> {
  const file = await handle.getFile();
  const held = seen.get(path);
  if (held?.size === file.size && held.modified === file.lastModified) return held.text;
  const text =
    file.size > POLICY_LIMITS.text * 4
      ? 'x'.repeat(POLICY_LIMITS.text + 1)
      : (await file.text()).replaceAll('\r\n', '\n');
  seen.set(path, { size: file.size, modified: file.lastModified, text });
  return text;
}

/** An absent text removes the file. */
export async function writeInto(top: Folder, path: string, text: string | undefined): Promise<void> {
  const parts = path.split('/');
  const name = parts.pop() as string;
  let folder = top;
  for (const part of parts) folder = await folder.getDirectoryHandle(part, { create: true });
  if (text === undefined) return folder.removeEntry(name);
  const writable = await (await folder.getFileHandle(name, { create: true })).createWritable();
  await writable.write(text);
  await writable.close();
}
