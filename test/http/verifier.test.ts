/** The single-file verifiers, as the app offers them: to anyone, also before a ledger is open, always to be kept. */
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { builtVerifier } from '../../resources/build/verifier.ts';
import { openApp } from '../e2e/browser.ts';

test('both are offered, byte for byte as they were built', async () => {
  const built = await builtVerifier();
  const app = await openApp({ setUp: false });
  try {
    const { origin } = new URL(app.collector.uiUrl());
    for (const [name, file, type] of [
      ['trailmix-verify.mjs', built.node, 'text/javascript; charset=utf-8'],
      ['trailmix-verify.html', built.page, 'text/html; charset=utf-8'],
    ] as const) {
      const answer = await fetch(`${origin}/api/verifier/${name}`);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toBe(type);
      expect(answer.headers.get('content-disposition')).toBe(`attachment; filename="${name}"`);
      expect(Buffer.from(await answer.arrayBuffer()).equals(await readFile(file))).toBe(true);
    }
  } finally {
    await app.close();
  }
});
