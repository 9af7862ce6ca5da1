/**
 * Reads a bundle as `opa build -t wasm` writes it (a gzipped tar: .manifest, policy.wasm, data.json, Rego sources,
 * .signatures.json), so that a policy built by someone's own opa can be put in force.
 * Rules: a signed bundle is only read with the key that checks it, and an unsigned one only where no key was given;
 * every file must be covered by the signature, and be there. What the module needs of a host is judged where it is
 * loaded (evaluator.ts): a built-in function that our capabilities lack refuses it by name. Bounded in bytes and files.
 */
import {
  createHash,
  createHmac,
  createPublicKey,
  type KeyObject,
  timingSafeEqual,
  verify,
} from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { TrailmixError } from '../../core/api/errors.ts';
import { hex } from '../../core/proof/bytes.ts';
import { sha256 } from '../sha256.ts';
import { DATA_PATH, ENTRYPOINT, makeBundle, type PolicyBundle } from './bundle.ts';

export const MAX_BUNDLE_BYTES = 32 * 1024 * 1024;
export const MAX_BUNDLE_FILES = 2000;
const SIGNATURES = '.signatures.json';
const MANIFEST = '.manifest';
/** Of what a signature says of itself. */
const MOST_CHARACTERS = 256;

export type OpaBundleOptions = {
  /** Text of policies/capabilities.json: what the module may ask of its host is nothing beyond these. */
  capabilities: string;
  version: number;
  /** Default trailmix/decision. */
  entrypoint?: string;
  /** PEM of a public key, or the shared secret of HS256, HS384 and HS512. Needed for a signed bundle, and only there. */
  key?: string;
  /** What the signature's `scope` must be, where one is given. */
  scope?: string;
};

export type OpaBundle = {
  bundle: PolicyBundle;
  /** Absent for an unsigned bundle. */
  signature?: BundleSignature;
};
export type BundleSignature = {
  alg: string;
  /** As the signature names its key; not what was checked. */
  keyId?: string;
  issuer?: string;
  /** Hex SHA-256 of the public key that checked it (SubjectPublicKeyInfo, DER); absent for a shared secret. */
  keySha256?: string;
  files: number;
};

const invalid = (what: string): TrailmixError =>
  new TrailmixError('policy_invalid', { message: `The bundle cannot be used: ${what}` });

/** Throws policy_invalid. */
export function readOpaBundle(gz: Uint8Array, options: OpaBundleOptions): OpaBundle {
  const files = readTar(gunzipped(gz));
  const signature = checkSignature(files, options);
  const entrypoint = options.entrypoint ?? ENTRYPOINT;
  const wasm = files.get(modulePath(files, entrypoint));
  if (wasm === undefined)
    throw invalid(`it holds no Wasm module for ${entrypoint}: opa build -t wasm -e ${entrypoint}`);
  const sources = [...files]
    .filter(([path]) => path.endsWith('.rego') || path === DATA_PATH)
    .map(([path, bytes]) => ({ path, text: textOf(bytes, path) }));
  const bundle = makeBundle({
    version: options.version,
    entrypoint,
    capabilities: options.capabilities,
    wasm,
    files: sources,
  });
  parse(bundle.data, DATA_PATH);
  return { bundle, ...(signature === undefined ? {} : { signature }) };
}

