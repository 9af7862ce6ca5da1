/**
 * A witness's own files: its key, and what it signed last of each log. Needs no ledger: both fit on a USB stick.
 * Rules: the key file is made once, with its state beside it; without its state a witness signs nothing; the new
 * state is on disk before a signature leaves. Format: docs/spec/tree.md, "Cosignatures".
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { verifyEd25519 } from '../collector/evidence/verifier-host.ts';
import { sha256 } from '../collector/sha256.ts';
import { TrailmixError } from '../core/api/errors.ts';
import { base64, fromBase64 } from '../core/proof/bytes.ts';
import {
  COSIGN_ED25519,
  COSIGN_MLDSA44,
  cosignatureBytes,
  cosignatureMessage,
  formatWitnessVkey,
  type WitnessKey,
  witnessKey,
} from '../core/proof/cosignature.ts';
import { formatNoteLine, parseVkey } from '../core/proof/note.ts';
import { judgeRequest, parseWitnessRequest, WitnessError } from '../core/proof/witness.ts';

type Log = { vkeys: string[]; size: number; root?: string; at?: string };
type State = { v: 1; witness: string; logs: Record<string, Log> };

export const stateFileOf = (keyFile: string): string => `${keyFile}.state.json`;

const FAULTS = {
  form: 'witness_invalid',
  unknown: 'witness_unknown',
  behind: 'witness_behind',
  smaller: 'witness_smaller',
  inconsistent: 'witness_inconsistent',
} as const;

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

export type Signing = { origin: string; size: number; before: number; note: string; name: string };

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
    try {
      const request = parseWitnessRequest(bytes);
      const origin = request.note.slice(0, request.note.indexOf('\n'));
      const log: Log = (Object.hasOwn(state.logs, origin) ? state.logs[origin] : undefined) ?? {
        vkeys: [],
        size: 0,
      };
      const all = [...new Set([...log.vkeys, ...(vkeys ?? [])])];
      const known = all.map(vkey => parseVkey(sha256, vkey)).filter(({ name }) => name === origin);
      const seen = log.root === undefined ? undefined : { size: log.size, root: fromBase64(log.root) };
      const { checkpoint, text } = await judgeRequest(request, seen, known, { sha256, verifyEd25519 });
      const time = Math.floor(now / 1000);
      const signature = sign(null, cosignatureMessage(key, time, text), privateKey);
      state.logs[origin] = {
        vkeys: all,
        size: checkpoint.size,
        root: base64(checkpoint.root),
        at: new Date(time * 1000).toISOString(),
      };
      await writeState(file, state);
      const line = formatNoteLine({
        name: key.name,
        id: key.id,
        signature: cosignatureBytes(time, signature),
      });
      return { origin, size: checkpoint.size, before: log.size, note: request.note + line, name: key.name };
    } catch (error) {
      if (!(error instanceof WitnessError)) throw error;
      throw new TrailmixError(FAULTS[error.fault], { message: error.message });
    }
  });
}
