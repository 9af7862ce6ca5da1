/**
 * The desktop shell: one window on the collector's page, a tray that says recording goes on, one instance.
 * Thin on purpose: everything but native chrome lives in the collector and the page, and works in a browser.
 */

import { join } from 'node:path';
import { app, BrowserWindow, dialog, Menu, Notification, nativeImage, session, Tray } from 'electron';
import { startCollectorHost } from './collector-host.ts';
import { guardContents, guardSession, webPreferences } from './guard.ts';
import { appMenu, trayMenu } from './menu.ts';
import { waitingNotices } from './notice.ts';
import { packIn, sendPack, servePackDialog } from './packs.ts';

const here = import.meta.dirname;
const resources = join(here, '../resources');

const run = async (): Promise<void> => {
  if (!app.requestSingleInstanceLock()) return app.quit();
  app.enableSandbox();
  let window: BrowserWindow | undefined;
  let origin = 'null';
  let quitting = false;
  let saidTray = false;
  let opened = packIn(process.argv);
  app.on('open-file', (event, path) => {
    event.preventDefault();
    if (window) void sendPack(window, path);
    else opened = path;
  });
  app.on('web-contents-created', (_event, contents) => guardContents(contents, () => origin));

  await app.whenReady();
  guardSession(session.defaultSession, () => origin);
  const host = startCollectorHost({
    entry: join(here, 'collector-process.js'),
    folder: process.env.TRAILMIX_DATA ?? join(app.getPath('userData'), 'data'),
    port: 4318,
    uiDir: join(resources, 'generated/ui'),
  });

  const show = async (uiUrl?: string): Promise<void> => {
    if (window) {
      if (window.isMinimized()) window.restore();
      window.show();
      return window.focus();
    }
    const created = new BrowserWindow({
      width: 1440,
      height: 900,
      minWidth: 960,
      minHeight: 600,
      show: false,
      title: 'Audit TrailMix',
      webPreferences: webPreferences(join(here, 'preload.cjs')),
    });
    window = created;
    created.once('ready-to-show', () => created.show());
    created.on('close', event => {
      if (quitting) return;
      event.preventDefault();
      created.hide();
      if (!saidTray && Notification.isSupported())
        new Notification({
          title: 'Audit TrailMix is still recording',
          body: 'Open or quit it from the tray.',
        }).show();
      saidTray = true;
    });
    created.on('closed', () => {
      window = undefined;
    });
    await created.loadURL(uiUrl ?? (await host.newUiUrl()));
    if (opened) await sendPack(created, opened);
    opened = undefined;
  };
  const quit = async (): Promise<void> => {
    if (quitting) return;
    quitting = true;
    await host.stop();
    app.quit();
  };

  servePackDialog(
    () => window,
    () => origin,
  );
  app.on('second-instance', (_event, args) => {
    const pack = packIn(args);
    void show().then(() => (pack && window ? sendPack(window, pack) : undefined));
  });
  app.on('activate', () => void show());
  app.on('window-all-closed', () => undefined);
  app.on('before-quit', event => {
    if (quitting) return;
    event.preventDefault();
    void quit();
  });
  Menu.setApplicationMenu(Menu.buildFromTemplate(appMenu()));
  const tray = new Tray(nativeImage.createFromPath(join(resources, 'icons/tray.png')));
  const label = (waiting: number) => {
    tray.setToolTip(waiting > 0 ? `TrailMix: recording, ${waiting} need approval` : 'TrailMix: recording');
    tray.setContextMenu(
      Menu.buildFromTemplate(trayMenu({ waiting, show: () => void show(), quit: () => void quit() })),
    );
  };
  label(0);
  const noticeOf = waitingNotices();
  host.onWaiting(waiting => {
    label(waiting);
    const notice = noticeOf(waiting, window?.isFocused() === true, Date.now());
    if (notice === undefined || !Notification.isSupported()) return;
    const shown = new Notification(notice);
    shown.on('click', () => void show());
    shown.show();
  });

  try {
    const { url, uiUrl } = await host.ready;
    origin = new URL(url).origin;
    host.onExit(code => {
      if (!quitting)
        dialog.showErrorBox(
          'Recording has stopped',
          `The collector ended by itself (code ${code}). Start the app again.`,
        );
      void quit();
    });
    await show(uiUrl);
  } catch (error) {
    dialog.showErrorBox(
      'Audit TrailMix could not start',
      error instanceof Error ? error.message : String(error),
    );
    quitting = true;
    app.exit(1);
  }
};

void run();
