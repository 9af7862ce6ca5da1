/**
 * The pack that is being verified in this page, kept while the reader moves between screens. One at a time: a new pack
 * ends the check of the one before. Nothing is sent anywhere: the worker reads the file itself.
 */
import { useSyncExternalStore } from 'react';
import type { PackReport } from '../../../core/pack/verify.ts';
import type { VerifyAsk, VerifyTell } from './verify_messages.ts';
import VerifyWorker from './verify_worker.ts?worker';

export type Given = { name: string; blob: Blob };
export type Verifying =
  | { state: 'nothing' }
  | { state: 'running'; pack: Given; trust?: Given; done: number; total: number }
  | { state: 'done'; pack: Given; trust?: Given; report: PackReport; ms: number; engine: string; at: string }
  | { state: 'refused'; pack: Given; trust?: Given; what: 'pack' | 'trust'; message: string };

let current: Verifying = { state: 'nothing' };
let worker: Worker | undefined;
let waitingTrust: Given | undefined;
const listeners = new Set<() => void>();

function become(next: Verifying): void {
  current = next;
  for (const listener of listeners) listener();
}

/** Starts verifying. A trust file given before, or with the pack, is used. */
export function verify(pack: Given, trust: Given | undefined = waitingTrust): void {
  worker?.terminate();
  const mine = new VerifyWorker();
  worker = mine;
  waitingTrust = trust;
  const given = { pack, ...(trust === undefined ? {} : { trust }) };
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
    ...(trust === undefined ? {} : { trust: trust.blob }),
  } satisfies VerifyAsk);
}

export function forget(): void {
  worker?.terminate();
  worker = undefined;
  waitingTrust = undefined;
  become({ state: 'nothing' });
}

/** Files as dropped or chosen: a .json is what to trust, the other is the pack. */
export function takeFiles(files: readonly File[]): boolean {
  const trust = files.find(file => file.name.toLowerCase().endsWith('.json'));
  const pack = files.find(file => file !== trust);
  const given = trust === undefined ? waitingTrust : { name: trust.name, blob: trust };
  if (pack !== undefined) verify({ name: pack.name, blob: pack }, given);
  else if (given !== undefined && current.state !== 'nothing') verify(current.pack, given);
  else {
    waitingTrust = given;
    become({ state: 'nothing' });
  }
  return files.length > 0;
}

export const trustWaiting = (): string | undefined => waitingTrust?.name;

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
