/** Makes packs from a ledger in memory, takes them apart and puts them together again with changes. */
import { createHmac, sign } from 'node:crypto';
import { type FileHandle, mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import forge from 'node-forge';
import { signCms } from '../../collector/evidence/cms.ts';
import type { EpochProof } from '../../collector/evidence/epoch.ts';
import { writePack } from '../../collector/evidence/pack-writer.ts';
import type { ReportFacts } from '../../collector/evidence/report/facts.ts';
import { inflateRaw, nodeHost } from '../../collector/evidence/verifier-host.ts';
import { endBefore, windowOf } from '../../collector/evidence/window.ts';
import { ZipWriter } from '../../collector/evidence/zip-writer.ts';
import type { ExportRequest } from '../../collector/http/services.ts';
import type { PackSigner } from '../../collector/ports.ts';
import { ASIC_MANIFEST, ASIC_SIGNATURE, asicManifestText, MIMETYPE } from '../../core/pack/asice.ts';
import { byPath, checksumsText, type Manifest } from '../../core/pack/manifest.ts';
import { checkpointOfPack } from '../../core/pack/older.ts';
import { type PackReport, type Trust, verifyPack } from '../../core/pack/verify.ts';
import { openZip, type RandomAccess } from '../../core/pack/zip.ts';
import { argsDigest, bindingHash, makeBinding } from '../../core/proof/binding.ts';
import { hex, utf8 } from '../../core/proof/bytes.ts';
import { originOf } from '../../core/proof/checkpoint.ts';
import { type JsonObject, type JsonValue, jcs } from '../../core/proof/jcs.ts';
import { formatVkey, noteKey } from '../../core/proof/note.ts';
import { MemoryLedger, sha256 } from './memory-ledger.ts';

export type Signer = PackSigner & { readonly privateKeyPem: string };

/** A certificate as the vault makes them; RSA-3072. */
export function newSigner(keys = forge.pki.rsa.generateKeyPair({ bits: 3072, e: 0x10001 })): Signer {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = keys.publicKey;
  certificate.serialNumber = '4242';
  certificate.validity.notBefore = new Date(Date.UTC(2026, 0, 1));
  certificate.validity.notAfter = new Date(Date.UTC(2046, 0, 1));
  const name = [{ name: 'commonName', value: 'Audit TrailMix test' }];
  certificate.setSubject(name);
  certificate.setIssuer(name);
  certificate.setExtensions([{ name: 'basicConstraints', cA: false, critical: true }]);
  certificate.sign(keys.privateKey, forge.md.sha256.create());
  const privateKeyPem = forge.pki.privateKeyToPem(keys.privateKey);
  const certificatePem = forge.pki.certificateToPem(certificate).replaceAll('\r\n', '\n');
  return {
    privateKeyPem,
    certificatePem,
    chainPem: '',
    rootsPem: certificatePem,
    sign: bytes => sign('sha256', bytes, privateKeyPem),
  };
}

/** The signer of the published packs: its key is derived from a text, so that they can be made again. */
export function seededSigner(text: string): Signer {
  const prng = forge.random.createInstance();
  let n = 0;
  // forge's generator is asked for seeds of this many bytes.
  prng.seedFileSync = needed => {
    let bytes = '';
    while (bytes.length < needed) bytes += Buffer.from(sha256(utf8(`${text} ${n++}`))).toString('latin1');
    return bytes.slice(0, needed);
  };
  return newSigner(forge.pki.rsa.generateKeyPair({ bits: 3072, e: 0x10001, prng } as never));
}

let shared: Signer | undefined;
export const signPacksAs = (signer: Signer): void => {
  shared = signer;
};
/** One signer for a whole test file: keys of 3072 bits take their time. */
export const testSigner = (): Signer => (shared ??= newSigner());

export const wholeWindow: ExportRequest = {
  app_id: 'bot',
  time_from: '2026-10-01T00:00:00Z',
  time_to: '2026-12-31T23:59:59Z',
};

/** Content by path. */
export type Parts = Map<string, Uint8Array>;

async function inTemporaryFile(
  write: (file: Awaited<ReturnType<typeof open>>) => Promise<unknown>,
): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'pack-'));
  try {
    const path = join(folder, 'pack.zip');
    const file = await open(path, 'wx');
    await write(file);
    await file.close();
    return await readFile(path);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Exports the ledger as the collector does. `report`: summary.pdf or its maker, which most tests do not need real. */
export async function makePack(
  ledger: MemoryLedger,
  request: ExportRequest = wholeWindow,
  options: {
    signer?: PackSigner;
    report?: Uint8Array | ((facts: ReportFacts) => Promise<Uint8Array>);
    at?: number;
    signedAt?: Date;
    epochs?: readonly EpochProof[];
  } = {},
): Promise<Buffer> {
  const asked = windowOf(request);
  const { checkpoint, receivedAt } = await ledger.close(asked.appId);
  const window = endBefore(asked, receivedAt);
  const pinned = options.at === undefined ? checkpoint : (await ledger.checkpoint(options.at))!;
  const scope = await ledger.scope(window.appId, window.from, window.to, pinned.size);
  if (scope === undefined) throw new Error('no such app');
  const plan = {
    window,
    scope,
    checkpoint: pinned,
    custody: 'in the hands of a test',
    signer: options.signer ?? testSigner(),
    at: options.signedAt ?? new Date(Date.UTC(2026, 10, 22)),
    version: '0.0.0-test',
    ...(options.epochs === undefined ? {} : { epochs: options.epochs }),
    ...(request.withhold === undefined ? {} : { withhold: request.withhold }),
    report: async (facts: ReportFacts) =>
      typeof options.report === 'function'
        ? options.report(facts)
        : (options.report ?? utf8('%PDF-1.7 without figures\n')),
  };
  return inTemporaryFile(file => writePack(ledger, plan, file, undefined, () => {}));
}

export const access = (bytes: Uint8Array): RandomAccess => ({
  size: bytes.length,
  read: async (offset, length) => {
    if (offset + length > bytes.length) throw new RangeError('beyond the end');
    return bytes.subarray(offset, offset + length);
  },
});

export async function partsOf(pack: Uint8Array): Promise<Parts> {
  const zip = await openZip(access(pack), inflateRaw);
  const parts: Parts = new Map();
  for (const entry of zip.entries.values()) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of zip.open(entry)) chunks.push(chunk);
    parts.set(entry.path, Buffer.concat(chunks));
  }
  return parts;
}

