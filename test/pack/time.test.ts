/** Time-stamps by a real authority (openssl ts): good ones, and every kind that is not, in a pack and at import. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { requestFor, stampPack } from '../../collector/evidence/stamping.ts';
import { makeRequest } from '../../collector/evidence/timestamp.ts';
import type { Trust } from '../../core/pack/verify.ts';
import { Authority, TSA } from './authority.ts';
import { busyLedger, check, codesOf, makePack, NOW, partsOf, trustOf, zipOf } from './packs.ts';

const root = mkdtempSync(join(tmpdir(), 'time-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const authority = new Authority(mkdtempSync(join(root, 'ca-')), 'Good');
authority.issue('tsa', 'rsa', TSA);
authority.issue('tsa-ec', 'P-256', TSA);
authority.issue('tsa-old', 'P-256', TSA, { dates: { from: '20200101000000Z', to: '20210101000000Z' } });
authority.issue('no-tsa', 'P-256', 'keyUsage=critical,digitalSignature\nextendedKeyUsage=timeStamping');
authority.issue('tsa-more', 'P-256', 'extendedKeyUsage=critical,timeStamping,emailProtection');
const stranger = new Authority(mkdtempSync(join(root, 'stranger-')), 'Good');
stranger.issue('tsa', 'P-256', TSA);

const ledger = busyLedger();
const pack = await makePack(ledger, undefined, { signedAt: new Date() });
const trust: Trust = { ...trustOf(ledger), tsaRoots: authority.root };
const original = await partsOf(pack);
const digestOf = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();
const request = makeRequest(digestOf(original.get('checksums.txt')!));
const TSR = 'META-INF/checksums.tsr';

let n = 0;
/** The pack in a file of its own. */
function fresh(): string {
  const path = join(mkdtempSync(join(root, 'pack-')), `${n++}.zip`);
  writeFileSync(path, pack);
  return path;
}
const withReply = (reply: Uint8Array) => zipOf(new Map([...original, [TSR, reply]]));

describe('a stamped pack', () => {
  test.each(['tsa', 'tsa-ec'])('by %s: time passes, what was signed is as it was', async name => {
    const path = fresh();
    const asked = await requestFor(path, 'pack');
    const stamp = await stampPack(path, { reply: authority.stamp(name, asked), request: asked });
    expect(stamp).toMatchObject({ over: 'pack', policy: '1.2.3.4.1', accuracy: 1000 });
    expect(readdirSync(join(path, '..'))).toHaveLength(1);
    const bytes = readFileSync(path);
    const report = await check(bytes, trust, {}, NOW);
    expect(report.verdicts.time).toEqual({ result: 'pass', findings: [] });
    expect(report.verdicts.integrity).toEqual({ result: 'pass', findings: [] });
    expect(report.stamps).toMatchObject([
      {
        over: 'pack',
        policy: '1.2.3.4.1',
        accuracy_ms: 1000,
        trusted: true,
        authority: `O=Good, CN=${name}`,
      },
    ]);
    const parts = await partsOf(bytes);
    for (const [file, content] of original) expect(Buffer.compare(content, parts.get(file)!), file).toBe(0);
    expect([...parts.keys()].slice(-2)).toEqual([TSR, 'META-INF/tsa-chain.pem']);
    expect([...parts.keys()][0]).toBe('mimetype');
  });

  test('the signature too, and again: a later stamp takes the place of the earlier', async () => {
    const path = fresh();
    for (const what of ['signature', 'pack', 'signature', 'pack'] as const) {
      const asked = await requestFor(path, what);
      expect((await stampPack(path, { reply: authority.stamp('tsa', asked), request: asked })).over).toBe(
        what,
      );
    }
    const report = await check(readFileSync(path), trust);
    expect(report.verdicts.time).toEqual({ result: 'pass', findings: [] });
    expect(report.stamps.map(({ over }) => over)).toEqual(['pack', 'signature']);
    expect((await partsOf(readFileSync(path))).size).toBe(original.size + 2);
  });

  test('a certificate that expired since still holds', async () => {
    const path = fresh();
    const asked = await requestFor(path, 'pack');
    await stampPack(path, { reply: authority.stamp('tsa', asked), request: asked });
    const later = Date.UTC(2100, 0, 1);
    expect(codesOf(await check(pack, trust, {}, later))).toContain('certificate_expired');
    expect(codesOf(await check(readFileSync(path), trust, {}, later))).not.toContain('certificate_expired');
  });

  test('without the root of its authority time is not shown', async () => {
    const report = await check(await withReply(authority.stamp('tsa', request)), trustOf(ledger));
    expect(report.verdicts.time.result).toBe('not_shown');
    expect(codesOf(report)).toContain('timestamp_untrusted');
  });
});

const good = authority.stamp('tsa', request);
const cases: [string, string, Uint8Array][] = [
  [
    'over another file',
    'timestamp_wrong',
    authority.stamp('tsa', makeRequest(digestOf(Buffer.from('another')))),
  ],
  ['by a certificate that had expired', 'timestamp_expired', authority.stamp('tsa-old', request)],
  ['by one whose purpose is not critical', 'timestamp_purpose_wrong', authority.restamp(good, 'no-tsa')],
  ['by one with a second purpose', 'timestamp_purpose_wrong', authority.restamp(good, 'tsa-more')],
  ['that is none', 'timestamp_form', Buffer.from('MIIB')],
  ['that was refused', 'timestamp_form', Buffer.from('3009300702010203020520', 'hex')],
  ['whose signature is changed', 'timestamp_signature_wrong', flipped(good)],
];

/** The last byte of a reply is of its signature. */
function flipped(reply: Uint8Array): Uint8Array {
  const changed = Uint8Array.from(reply);
  changed[changed.length - 1]! ^= 1;
  return changed;
}

describe('a reply', () => {
  test.each(cases)('%s: %s, and no import', async (_about, code, reply) => {
    const report = await check(await withReply(reply), trust);
    expect(codesOf(report)).toContain(code);
    expect(report.verdicts.time.result).toBe('fail');
    const path = fresh();
    await expect(stampPack(path, { reply, request })).rejects.toMatchObject({ code: 'timestamp_invalid' });
    expect(readFileSync(path).equals(pack)).toBe(true);
    expect(readdirSync(join(path, '..'))).toHaveLength(1);
  });

  test('by an authority that only bears the trusted name', async () => {
    const reply = stranger.stamp('tsa', request);
    const report = await check(await withReply(reply), trust);
    expect(report.verdicts.time.result).toBe('not_shown');
    expect(codesOf(report)).toContain('timestamp_untrusted');
    await expect(stampPack(fresh(), { reply, request, roots: authority.root })).rejects.toThrow(
      /not trusted/,
    );
  });

  test('to another request, or an old one', async () => {
    const again = makeRequest(digestOf(original.get('checksums.txt')!));
    await expect(stampPack(fresh(), { reply: good, request: again })).rejects.toThrow(/nonce/);
  });

  test('over another pack', async () => {
    const asked = makeRequest(digestOf(Buffer.from('another')));
    const reply = authority.stamp('tsa', asked);
    await expect(stampPack(fresh(), { reply, request: asked })).rejects.toThrow(/over another pack/);
  });
});
