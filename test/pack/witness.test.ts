/** Witnesses: what they sign and what they refuse, and how a pack with their cosignatures is judged against a policy. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeWitnessKey, signRequest, stateFileOf } from '../../cli/witness_keys.ts';
import { openEvidence } from '../../collector/evidence/desk.ts';
import { cosignPack } from '../../collector/evidence/stamping.ts';
import { inflateRaw, openFile, verifyEd25519 } from '../../collector/evidence/verifier-host.ts';
import { parseTrust, trustFrom } from '../../core/pack/trust.ts';
import type { Trust } from '../../core/pack/verify.ts';
import { parseWitnessPolicy } from '../../core/pack/witnesses.ts';
import { openZip } from '../../core/pack/zip.ts';
import { base64, fromBase64, utf8 } from '../../core/proof/bytes.ts';
import {
  cosignatureMessage,
  formatWitnessVkey,
  judgeCosignature,
  witnessKey,
} from '../../core/proof/cosignature.ts';
import { jcs } from '../../core/proof/jcs.ts';
import { parseNote } from '../../core/proof/note.ts';
import { consistencyProof, Frontier, recordLeaf } from '../../core/proof/tree.ts';
import { formatWitnessRequest } from '../../core/proof/witness.ts';
import { type RealLedger, realLedger } from '../keys/real_ledger.ts';
import { append, event } from '../ledger/ledger.fixture.ts';
import { MemoryLedger, sha256 } from './memory-ledger.ts';
import { check, codesOf, makePack, partsOf, trustOf, zipOf } from './packs.ts';

let folder: string;
let n = 0;
const NOW = Date.UTC(2026, 10, 22);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'witness-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const newWitness = async (name: string, mlDsa = false): Promise<{ file: string; vkey: string }> => {
  const file = join(folder, `${n++}.witness`);
  return { file, vkey: await makeWitnessKey(file, name, mlDsa) };
};

/** A request over everything that the ledger holds. */
async function ask(ledger: MemoryLedger, old: number): Promise<Uint8Array> {
  const { size, note } = await ledger.sign();
  const nodes = new Map<string, Uint8Array>();
  const tree = new Frontier(sha256);
  for (const { hash_self } of ledger.all)
    tree.append(recordLeaf(sha256, hash_self), ({ level, index }, hash) =>
      nodes.set(`${level}/${index}`, hash),
    );
  const proof = consistencyProof(sha256, old, size, ({ level, index }) => nodes.get(`${level}/${index}`)!);
  return utf8(formatWitnessRequest({ old, proof, note }));
}

const lineOf = (note: string): string => `${note.trimEnd().split('\n').at(-1)}\n`;

/** Two ledgers with the same keys and the same first records, which then part. */
function fork(): [MemoryLedger, MemoryLedger] {
  const first = new MemoryLedger();
  const second = new MemoryLedger(first);
  for (const ledger of [first, second]) for (let i = 0; i < 4; i++) ledger.append({});
  for (let i = 0; i < 4; i++) {
    first.append({ body: { input: { amount: 10 } } });
    second.append({ body: { input: { amount: 9999 } } });
  }
  return [first, second];
}

const policyOf = (k: number, vkeys: readonly string[]) =>
  parseWitnessPolicy(sha256, utf8(jcs({ k, v: 1, witnesses: [...vkeys] })));
const withPolicy = (trust: Trust, k: number, vkeys: readonly string[]): Trust => ({
  ...trust,
  witnesses: policyOf(k, vkeys),
});

test("the cosignature of C2SP's example has the message that the specification prints", async () => {
  const text = 'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n';
  const key = witnessKey(sha256, 'w', 4, new Uint8Array(32));
  expect(Buffer.from(cosignatureMessage(key, 1679315147, text)).toString()).toBe(
    `cosignature/v1\ntime 1679315147\n${text}`,
  );
  const large = witnessKey(sha256, 'w', 6, new Uint8Array(1312));
  const message = Buffer.from(cosignatureMessage(large, 1679315147, text));
  expect(message.subarray(0, 14).toString('latin1')).toBe('subtree/v1\n\0\x01w');
  expect(message.length).toBe(12 + 2 + 8 + 1 + 27 + 16 + 32);
  const line = parseNote(
    utf8(
      `${text}\n— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n`,
    ),
  ).lines[0]!;
  expect(line.signature.length).toBe(72);
  expect(await judgeCosignature(line, text, [key], { ed25519: verifyEd25519 })).toEqual({ kind: 'unknown' });
});

