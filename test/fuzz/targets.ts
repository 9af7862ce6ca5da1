/**
 * What hostile input may not do to the readers of a pack: make them throw what they do not say they throw, pass what was
 * changed, or take another value than they were given. Each target runs one random case; a failure names its seed.
 */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { certificatesOf, readCertificate } from '../../collector/evidence/certificates.ts';
import { checkCms } from '../../collector/evidence/cms.ts';
import { pemBlocks } from '../../collector/evidence/der.ts';
import { checkTimestamp } from '../../collector/evidence/timestamp.ts';
import { fileHost, inflateRaw } from '../../collector/evidence/verifier-host.ts';
import { TrailmixError } from '../../core/api/errors.ts';
import { IJsonError, parseIJson } from '../../core/event/ijson.ts';
import { canonicalPart, NotCanonical } from '../../core/pack/canonical.ts';
import { LineError, lineBatches } from '../../core/pack/lines.ts';
import { ManifestError, parseChecksums, parseManifest } from '../../core/pack/manifest.ts';
import { parsePolicies } from '../../core/pack/policies.ts';
import { parseTrust } from '../../core/pack/trust.ts';
import { type PackReport, type Trust, verifyPack } from '../../core/pack/verify.ts';
import { openZip, ZipError } from '../../core/pack/zip.ts';
import { fromUtf8, utf8 } from '../../core/proof/bytes.ts';
import { CheckpointError, parseCheckpoint } from '../../core/proof/checkpoint.ts';
import { JcsError, type JsonObject, type JsonValue, jcs } from '../../core/proof/jcs.ts';
import { MultiproofError, parseMultiproofHeader, parseMultiproofLine } from '../../core/proof/multiproof.ts';
import { formatNote, NoteError, parseNote, parseVkey } from '../../core/proof/note.ts';
import { access, type Parts, zipOf } from '../pack/packs.ts';

const sha256 = (data: Uint8Array): Uint8Array => createHash('sha256').update(data).digest();

/** Good input that is changed: a pack of signed approvals, its files, stamps and certificates. */
export type Seeds = {
  pack: Uint8Array;
  parts: Parts;
  trust: Trust;
  /** DER: time-stamp replies, and the bytes that they are over. */
  stamps: readonly Uint8Array[];
  stamped: Uint8Array;
};

export type Target = {
  name: string /** Cases of a bounded run. */;
  runs: number;
  property(seeds: Seeds): fc.IAsyncProperty<unknown>;
};

type Edit = {
  at: number;
  kind: 'flip' | 'set' | 'cut' | 'drop' | 'insert' | 'copy' | 'number';
  value: number;
  bytes: Uint8Array;
};

const NUMBERS = [
  0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0xffffffff, 0x04034b50, 0x02014b50, 0x06054b50,
  0x06064b50,
];
const edits = fc.array(
  fc.record<Edit>({
    at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    kind: fc.constantFrom('flip', 'set', 'cut', 'drop', 'insert', 'copy', 'number'),
    value: fc.nat(255),
    bytes: fc.uint8Array({ maxLength: 24 }),
  }),
  { minLength: 1, maxLength: 4 },
);

const maybeEdits: fc.Arbitrary<Edit[] | null> = fc.option(edits, { nil: null });

/** The same bytes with a few things done to them. */
function edited(from: Uint8Array, list: readonly Edit[]): Uint8Array {
  let bytes = Buffer.from(from);
  for (const { at, kind, value, bytes: more } of list) {
    const place = Math.floor(at * bytes.length);
    const left = bytes.subarray(0, place);
    if (kind === 'flip' && bytes.length > 0) bytes[place]! ^= 1 << (value & 7);
    else if (kind === 'set' && bytes.length > 0) bytes[place] = value;
    else if (kind === 'cut') bytes = Buffer.from(left);
    else if (kind === 'drop') bytes = Buffer.concat([left, bytes.subarray(place + (value % 16))]);
    else if (kind === 'insert') bytes = Buffer.concat([left, more, bytes.subarray(place)]);
    else if (kind === 'copy')
      bytes = Buffer.concat([left, bytes.subarray(Math.max(0, place - value)), bytes.subarray(place)]);
    else if (kind === 'number' && place + 4 <= bytes.length)
      bytes.writeUInt32LE(NUMBERS[value % NUMBERS.length]!, place);
  }
  return bytes;
}

/** Throws what `run` throws, unless it is of a kind that it says it throws. */
function only<T>(kinds: readonly (new (...given: never[]) => Error)[], run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (kinds.some(kind => error instanceof kind)) return undefined;
    throw error;
  }
}

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

type JsonEdit = { path: number[]; how: string; value: unknown };

/** Changes one place of a JSON value: a member lost, renamed, repeated or of another kind. */
const jsonEdit: fc.Arbitrary<JsonEdit> = fc.record({
  path: fc.array(fc.nat(30), { minLength: 1, maxLength: 6 }),
  how: fc.constantFrom('value', 'value', 'value', 'drop', 'rename'),
  value: fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom<unknown[]>(
      -1,
      1.5,
      2 ** 53,
      '',
      null,
      [],
      {},
      'constructor',
      '__proto__',
      { $blob: {} },
      { $blob: 1 },
      true,
    ),
  ),
});

