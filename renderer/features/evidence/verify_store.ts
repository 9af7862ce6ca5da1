/**
 * The pack that is being verified in this page, kept while the reader moves between screens. One at a time: a new pack
 * ends the check of the one before. Nothing is sent anywhere: the worker reads the file itself.
 */
import { useSyncExternalStore } from 'react';
import type { PackReport } from '../../../core/pack/verify.ts';
import { sortGiven, type TrustFiles } from './given_files.ts';
import type { VerifyAsk, VerifyTell } from './verify_messages.ts';
import VerifyWorker from './verify_worker.ts?worker';

export type Given = { name: string; blob: Blob };
/** What is checked against: files of the trust folder, and an older pack. */
export type Against = { trust?: TrustFiles<Blob>; since?: Given };
type Checked = { pack: Given } & Against;
export type Verifying =
  | { state: 'nothing' }
  | ({ state: 'running'; done: number; total: number } & Checked)
  | ({ state: 'done'; report: PackReport; ms: number; engine: string; at: string } & Checked)
  | ({ state: 'refused'; what: 'pack' | 'trust' | 'since'; message: string } & Checked);

let current: Verifying = { state: 'nothing' };
let worker: Worker | undefined;
/** Given before a pack, and kept from one pack to the next. */
let waitingTrust: TrustFiles<Blob> | undefined;
const listeners = new Set<() => void>();

function become(next: Verifying): void {
  current = next;
  for (const listener of listeners) listener();
}

/** Starts verifying. Trust files given before, or with the pack, are used. */
export function verify(pack: Given, against: Against = {}): void {
  worker?.terminate();
  const mine = new VerifyWorker();
  worker = mine;
  const trust = against.trust ?? waitingTrust;
  waitingTrust = trust;
  const { since } = against;
  const given = {
    pack,
    ...(trust === undefined ? {} : { trust }),
    ...(since === undefined ? {} : { since }),
  };
  become({ state: 'running', ...given, done: 0, total: 0 });
  const end = (next: Verifying) => {
    mine.terminate();
    if (worker === mine) become(next);
  };
  mine.onmessage = ({ data }: MessageEvent<VerifyTell>) => {
    if (worker !== mine) return;
    if (data.kind === 'progress') become({ state: 'running', ...given, done: data.done, total: data.total });
    else if (data.kind === 'refused')
      end({ state: 'refused', ...given, what: data.what, message: data.message });
    else {
      const { report, ms, engine } = data;
      end({ state: 'done', ...given, report, ms, engine, at: new Date().toISOString() });
    }
  };
  mine.onerror = () =>
    end({
      state: 'refused',
      ...given,
      what: 'pack',
      message: 'The verifier could not be started in this browser.',
    });
  mine.postMessage({
    pack: pack.blob,
    ...(trust === undefined ? {} : { trust }),
    ...(since === undefined ? {} : { since: since.blob }),
  } satisfies VerifyAsk);
}

export function forget(): void {
  worker?.terminate();
  worker = undefined;
  waitingTrust = undefined;
  become({ state: 'nothing' });
}

/** Files as dropped or chosen: those of a trust folder are added to what is trusted, any other is the pack. */
export function takeFiles(files: readonly File[]): boolean {
  const { packs, trust: given } = sortGiven(files);
  const [pack] = packs;
  const trust = given.size === 0 ? waitingTrust : new Map<string, Blob>([...(waitingTrust ?? []), ...given]);
  const kept = trust === undefined ? {} : { trust };
  if (pack !== undefined) verify({ name: pack.name, blob: pack }, kept);
  else if (given.size > 0 && current.state !== 'nothing')
    verify(current.pack, { ...kept, ...(current.since === undefined ? {} : { since: current.since }) });
  else {
    waitingTrust = trust;
    become({ state: 'nothing' });
  }
  return files.length > 0;
}

/** The same pack again, which must then continue the older one. */
export function compareWith(older: File): void {
  if (current.state === 'nothing') return;
  verify(current.pack, { since: { name: older.name, blob: older } });
}

export const trustWaiting = (): TrustFiles<unknown> | undefined => waitingTrust;

export function useVerifying(): Verifying {
  return useSyncExternalStore(
    listener => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
}

/** The files of a drop or of a file dialog as they are. Folders are not walked. */
export async function filesOf(event: unknown): Promise<File[]> {
  const { dataTransfer, target } = event as { dataTransfer?: DataTransfer; target?: HTMLInputElement };
  return [...(dataTransfer?.files ?? target?.files ?? [])];
}
