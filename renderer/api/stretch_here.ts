/** Stretches a passphrase in a worker of its own, which ends with the answer: its memory, the passphrase in it, goes too. */
import type { Stretch, StretchAsk, StretchTell } from './stretch.ts';
import StretchWorker from './stretch_worker.ts?worker';

export const stretchHere: Stretch = (passphrase, kdf) =>
  new Promise((resolve, reject) => {
    const worker = new StretchWorker();
    const end = (then: () => void) => {
      worker.terminate();
      then();
    };
    worker.onmessage = ({ data }: MessageEvent<StretchTell>) =>
      end(() => ('bytes' in data ? resolve(data.bytes) : reject(new Error(data.fault))));
    worker.onerror = () => end(() => reject(new Error('This browser could not start the sign-in worker.')));
    worker.postMessage({ passphrase, kdf } satisfies StretchAsk);
  });
