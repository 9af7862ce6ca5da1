/** Which folder a draft is kept beside: the browser's handle and what both last agreed on, in IndexedDB, by the draft's id. */
import type { PolicyFile } from '../../../core/api/policy_views.ts';
import type { Folder } from './folder_handle.ts';

export type KeptFolder = { folder: Folder; agreed: readonly PolicyFile[] };

const STORE = 'folders';

function opened(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const asked = indexedDB.open('trailmix-folders', 1);
    asked.onupgradeneeded = () => void asked.result.createObjectStore(STORE);
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}

async function within<T>(
  mode: IDBTransactionMode,
  work: (store: IDBObjectStore) => IDBRequest<T>,
): Promise<T> {
  const database = await opened();
  try {
    return await new Promise<T>((resolve, reject) => {
      const transaction = database.transaction(STORE, mode);
      const asked = work(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(asked.result);
      transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}

export const keptFolder = (draft: string): Promise<KeptFolder | undefined> =>
  within('readonly', store => store.get(draft) as IDBRequest<KeptFolder | undefined>);

export const keepFolder = async (draft: string, kept: KeptFolder): Promise<void> => {
  await within('readwrite', store => store.put(kept, draft));
};

export const forgetFolder = (draft: string): Promise<undefined> =>
  within('readwrite', store => store.delete(draft));
