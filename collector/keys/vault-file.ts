/**
 * vault.json: its form, reading, writing, and what is found damaged. JCS, mode 0600, replaced in one step.
 * `checksum` finds accidents without a secret; `mac` (under the master key) finds deliberate changes at open.
 * Format: docs/security.md, "The vault's file".
 */
import { createHash, createHmac } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import Type from 'typebox';
import Value from 'typebox/value';
import { TrailmixError } from '../../core/api/errors.ts';
import { equalBytes, fromUtf8, hex, utf8 } from '../../core/proof/bytes.ts';
import { jcs } from '../../core/proof/jcs.ts';
import type { StoredCustody } from './custody.ts';
import { createFile, replaceFile } from './durable.ts';
import { scryptAffordable } from './wrap.ts';

const Base64 = Type.String({ pattern: '^[A-Za-z0-9+/]+={0,2}$' });
const Hex32 = Type.String({ pattern: '^[0-9a-f]{32}$' });
const Hex64 = Type.String({ pattern: '^[0-9a-f]{64}$' });
const exact = { additionalProperties: false };
const SigningKey = Type.Object({ key_id: Hex64, public_key: Base64, wrapped: Base64 }, exact);

const VaultFile = Type.Object(
  {
    v: Type.Literal(1),
    ledger_id: Hex32,
    created_at: Type.String(),
    custody: Type.Union([
      Type.Object(
        {
          kind: Type.Literal('passphrase'),
          kdf: Type.Object(
            {
              name: Type.Literal('scrypt'),
              n: Type.Integer(),
              r: Type.Integer(),
              p: Type.Integer(),
              salt: Base64,
            },
            exact,
          ),
          wrapped: Base64,
        },
        exact,
      ),
      Type.Object(
        { kind: Type.Literal('key_file'), file: Type.String(), salt: Base64, wrapped: Base64 },
        exact,
      ),
      Type.Object(
        {
          kind: Type.Literal('safe_storage'),
          backend: Type.String(),
          sealed: Base64,
          salt: Base64,
          wrapped: Base64,
        },
        exact,
      ),
    ]),
    recovery: Type.Object({ salt: Base64, wrapped: Base64 }, exact),
    keys: Type.Object(
      {
        event: SigningKey,
        checkpoint: SigningKey,
        /** PEM texts; `chain` leads from the certificate's issuer to its root. */
        pack: Type.Optional(
          Type.Object(
            { certificate: Type.String(), wrapped: Base64, chain: Type.Optional(Type.String()) },
            exact,
          ),
        ),
        pack_next: Type.Optional(Type.Object({ request: Type.String(), wrapped: Base64 }, exact)),
        former: Type.Optional(Type.Array(Type.String())),
      },
      exact,
    ),
    /** Ledgers that this one was restored from: their master keys, wrapped under this one's. */
    epochs: Type.Optional(Type.Array(Type.Object({ ledger_id: Hex32, wrapped: Base64 }, exact))),
    checksum: Hex64,
    mac: Hex64,
  },
  exact,
);

export type VaultFile = Type.Static<typeof VaultFile> & { custody: StoredCustody };
export type VaultContent = Omit<VaultFile, 'checksum' | 'mac'>;

export const VAULT_FILE = 'vault.json';
const LIMIT = 1024 * 1024;

const damaged = (message: string): TrailmixError =>
  new TrailmixError('vault_damaged', { where: VAULT_FILE, message });
const checksumOf = (text: string): string => createHash('sha256').update(text).digest('hex');
const macOf = (key: Uint8Array, text: string): string => createHmac('sha256', key).update(text).digest('hex');

/** undefined where there is no vault. Throws vault_damaged. */
export async function readVaultFile(folder: string): Promise<VaultFile | undefined> {
  const handle = await open(join(folder, VAULT_FILE), 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw damaged(`vault.json cannot be opened (${error.code ?? 'unknown error'}).`);
  });
  if (handle === undefined) return undefined;
  try {
    const stat = await handle.stat();
    if (!stat.isFile() || stat.size > LIMIT) throw damaged('vault.json is not a vault.');
    return parseVaultFile(await handle.readFile());
  } finally {
    await handle.close();
  }
}

/** Throws vault_damaged. */
export function parseVaultFile(bytes: Uint8Array): VaultFile {
  let value: unknown;
  try {
    value = JSON.parse(fromUtf8(bytes));
  } catch {
    throw damaged('vault.json is not JSON: it was cut or overwritten.');
  }
  const version = (value as { v?: unknown } | null)?.v;
  if (typeof version === 'number' && version > 1) {
    throw damaged(`vault.json has version ${version}, written by a newer Audit TrailMix: start that one.`);
  }
  if (!Value.Check(VaultFile, value)) throw damaged('vault.json does not have the form of a vault.');
  const { checksum, mac, ...content } = value;
  if (checksumOf(jcs({ ...content, mac })) !== checksum)
    throw damaged('vault.json was changed: its checksum does not match.');
  if (content.custody.kind === 'passphrase' && !scryptAffordable(content.custody.kdf)) {
    throw damaged('vault.json asks for a key derivation that is too weak or too costly.');
  }
  return { ...content, checksum, mac };
}

/** Throws vault_damaged where anything in the file is not as the holder of the master key wrote it. */
export function checkMac(file: VaultFile, macKey: Uint8Array): void {
  const { checksum: _checksum, mac, ...content } = file;
  if (!equalBytes(utf8(macOf(macKey, jcs(content))), utf8(mac))) {
    throw damaged('vault.json was changed by someone who does not hold its key.');
  }
}

/** The text of the file: JCS with the mac over everything else, and the checksum over both. */
export function vaultBytes(content: VaultContent, macKey: Uint8Array): Uint8Array {
  const sealed = { ...content, mac: macOf(macKey, jcs(content)) };
  return utf8(jcs({ ...sealed, checksum: checksumOf(jcs(sealed)) }));
}

/** Writes a first vault. Throws setup_done where there is one. */
export async function createVaultFile(folder: string, bytes: Uint8Array): Promise<void> {
  if (!(await createFile(join(folder, VAULT_FILE), bytes))) throw new TrailmixError('setup_done');
}

export async function replaceVaultFile(folder: string, bytes: Uint8Array): Promise<void> {
  await replaceFile(join(folder, VAULT_FILE), bytes);
}

/** The 16 bytes of a ledger id: the salt that keeps one ledger's derived keys from another's. */
export const ledgerSalt = (ledgerId: string): Uint8Array => Buffer.from(ledgerId, 'hex');

/** A new ledger id from 16 random bytes. */
export const ledgerIdOf = (bytes: Uint8Array): string => hex(bytes);

/** What a wrap in the vault is bound to: its ledger and its place. */
export const vaultContext = (ledgerId: string, what: string): string =>
  `trailmix/vault/v1\n${ledgerId}\n${what}`;
