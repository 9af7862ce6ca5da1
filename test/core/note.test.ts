import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromBase64, fromHex, utf8 } from '../../core/proof/bytes.ts';
import {
  CheckpointError,
  checkpointText,
  originOf,
  parseCheckpoint,
  parseOrigin,
} from '../../core/proof/checkpoint.ts';
import {
  formatNote,
  formatVkey,
  NoteError,
  type NoteLine,
  noteKey,
  openNote,
  parseNote,
  parseVkey,
  signNote,
} from '../../core/proof/note.ts';
import { sha256, testKey, vectors, verifyEd25519 } from './host.ts';

type NoteVectors = {
  keys: { name: string; seed: string; vkey: string }[];
  checkpoint: {
    ledger_id: string;
    tenant_id: string;
    size: number;
    root: string;
    text: string;
    note: string;
  };
  refuse: { case: string; bug: string; expect: string; known: string[]; note: string }[];
  accept: { case: string; known: string[]; note: string; signers: string[]; unknown: number }[];
  checkpoints_refused: { case: string; bug: string; text: string }[];
};
const vector = vectors<NoteVectors>('note');

describe('note vectors', () => {
  test.each(vector.keys)('vkey of $name', ({ name, seed, vkey }) => {
    const key = noteKey(sha256, name, testKey(fromHex(seed)).publicKey);
    expect(formatVkey(key)).toBe(vkey);
    expect(parseVkey(sha256, vkey)).toEqual(key);
  });

  test('a checkpoint gets the same bytes, signature included', async () => {
    const { ledger_id, tenant_id, size, root, text, note } = vector.checkpoint;
    const origin = originOf(ledger_id, tenant_id);
    expect(checkpointText({ origin, size, root: fromBase64(root) })).toBe(text);
    expect(parseCheckpoint(text)).toEqual({ origin, size, root: fromBase64(root) });
    expect(parseOrigin(origin)).toEqual({ ledger_id, tenant_id });
    const signer = testKey(fromHex(vector.keys[0]!.seed));
    expect(await signNote(text, noteKey(sha256, origin, signer.publicKey), signer.sign)).toBe(note);
  });

  test.each(vector.accept)('$case', async ({ known, note, signers, unknown }) => {
    const keys = known.map(vkey => parseVkey(sha256, vkey));
    const opened = await openNote(utf8(note), keys, verifyEd25519);
    expect(opened.signers.map(formatVkey)).toEqual(signers);
    expect(opened.unknown).toHaveLength(unknown);
    expect(note.startsWith(`${opened.text}\n`)).toBe(true);
  });

  test.each(vector.refuse)('refuses $case', async ({ known, note, expect: fault }) => {
    const keys = known.map(vkey => parseVkey(sha256, vkey));
    await expect(openNote(utf8(note), keys, verifyEd25519)).rejects.toMatchObject({
      name: 'NoteError',
      fault,
    });
  });

  test.each(vector.checkpoints_refused)('refuses the checkpoint: $case', ({ text }) => {
    expect(() => parseCheckpoint(text)).toThrow(CheckpointError);
  });
});

describe('note', () => {
  const signer = testKey(new Uint8Array(32).fill(9));
  const key = noteKey(sha256, 'example.org/log', signer.publicKey);

  test('any text that may be signed comes back, and one changed character does not verify', async () => {
    const texts = fc.string({ unit: 'grapheme' }).map(text => `${text.replaceAll(/\p{Cc}/gu, '')}\n`);
    await fc.assert(
      fc.asyncProperty(texts, fc.nat(), async (text, at) => {
        const note = await signNote(text, key, signer.sign);
        expect((await openNote(utf8(note), [key], verifyEd25519)).text).toBe(text);
        const place = at % text.length;
        const changed = `${note.slice(0, place)}${note[place] === 'x' ? 'y' : 'x'}${note.slice(place)}`;
        await expect(openNote(utf8(changed), [key], verifyEd25519)).rejects.toBeInstanceOf(NoteError);
      }),
    );
  });

  test('a text may hold blank lines: the last one splits', async () => {
    const text = 'a\n\nb\n\n\nc\n';
    expect((await openNote(utf8(await signNote(text, key, signer.sign)), [key], verifyEd25519)).text).toBe(
      text,
    );
  });

  test('sixteen lines and more are read; a flood is refused', async () => {
    const text = 'log\n1\n';
    const own: NoteLine = { name: key.name, id: key.id, signature: signer.sign(utf8(text)) };
    const witness = (n: number): NoteLine => ({
      name: `witness.example/${n}`,
      id: '0badcafe',
      signature: new Uint8Array(72).fill(n),
    });
    const lines = [...Array.from({ length: 20 }, (_, n) => witness(n)), own];
    const opened = await openNote(utf8(formatNote({ text, lines })), [key], verifyEd25519);
    expect(opened.unknown).toEqual(lines.slice(0, -1));
    const flood = Array.from({ length: 65 }, (_, n) => witness(n));
    expect(() => parseNote(utf8(formatNote({ text, lines: flood })))).toThrow(NoteError);
    expect(() => parseNote(new Uint8Array(70_000).fill(0x41))).toThrow(NoteError);
  });

  test('invalid UTF-8 is refused', () => {
    expect(() => parseNote(Uint8Array.of(0xff, 0x0a, 0x0a, 0x0a))).toThrow(NoteError);
  });
});
