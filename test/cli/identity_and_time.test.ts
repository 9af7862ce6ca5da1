/** Who signs and who dates packs, as a user does it: the identity, a stamp by file, and what the verifier then says. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bearer, event } from '../http/collector.ts';
import { Authority, TSA } from '../pack/authority.ts';
import { type Place, type Started, startApp, temporaryPlace, trailmix } from './trailmix.ts';

const LONG = 180_000;
let place: Place;
let app: Started;
let authority: Authority;
let server: Server;

beforeAll(async () => {
  place = await temporaryPlace();
  app = await startApp(['--data', place.data, '--key-file', place.keyFile]);
  authority = new Authority(mkdtempSync(join(place.folder, 'ca-')), 'Good');
  authority.issue('tsa', 'P-256', TSA);
  authority.issue('file', 'rsa');
  server = createServer(async (incoming, outgoing) => {
    const parts: Buffer[] = [];
    for await (const part of incoming) parts.push(part as Buffer);
    outgoing.end(authority.stamp('tsa', Buffer.concat(parts)));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
}, LONG);
afterAll(async () => {
  server?.close();
  await app?.stop();
  await place?.remove();
}, LONG);

const at = (name: string): string => join(place.folder, name);
const run = async (...words: string[]) => {
  const ran = await trailmix([...words, '--json', '--data', place.data], {
    TRAILMIX_PKCS12_PASSWORD: 'geheim',
  });
  return { ...ran, json: ran.json as never as Record<string, never> };
};
/** Exits with 0. */
const done = async (...words: string[]): Promise<Record<string, unknown>> => {
  const { code, json, out, err } = await run(...words);
  expect(code, `${words.join(' ')}\n${out}${err}`).toBe(0);
  return json;
};

test(
  'an authority vouches for the identity, another dates the pack; every verdict of both passes',
  async () => {
    const { api_key } = await done('keys', 'create', '--app', 'bot', '--scopes', 'ingest,export');
    await fetch(`${app.ready.url}/api/events`, {
      method: 'POST',
      headers: { ...bearer(String(api_key)), 'content-type': 'application/json' },
      body: JSON.stringify(event('bot')),
    });
    expect(await done('keys', 'identity', 'show')).toMatchObject({ kind: 'self-made', key: 'RSA-3072' });
    expect((await run('keys', 'identity', 'self', '--key', 'ed25519')).code).toBe(2);
    expect(await done('keys', 'identity', 'self', '--key', 'p384')).toMatchObject({ key: 'ECDSA P-384' });

    await done(
      'keys',
      'identity',
      'csr',
      '--common-name',
      'Evidence',
      '--organization',
      'Example Ltd',
      '--out',
      at('org.csr'),
    );
    writeFileSync(join(authority.folder, 'org.csr'), readFileSync(at('org.csr')));
    authority.sign('org');
    writeFileSync(at('leaf.pem'), readFileSync(join(authority.folder, 'org.pem')));
    expect((await run('keys', 'identity', 'import', at('leaf.pem'))).json).toMatchObject({
      error: { code: 'certificate_invalid' },
    });
    writeFileSync(at('chain.pem'), authority.read('Good-ca.pem') + authority.root);
    const view = await done('keys', 'identity', 'import', at('leaf.pem'), '--chain', at('chain.pem'));
    expect(view).toMatchObject({
      kind: 'authority',
      chain: ['O=Good, CN=Good Issuing', 'O=Good, CN=Good Root'],
    });
    writeFileSync(at('org.crl.pem'), authority.crl());
    expect(await done('keys', 'identity', 'show', '--crl', at('org.crl.pem'))).toMatchObject({
      revocation: 'good',
    });

    // Stamped by file, and the roots handed on.
    writeFileSync(at('tsa-root.pem'), authority.root);
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    expect(
      await done('timestamp', 'authorities', url, '--every', '0', '--roots', at('tsa-root.pem')),
    ).toMatchObject({
      urls: [url],
      every_hours: 0,
    });
    await done('timestamp', 'request', '--checkpoint', '--out', at('c.tsq'));
    writeFileSync(at('c.tsr'), authority.stamp('tsa', readFileSync(at('c.tsq'))));
    const anchored = await done('timestamp', 'import', '--checkpoint', at('c.tsr'));
    await done(
      'export',
      '--app',
      'bot',
      '--from',
      '2026-01-01',
      '--to',
      '2099-01-01',
      '--out',
      at('pack.zip'),
    );
    await done('keys', 'trust', '--out', at('trust'));
    const before = await run('verify', at('pack.zip'), '--trust', at('trust'));
    // The stamped checkpoint covers every record of the pack; nobody dated the pack itself.
    expect(before.json).toMatchObject({
      verdicts: {
        time: { result: 'pass', findings: [{ code: 'time_by_anchors' }] },
        identity: { result: 'pass' },
      },
    });
    await done('timestamp', 'request', at('pack.zip'), '--out', at('p.tsq'));
    writeFileSync(at('p.tsr'), authority.stamp('tsa', readFileSync(at('p.tsq'))));
    expect(
      (await run('timestamp', 'import', at('pack.zip'), at('p.tsr'), '--request', at('c.tsq'))).json,
    ).toMatchObject({
      error: { code: 'timestamp_invalid' },
    });
    expect(
      await done('timestamp', 'import', at('pack.zip'), at('p.tsr'), '--trust', at('trust')),
    ).toMatchObject({
      over: 'pack',
      authority: 'O=Good, CN=tsa',
    });
    const after = await done('verify', at('pack.zip'), '--trust', at('trust'));
    expect(after).toMatchObject({
      verdicts: Object.fromEntries(
        ['integrity', 'completeness', 'time', 'identity'].map(name => [
          name,
          { result: 'pass', findings: [] },
        ]),
      ),
      stamps: [{ over: 'pack' }, { over: 'checkpoint', size: anchored.size }],
      origin: { signed_by: { self_made: false, subject: 'O=Example Ltd, CN=Evidence' } },
    });
    const said = await trailmix(['verify', at('pack.zip'), '--trust', at('trust')]);
    expect(said.out).toContain('issued by O=Good, CN=Good Issuing');
    expect(said.out).toMatch(/Record #\d+ was there by 20/);
    expect(said.out).toContain("the ledger's order and the collector's own clock say");

    // Online, both stamps; PKCS#12.
    await done('timestamp', 'now', at('pack.zip'), '--trust', at('trust'));
    const twice = await done('verify', at('pack.zip'), '--trust', at('trust'));
    expect((twice.stamps as { over: string }[]).map(({ over }) => over)).toEqual([
      'pack',
      'signature',
      'checkpoint',
    ]);
    execFileSync(
      'openssl',
      [
        ...['pkcs12', '-export', '-inkey', 'file.key', '-in', 'file.pem', '-passout', 'pass:geheim'],
        ...['-out', at('file.p12')],
      ],
      { cwd: authority.folder },
    );
    const imported = await done('keys', 'identity', 'import', at('file.p12'), '--chain', at('chain.pem'));
    expect(imported).toMatchObject({ kind: 'authority', subject: 'O=Good, CN=file' });
    // Packs made before still verify with the trust files written now.
    await done('keys', 'trust', '--out', at('trust2'));
    await done('verify', at('pack.zip'), '--trust', at('trust2'));
  },
  LONG,
);
