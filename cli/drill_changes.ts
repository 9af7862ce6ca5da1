/**
 * What `trailmix drill` changes in a pack behind everybody's back: a table of changes, each with what the verifier must
 * say of it, and the forger's work after them: lists made anew, and a signature by a certificate of the same name.
 */
import { generateKeyPairSync, sign, X509Certificate } from 'node:crypto';
import { signCms } from '../collector/evidence/cms.ts';
import { selfMadeCertificate } from '../collector/keys/certificate-writing.ts';
import { sha256 } from '../collector/sha256.ts';
import { ASIC_MANIFEST, ASIC_SIGNATURE, asicManifestText } from '../core/pack/asice.ts';
import type { FindingCode } from '../core/pack/findings.ts';
import { byPath, CHECKSUMS, CMS, checksumsText, MANIFEST, type Manifest } from '../core/pack/manifest.ts';
import { fromUtf8, hex, utf8 } from '../core/proof/bytes.ts';
import { type JsonObject, type JsonValue, jcs } from '../core/proof/jcs.ts';

/** Content by path, in the order of the zip. */
export type Files = Map<string, Uint8Array>;

/** What was done, for the facilitator. `found`: what the verifier must say; `also`: what else follows from it. */
export type Change = {
  readonly kind: string;
  readonly what: string;
  readonly why: string;
  readonly found: { readonly code: FindingCode; readonly where: string };
  readonly also: readonly FindingCode[];
};

/** Numbers from 0 to 1 that a seed determines (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Takes one at random; throws RangeError where there is none, which the sample runs never let happen. */
export function pick<T>(list: readonly T[], random: () => number): T {
  const one = list[Math.floor(random() * list.length)];
  if (one === undefined) throw new RangeError('the sample runs have nothing that this change fits');
  return one;
}

const EVENTS = 'events.jsonl';
type Line = { [name: string]: JsonValue };
const linesOf = (files: Files, path: string): Line[] =>
  fromUtf8(files.get(path)!)
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line) as Line);
const setLines = (files: Files, path: string, lines: readonly Line[]): void =>
  void files.set(path, utf8(lines.map(line => `${jcs(line)}\n`).join('')));

const objectOf = (value: JsonValue | undefined): JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};

/** `at`: the seq of the record that the finding is at, or a path. */
type Made = Omit<Change, 'found'> & { readonly code: FindingCode; readonly at: number | string };
type Make = (files: Files, random: () => number, taken: Set<number>) => Made;

/** Findings name lines, which are known when all changes are made. */
export function settled(files: Files, { code, at, ...change }: Made): Change {
  if (typeof at === 'string') return { ...change, found: { code, where: at } };
  const line = linesOf(files, EVENTS).findIndex(({ seq }) => seq === at) + 1;
  return { ...change, found: { code, where: `${EVENTS}:${line}` } };
}

/** A record of events.jsonl that no other change has touched. */
function target(
  lines: readonly Line[],
  taken: Set<number>,
  random: () => number,
  fits: (line: Line) => boolean,
): Line {
  // The first and last records are the scope's edges: other things are found there.
  const line = pick(
    lines.slice(1, -1).filter(one => !taken.has(one.seq as number) && fits(one)),
    random,
  );
  taken.add(line.seq as number);
  return line;
}

