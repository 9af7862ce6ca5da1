/** The native menus: standard roles, and the tray's two verbs. */
import type { MenuItemConstructorOptions } from 'electron';

export const appMenu = (): MenuItemConstructorOptions[] => [
  ...(process.platform === 'darwin' ? [{ role: 'appMenu' } as const] : []),
  { role: 'fileMenu' },
  { role: 'editMenu' },
  {
    label: 'View',
    submenu: [
      { role: 'resetZoom' },
      { role: 'zoomIn' },
      { role: 'zoomOut' },
      { type: 'separator' },
      { role: 'togglefullscreen' },
    ],
  },
  { role: 'windowMenu' },
];

type Tray = { waiting: number; show: () => void; quit: () => void };

export const trayMenu = ({ waiting, show, quit }: Tray): MenuItemConstructorOptions[] => [
  { label: waiting > 0 ? `Recording · ${waiting} need approval` : 'Recording', enabled: false },
  { label: 'Open Audit TrailMix', click: show },
  { type: 'separator' },
  { label: 'Quit and stop recording', click: quit },
];
