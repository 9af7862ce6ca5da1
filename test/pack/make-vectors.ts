/**
 * Writes test/vectors/packs: good packs, packs that someone changed, hostile zips, and packs.json with what a verifier must say.
 * Keys and times are fixed, so that the same code writes the same bytes: `node test/pack/make-vectors.ts`. Packs in their
 * container that are stamped or signed under authorities are made by make-sealed-vectors.ts, which needs openssl.
 */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TrailmixError } from '../../core/api/errors.ts';
import { parseManifest } from '../../core/pack/manifest.ts';
import type { Trust } from '../../core/pack/verify.ts';
import { utf8 } from '../../core/proof/bytes.ts';
import type { JsonObject } from '../../core/proof/jcs.ts';
import { changes, histories } from './changes.ts';
import { begin, forgeries, rootOf } from './forgeries.ts';
import { hostileZips } from './hostile_zips.ts';
import { MemoryLedger, seedKeys } from './memory-ledger.ts';
import {
  busyLedger,
  check,
  codesOf,
  makePack,
  NOW,
  type Parts,
  partsOf,
  reseal,
  seededSigner,
  signPacksAs,
  sinceOf,
  trustOf,
  zipOf,
} from './packs.ts';
import { duplicatedRoot, signedUnderOtherPrefix, stranger } from './rewritten.ts';
import { signedCall } from './signed_call.ts';
import { witnessedAndHidden } from './witnessed.ts';

const folder = join(import.meta.dirname, '../vectors/packs');
await mkdir(folder, { recursive: true });
for (const file of await readdir(folder)) await rm(join(folder, file));
seedKeys('trailmix published packs');
signPacksAs(seededSigner('trailmix published packs'));

const cases: object[] = [];
const names = new Set<string>();
type Given = { trust?: Trust; since?: string; sincePack?: Uint8Array };

/** Writes a pack with what the verifier says of it today. `code` must be among it. */
async function write(
  name: string,
  about: string,
  code: string | null,
  pack: Uint8Array,
  given: Given,
): Promise<void> {
  if (names.has(name)) throw new Error(`${name} stands twice`);
  names.add(name);
  const file = `${name}.zip`;
  await writeFile(join(folder, file), pack);
  const { trust, since, sincePack } = given;
  const more = { ...(trust === undefined ? {} : { trust }), ...(since === undefined ? {} : { since }) };
  try {
    const older = sincePack === undefined ? {} : await sinceOf(sincePack);
    const report = await check(pack, trust, older, NOW);
    const codes = codesOf(report);
    if (code !== null && !codes.includes(code)) throw new Error(`${name}: ${code} is not among ${codes}`);
    const verdicts = Object.fromEntries(
      Object.entries(report.verdicts).map(([verdict, { result }]) => [verdict, result]),
    );
    cases.push({ file, about, code, now: NOW, verdicts, codes, ...more });
  } catch (error) {
    if (!(error instanceof TrailmixError)) throw error;
    if (code !== error.where) throw new Error(`${name}: refused for ${error.where}, not ${code}`);
    cases.push({ file, about, code, now: NOW, refused: error.code, ...more });
  }
}

const ledger = busyLedger();
const trust = trustOf(ledger);
const good = await makePack(ledger);
const original = await partsOf(good);
const copy = (): Parts => new Map([...original].map(([path, content]) => [path, Buffer.from(content)]));
await write('good', 'untouched', null, good, { trust });
await write('good_without_trust', 'untouched, nothing given apart from it', 'keys_untrusted', good, {});

// Records changed, and everything around them made right again by who holds the signing key of packs.
const chosen = new Map<string, number>();
for (const [about, code, change, manifest] of changes) {
  const n = (chosen.get(code) ?? 0) + 1;
  chosen.set(code, n);
  const parts = copy();
  change(parts);
  reseal(parts, manifest === undefined ? undefined : m => manifest(m as unknown as JsonObject));
  await write(`changed_${code}${n > 1 ? `_${n}` : ''}`, about, code, await zipOf(parts), { trust });
}