export const changes: readonly Make[] = [
  (files, random, taken) => {
    const lines = linesOf(files, EVENTS);
    const line = target(
      lines,
      taken,
      random,
      ({ event_type, input }) => event_type === 'tool.call' && typeof objectOf(input).amount === 'number',
    );
    const input = objectOf(line.input);
    const before = input.amount as number;
    const after = before + 1000 * (1 + Math.floor(random() * 9));
    line.input = { ...input, amount: after };
    setLines(files, EVENTS, lines);
    return {
      kind: 'amount',
      what: `The amount in the call ${String(line.name)} (record ${String(line.seq)}) was ${before}; it now reads ${after}.`,
      why: 'The content no longer gives the hash that the record was signed with.',
      code: 'body_hash_wrong',
      at: line.seq as number,
      also: [],
    };
  },
  (files, random, taken) => {
    const lines = linesOf(files, EVENTS);
    const line = target(
      lines,
      taken,
      random,
      ({ event_type }) => event_type === 'tool.call' || event_type === 'llm.chat',
    );
    const appSeq = line.app_seq as number;
    setLines(
      files,
      EVENTS,
      lines.filter(one => one !== line),
    );
    const next = lines[lines.indexOf(line) + 1]!;
    return {
      kind: 'vanished',
      what: `Record ${String(line.seq)} (${String(line.event_type)} ${String(line.name)}) was taken out.`,
      why: `The app numbers its records itself: ${appSeq} is missing, and the proof has a leaf too few.`,
      code: 'app_seq_gap',
      at: next.seq as number,
      also: ['proof_wrong', 'root_wrong', 'report_figures_wrong', 'derived_wrong', 'stream_gap'],
    };
  },
  (files, random, taken) => {
    const lines = linesOf(files, EVENTS);
    const line = target(
      lines,
      taken,
      random,
      ({ event_type, approval }) =>
        event_type === 'approval.answered' && objectOf(approval).verdict === 'deny',
    );
    const approval = objectOf(line.approval);
    line.approval = { ...approval, verdict: 'approve', comment: 'Fine by me.' };
    setLines(files, EVENTS, lines);
    return {
      kind: 'verdict',
      what: `A person refused ${String(line.name)} (record ${String(line.seq)}); the record now says that they approved it.`,
      why: 'The content no longer gives the hash that the record was signed with; approvals.jsonl still tells the truth.',
      code: 'body_hash_wrong',
      at: line.seq as number,
      also: ['derived_wrong', 'report_figures_wrong'],
    };
  },
  (files, random) => {
    const sources = [...files].filter(
      ([path, bytes]) => /^policies\/.*\.rego$/.test(path) && /\b\d{4,}\b/.test(fromUtf8(bytes)),
    );
    const [path, bytes] = pick(sources, random);
    const text = fromUtf8(bytes);
    const before = /\b\d{4,}\b/.exec(text)![0];
    files.set(path, utf8(text.replace(before, `${before}0`)));
    return {
      kind: 'policy',
      what: `In the policy ${path} the limit ${before} was made ${before}0.`,
      why: 'Its text no longer gives the hash that the decisions cite.',
      code: 'policy_hash_wrong',
      at: path,
      also: [],
    };
  },
  (files, random, taken) => {
    const lines = linesOf(files, EVENTS);
    const line = target(lines, taken, random, ({ event_type }) => event_type === 'user.message');
    const before = String(line.ts);
    const after = new Date(Date.parse(before) - 3_600_000 * (1 + Math.floor(random() * 5))).toISOString();
    line.ts = after;
    setLines(files, EVENTS, lines);
    return {
      kind: 'time',
      what: `The request in record ${String(line.seq)} was sent at ${before}; it now says ${after}.`,
      why: 'The head of the record no longer gives its hash, which is signed, chained and a leaf of the tree.',
      code: 'head_hash_wrong',
      at: line.seq as number,
      also: [],
    };
  },
];

/** Lists, hashes and signs what was changed, as someone would who has the pack and not the keys. */
export function forge(files: Files, at: Date): Change {
  const manifest = JSON.parse(fromUtf8(files.get(MANIFEST)!)) as Manifest;
  const listed = manifest.files
    .map(file => {
      const content = files.get(file.path)!;
      return { ...file, sha256: hex(sha256(content)), bytes: content.length };
    })
    .sort(byPath);
  files.set(MANIFEST, utf8(jcs({ ...manifest, files: listed } as unknown as JsonValue)));
  const covered = [...listed, { path: MANIFEST, sha256: hex(sha256(files.get(MANIFEST)!)) }];
  files.set(CHECKSUMS, utf8(checksumsText(covered)));
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 3072 });
  const certificatePem = selfMadeCertificate(privateKey, { common_name: 'Audit TrailMix' }, at.getTime());
  const signer = {
    certificatePem,
    chainPem: '',
    rootsPem: certificatePem,
    sign: (bytes: Uint8Array) => sign('sha256', bytes, privateKey),
  };
  const sums = files.get(CHECKSUMS)!;
  files.set(CMS, signCms(sums, signer, at));
  const container = utf8(asicManifestText([...covered, { path: CHECKSUMS, sha256: hex(sha256(sums)) }]));
  files.set(ASIC_MANIFEST, container);
  files.set(ASIC_SIGNATURE, signCms(container, signer, at));
  const { subject } = new X509Certificate(certificatePem);
  return {
    kind: 'signature',
    what: `The lists of files were made anew and signed by another key, with a certificate that calls itself ${subject}.`,
    why: 'It is not the certificate in the trust folder. Without that folder nobody could tell.',
    found: { code: 'cms_signer_wrong', where: CMS },
    also: ['asic_signer_differs'],
  };
}
