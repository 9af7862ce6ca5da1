/**
 * The page: Vite's output with a strict Content-Security-Policy. Rules: a nonce per request takes the place of the
 * literal __CSP_NONCE__ in index.html; hashed assets may be cached for ever, index.html never; any other GET that a
 * browser makes to show a page gets index.html, because the page's own addresses are the URL.
 */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { TrailmixError } from '../../core/api/errors.ts';
import { safetyHeaders } from './answer.ts';

export const contentSecurityPolicy = (nonce: string): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "style-src-attr 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "worker-src 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');

const NOT_BUILT = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Audit TrailMix</title>
<h1>The page is not built</h1><p>The collector runs and records. Build the page with <code>npm run prepare</code>, then reload.</p></html>`;

/** Vite's hashed names, e.g. /assets/index-DxY3kPq1.js */
const HASHED = /^\/assets\/[A-Za-z0-9._-]+-[A-Za-z0-9_-]{8,}\.[a-z0-9]+$/;
const FILE = /^(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$/;

/** Whether a browser asks for something to show as a page. */
export const isNavigation = (request: FastifyRequest): boolean =>
  request.method === 'GET' &&
  (request.headers['sec-fetch-mode'] === 'navigate' ||
    (request.headers['sec-fetch-mode'] === undefined &&
      (request.headers.accept ?? '').includes('text/html')));

async function sendIndex(reply: FastifyReply, folder: string): Promise<FastifyReply> {
  const nonce = randomBytes(18).toString('base64url');
  let text: string;
  let status = 200;
  try {
    text = (await readFile(join(folder, 'index.html'), 'utf8')).replaceAll('__CSP_NONCE__', nonce);
  } catch {
    text = NOT_BUILT;
    status = 503;
  }
  return reply
    .code(status)
    .headers(safetyHeaders)
    .header('content-security-policy', contentSecurityPolicy(nonce))
    .header('cache-control', 'no-store')
    .header('content-type', 'text/html; charset=utf-8')
    .send(text);
}

/** Serves a file of the page, or the page itself. Throws not_found. */
export async function sendPage(
  request: FastifyRequest,
  reply: FastifyReply,
  folder: string,
): Promise<FastifyReply> {
  const path = (request.raw.url ?? '/').split('?', 1)[0]!;
  if (path === '/' || path === '/index.html') return sendIndex(reply, folder);
  const file = path.slice(1);
  const named = FILE.test(path) && /\.[a-z0-9]+$/.test(file);
  if (named) {
    const hashed = HASHED.test(path);
    // `send` sets the type, ETag and range answers; dot files and anything outside the folder are not found.
    reply
      .headers(safetyHeaders)
      .header('content-security-policy', "default-src 'none'; frame-ancestors 'none'");
    return reply.sendFile(file, folder, {
      cacheControl: true,
      immutable: hashed,
      maxAge: hashed ? 365 * 24 * 3_600_000 : 0,
      dotfiles: 'ignore',
    });
  }
  if (isNavigation(request)) return sendIndex(reply, folder);
  throw new TrailmixError('not_found', { where: path.slice(0, 200) });
}