// Every file altered, and every file dropped, by somebody who holds no key.
const slug = (path: string): string =>
  path
    .replaceAll(/[0-9a-f]{64}/g, 'hash')
    .replaceAll(/[^A-Za-z0-9]+/g, '_')
    .toLowerCase();
const touched = new Set<string>();
for (const [path, content] of original) {
  const name = slug(path);
  if (touched.has(name)) continue;
  touched.add(name);
  const sealed = { mimetype: 'mimetype_wrong', 'checksums.txt': 'cms_invalid' }[path];
  const ofMeta = {
    p7s: path.includes('checksums') ? 'cms_invalid' : 'asic_signature_wrong',
    xml: 'asic_manifest_wrong',
  };
  const meta = path.startsWith('META-INF/')
    ? ofMeta[path.slice(path.lastIndexOf('.') + 1) as 'p7s']
    : undefined;
  if (content.length > 0) {
    const parts = copy();
    parts.get(path)![content.length >> 1]! ^= 1;
    await write(
      `altered_${name}`,
      `one bit of ${path.slice(0, 40)} is another`,
      sealed ?? meta ?? 'file_hash_wrong',
      await zipOf(parts),
      { trust },
    );
  }
  const parts = copy();
  parts.delete(path);
  const missing: Record<string, string> = {
    'manifest.json': 'manifest.json',
    'checksums.txt': 'checksums.txt',
    'META-INF/checksums.p7s': 'cms_missing',
  };
  const partOfContainer = path === 'mimetype' || /^META-INF\/(?:ASiC|signature)/.test(path);
  await write(
    `dropped_${name}`,
    `without ${path.slice(0, 40)}`,
    missing[path] ?? (partOfContainer ? 'container_incomplete' : 'file_missing'),
    await zipOf(parts),
    { trust },
  );
}
await write(
  'added',
  'a file that nothing names',
  'file_unlisted',
  await zipOf(copy().set('note.txt', utf8('trust me'))),
  { trust },
);
await write(
  'added_meta',
  'a file in META-INF that nothing names',
  'file_unlisted',
  await zipOf(copy().set('META-INF/extra.p7s', utf8('x'))),
  { trust },
);

for (const [name, about, fault, make] of hostileZips) {
  await write(
    `zip_${name}`,
    about,
    fault === 'file_damaged' ? fault : `zip:${fault}`,
    await make(Buffer.from(good), copy()),
    { trust },
  );
}

// Whoever makes everything anew has everything but the keys that are trusted.
const forged = busyLedger();
await write(
  'keys_of_a_stranger',
  'a whole pack made anew with other keys',
  'checkpoint_key_wrong',
  await makePack(forged),
  { trust },
);
await write(
  'lookalike_certificate',
  'signed by a self-made certificate of the trusted name',
  'cms_signer_wrong',
  await zipOf(reseal(copy(), undefined, stranger())),
  { trust },
);
await write(
  'odd_node_duplicated',
  'a checkpoint over a tree whose odd nodes are duplicated',
  'root_wrong',
  await zipOf(await duplicatedRoot(copy(), ledger)),
  { trust },
);
for (const [name, about, code, make] of signedUnderOtherPrefix) {
  const own = new MemoryLedger();
  own.append({ body: { name: 'first' } });
  make(own);
  await write(name, about, code, await makePack(own), { trust: trustOf(own) });
}
const parts = copy();
const [header, line, ...more] = Buffer.from(parts.get('proofs/multiproof.jsonl')!).toString().split('\n');
const [level, index, hash] = JSON.parse(line!) as [number, number, string];
parts.set('proofs/multiproof.jsonl', utf8([header, `[${level},${index + 1},"${hash}"]`, ...more].join('\n')));
await write(
  'proof_of_another_index',
  'a proof line says another index',
  'proof_wrong',
  await zipOf(reseal(parts)),
  { trust },
);