const maybeJsonEdit: fc.Arbitrary<JsonEdit | null> = fc.option(jsonEdit, { nil: null });

function changed(value: unknown, path: readonly number[], how: string, put: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined || typeof value !== 'object' || value === null) return put;
  const copy: Record<string, unknown> | unknown[] = Array.isArray(value) ? [...value] : { ...value };
  const names = Object.keys(copy);
  const name = names[step % Math.max(1, names.length)];
  if (name === undefined) return put;
  const inner = (copy as Record<string, unknown>)[name];
  if (rest.length > 0 && typeof inner === 'object' && inner !== null) {
    (copy as Record<string, unknown>)[name] = changed(inner, rest, how, put);
  } else if (how === 'drop' && !Array.isArray(copy)) delete copy[name];
  else if (how === 'rename' && !Array.isArray(copy)) {
    delete copy[name];
    copy[`${name}x`] = inner;
  } else (copy as Record<string, unknown>)[name] = put;
  return copy;
}

const host = { ...fileHost(), now: () => Date.UTC(2026, 10, 22) };

async function report(pack: Uint8Array, trust: Trust): Promise<PackReport | undefined> {
  try {
    return await verifyPack(access(pack), host, { trust });
  } catch (error) {
    if (error instanceof TrailmixError && error.code === 'pack_unreadable') return undefined;
    throw error;
  }
}

const FREE = 46;

/** Whether two zips differ only where the format says nothing: who made an entry, and bits of its attributes. */
function differsFreely(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  const end = x.length - 22;
  for (let at = x.readUInt32LE(end + 16); at + FREE <= end; ) {
    for (const n of [4, 5, 36, 38, 39, 40, 41]) y[at + n] = x[at + n]!;
    at += FREE + x.readUInt16LE(at + 28) + x.readUInt16LE(at + 30) + x.readUInt16LE(at + 32);
  }
  return x.equals(y);
}

const RECORDS = ['events.jsonl', 'extras.jsonl', 'heads.jsonl'] as const;