function gunzipped(gz: Uint8Array): Buffer {
  try {
    return gunzipSync(gz, { maxOutputLength: MAX_BUNDLE_BYTES });
  } catch (error) {
    const why =
      (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
        ? 'unpacked it is over 32 MiB'
        : 'it is no gzip file';
    throw invalid(why);
  }
}

/** Files by path without leading slash. POSIX ustar, as Go writes it; only plain files and folders. */
function readTar(tar: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  const field = (at: number, length: number): string => {
    const bytes = tar.subarray(at, at + length);
    const end = bytes.indexOf(0);
    return bytes.subarray(0, end < 0 ? length : end).toString('utf8');
  };
  for (let at = 0; at + 512 <= tar.length; ) {
    if (tar[at] === 0) return files;
    const header = Buffer.from(tar.subarray(at, at + 512));
    const stated = Number.parseInt(field(at + 148, 8).trim(), 8);
    header.fill(0x20, 148, 156);
    if (header.reduce((sum, byte) => sum + byte, 0) !== stated) throw invalid('its tar is damaged');
    const size = Number.parseInt(field(at + 124, 12).trim(), 8);
    const type = String.fromCharCode(tar[at + 156]!);
    const prefix = field(at + 345, 155);
    const name = `${prefix === '' ? '' : `${prefix}/`}${field(at, 100)}`.replace(/^(\.?\/)+/, '');
    const end = at + 512 + size;
    if (!Number.isInteger(size) || size < 0 || end > tar.length) throw invalid('its tar is cut off');
    if (type === '0' || type === '\0') {
      if (name === '' || name.split('/').some(step => step === '' || step === '.' || step === '..'))
        throw invalid(`a file is named ${JSON.stringify(name)}`);
      if (files.has(name)) throw invalid(`${name} stands in it twice`);
      if (files.size >= MAX_BUNDLE_FILES) throw invalid(`it holds more than ${MAX_BUNDLE_FILES} files`);
      files.set(name, tar.subarray(at + 512, end));
    } else if (type !== '5') {
      throw invalid(`an entry of its tar is of a kind that is not read (${JSON.stringify(type)}): ${name}`);
    }
    at = at + 512 + Math.ceil(size / 512) * 512;
  }
  throw invalid('its tar is cut off');
}

function textOf(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw invalid(`${path} is not UTF-8`);
  }
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid(`${path} is no JSON`);
  }
}

function members(value: unknown, where: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw invalid(`${where} is no JSON object`);
  return value as Record<string, unknown>;
}

function modulePath(files: Map<string, Buffer>, entrypoint: string): string {
  const manifest = files.get(MANIFEST);
  if (manifest === undefined) return 'policy.wasm';
  const { wasm } = members(parse(textOf(manifest, MANIFEST), MANIFEST), MANIFEST) as {
    wasm?: { entrypoint?: unknown; module?: unknown }[];
  };
  const found = Array.isArray(wasm) ? wasm.find(one => one?.entrypoint === entrypoint) : undefined;
  if (found === undefined) throw invalid(`its manifest names no Wasm module for ${entrypoint}`);
  return String(found.module).replace(/^\/+/, '');
}

type SignedFile = { name: string; hash: string; algorithm: string };

function checkSignature(files: Map<string, Buffer>, options: OpaBundleOptions): OpaBundle['signature'] {
  const bytes = files.get(SIGNATURES);
  if (bytes === undefined) {
    if (options.key !== undefined) throw invalid('it is not signed, and a key was given to check it');
    return undefined;
  }
  if (options.key === undefined) throw invalid('it is signed, and no key was given to check it');
  const { signatures } = members(parse(textOf(bytes, SIGNATURES), SIGNATURES), SIGNATURES);
  if (!Array.isArray(signatures) || signatures.length !== 1 || typeof signatures[0] !== 'string')
    throw invalid('its .signatures.json does not hold one signature');
  const [head = '', body = '', mark = '', ...more] = signatures[0].split('.');
  if (more.length > 0) throw invalid('its signature is no JWT');
  const part = (text: string) =>
    members(parse(Buffer.from(text, 'base64url').toString('utf8'), 'its signature'), 'its signature');
  const { alg, kid } = part(head);
  const publicKey = signatureHolds(
    String(alg),
    `${head}.${body}`,
    Buffer.from(mark, 'base64url'),
    options.key,
  );
  const claims = part(body);
  if (options.scope !== undefined && claims.scope !== options.scope)
    throw invalid(`its signature is for scope ${JSON.stringify(claims.scope ?? '')}`);
  const signed = Array.isArray(claims.files) ? claims.files : [];
  if (signed.length === 0) throw invalid('its signature covers no file');
  if (!signed.every(isSignedFile)) throw invalid('its signature names a file in another form than OPA does');
  const covered = new Set<string>();
  for (const file of signed) {
    const content = files.get(file.name);
    if (content === undefined) throw invalid(`${file.name} is signed and not there`);
    if (digestOf(file, content) !== file.hash.toLowerCase())
      throw invalid(`${file.name} is not the one that was signed`);
    covered.add(file.name);
  }
  for (const name of files.keys()) {
    if (name !== SIGNATURES && !covered.has(name)) throw invalid(`${name} is not covered by the signature`);
  }
  const named = (value: unknown): string | undefined =>
    typeof value === 'string' && value !== '' ? value.slice(0, MOST_CHARACTERS) : undefined;
  const keyId = named(kid) ?? named(claims.keyid);
  const issuer = named(claims.iss);
  return {
    alg: String(alg),
    files: covered.size,
    ...(keyId === undefined ? {} : { keyId }),
    ...(issuer === undefined ? {} : { issuer }),
    ...(publicKey === undefined
      ? {}
      : { keySha256: hex(sha256(publicKey.export({ format: 'der', type: 'spki' }))) }),
  };
}

