/** Checkpoints that are dated: by file, over the network (a real authority behind a real port), by schedule; and in packs. */
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openEvidence } from '../../collector/evidence/desk.ts';
import { parseTrust } from '../../core/pack/trust.ts';
import type { Trust } from '../../core/pack/verify.ts';
import { utf8 } from '../../core/proof/bytes.ts';
import { type RealLedger, realLedger } from '../keys/real_ledger.ts';
import { append, event } from '../ledger/ledger.fixture.ts';
import { Authority, TSA } from './authority.ts';
import { sha256 } from './memory-ledger.ts';
import { check, codesOf, partsOf, reseal, zipOf } from './packs.ts';

let root: string;
let real: RealLedger;
let authority: Authority;
let server: Server;
let url: string;
/** What the authority answers with; `asked` counts. */
let answer: (request: Buffer) => { status: number; body: Uint8Array };
let asked = 0;

const request = {
  app_id: 'support-bot',
  time_from: '2026-01-01T00:00:00Z',
  time_to: '2099-01-01T00:00:00Z',
};
const signal = new AbortController().signal;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'anchors-'));
  real = await realLedger();
  authority = new Authority(mkdtempSync(join(root, 'ca-')), 'Good');
  authority.issue('tsa', 'P-256', TSA);
  answer = bytes => ({ status: 200, body: authority.stamp('tsa', bytes) });
  server = createServer(async (incoming, outgoing) => {
    asked++;
    const parts: Buffer[] = [];
    for await (const part of incoming) parts.push(part as Buffer);
    const { status, body } = answer(Buffer.concat(parts));
    outgoing.writeHead(status, { 'content-type': 'application/timestamp-reply' }).end(body);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/tsr`;
}, 240_000);
afterAll(async () => {
  server?.close();
  await real?.close();
  rmSync(root, { recursive: true, force: true });
});

test('by file, over the network and by schedule; later packs carry the stamps and verify', async () => {
  const { ledger, vault, clock } = real;
  const errors: unknown[] = [];
  const desk = openEvidence({ ledger, vault, clock, onError: error => void errors.push(error) });
  const { anchors } = desk;
  await append(ledger, [event(), event()]);

  // Off until an authority is named.
  expect(await anchors.authorities()).toEqual({ urls: [], every_hours: 24, roots: '', asked: [] });
  await anchors.tick();
  await expect(anchors.now('test')).rejects.toMatchObject({ code: 'timestamp_unavailable' });
  expect(asked).toBe(0);

  // By file.
  const first = await anchors.request();
  const reply = authority.stamp('tsa', first.request);
  const again = await anchors.request();
  await expect(anchors.import(again.request, reply, 'test')).rejects.toThrow(/nonce/);
  const stamp = await anchors.import(first.request, reply, 'test');
  expect(stamp).toMatchObject({ size: first.size, policy: '1.2.3.4.1', authority: 'O=Good, CN=tsa' });
  const [record] = await ledger.read.records(stamp.seq, stamp.seq, 1);
  expect(record).toMatchObject({ event_type: 'timestamp.anchored', app_id: '_ledger', by: 'test' });

  // Over the network: the first two fail, the third answers; a bad address is refused.
  await expect(anchors.change({ urls: ['file:///etc/passwd'] }, 'test')).rejects.toMatchObject({
    code: 'input_invalid',
  });
  await expect(anchors.change({ roots: 'none' }, 'test')).rejects.toMatchObject({ code: 'input_invalid' });
  await anchors.change(
    { urls: ['http://127.0.0.1:9/', `${url}?down`, url], every_hours: 1, roots: authority.root },
    'test',
  );
  const good = answer;
  let n = 0;
  answer = bytes => (n++ === 0 ? { status: 500, body: Buffer.from('down') } : good(bytes));
  await append(ledger, [event()]);
  const online = await anchors.now('test');
  expect(online.size).toBeGreaterThan(first.size);
  expect(asked).toBe(2);

  // Larger than a reply can be, and by a stranger.
  answer = () => ({ status: 200, body: new Uint8Array(1 << 20) });
  await expect(anchors.now('test')).rejects.toThrow(/larger than/);
  const stranger = new Authority(mkdtempSync(join(root, 'stranger-')), 'Good');
  stranger.issue('tsa', 'P-256', TSA);
  answer = bytes => ({ status: 200, body: stranger.stamp('tsa', bytes) });
  await expect(anchors.now('test')).rejects.toThrow(/not trusted/);
  answer = good;

  // By schedule: not yet, then after an hour, then not again while nothing came.
  const before = asked;
  await append(ledger, [event()]);
  await anchors.tick();
  expect(asked).toBe(before);
  real.skew.ms += 2 * 3_600_000;
  await anchors.tick();
  expect(asked).toBeGreaterThan(before);
  expect(errors).toEqual([]);
  const last = (await anchors.authorities()).last!;
  expect(last.size).toBeGreaterThan(online.size);

  // A pack made now carries all three, and proves that it continues them.
  const out = join(root, 'pack.zip');
  await desk.run(request, out, 'test', signal, () => {});
  const files = await desk.trust();
  const trust: Trust = {
    vkeys: parseTrust(sha256, utf8(files['trust.json']!)).vkeys,
    certificates: files['org.pem']!,
    tsaRoots: files['tsa-root.pem']!,
  };
  expect(trust.tsaRoots).toBe(authority.root);
  const bytes = await readFile(out);
  const report = await check(bytes, trust, {}, clock.now());
  expect(report.stamps.map(({ over, size, trusted }) => ({ over, size, trusted }))).toEqual(
    [first.size, online.size, last.size].map(size => ({ over: 'checkpoint', size, trusted: true })),
  );
  expect(report.verdicts.integrity).toEqual({ result: 'pass', findings: [] });
  // Nothing is over the pack, but its records lie below the last anchor: that dates them.
  expect(report.verdicts.time.result).toBe('pass');
  expect(codesOf(report)).toContain('time_by_anchors');
  const [scope] = report.queries;
  const within = report.dated.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  expect(within).toBeGreaterThanOrEqual(scope!.count);
  for (const [i, range] of report.dated.entries()) {
    const after = report.stamps.filter(({ size }) => size! > range.last);
    expect(range.by).toBe(after[0]!.time);
    expect(range.not_in?.size).toBe(report.stamps.findLast(({ size }) => size! <= range.first)?.size);
    if (i > 0) expect(range.first).toBe(report.dated[i - 1]!.last + 1);
  }
  // One trusted by nobody dates nothing.
  const { tsaRoots: _roots, ...without } = trust;
  const untrusted = await check(bytes, without, {}, clock.now());
  expect(codesOf(untrusted)).toEqual(expect.arrayContaining(['time_not_shown', 'timestamp_untrusted']));
  expect(untrusted.dated).toEqual([]);

  // An anchor of another history, without its proof, or whose stamp is of another checkpoint.
  const parts = await partsOf(bytes);
  const size = JSON.parse(Buffer.from(parts.get('manifest.json')!).toString()).checkpoint.size as number;
  const signer = await vault.packSigner();
  const changed = async (change: (all: typeof parts) => void): Promise<string[]> => {
    const all = new Map(parts);
    change(all);
    reseal(all, undefined, signer);
    return codesOf(await check(await zipOf(all), trust, {}, clock.now()));
  };
  expect(await changed(() => {})).not.toContain('anchor_wrong');
  // Without the later ones, the first covers only the first of its records.
  const partly = await changed(all => {
    for (const kind of ['note', 'body', 'tsr'])
      for (const later of [online.size, last.size]) all.delete(`anchors/${later}.${kind}`);
  });
  expect(partly).toContain('time_partly_shown');
  expect(await changed(all => all.delete(`consistency/${first.size}-${size}`))).toContain('anchor_wrong');
  expect(await changed(all => all.delete(`anchors/${first.size}.body`))).toContain('anchor_wrong');
  expect(
    await changed(all => all.set(`anchors/${first.size}.tsr`, parts.get(`anchors/${last.size}.tsr`)!)),
  ).toContain('timestamp_wrong');
  anchors.close();
}, 240_000);
