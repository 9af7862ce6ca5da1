/** core runs where there is no Node, no DOM, no clock and no randomness: a bare realm with the two text codecs. */
import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import { build, type Rollup } from 'vite';
import { beforeAll, describe, expect, test } from 'vitest';
import { hmac, sha256, vectors, verifyEd25519 } from './host.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const modules = globSync('core/**/*.ts', { cwd: root }).map(path => path.replaceAll('\\', '/'));

/** All of core in one script that defines `core`: an object of its modules by path. */
async function bundle(): Promise<string> {
  const entry = 'virtual:core';
  const lines = modules.map((path, i) => `import * as m${i} from ${JSON.stringify(`${root}${path}`)};`);
  const table = modules.map((path, i) => `${JSON.stringify(path)}: m${i}`).join(', ');
  const made = (await build({
    root,
    configFile: false,
    logLevel: 'error',
    plugins: [
      {
        name: 'core-entry',
        resolveId: id => (id.endsWith(entry) ? `\0${entry}` : undefined),
        load: id => (id === `\0${entry}` ? `${lines.join('\n')}\nexport default { ${table} };` : undefined),
      },
    ],
    build: { write: false, minify: false, target: 'es2022', lib: { entry, formats: ['iife'], name: 'core' } },
  })) as Rollup.RollupOutput[];
  return made[0]!.output[0].code;
}

/** Everything of ECMAScript but the clock and the dice, and nothing else but the codecs. */
function bareRealm(): object {
  const realm = createContext({ TextEncoder, TextDecoder });
  const missing = `() => { throw new Error('core used a clock or randomness') }`;
  runInContext(`delete globalThis.Date; Math.random = ${missing}; delete globalThis.console;`, realm);
  return realm;
}

describe('core in a bare realm', () => {
  let realm: object;
  const run = (code: string, given: Record<string, unknown> = {}) =>
    runInContext(code, Object.assign(realm, { given }));
  beforeAll(async () => {
    realm = bareRealm();
    runInContext(await bundle(), realm);
  });

  test('the realm has no host', () => {
    expect(
      run('[typeof process, typeof Buffer, typeof require, typeof crypto, typeof window, typeof Date]'),
    ).toEqual(Array(6).fill('undefined'));
  });

  test('parses, validates, canonicalises and hashes an event', () => {
    const bytes = new TextEncoder().encode(
      '{"event_id":"e","session_id":"s","ts":"2026-11-22T16:27:02Z","actor_type":"agent","app_id":"a"}',
    );
    const found = run(
      `const parsed = core['core/event/ijson.ts'].parseIJson(given.bytes);
       const checked = core['core/event/validate.ts'].validateEvent(parsed, { appId: 'a' });
       JSON.stringify({ checked, words: core['core/event/words.ts'].words('Ça va'),
         hash: core['core/proof/record.ts'].bodyHash(given.sha256, core['core/proof/jcs.ts'].jcs(checked.event)) })`,
      { bytes, sha256 },
    ) as string;
    expect(JSON.parse(found)).toMatchObject({
      checked: { ok: true, event: { event_type: 'span' } },
      words: ['ca', 'va'],
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  test('proves and checks: tree, multiproof, note, binding', async () => {
    const note = vectors<{ accept: { note: string; known: string[] }[] }>('note').accept[0]!;
    const found = await run(
      `(async () => {
        const tree = core['core/proof/tree.ts'], note = core['core/proof/note.ts'];
        const leaves = [1, 2, 3, 4, 5].map(n => tree.leafHash(given.sha256, Uint8Array.of(n)));
        const nodes = new Map(); const frontier = new tree.Frontier(given.sha256);
        for (const leaf of leaves) frontier.append(leaf, (node, hash) => nodes.set(node.level + '.' + node.index, hash));
        const proof = tree.inclusionProof(given.sha256, 4, 5, node => nodes.get(node.level + '.' + node.index));
        const claim = { leaf: leaves[4], index: 4, size: 5, root: frontier.root() };
        const opened = await note.openNote(core['core/proof/bytes.ts'].utf8(given.note.note),
          given.note.known.map(vkey => note.parseVkey(given.sha256, vkey)), given.verify);
        return [tree.verifyInclusion(given.sha256, claim, proof), opened.signers.length,
          core['core/proof/binding.ts'].argsDigest(given.hmac, new Uint8Array(32), {}).length];
      })()`,
      { sha256, hmac, verify: verifyEd25519, note },
    );
    expect(Array.from(found as unknown[])).toEqual([true, 1, 64]);
  });
});