test('a witness signs what continues, and refuses a fork, a smaller and a foreign checkpoint', async () => {
  const [ledger, other] = fork();
  const { file, vkey } = await newWitness('example.org/w1');
  const { vkeys } = trustOf(ledger);
  const sign = (bytes: Uint8Array, keys?: readonly string[]) =>
    signRequest(file, bytes, { now: NOW, ...(keys === undefined ? {} : { vkeys: keys }) });

  await expect(sign(await ask(ledger, 0))).rejects.toMatchObject({ code: 'witness_unknown' });
  await expect(sign(await ask(ledger, 0), trustOf(new MemoryLedger()).vkeys)).rejects.toMatchObject({
    code: 'witness_unknown',
  });
  await expect(sign(utf8('old 0\n\nnone\n'), vkeys)).rejects.toMatchObject({ code: 'witness_invalid' });
  const small = await ask(ledger, 0);
  const first = await sign(small, vkeys);
  expect(first).toMatchObject({ size: 9, before: 0 });
  // Its keys are remembered; another history of the same or a greater length is not signed.
  await expect(sign(await ask(other, 0))).rejects.toMatchObject({ code: 'witness_inconsistent' });
  other.append({});
  await expect(sign(await ask(other, 9))).rejects.toMatchObject({ code: 'witness_inconsistent' });
  ledger.append({});
  await expect(sign(await ask(ledger, 0))).rejects.toMatchObject({
    code: 'witness_behind',
    message: expect.stringContaining('--old 9'),
  });
  const state = await readFile(stateFileOf(file), 'utf8');
  expect(JSON.parse(state).witness).toBe(vkey);
  expect(await sign(await ask(ledger, 9))).toMatchObject({ size: 10, before: 9 });
  await expect(sign(small)).rejects.toMatchObject({ code: 'witness_smaller' });
  // Without what it signed before it signs nothing; nor while another signing runs.
  await writeFile(`${stateFileOf(file)}.lock`, '');
  await expect(sign(await ask(ledger, 10))).rejects.toMatchObject({ code: 'busy' });
  await rm(`${stateFileOf(file)}.lock`);
  await rm(stateFileOf(file));
  await expect(sign(await ask(ledger, 10))).rejects.toMatchObject({ code: 'witness_invalid' });
});

test('a pack is judged against k of three witnesses', async () => {
  const ledger = new MemoryLedger();
  for (let i = 0; i < 6; i++) ledger.append({});
  const witnesses = await Promise.all(
    ['a.example', 'b.example', 'c.example'].map((name, i) => newWitness(name, i === 2)),
  );
  const vkeys = witnesses.map(({ vkey }) => vkey);
  const pack = await makePack(ledger);
  const parts = await partsOf(pack);
  const trust = trustOf(ledger);
  const request = await (async () => {
    const { size } = JSON.parse(Buffer.from(parts.get('manifest.json')!).toString()).checkpoint;
    expect(size).toBe(ledger.all.length);
    return ask(ledger, 0);
  })();
  const lines = await Promise.all(
    witnesses.map(async ({ file }) =>
      lineOf((await signRequest(file, request, { vkeys: trust.vkeys, now: NOW })).note),
    ),
  );
  const judge = async (note: string | undefined, k = 2, keys = vkeys): Promise<string[]> => {
    const all = new Map(parts);
    if (note !== undefined) all.set('META-INF/cosignatures.note', utf8(note));
    const report = await check(await zipOf(all), withPolicy(trust, k, keys));
    return codesOf(report).filter(code => code.startsWith('witness') || code === 'file_unlisted');
  };
  const text = Buffer.from(parts.get('checkpoint.note')!).toString();

  expect(await judge(undefined)).toEqual(['witness_missing']);
  expect(await judge(text + lines.join(''), 3)).toEqual([]);
  expect(await judge(text + lines[0] + lines[1])).toEqual([]);
  expect(await judge(text + lines[0], 2)).toEqual(['witness_missing']);
  // The same witness twice is one.
  expect(await judge(text + lines[0] + lines[0], 2)).toEqual(['witness_missing']);
  // Those whom nobody named do not count.
  expect(await judge(text + lines.join(''), 1, [(await newWitness('d.example')).vkey])).toEqual([
    'witness_missing',
  ]);
  // A bad line of a named witness, however many good ones stand beside it.
  const bad = `${lines[2]!.slice(0, -9)}AAAA${lines[2]!.slice(-5)}`;
  expect(await judge(text + lines[0] + lines[1] + bad)).toEqual(['witness_signature_wrong']);
  const short = `— a.example ${base64(Uint8Array.from([...fromBase64(lines[0]!.trim().split(' ')[2]!).slice(0, 4), 1]))}\n`;
  expect(await judge(text + lines[1] + short, 1)).toEqual(['witness_signature_wrong']);
  // Without a policy nothing is judged.
  const all = new Map(parts);
  all.set('META-INF/cosignatures.note', utf8(text + lines[0]));
  expect(codesOf(await check(await zipOf(all), trust))).toContain('witness_untrusted');
  const report = await check(await zipOf(all), withPolicy(trust, 1, vkeys));
  expect(report.witnesses).toEqual([
    { name: 'a.example', size: ledger.all.length, time: '2026-11-22T00:00:00.000000Z' },
  ]);

  // A cosignature of an older checkpoint, put over this one, or as it is.
  ledger.append({});
  const later = await makePack(ledger);
  const laterParts = await partsOf(later);
  const laterNote = Buffer.from(laterParts.get('checkpoint.note')!).toString();
  const replay = async (note: string) => {
    laterParts.set('META-INF/cosignatures.note', utf8(note));
    return codesOf(await check(await zipOf(laterParts), withPolicy(trust, 1, vkeys)));
  };
  expect(await replay(laterNote + lines[0])).toContain('witness_signature_wrong');
  const stale = await replay(text + lines[0]);
  expect(stale).toEqual(expect.arrayContaining(['witness_note_wrong', 'witness_missing']));
});

