/**
 * Starts the collector as a utility process and answers its questions about the keychain. The master key's
 * wrapping happens here, in the main process, because only it has safeStorage.
 */
import { safeStorage, type UtilityProcess, utilityProcess } from 'electron';
import type { ToCollector, ToShell } from './messages.ts';

export type CollectorHost = {
  ready: Promise<{ url: string; uiUrl: string }>;
  /** A fresh one-time address for a new window. */
  newUiUrl(): Promise<string>;
  onWaiting(listener: (count: number) => void): void;
  onExit(listener: (code: number) => void): void;
  /** Drains and checkpoints; resolves when the process has ended, by force after 10 s. */
  stop(): Promise<void>;
};

type Start = { entry: string; folder: string; port: number; uiDir: string };

/** safeStorage's own word for what keeps the key; on Linux `basic_text` is no keystore and counts as none. */
export const backend = (): string =>
  !safeStorage.isEncryptionAvailable()
    ? 'none'
    : process.platform === 'linux'
      ? safeStorage.getSelectedStorageBackend()
      : process.platform;

const answerVault = (message: Extract<ToShell, { type: 'vault' }>): ToCollector => {
  try {
    const data =
      message.op === 'encrypt'
        ? safeStorage.encryptString(Buffer.from(message.data).toString('base64'))
        : Buffer.from(safeStorage.decryptString(Buffer.from(message.data)), 'base64');
    return { type: 'vault-answer', id: message.id, data: new Uint8Array(data) };
  } catch {
    return { type: 'vault-answer', id: message.id, error: 'the keychain refused' };
  }
};

export const startCollectorHost = ({ entry, ...start }: Start): CollectorHost => {
  const child: UtilityProcess = utilityProcess.fork(entry, [], {
    serviceName: 'TrailMix collector',
    stdio: 'ignore',
  });
  const send = (message: ToCollector) => child.postMessage(message);
  const pending = new Map<number, (uiUrl: string) => void>();
  const waiting: ((count: number) => void)[] = [];
  let nextId = 1;
  let exited = false;
  child.once('exit', () => {
    exited = true;
  });

  const ready = new Promise<{ url: string; uiUrl: string }>((resolve, reject) => {
    child.on('message', (message: ToShell) => {
      if (message.type === 'ready') resolve(message);
      else if (message.type === 'failed') reject(new Error(`${message.message}. ${message.next}`));
      else if (message.type === 'vault') send(answerVault(message));
      else if (message.type === 'waiting') for (const listener of waiting) listener(message.count);
      else if (message.type === 'ui-url') {
        pending.get(message.id)?.(message.uiUrl);
        pending.delete(message.id);
      }
    });
    child.once('exit', code => reject(new Error(`The collector ended with code ${code}.`)));
  });
  child.once('spawn', () => send({ type: 'start', backend: backend(), ...start }));

  return {
    ready,
    newUiUrl: () =>
      new Promise(resolve => {
        const id = nextId++;
        pending.set(id, resolve);
        send({ type: 'new-ui-url', id });
      }),
    onWaiting: listener => waiting.push(listener),
    onExit: listener => void child.once('exit', listener),
    stop: () =>
      new Promise(resolve => {
        if (exited) return resolve();
        const force = setTimeout(() => child.kill(), 10_000);
        child.once('exit', () => {
          clearTimeout(force);
          resolve();
        });
        send({ type: 'stop' });
      }),
  };
};