/** What the zip writer needs of a file, in memory: tests write thousands of small ones. */
function memoryFile(): { file: FileHandle; bytes(): Buffer } {
  let held = Buffer.alloc(64 * 1024);
  let end = 0;
  const write = async (bytes: Uint8Array, from: number, length: number, position: number) => {
    while (position + length > held.length) held = Buffer.concat([held, Buffer.alloc(held.length)]);
    held.set(bytes.subarray(from, from + length), position);
    end = Math.max(end, position + length);
    return { bytesWritten: length, buffer: bytes };
  };
  return { file: { write } as unknown as FileHandle, bytes: () => Buffer.from(held.subarray(0, end)) };
}

export async function zipOf(parts: Parts, store = false): Promise<Buffer> {
  const { file, bytes } = memoryFile();
  const zip = new ZipWriter(file);
  for (const [path, content] of parts) await zip.add(path, content, { store: store || path === MIMETYPE });
  await zip.finish();
  return bytes();
}

/** Lists, checksums and signs anew, so that only what the records themselves say can give a change away. */
export function reseal(
  parts: Parts,
  change: (manifest: Manifest) => object = manifest => manifest,
  signer: PackSigner = testSigner(),
): Parts {
  const manifest = JSON.parse(textOf(parts, 'manifest.json')) as Manifest;
  const roles = new Map(manifest.files.map(({ path, role }) => [path, role]));
  const files = [...parts]
    .filter(([path]) => !/^META-INF|^mimetype$|^manifest\.json$|^checksums\.txt$/.test(path))
    .map(([path, content]) => ({
      path,
      sha256: hex(sha256(content)),
      bytes: content.length,
      role: roles.get(path) ?? (path.startsWith('blobs/') ? ('blob' as const) : ('policy' as const)),
    }))
    .sort(byPath);
  parts.set('manifest.json', utf8(jcs(change({ ...manifest, files }) as JsonValue)));
  const covered = [...files, { path: 'manifest.json', sha256: hex(sha256(parts.get('manifest.json')!)) }];
  parts.set('checksums.txt', utf8(checksumsText(covered)));
  const at = new Date(Date.UTC(2026, 10, 22));
  const sums = parts.get('checksums.txt')!;
  parts.set('META-INF/checksums.p7s', signCms(sums, signer, at));
  const container = utf8(
    asicManifestText([...covered, { path: 'checksums.txt', sha256: hex(sha256(sums)) }]),
  );
  parts.set(ASIC_MANIFEST, container);
  parts.set(ASIC_SIGNATURE, signCms(container, signer, at));
  return parts;
}