test('what a witness saw earlier stands in later packs; a pack of another history is caught by it', async () => {
  const [ledger, other] = fork();
  const { file, vkey } = await newWitness('example.org/w');
  const trust = withPolicy(trustOf(ledger), 1, [vkey]);
  const signed = await signRequest(file, await ask(ledger, 0), { vkeys: trust.vkeys, now: NOW });
  const anchor = { checkpoint: (await ledger.checkpoint(signed.size))!, lines: [lineOf(signed.note)] };
  for (const one of [ledger, other]) {
    one.stamped.push(anchor);
    one.append({});
  }
  expect(codesOf(await check(await makePack(ledger), trust))).toContain('witness_earlier');
  const window = { app_id: 'bot', time_from: '2026-10-01T00:00:00Z', time_to: ledger.all[6]!.received_at };
  const covered = await check(await makePack(ledger, window), trust);
  expect(codesOf(covered).filter(code => code.startsWith('witness'))).toEqual([]);
  expect(covered.witnesses).toEqual([expect.objectContaining({ name: 'example.org/w', size: signed.size })]);

  const forked = await check(await makePack(other), trust);
  expect(codesOf(forked)).toEqual(
    expect.arrayContaining(['anchor_wrong', 'witness_inconsistent', 'witness_missing']),
  );
  expect(forked.verdicts.completeness.result).toBe('fail');
});

test('the policy file is read strictly, from the trust folder', async () => {
  const { vkey } = await newWitness('example.org/p');
  const read = (value: unknown) => () => policyOf.call(undefined, 1, value as string[]);
  expect(read([vkey])()).toEqual({ v: 1, k: 1, witnesses: [vkey] });
  expect(() => policyOf(2, [vkey, vkey])).toThrow(/k must be/);
  expect(() => policyOf(0, [vkey])).toThrow(/k must be/);
  expect(read([`${vkey.slice(0, -4)}AAA=`])).toThrow();
  expect(read([trustOf(new MemoryLedger()).vkeys[0]!])).toThrow(/type 1/);
  expect(() => parseWitnessPolicy(sha256, utf8('{"k": 1, "v": 1, "witnesses": []}'))).toThrow();
  const ledger = new MemoryLedger();
  const trust = trustOf(ledger);
  const folderOf = new Map([
    [
      'trust.json',
      utf8(jcs({ ledger_id: ledger.ledgerId, tenant_id: 'default', v: 1, vkeys: [...trust.vkeys] })),
    ],
    ['witness_policy.json', utf8(jcs({ k: 1, v: 1, witnesses: [vkey] }))],
  ]);
  expect(trustFrom(sha256, folderOf).witnesses).toEqual({ v: 1, k: 1, witnesses: [vkey] });
  expect(formatWitnessVkey(witnessKey(sha256, 'x', 4, new Uint8Array(32)))).toMatch(/^x\+[0-9a-f]{8}\+BAAA/);
});

