/**
 * What a window may do: the collector's origin and nothing else. Navigation, new windows, permissions,
 * webviews, downloads from elsewhere and any other network request are refused; a document without the
 * collector's strict CSP is not shown.
 */
import type { Session, WebContents } from 'electron';

const sameOrigin = (url: string, origin: string) => URL.canParse(url) && new URL(url).origin === origin;

/** Refuses every request that does not go to the collector, and documents without a CSP. */
export const guardSession = (session: Session, origin: () => string): void => {
  session.setPermissionRequestHandler((_contents, _permission, answer) => answer(false));
  session.setPermissionCheckHandler(() => false);
  session.setDevicePermissionHandler(() => false);
  session.webRequest.onBeforeRequest((details, answer) => {
    const own = sameOrigin(details.url, origin()) || details.url.startsWith('devtools:');
    answer({ cancel: !own });
  });
  session.webRequest.onHeadersReceived((details, answer) => {
    const policy = Object.entries(details.responseHeaders ?? {}).find(
      ([name]) => name.toLowerCase() === 'content-security-policy',
    )?.[1]?.[0];
    const isDocument = details.resourceType === 'mainFrame' || details.resourceType === 'subFrame';
    answer({ cancel: isDocument && !policy?.includes("default-src 'none'") });
  });
};

/** Keeps one page on the collector's origin; links to elsewhere are not followed. */
export const guardContents = (contents: WebContents, origin: () => string): void => {
  const stay = (event: { preventDefault(): void }, url: string) => {
    if (!sameOrigin(url, origin())) event.preventDefault();
  };
  contents.on('will-navigate', event => stay(event, event.url));
  contents.on('will-redirect', event => stay(event, event.url));
  contents.on('will-frame-navigate', event => stay(event, event.url));
  contents.on('will-attach-webview', event => event.preventDefault());
  contents.setWindowOpenHandler(() => ({ action: 'deny' }));
};

export const webPreferences = (preload: string) => ({
  preload,
  sandbox: true,
  contextIsolation: true,
  nodeIntegration: false,
  nodeIntegrationInWorker: false,
  nodeIntegrationInSubFrames: false,
  webSecurity: true,
  allowRunningInsecureContent: false,
  webviewTag: false,
  navigateOnDragDrop: false,
  spellcheck: false,
});
