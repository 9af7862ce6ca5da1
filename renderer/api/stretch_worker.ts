/** One passphrase, stretched away from the page's thread; the page ends this worker when it has the answer. */
import { type StretchAsk, type StretchTell, stretch } from './stretch.ts';

addEventListener('message', ({ data }: MessageEvent<StretchAsk>) => {
  let told: StretchTell;
  try {
    told = { bytes: stretch(data.passphrase, data.kdf) };
  } catch (error) {
    told = { fault: error instanceof Error ? error.message : 'unknown' };
  }
  postMessage(told);
});
