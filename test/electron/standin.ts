/**
 * A stand-in for Electron's main-process API, typed against Electron's own declarations, that records what
 * the shell asks of it. Behaviour only where the shell depends on it (events, window lifetime, one port).
 */

import { EventEmitter } from 'node:events';
import type * as Electron from 'electron';
import type { ToCollector, ToShell } from '../../electron/messages.ts';

type Handler = (...args: never[]) => unknown;
type Answer = (answer: { cancel?: boolean }) => void;

class Contents extends EventEmitter {
  readonly sent: unknown[][] = [];
  openHandler: ((details: { url: string }) => { action: string }) | undefined;
  setWindowOpenHandler(handler: Contents['openHandler']) {
    this.openHandler = handler;
  }
  send(...args: unknown[]) {
    this.sent.push(args);
  }
}

/** One recorded Electron: windows, session handlers, menus, ipc and the collector's process. */
export const standIn = () => {
  const windows: Window[] = [];
  const handlers: Record<string, Handler> = {};
  const ipc = new Map<string, Handler>();
  const notifications: Electron.NotificationConstructorOptions[] = [];
  const trays: Tray[] = [];
  const errors: string[] = [];
  const app = Object.assign(new EventEmitter(), {
    sandboxed: false,
    quits: 0,
    exits: [] as number[],
    single: true,
    requestSingleInstanceLock: () => app.single,
    enableSandbox: () => {
      app.sandboxed = true;
    },
    whenReady: () => Promise.resolve(),
    getPath: (name: string) => `/home/someone/${name}`,
    quit: () => {
      app.quits++;
    },
    exit: (code: number) => app.exits.push(code),
  });

  class Window extends EventEmitter {
    readonly webContents = new Contents();
    readonly options: Electron.BrowserWindowConstructorOptions;
    loaded: string[] = [];
    visible = false;
    constructor(options: Electron.BrowserWindowConstructorOptions) {
      super();
      this.options = options;
      windows.push(this);
      app.emit('web-contents-created', {}, this.webContents);
    }
    async loadURL(url: string) {
      this.loaded.push(url);
      this.emit('ready-to-show');
    }
    show() {
      this.visible = true;
    }
    hide() {
      this.visible = false;
    }
    isMinimized() {
      return false;
    }
    restore() {}
    focused = false;
    focus() {
      this.focused = true;
    }
    isFocused() {
      return this.focused;
    }
  }

  class Tray {
    tip = '';
    menu: Electron.MenuItemConstructorOptions[] = [];
    readonly image: unknown;
    constructor(image: unknown) {
      this.image = image;
      trays.push(this);
    }
    setToolTip(text: string) {
      this.tip = text;
    }
    setContextMenu(menu: Electron.MenuItemConstructorOptions[]) {
      this.menu = menu;
    }
  }

  const child = Object.assign(new EventEmitter(), {
    got: [] as ToCollector[],
    entry: '',
    killed: false,
    postMessage: (message: ToCollector) => {
      child.got.push(message);
      if (message.type === 'start')
        child.emit('message', {
          type: 'ready',
          url: 'http://127.0.0.1:4318',
          uiUrl: 'http://127.0.0.1:4318/#token=once',
        } satisfies ToShell);
      if (message.type === 'stop') queueMicrotask(() => child.emit('exit', 0));
    },
    kill: () => {
      child.killed = true;
      return true;
    },
  });

  const electron = {
    app,
    BrowserWindow: Window,
    Menu: {
      buildFromTemplate: (template: Electron.MenuItemConstructorOptions[]) => template,
      setApplicationMenu: () => undefined,
    },
    Tray,
    Notification: class {
      static isSupported = () => true;
      constructor(options: Electron.NotificationConstructorOptions) {
        notifications.push(options);
      }
      on() {}
      show() {}
    },
    nativeImage: { createFromPath: (path: string) => ({ path }) },
    session: {
      defaultSession: {
        setPermissionRequestHandler: (handler: Handler) => {
          handlers.permission = handler;
        },
        setPermissionCheckHandler: (handler: Handler) => {
          handlers.permissionCheck = handler;
        },
        setDevicePermissionHandler: (handler: Handler) => {
          handlers.device = handler;
        },
        webRequest: {
          onBeforeRequest: (handler: (details: { url: string }, answer: Answer) => void) => {
            handlers.request = handler as Handler;
          },
          onHeadersReceived: (handler: (details: object, answer: Answer) => void) => {
            handlers.headers = handler as Handler;
          },
        },
      },
    },
    safeStorage: {
      isEncryptionAvailable: () => true,
      getSelectedStorageBackend: () => 'gnome_libsecret' as const,
      encryptString: (text: string) => Buffer.from(`kept:${text}`),
      decryptString: (data: Buffer) => data.toString().replace(/^kept:/, ''),
    },
    utilityProcess: {
      fork: (entry: string) => {
        child.entry = entry;
        queueMicrotask(() => child.emit('spawn'));
        return child;
      },
    },
    dialog: {
      showErrorBox: (title: string, text: string) => errors.push(`${title}: ${text}`),
      showOpenDialog: async () => ({ canceled: true, filePaths: [] as string[] }),
    },
    ipcMain: { handle: (name: string, handler: Handler) => ipc.set(name, handler) },
  } satisfies { [K in keyof typeof Electron]?: unknown };

  return { electron, app, windows, handlers, ipc, notifications, trays, errors, child };
};