export const targets: Target[] = [
  {
    name: 'a zip with bytes changed is read or refused, and no pack with changed bytes passes',
    runs: 300,
    property: ({ pack, trust }) =>
      fc.asyncProperty(edits, async list => {
        const bytes = edited(pack, list);
        try {
          const zip = await openZip(access(bytes), inflateRaw);
          for (const entry of zip.entries.values()) for await (const _chunk of zip.open(entry));
        } catch (error) {
          if (!(error instanceof ZipError)) throw error;
        }
        const said = await report(bytes, trust);
        must(
          said === undefined || said.verdicts.integrity.result === 'fail' || differsFreely(pack, bytes),
          'changed bytes pass',
        );
      }),
  },
  {
    name: 'records of any shape are judged, and never pass',
    runs: 500,
    property: ({ parts, trust }) =>
      fc.asyncProperty(
        fc.array(fc.record({ file: fc.constantFrom(...RECORDS), line: fc.nat(60), edit: jsonEdit }), {
          minLength: 1,
          maxLength: 3,
        }),
        async list => {
          const copy: Parts = new Map(parts);
          for (const { file, line, edit } of list) {
            const lines = fromUtf8(copy.get(file)!).split('\n').slice(0, -1);
            const at = line % lines.length;
            const value = changed(JSON.parse(lines[at]!), edit.path, edit.how, edit.value);
            lines[at] = only([JcsError], () => jcs(value)) ?? '{}';
            copy.set(file, utf8(lines.map(one => `${one}\n`).join('')));
          }
          if (RECORDS.every(file => same(copy.get(file)!, parts.get(file)!))) return;
          const said = await report(await zipOf(copy, true), trust);
          must(said?.verdicts.integrity.result === 'fail', 'changed records pass');
        },
      ),
  },
  {
    name: 'manifest, checksums, policies and trust files of any shape are read or refused',
    runs: 3000,
    property: ({ parts, trust }) => {
      const trustFile = utf8(
        jcs({ ledger_id: 'ab'.repeat(16), tenant_id: 'default', v: 1, vkeys: [...trust.vkeys] }),
      );
      const readers: [Uint8Array, (bytes: Uint8Array) => unknown][] = [
        [parts.get('manifest.json')!, parseManifest],
        [parts.get('policies.json')!, parsePolicies],
        [parts.get('checksums.txt')!, parseChecksums],
        [trustFile, bytes => parseTrust(sha256, bytes)],
      ];
      return fc.asyncProperty(fc.nat(readers.length - 1), maybeJsonEdit, edits, async (which, edit, list) => {
        const [good, read] = readers[which]!;
        const json = edit !== null && which !== 2;
        const bytes = json
          ? utf8(
              only([JcsError], () =>
                jcs(changed(JSON.parse(fromUtf8(good)), edit.path, edit.how, edit.value)),
              ) ?? '',
            )
          : edited(good, list);
        only([ManifestError, NoteError], () => read(bytes));
      });
    },
  },
  {
    name: 'a line is canonical exactly where JCS writes it so, and its parts are those of the value',
    runs: 4000,
    property: () =>
      fc.asyncProperty(
        fc.dictionary(fc.string({ unit: 'binary', maxLength: 6 }), fc.jsonValue({ maxDepth: 3 })),
        maybeEdits,
        async (value, list) => {
          const text = only([JcsError], () => jcs(value));
          if (text === undefined) return;
          const line = list === null ? text : Buffer.from(edited(utf8(text), list)).toString('utf8');
          const parsed = only([SyntaxError], () => JSON.parse(line) as JsonValue);
          if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return;
          const wanted = only([JcsError], () => jcs(parsed)) === line;
          let found = true;
          try {
            canonicalPart(parsed as JsonObject, line, new Set());
          } catch (error) {
            if (!(error instanceof NotCanonical) && !(error instanceof JcsError)) throw error;
            found = false;
          }
          must(found === wanted, `canonical is ${found}`);
        },
      ),
  },
  {
    name: 'strict JSON takes what JSON.parse takes, to the same value, or says why not',
    runs: 4000,
    property: ({ parts }) =>
      fc.asyncProperty(
        fc.oneof(fc.json().map(utf8), fc.constant(parts.get('manifest.json')!)),
        maybeEdits,
        async (good, list) => {
          const bytes = list === null ? good : edited(good, list);
          const value = only([IJsonError], () => parseIJson(bytes));
          if (value === undefined) return;
          must(jcs(value) === jcs(JSON.parse(fromUtf8(bytes))), 'two values of one text');
        },
      ),
  },
  {
    name: 'a note is read to what writes it again, or refused; so are checkpoints, vkeys and proofs',
    runs: 4000,
    property: ({ parts, trust }) =>
      fc.asyncProperty(edits, async list => {
        const bytes = edited(parts.get('checkpoint.note')!, list);
        const note = only([NoteError], () => parseNote(bytes));
        if (note !== undefined) {
          must(same(utf8(formatNote(note)), bytes), 'a note has two spellings');
          only([CheckpointError], () => parseCheckpoint(note.text));
        }
        const vkey = Buffer.from(edited(utf8(trust.vkeys[0]!), list)).toString('utf8');
        only([NoteError], () => parseVkey(sha256, vkey));
        const proof = Buffer.from(edited(parts.get('proofs/multiproof.jsonl')!, list)).toString('utf8');
        const [header, ...rest] = proof.split('\n');
        only([MultiproofError], () => parseMultiproofHeader(header!));
        for (const line of rest) only([MultiproofError], () => parseMultiproofLine(line));
      }),
  },
  {
    name: 'lines are the same however their bytes come',
    runs: 1500,
    property: ({ parts }) =>
      fc.asyncProperty(edits, fc.integer({ min: 1, max: 5000 }), async (list, step) => {
        const bytes = edited(parts.get('events.jsonl')!.subarray(0, 4000), list);
        const read = async (size: number): Promise<string> => {
          const chunks = async function* () {
            for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
          };
          const lines: string[] = [];
          try {
            for await (const batch of lineBatches(chunks(), 2000)) lines.push(...batch);
          } catch (error) {
            if (!(error instanceof LineError)) throw error;
            return `${lines.join('\n')} then line ${error.line}`;
          }
          return lines.join('\n');
        };
        must((await read(step)) === (await read(bytes.length || 1)), 'two readings');
      }),
  },
  {
    name: 'signatures in DER: none that was changed is valid',
    runs: 500,
    property: ({ parts }) =>
      fc.asyncProperty(edits, async list => {
        const good = parts.get('META-INF/checksums.p7s')!;
        const bytes = edited(good, list);
        const result = await checkCms(bytes, parts.get('checksums.txt')!, {});
        must(!result.valid || same(bytes, good), 'a changed signature is valid');
      }),
  },
  {
    name: 'time-stamps in DER: read, or said to be wrong',
    runs: 500,
    property: ({ stamps, stamped, trust }) =>
      fc.asyncProperty(fc.nat(20), edits, async (which, list) => {
        const roots = trust.tsaRoots;
        await checkTimestamp(
          edited(stamps[which % stamps.length]!, list),
          sha256(stamped),
          roots === undefined ? {} : { roots },
        );
      }),
  },
  {
    name: 'certificates in DER and PEM: read, or refused by an error',
    runs: 1500,
    property: ({ trust }) =>
      fc.asyncProperty(edits, async list => {
        const pem = trust.certificates!;
        only([Error], () => readCertificate(edited(pemBlocks(pem, 'CERTIFICATE')[0]!, list)));
        only([Error], () => certificatesOf(Buffer.from(edited(utf8(pem), list)).toString('latin1')));
      }),
  },
];
