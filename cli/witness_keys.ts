/**
 * A witness's own files: its key, and what it signed last of each log. Needs no ledger: both fit on a USB stick.
 * Rules: the key file is made once, with its state beside it; without its state a witness signs nothing; the new
 * state is on disk before a signature leaves. Format: docs/spec/tree.md, "Cosignatures".
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { cosign, type KnownLog, type Signing } from '../collector/evidence/cosigning.ts';
import { sha256 } from '../collector/sha256.ts';
import { TrailmixError } from '../core/api/errors.ts';
import { base64, fromBase64 } from '../core/proof/bytes.ts';
import {
  COSIGN_ED25519,
  COSIGN_MLDSA44,
  formatWitnessVkey,
  type WitnessKey,
  witnessKey,
} from '../core/proof/cosignature.ts';

type State = { v: 1; witness: string; logs: Record<string, KnownLog> };

export const stateFileOf = (keyFile: string): string => `${keyFile}.state.json`;

function publicOf(name: string, privateKey: KeyObject): WitnessKey {
  const type = privateKey.asymmetricKeyType === 'ed25519' ? COSIGN_ED25519 : COSIGN_MLDSA44;
  const der = privateKey.export({ format: 'der', type: 'pkcs8' });
  const spki = createPublicDer(der);
  return witnessKey(
    sha256,
    name,
    type,
    Uint8Array.from(spki.subarray(type === COSIGN_ED25519 ? -32 : -1312)),
  );
}

const createPublicDer = (pkcs8: Buffer): Buffer =>
  createPublicKey(createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })).export({
    format: 'der',
    type: 'spki',
  });

/** Makes key and state file; neither may be there. Answers the vkey. Throws usage. */
export async function makeWitnessKey(file: string, name: string, mlDsa: boolean): Promise<string> {
  let key: WitnessKey;
  let text: string;
  try {
    const { privateKey } = mlDsa ? generateKeyPairSync('ml-dsa-44') : generateKeyPairSync('ed25519');
    key = publicOf(name, privateKey);
    const der = privateKey.export({ format: 'der', type: 'pkcs8' });
    text = `${JSON.stringify({ v: 1, name, private_key: base64(der) })}\n`;
  } catch (error) {
    throw new TrailmixError('usage', { where: '--name', message: (error as Error).message });
  }
  const vkey = formatWitnessVkey(key);
  try {
    await writeFile(file, text, { flag: 'wx', mode: 0o600, flush: true });
    await writeFile(stateFileOf(file), stateText({ v: 1, witness: vkey, logs: {} }), {
      flag: 'wx',
      mode: 0o600,
      flush: true,
    });
  } catch (error) {
    throw new TrailmixError('usage', {
      where: file,
      message: `${file} or its state file cannot be made (${(error as NodeJS.ErrnoException).code})`,
    });
  }
  return vkey;
}

const stateText = (state: State): string => `${JSON.stringify(state, null, 2)}\n`;

async function readKey(file: string): Promise<{ key: WitnessKey; privateKey: KeyObject }> {
  try {
    const { v, name, private_key } = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
    if (v !== 1 || typeof name !== 'string' || typeof private_key !== 'string') throw new Error();
    const der = Buffer.from(fromBase64(private_key));
    const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    return { key: publicOf(name, privateKey), privateKey };
  } catch {
    throw new TrailmixError('witness_invalid', { where: file, message: `${file} is no key of a witness` });
  }
}

async function readState(file: string, vkey: string): Promise<State> {
  try {
    const state = JSON.parse(await readFile(file, 'utf8')) as State;
    if (state.v === 1 && state.witness === vkey && typeof state.logs === 'object') return state;
  } catch {
    // Said below.
  }
  throw new TrailmixError('witness_invalid', {
    where: file,
    message: `${file} is missing or not this witness's: without what it signed before, a witness signs nothing`,
  });
}

async function writeState(file: string, state: State): Promise<void> {
  const beside = `${file}.new`;
  const handle = await open(beside, 'w', 0o600);
  try {
    await handle.writeFile(stateText(state));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(beside, file);
}

/** One signing at a time: two would each hold an old state. */
async function locked<T>(file: string, work: () => Promise<T>): Promise<T> {
  const lock = `${file}.lock`;
  const handle = await open(lock, 'wx', 0o600).catch(() => {
    throw new TrailmixError('busy', {
      where: lock,
      message: `Another signing is under way, or one broke off: then remove ${lock}`,
    });
  });
  try {
    return await work();
  } finally {
    await handle.close();
    await rm(lock, { force: true });
  }
}

/**
 * Judges a request and answers the note with this witness's line. `vkeys`: those of the log, wanted the first time and
 * kept from then on. Throws witness_invalid, witness_unknown, witness_behind, witness_smaller, witness_inconsistent, busy.
 */
export async function signRequest(
  keyFile: string,
  bytes: Uint8Array,
  { vkeys, now }: { vkeys?: readonly string[]; now: number },
): Promise<Signing> {
  const { key, privateKey } = await readKey(keyFile);
  const file = stateFileOf(keyFile);
  return locked(file, async () => {
    const state = await readState(file, formatWitnessVkey(key));
    const known = (origin: string) => (Object.hasOwn(state.logs, origin) ? state.logs[origin] : undefined);
    const more = vkeys === undefined ? {} : { vkeys };
    const { signing, log } = await cosign(bytes, { key, privateKey, known, now, ...more });
    state.logs[signing.origin] = log;
    await writeState(file, state);
    return signing;
  });
}
