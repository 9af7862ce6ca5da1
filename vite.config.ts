/**
 * The page: renderer/ built to resources/generated/ui, served by the collector under a strict CSP.
 * Rules: nothing inline (scripts, fonts, images), so that script-src and font-src stay 'self'; the server puts a
 * fresh nonce where index.html says __CSP_NONCE__.
 */
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const collector = process.env.TRAILMIX_ENDPOINT ?? 'http://127.0.0.1:4318';

export default defineConfig({
  root: 'renderer',
  plugins: [react()],
  html: { cspNonce: '__CSP_NONCE__' },
  build: {
    outDir: '../resources/generated/ui',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // Monaco is one lazy chunk of 3.5 MB, loaded with the first editor alone.
    chunkSizeWarningLimit: 4_500,
    target: 'es2023',
  },
  worker: { format: 'es' },
  server: { proxy: { '/api': { target: collector, changeOrigin: true } } },
});
