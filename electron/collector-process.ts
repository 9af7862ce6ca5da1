/**
 * The collector inside Electron's utility process: the same startCollector as the browser host, with the
 * master key wrapped by the main process's safeStorage.
 */
import { startCollector } from '../collector/compose.ts';
import { errorTable, TrailmixError } from '../core/api/errors.ts';
import type { ToCollector, ToShell } from './messages.ts';

type Port = {
  postMessage(message: ToShell): void;
  on(event: 'message', listener: (event: { data: ToCollector }) => void): void;
};
const port = (process as unknown as { parentPort: Port }).parentPort;

const answers = new Map<number, { resolve(data: Uint8Array): void; reject(error: Error): void }>();
let nextId = 1;

const askVault = (op: 'encrypt' | 'decrypt', data: Uint8Array): Promise<Uint8Array> =>
  new Promise((resolve, reject) => {
    const id = nextId++;
    answers.set(id, { resolve, reject });
    port.postMessage({ type: 'vault', id, op, data });
  });

let collector: Awaited<ReturnType<typeof startCollector>> | undefined;

const start = async (message: Extract<ToCollector, { type: 'start' }>): Promise<void> => {
  try {
    collector = await startCollector({
      folder: message.folder,
      port: message.port,
      host: '127.0.0.1',
      uiDir: message.uiDir,
      safeStorage: {
        backend: message.backend,
        encrypt: data => askVault('encrypt', data),
        decrypt: data => askVault('decrypt', data),
      },
      onWaiting: count => port.postMessage({ type: 'waiting', count }),
    });
    port.postMessage({ type: 'ready', url: collector.url, uiUrl: collector.uiUrl() });
  } catch (error) {
    const known = error instanceof TrailmixError ? error : new TrailmixError('internal');
    port.postMessage({
      type: 'failed',
      code: known.code,
      message: known.message,
      next: errorTable[known.code].next,
    });
  }
};

port.on('message', ({ data }) => {
  if (data.type === 'start') void start(data);
  else if (data.type === 'new-ui-url' && collector)
    port.postMessage({ type: 'ui-url', id: data.id, uiUrl: collector.uiUrl() });
  else if (data.type === 'stop')
    void (collector?.close() ?? Promise.resolve()).finally(() => process.exit(0));
  else if (data.type === 'vault-answer') {
    const waiting = answers.get(data.id);
    answers.delete(data.id);
    if (data.data) waiting?.resolve(data.data);
    else
      waiting?.reject(
        new TrailmixError('vault_secret_wrong', { message: data.error ?? 'the keychain refused' }),
      );
  }
});