test('a real ledger: request, sign, import, carried by later packs, put into a pack that was made before', async () => {
  const real: RealLedger = await realLedger();
  try {
    const { ledger, vault, clock } = real;
    const desk = openEvidence({ ledger, vault, clock });
    const files = await desk.trust();
    const { vkeys } = parseTrust(sha256, utf8(files['trust.json']!));
    const witness = await newWitness('example.org/real');
    await append(ledger, [event(), event()]);
    await expect(desk.witnesses.request({ witness: 'nobody' })).rejects.toMatchObject({
      code: 'witness_unknown',
    });
    await expect(desk.witnesses.change(['x'], 't')).rejects.toMatchObject({ code: 'input_invalid' });
    await desk.witnesses.change([witness.vkey], 't');
    const asked = await desk.witnesses.request({});
    expect(asked.old).toBe(0);
    const signed = await signRequest(witness.file, utf8(asked.request), { vkeys, now: clock.now() });
    await expect(desk.witnesses.import(asked.request, 't')).rejects.toMatchObject({
      code: 'witness_invalid',
    });
    await expect(
      desk.witnesses.import(signed.note.replace(/.{8}\n$/, 'AAAAAA==\n'), 't'),
    ).rejects.toMatchObject({ code: 'witness_invalid' });
    const done = await desk.witnesses.import(signed.note, 't');
    expect(done).toMatchObject({ size: asked.size, cosigned: [{ name: 'example.org/real' }] });
    // Again: nothing new.
    expect((await desk.witnesses.import(signed.note, 't')).cosigned).toEqual([]);
    expect((await desk.witnesses.view()).witnesses[0]!.last).toMatchObject({ size: asked.size });
    const [record] = await ledger.read.records(done.cosigned[0]!.seq, done.cosigned[0]!.seq, 1);
    expect(record).toMatchObject({ event_type: 'witness.cosigned', app_id: '_ledger' });

    const out = join(folder, 'real.zip');
    const request = {
      app_id: 'support-bot',
      time_from: '2026-01-01T00:00:00Z',
      time_to: '2099-01-01T00:00:00Z',
    };
    const pack = await desk.run(request, out, 't', new AbortController().signal, () => {});
    const trust = withPolicy({ vkeys, certificates: files['org.pem']! }, 1, [witness.vkey]);
    const first = await check(await readFile(out), trust, {}, clock.now());
    expect(first.verdicts.integrity).toEqual({ result: 'pass', findings: [] });
    expect(first.witnesses.map(({ size }) => size)).toEqual([asked.size]);

    // The witness cosigns the pack's own checkpoint; the proof begins where it stopped.
    const own = await desk.witnesses.request({ at: pack.checkpoint.size });
    expect(own.old).toBe(asked.size);
    const again = await signRequest(witness.file, utf8(own.request), { now: clock.now() });
    expect(await cosignPack(out, utf8(again.note))).toEqual({ lines: 1 });
    await expect(cosignPack(out, utf8(signed.note))).rejects.toMatchObject({ code: 'witness_invalid' });
    const both = await check(await readFile(out), trust, {}, clock.now());
    expect(both.verdicts.integrity).toEqual({ result: 'pass', findings: [] });
    expect(both.witnesses.map(({ size }) => size)).toEqual([asked.size, pack.checkpoint.size]);
    const source = await openFile(out);
    expect((await openZip(source, inflateRaw)).entries.has('META-INF/cosignatures.note')).toBe(true);
    await source.close();
    // A pinned export of that size carries them at once.
    await desk.witnesses.import(again.note, 't');
    await desk.run(
      { ...request, at: pack.checkpoint.size },
      out,
      't',
      new AbortController().signal,
      () => {},
    );
    expect((await check(await readFile(out), trust, {}, clock.now())).witnesses.length).toBe(2);
    desk.anchors.close();
  } finally {
    await real.close();
  }
}, 60_000);
