import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { standIn } from './standin.ts';

const shell = standIn();
vi.mock('electron', () => shell.electron);

const folder = mkdtempSync(join(tmpdir(), 'trailmix-shell-'));
const pack = join(folder, 'evidence.zip');
writeFileSync(pack, 'PK');

beforeAll(async () => {
  await import('../../electron/main.ts');
  await vi.waitFor(() => expect(shell.windows[0]?.loaded).toEqual(['http://127.0.0.1:4318/#token=once']));
});
afterAll(() => rmSync(folder, { recursive: true }));

const window = () => shell.windows[0]!;
const call = (name: string, details: object): boolean | undefined => {
  let cancel: boolean | undefined;
  (shell.handlers[name] as (d: object, a: (x: { cancel?: boolean }) => void) => void)(details, answer => {
    cancel = answer.cancel;
  });
  return cancel;
};

test('the page runs in a sandbox, without Node', () => {
  expect(shell.app.sandboxed).toBe(true);
  expect(window().options.webPreferences).toMatchObject({
    sandbox: true,
    contextIsolation: true,
    nodeIntegration: false,
    webSecurity: true,
    webviewTag: false,
  });
  expect(window().options.webPreferences?.preload).toMatch(/preload\.cjs$/);
});

test('the network is the collector and nothing else', () => {
  expect(call('request', { url: 'http://127.0.0.1:4318/api/status' })).toBe(false);
  expect(call('request', { url: 'http://127.0.0.1:4319/api/status' })).toBe(true);
  expect(call('request', { url: 'https://example.org/' })).toBe(true);
  expect(call('request', { url: 'file:///etc/passwd' })).toBe(true);
});

test('a document without the strict policy is not shown', () => {
  const headers = (value?: string) => ({
    resourceType: 'mainFrame',
    responseHeaders: value ? { 'Content-Security-Policy': [value] } : {},
  });
  expect(call('headers', headers("default-src 'none'; script-src 'self'"))).toBe(false);
  expect(call('headers', headers('default-src *'))).toBe(true);
  expect(call('headers', headers())).toBe(true);
});

test('permissions, windows and navigation elsewhere are refused', () => {
  const answers: boolean[] = [];
  (shell.handlers.permission as (c: unknown, p: string, a: (ok: boolean) => void) => void)(
    {},
    'geolocation',
    ok => answers.push(ok),
  );
  expect(answers).toEqual([false]);
  expect((shell.handlers.permissionCheck as () => boolean)()).toBe(false);
  expect(window().webContents.openHandler?.({ url: 'https://example.org' })).toEqual({ action: 'deny' });
  const prevented = (name: string, url: string) => {
    let stopped = false;
    window().webContents.emit(name, { url, preventDefault: () => (stopped = true) });
    return stopped;
  };
  expect(prevented('will-navigate', 'https://example.org/')).toBe(true);
  expect(prevented('will-navigate', 'http://127.0.0.1:4318/traces')).toBe(false);
  expect(prevented('will-attach-webview', '')).toBe(true);
});

test('closing the window keeps recording, and says so once', () => {
  let stopped = 0;
  for (const _ of [1, 2]) window().emit('close', { preventDefault: () => stopped++ });
  expect(stopped).toBe(2);
  expect(window().visible).toBe(false);
  expect(shell.notifications).toHaveLength(1);
});

test('a second launch focuses the first and hands over its pack', async () => {
  shell.app.emit('second-instance', {}, ['trailmix', pack]);
  await vi.waitFor(() => expect(window().webContents.sent).toHaveLength(1));
  expect(window().visible).toBe(true);
  expect(window().webContents.sent[0]).toEqual([
    'trailmix:open-pack',
    { name: 'evidence.zip', bytes: new Uint8Array([80, 75]) },
  ]);
  expect(shell.windows).toHaveLength(1);
});

test('the keychain wraps what the collector gives it, and gives it back', async () => {
  const ask = async (op: 'encrypt' | 'decrypt', data: Uint8Array) => {
    shell.child.emit('message', { type: 'vault', id: 7, op, data });
    const answer = shell.child.got.at(-1);
    return answer?.type === 'vault-answer' && answer.data ? answer.data : new Uint8Array();
  };
  const secret = crypto.getRandomValues(new Uint8Array(32));
  const kept = await ask('encrypt', secret);
  expect(kept).not.toEqual(secret);
  expect(await ask('decrypt', kept)).toEqual(secret);
});

test('waiting approvals reach the tray, without what they are about', () => {
  shell.child.emit('message', { type: 'waiting', count: 3 });
  expect(shell.trays[0]?.tip).toBe('TrailMix: recording, 3 need approval');
});

test('a pack dialog asked for by another origin is refused', async () => {
  const choose = shell.ipc.get('trailmix:choose-pack') as unknown as (e: object) => Promise<unknown>;
  expect(await choose({ senderFrame: { url: 'https://example.org/' } })).toBeUndefined();
});

test('quitting drains the collector first, and is no failure of it', async () => {
  const quit = shell.trays[0]?.menu.at(-1);
  quit?.click?.({} as never, undefined, {} as never);
  await vi.waitFor(() => expect(shell.app.quits).toBe(1));
  expect(shell.child.got.at(-1)).toEqual({ type: 'stop' });
  expect(shell.errors).toEqual([]);
});