/**
 * The algorithm must fit the kind of key: a public key is never taken for a shared secret. Answers the public key, undefined for
 * a secret; throws where the signature does not hold.
 */
function signatureHolds(alg: string, text: string, mark: Buffer, key: string): KeyObject | undefined {
  const fails = (): TrailmixError => invalid('its signature does not hold under the given key');
  const [, kind, bits] = /^(HS|RS|PS|ES)(256|384|512)$/.exec(alg) ?? [];
  if (kind === undefined) throw invalid(`its signature's algorithm is ${JSON.stringify(alg)}`);
  const hash = `sha${bits}`;
  const pem = key.includes('-----BEGIN');
  if (kind === 'HS') {
    if (pem) throw invalid('its signature wants a shared secret, and the given key is a public one');
    const made = createHmac(hash, key).update(text).digest();
    if (made.length !== mark.length || !timingSafeEqual(made, mark)) throw fails();
    return undefined;
  }
  if (!pem) throw invalid('its signature wants a public key in PEM');
  const publicKey = publicKeyOf(key);
  const how = {
    RS: {},
    PS: { padding: 6 /* RSA_PKCS1_PSS_PADDING */, saltLength: -1 /* of the digest */ },
    ES: { dsaEncoding: 'ieee-p1363' as const },
  }[kind as 'RS' | 'PS' | 'ES'];
  const wanted = kind === 'ES' ? 'ec' : 'rsa';
  if (publicKey.asymmetricKeyType !== wanted) throw fails();
  try {
    if (verify(hash, Buffer.from(text), { key: publicKey, ...how }, mark)) return publicKey;
  } catch {
    // A key too small for the algorithm.
  }
  throw fails();
}

function publicKeyOf(pem: string): KeyObject {
  try {
    return createPublicKey(pem);
  } catch {
    throw invalid('the given key is no public key in PEM');
  }
}

const isSignedFile = (file: unknown): file is SignedFile => {
  const { name, hash, algorithm } = (file ?? {}) as Record<string, unknown>;
  return [name, hash, algorithm].every(one => typeof one === 'string');
};

const DIGESTS: Record<string, string> = {
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
};

function digestOf({ name, algorithm }: SignedFile, content: Buffer): string {
  const digest = DIGESTS[algorithm];
  if (digest === undefined) throw invalid(`${name} is signed by the digest ${JSON.stringify(algorithm)}`);
  const base = name.slice(name.lastIndexOf('/') + 1);
  const structured = base === DATA_PATH || base === MANIFEST;
  const hash = createHash(digest);
  return hash.update(structured ? structuredText(textOf(content, name), name) : content).digest('hex');
}

class NumberAsWritten {
  readonly source: string;
  constructor(source: string) {
    this.source = source;
  }
}

/** OPA's form of JSON for digests: members by key, in bytes; no spaces; numbers as they were written. */
function structuredText(text: string, name: string): string {
  let value: unknown;
  try {
    // TypeScript's types do not know the third argument of a reviver yet; it is in V8 since Node 21.
    const asWritten = (_: string, one: unknown, context?: { source?: string }) =>
      typeof one === 'number' ? new NumberAsWritten(context!.source!) : one;
    value = JSON.parse(text, asWritten as (key: string, one: unknown) => unknown);
  } catch {
    throw invalid(`${name} is no JSON`);
  }
  const word = (one: string): string =>
    JSON.stringify(one.toWellFormed()).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
  const written = (one: unknown): string => {
    if (one instanceof NumberAsWritten) return one.source;
    if (typeof one === 'string') return word(one);
    if (Array.isArray(one)) return `[${one.map(written).join(',')}]`;
    if (typeof one !== 'object' || one === null) return String(one);
    const sorted = Object.entries(one).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    return `{${sorted.map(([key, member]) => `${word(key)}:${written(member)}`).join(',')}}`;
  };
  try {
    return written(value);
  } catch {
    throw invalid(`${name} is nested too deeply`);
  }
}