// History: what an older pack holds against a newer one.
const window = { app_id: 'bot', time_from: '2026-10-01T00:00:00Z', time_to: '2026-12-31T23:59:59Z' };
const grown = new MemoryLedger();
for (let n = 0; n < 3; n++) grown.append({ body: { name: `march ${n}` } });
const march = await makePack(grown, window);
const size = parseManifest((await partsOf(march)).get('manifest.json')!).checkpoint.size;
for (let n = 0; n < 3; n++) grown.append({ body: { name: `june ${n}` } });
const june = await makePack(grown, window);
const since = { trust: trustOf(grown), since: 'march.zip', sincePack: march };
await write('march', 'an older pack', null, march, { trust: trustOf(grown) });
await write('june', 'a newer pack that continues it', null, june, since);
await write(
  'tail_cut_by_older_checkpoint',
  'the newer records left out, under an older checkpoint that is genuine',
  'after_not_shown',
  await makePack(grown, window, { at: size }),
  { trust: trustOf(grown) },
);
const fork = new MemoryLedger(grown);
for (let n = 0; n < 3; n++) fork.append({ body: { name: n === 1 ? 'march, told otherwise' : `march ${n}` } });
await makePack(fork, window);
for (let n = 0; n < 3; n++) fork.append({ body: { name: `june ${n}` } });
await write(
  'forked_history',
  'other records before the checkpoint of the older pack',
  'since_inconsistent',
  await makePack(fork, window),
  since,
);
const unlinked = new MemoryLedger(grown);
for (let n = 0; n < 8; n++) unlinked.append({ body: { name: `other ${n}` } });
await write(
  'since_missing',
  'no proof that leads from the older pack',
  'since_missing',
  await makePack(unlinked, window),
  since,
);
await write('older_than_since', 'it covers fewer records than the older pack', 'since_inconsistent', march, {
  ...since,
  since: 'june.zip',
  sincePack: june,
});

for (const [i, [about, code, make]] of histories.entries()) {
  const own = new MemoryLedger();
  own.append({ body: { name: 'first' } });
  make(own);
  await write(`history_${i + 1}_${code}`, about, code, await makePack(own), { trust: trustOf(own) });
}

// Who approved.
const held = begin();
signedCall(held.ledger, held.policy, [{ by: held.people.anna, role: 'treasurer' }, { by: held.people.ben }]);
const heldPack = await makePack(held.ledger);
const heldTrust = { ...trustOf(held.ledger), peopleRoot: rootOf(held.people.admin) };
await write('people_good', 'two people who were enrolled signed after reading', null, heldPack, {
  trust: heldTrust,
});
await write(
  'people_without_root',
  'the same, and nobody said who the first person is',
  'people_untrusted',
  heldPack,
  { trust: trustOf(held.ledger) },
);
await write(
  'people_other_root',
  'the same, and another first person is trusted',
  'people_root_wrong',
  heldPack,
  {
    trust: { ...trustOf(held.ledger), peopleRoot: rootOf(held.people.anna) },
  },
);
const doctored = await partsOf(heldPack);
doctored.set(
  'approvals.jsonl',
  utf8(Buffer.from(doctored.get('approvals.jsonl')!).toString().replaceAll('"anna"', '"carl"')),
);
await write(
  'people_doctored_line',
  'approvals.jsonl names another person',
  'derived_wrong',
  await zipOf(reseal(doctored)),
  { trust: heldTrust },
);
const odd = begin();
signedCall(odd.ledger, odd.policy, [{ by: odd.people.anna }, { by: odd.people.ben }], {
  outcome: { outcome: ['ok'] },
});
await write('people_outcome_list', 'an outcome that is a list', null, await makePack(odd.ledger), {
  trust: { ...trustOf(odd.ledger), peopleRoot: rootOf(odd.people.admin) },
});
for (const [i, [about, code, forge]] of forgeries.entries()) {
  const at = begin();
  forge(at);
  await write(`people_${i + 1}_${code}`, about, code, await makePack(at.ledger), {
    trust: { ...trustOf(at.ledger), peopleRoot: rootOf(at.people.admin) },
  });
}

// Keys of their own: what is added here changes no other pack.
seedKeys('trailmix published packs, witnesses');
for await (const one of witnessedAndHidden())
  await write(one.name, one.about, one.code, one.pack, { trust: one.trust });

await writeFile(join(folder, 'packs.json'), `${JSON.stringify({ cases }, null, 1)}\n`);
console.log(`${cases.length} packs in ${folder}`);