export const textOf = (parts: Parts, path: string): string => Buffer.from(parts.get(path)!).toString('utf8');
export const linesOf = (parts: Parts, path: string): string[] => textOf(parts, path).split('\n').slice(0, -1);
export const setLines = (parts: Parts, path: string, lines: readonly string[]): void =>
  void parts.set(path, utf8(lines.map(line => `${line}\n`).join('')));

export function trustOf(ledger: MemoryLedger, signer: PackSigner = testSigner()): Trust {
  const origin = originOf(ledger.ledgerId, ledger.tenantId);
  return {
    vkeys: [formatVkey(noteKey(sha256, origin, ledger.checkpointKey.raw))],
    certificates: signer.rootsPem,
  };
}

export async function check(
  pack: Uint8Array,
  trust?: Trust,
  more: Parameters<typeof verifyPack>[2] = {},
  now = NOW,
): Promise<PackReport> {
  const host = { ...nodeHost(1), now: () => now };
  try {
    return await verifyPack(access(pack), host, { ...(trust === undefined ? {} : { trust }), ...more });
  } finally {
    await host.close();
  }
}

/** The checkpoint of an older pack, as `--since` gives it. */
export const sinceOf = async (pack: Uint8Array) => ({
  since: await checkpointOfPack(access(pack), { inflateRaw }),
});

/** When the tests' verifier lives: certificates are judged by it. */
export const NOW = Date.UTC(2026, 10, 22, 23);

export const codesOf = (report: PackReport): string[] =>
  [
    ...new Set(Object.values(report.verdicts).flatMap(({ findings }) => findings.map(({ code }) => code))),
  ].sort();

const hmac = (key: Uint8Array, message: Uint8Array): Uint8Array =>
  createHmac('sha256', key).update(message).digest();

