import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { JCS_BLOB_TYPE } from '../../core/proof/blob.ts';
import { jcs } from '../../core/proof/jcs.ts';
import { append, event, openTest } from './ledger.fixture.ts';

async function* parts(bytes: Buffer, size = 10_000) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function all(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const found: Uint8Array[] = [];
  for await (const chunk of chunks) found.push(chunk);
  return Buffer.concat(found);
}

const sha = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const files = (folder: string) =>
  readdirSync(join(folder, 'blobs'), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name));

test.each([0, 1, 65_535, 65_536, 65_537, 131_072, 1_000_000])(
  'a blob of %i bytes comes back as it was',
  async size => {
    const { ledger } = await openTest();
    const bytes = randomBytes(size);
    const put = await ledger.blobs.put('default', parts(bytes), 2e6, 'k1');
    expect(put).toEqual({ sha256: sha(bytes), bytes: size });
    expect(await ledger.blobs.has('default', put.sha256)).toBe(true);
    expect(await ledger.blobs.has('other', put.sha256)).toBe(false);
    expect((await all(ledger.blobs.get('default', put.sha256))).equals(bytes)).toBe(true);
    expect(await ledger.blobs.uploadedBy('default', put.sha256, 'k1')).toBe(true);
    expect(await ledger.blobs.uploadedBy('default', put.sha256, 'k2')).toBe(false);
  },
);

test('an upload beyond its limit, or one that breaks off, leaves nothing', async () => {
  const { ledger, folder } = await openTest();
  await expect(ledger.blobs.put('default', parts(randomBytes(5000), 1000), 4000)).rejects.toMatchObject({
    code: 'body_too_large',
  });
  async function* broken() {
    yield randomBytes(70_000);
    throw new Error('gone');
  }
  await expect(ledger.blobs.put('default', broken(), 1e6)).rejects.toThrow('gone');
  expect(files(folder)).toEqual([]);
});

test('a changed, cut or exchanged blob does not come back', async () => {
  const { ledger, folder } = await openTest();
  const [a, b] = [randomBytes(200_000), randomBytes(200_000)];
  const { sha256 } = await ledger.blobs.put('default', parts(a), 1e6);
  const [file] = files(folder);
  const other = await ledger.blobs.put('default', parts(b), 1e6);
  const otherFile = files(folder).find(name => name !== file)!;
  const sealed = readFileSync(file!);
  const flipped = Buffer.from(sealed);
  flipped[70_000]! ^= 1;
  for (const bad of [
    flipped,
    sealed.subarray(0, -100),
    sealed.subarray(0, 20 + 65_552),
    readFileSync(otherFile),
  ]) {
    writeFileSync(file!, bad);
    await expect(all(ledger.blobs.get('default', sha256))).rejects.toMatchObject({ code: 'ledger_damaged' });
  }
  expect((await all(ledger.blobs.get('default', other.sha256))).equals(b)).toBe(true);
  await expect(all(ledger.blobs.get('default', 'a'.repeat(64)))).rejects.toMatchObject({ code: 'not_found' });
});

test('a large value of an event becomes a blob that is there before the event is', async () => {
  const { ledger } = await openTest();
  const input = { text: 'äöü '.repeat(30_000) };
  const [accepted] = await append(ledger, [event({ input, name: 'big' })]);
  const record = (await ledger.read.record(accepted!.seq))!;
  const text = Buffer.from(jcs(input));
  expect(record.input).toEqual({ $blob: { sha256: sha(text), bytes: text.length, type: JCS_BLOB_TYPE } });
  expect((await all(ledger.blobs.get('default', sha(text)))).equals(text)).toBe(true);
  expect(ledger.stats().blobBytes).toBeGreaterThan(text.length);
});

test("the collector's own large values become blobs too", async () => {
  const { ledger } = await openTest();
  const files = [{ path: 'a.rego', sha256: 'x', text: 'y'.repeat(90_000) }];
  const { record } = await ledger.write.run('record', {
    appId: '_ledger',
    eventType: 'policy.noted',
    members: { files },
  });
  expect(record.files).toMatchObject({ $blob: { type: JCS_BLOB_TYPE } });
  expect(await ledger.read.record(record.seq)).toEqual(record);
});
