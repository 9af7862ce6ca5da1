/**
 * The folder beside a draft: looked at while the page is seen, its changes shown and taken only when the reader says so.
 * Rule: neither side is written over unseen; what changed on both sides waits for the reader.
 */
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { PolicyFile } from '../../../core/api/policy_views.ts';
import { draftStore } from './draft_store.ts';
import type { Draft } from './drafts.ts';
import { type FolderFiles, type Read, readHandle, writeInto } from './folder_handle.ts';
import { forgetFolder, type KeptFolder, keepFolder, keptFolder } from './folder_memory.ts';
import { agreedNow, type FolderChange, folderChanges, sameFiles, takenInto } from './folder_sync.ts';

const EVERY_MS = 2_000;

export type WatchedFolder = {
  name: string;
  /** `ask`: the browser wants to be asked again; `lost`: the folder is gone or cannot be read. */
  state: 'reading' | 'watched' | 'ask' | 'lost';
  changes: readonly FolderChange[];
  skipped: readonly string[];
  /** Asks the browser for leave to read; from a click only. */
  allow(): Promise<void>;
  /** The folder's texts of these changes become the draft's. */
  take(changes: readonly FolderChange[]): void;
  /** The draft's texts of these changes go into the folder. `changed`: it is not as it was shown, nothing was written. */
  write(changes: readonly FolderChange[]): Promise<'written' | 'changed' | 'refused'>;
  forget(): void;
};

type Seen = { state: WatchedFolder['state']; found: FolderFiles | undefined };
const unread: Seen = { state: 'reading', found: undefined };

/** Undefined where the draft stands beside no folder. */
export function useFolder(draft: Draft | undefined): WatchedFolder | undefined {
  const id = draft?.id;
  const [kept, setKept] = useState<KeptFolder>();
  const [seen, setSeen] = useState(unread);
  const read = useRef<Read>(new Map());

  useEffect(() => {
    setKept(undefined);
    setSeen(unread);
    read.current = new Map();
    if (id === undefined) return;
    let gone = false;
    keptFolder(id).then(
      found => gone || setKept(found),
      () => undefined, // No storage for handles: nothing is watched.
    );
    return () => {
      gone = true;
    };
  }, [id]);

  const folder = kept?.folder;
  const look = useCallback(async (): Promise<FolderFiles | undefined> => {
    if (folder === undefined) return undefined;
    try {
      if ((await folder.queryPermission({ mode: 'read' })) !== 'granted') {
        setSeen({ state: 'ask', found: undefined });
        return undefined;
      }
      const found = await readHandle(folder, read.current);
      setSeen(held =>
        held.state === 'watched' && held.found !== undefined && sameFiles(held.found.files, found.files)
          ? held
          : { state: 'watched', found },
      );
      return found;
    } catch {
      setSeen({ state: 'lost', found: undefined });
      return undefined;
    }
  }, [folder]);

  useEffect(() => {
    if (folder === undefined) return;
    let looking = false;
    const tick = (): void => {
      if (looking || document.hidden) return;
      looking = true;
      void look().finally(() => {
        looking = false;
      });
    };
    tick();
    const timer = setInterval(tick, EVERY_MS);
    addEventListener('focus', tick);
    return () => {
      clearInterval(timer);
      removeEventListener('focus', tick);
    };
  }, [folder, look]);

  const agree = useCallback(
    (agreed: readonly PolicyFile[]) => {
      if (id === undefined || folder === undefined) return;
      setKept({ folder, agreed });
      void keepFolder(id, { folder, agreed }).catch(() => undefined);
    },
    [id, folder],
  );
  const files = draft?.files;
  const found = seen.found;
  useEffect(() => {
    if (kept === undefined || found === undefined || files === undefined) return;
    const now = agreedNow(kept.agreed, found.files, files);
    if (!sameFiles(now, kept.agreed)) agree(now);
  }, [kept, found, files, agree]);

  const changes = useMemo(
    () =>
      kept === undefined || found === undefined || files === undefined
        ? []
        : folderChanges(kept.agreed, found.files, files),
    [kept, found, files],
  );
  if (id === undefined || kept === undefined) return undefined;
  return {
    name: kept.folder.name,
    state: seen.state,
    changes,
    skipped: found?.skipped ?? [],
    async allow() {
      await kept.folder.requestPermission({ mode: 'read' });
      await look();
    },
    take: taken => draftStore.change(id, held => ({ files: takenInto(held.files, taken) })),
    async write(written) {
      if ((await kept.folder.requestPermission({ mode: 'readwrite' })) !== 'granted') return 'refused';
      // Every text anew: a file can be another one of the same size and time.
      read.current = new Map();
      const now = await look();
      const asShown = written.every(
        ({ path, folder: there }) => now?.files.find(file => file.path === path)?.text === there,
      );
      if (now === undefined || !asShown) return 'changed';
      for (const { path, draft: here } of written) await writeInto(kept.folder, path, here);
      await look();
      return 'written';
    },
    forget() {
      setKept(undefined);
      void forgetFolder(id).catch(() => undefined);
    },
  };
}