/** A decision, and where it asks, its question, answer, use and outcome: each can be left out or changed. */
export function gatedCall(
  ledger: MemoryLedger,
  policy: { version: number; hash: string },
  change: {
    result?: 'allow' | 'deny' | 'approve';
    until?: 'asked' | 'answered' | 'used' | 'done';
    verdict?: 'approve' | 'deny';
    decision?: JsonObject;
    binding?: JsonObject;
    answer?: JsonObject;
    intent?: JsonObject;
    outcome?: JsonObject;
    bind?: boolean;
  } = {},
): void {
  const n = ledger.all.length;
  const [decisionId, approvalId, intentId] = [`dec_${n}`, `apr_${n}`, `int_${n}`];
  const payload = { amount: 12_000, iban: 'DE00' };
  const salt = hex(sha256(utf8(`args salt ${n}`)));
  const digest = argsDigest(hmac, Buffer.from(salt, 'hex'), payload);
  const result = change.result ?? 'approve';
  ledger.append({
    type: 'decision.recorded',
    body: {
      event_id: decisionId,
      actor_type: 'agent',
      actor_id: 'a1',
      name: 'send_wire',
      risk: 'high',
      input: payload,
      decision: {
        result,
        reasons: ['amount > 10000'],
        policy: { version: policy.version, hash: policy.hash },
        args_digest: digest,
        args_salt: salt,
        ...(result === 'approve' ? { approval_id: approvalId } : {}),
        ...change.decision,
      },
    },
  });
  if (result !== 'approve') return;
  const binding = makeBinding({
    v: 1,
    ledger_id: ledger.ledgerId,
    tenant_id: ledger.tenantId,
    app_id: 'bot',
    session_id: 's1',
    actor_id: 'a1',
    action: 'send_wire',
    risk: 'high',
    args_digest: digest,
    policy_hash: policy.hash,
    decision_id: decisionId,
    required: { k: 1, roles: ['approver'] },
    nonce: hex(sha256(utf8(`nonce ${n}`))),
    expires_at: '2026-12-01T00:00:00.000000Z',
    ...change.binding,
  });
  const bound = bindingHash(sha256, binding);
  const common = { parent_id: decisionId, name: 'send_wire', risk: 'high' };
  ledger.append({
    type: 'approval.asked',
    body: {
      ...common,
      event_id: approvalId,
      actor_type: 'agent',
      actor_id: 'a1',
      approval: {
        id: approvalId,
        decision_id: decisionId,
        binding: binding as unknown as JsonObject,
        binding_hash: bound,
      },
    },
  });
  const until = change.until ?? 'done';
  if (until === 'asked') return;
  ledger.append({
    type: 'approval.answered',
    source: { via: 'page', auth: 'person' },
    body: {
      ...common,
      approval: {
        id: approvalId,
        decision_id: decisionId,
        binding_hash: bound,
        verdict: change.verdict ?? 'approve',
        by: 'Dana',
        signed_in: 'none',
        ...change.answer,
      },
    },
  });
  if (until === 'answered') return;
  ledger.append({
    type: 'intent.recorded',
    body: {
      ...common,
      event_id: intentId,
      intent: {
        approval_id: approvalId,
        decision_id: decisionId,
        binding_hash: bound,
        args_digest: digest,
        nonce: binding.nonce,
        key_id: 'k1',
        policy_hash: policy.hash,
        grant_expires_at: '2026-12-01T00:00:00.000000Z',
        ...change.intent,
      },
    },
  });
  if (until === 'used') return;
  ledger.append({
    type: 'outcome.recorded',
    body: {
      parent_id: decisionId,
      status: 'ok',
      outcome: { decision_id: decisionId, intent_id: intentId, outcome: 'ok', ...change.outcome },
    },
  });
}

/** A ledger with something of everything: spans, evals, a stream, a blob, a policy, decisions, one whole approval. */
export function busyLedger(): MemoryLedger {
  const ledger = new MemoryLedger();
  const policy = ledger.activate('package trailmix\n');
  ledger.append({ app: 'other', body: { name: 'not in the scope' } });
  for (let n = 1; n <= 5; n++)
    ledger.append({ body: { name: `step ${n}`, stream: { id: 'st', n }, input: { text: `ünï 漢字 ${n}` } } });
  ledger.append({
    body: {
      name: 'judged',
      evals: [
        { name: 'groundedness', score: 0.92, threshold: 0.8 },
        { name: 'toxicity', score: 0 },
      ],
    },
  });
  const large = utf8(jcs({ text: 'x'.repeat(5000) }));
  const digest = hex(sha256(large));
  ledger.blobs.set(digest, large);
  ledger.append({
    body: {
      name: 'large',
      output: { $blob: { sha256: digest, bytes: large.length, type: 'application/vnd.trailmix.jcs+json' } },
    },
  });
  ledger.append({ app: 'other', body: { name: 'between' } });
  gatedCall(ledger, policy, { result: 'allow' });
  gatedCall(ledger, policy, { result: 'deny' });
  gatedCall(ledger, policy);
  ledger.append({ type: 'stream.end', body: { stream: { id: 'st', n: 6 } } });
  return ledger;
}
