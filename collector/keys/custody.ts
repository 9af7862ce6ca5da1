/**
 * Custody: who or what keeps the secret that opens the vault, and in plain words what that protects against.
 * The words appear in Settings, the PDF and docs/security.md. One wrap of the master key per vault, beside the
 * recovery phrase's.
 */
import { randomBytes } from 'node:crypto';
import { unlink } from 'node:fs/promises';
import { resolve } from 'node:path';
import { TrailmixError } from '../../core/api/errors.ts';
import type { Custody } from '../../core/api/views.ts';
import { base64, fromBase64 } from '../../core/proof/bytes.ts';
import { makeKeyFile, readKeyFile } from './key-file.ts';
import type { SecretBytes } from './secret.ts';
import { deriveKey, passphraseKey, SCRYPT, type Scrypt, unwrap, wrap } from './wrap.ts';

/** The desktop's keystore as Electron's main process offers it. `backend` is its own word, `none` where it has none. */
export type SafeStorage = {
  readonly backend: string;
  encrypt(secret: Uint8Array): Promise<Uint8Array>;
  decrypt(sealed: Uint8Array): Promise<Uint8Array>;
};

/** How a vault is to be kept. A key file that exists is used, else it is made; default place: defaultKeyFile. */
export type CustodyChoice =
  | { kind: 'passphrase'; passphrase: string }
  | { kind: 'key_file'; file?: string }
  | { kind: 'safe_storage'; storage: SafeStorage };

/** As it stands in vault.json; binary members are base64. */
export type StoredCustody =
  | { kind: 'passphrase'; kdf: Scrypt; wrapped: string }
  | { kind: 'key_file'; file: string; salt: string; wrapped: string }
  | { kind: 'safe_storage'; backend: string; sealed: string; salt: string; wrapped: string };

export const PASSPHRASE_LEAST = 12;
const LABEL = 'trailmix/custody/v1';

export type CustodyPlace = {
  /** The data folder: no key file may lie in it. */
  folder: string;
  keyFile: string;
  /** The context that the wrap is bound to. */
  context: string;
};

/**
 * Wraps the master key under a new secret. `undo` removes a key file made here, for when the vault is not written
 * after all. Throws passphrase_weak, vault_key_exposed, vault_secret_wrong, input_invalid.
 */
export async function lockMaster(
  master: Uint8Array,
  choice: CustodyChoice,
  place: CustodyPlace,
): Promise<{ stored: StoredCustody; undo: () => Promise<void> }> {
  const salt = randomBytes(32);
  const nothing = async (): Promise<void> => {};
  switch (choice.kind) {
    case 'passphrase': {
      if ([...choice.passphrase.normalize('NFKC')].length < PASSPHRASE_LEAST) {
        throw new TrailmixError('passphrase_weak', { where: '/passphrase' });
      }
      const kdf: Scrypt = { ...SCRYPT, salt: base64(salt) };
      const key = await passphraseKey(choice.passphrase, salt, kdf);
      const wrapped = base64(wrap(key, master, place.context));
      return { stored: { kind: 'passphrase', kdf, wrapped }, undo: nothing };
    }
    case 'key_file': {
      const file = resolve(choice.file ?? place.keyFile);
      const { key: secret, made } = await makeKeyFile(file, place.folder);
      const wrapped = base64(wrap(deriveKey(secret, salt, LABEL), master, place.context));
      return {
        stored: { kind: 'key_file', file, salt: base64(salt), wrapped },
        undo: made ? () => unlink(file).catch(() => {}) : nothing,
      };
    }
    case 'safe_storage': {
      const { storage } = choice;
      if (storage.backend === 'none') {
        throw new TrailmixError('input_invalid', {
          where: '/custody',
          message: 'This desktop offers no keystore: choose a passphrase or a key file.',
        });
      }
      const secret = randomBytes(32);
      const sealed = base64(await storage.encrypt(secret));
      const wrapped = base64(wrap(deriveKey(secret, salt, LABEL), master, place.context));
      return {
        stored: { kind: 'safe_storage', backend: storage.backend, sealed, salt: base64(salt), wrapped },
        undo: nothing,
      };
    }
  }
}

/** What is given to open a vault. A key file's place defaults to the one that vault.json names. */
export type CustodySecret =
  | { kind: 'passphrase'; passphrase: string }
  | { kind: 'key_file'; file?: string }
  | { kind: 'safe_storage'; storage: SafeStorage };

/** Throws vault_secret_wrong, vault_key_missing, vault_key_exposed. */
export async function unlockMaster(
  stored: StoredCustody,
  secret: CustodySecret,
  place: Pick<CustodyPlace, 'folder' | 'context'>,
): Promise<SecretBytes> {
  if (stored.kind !== secret.kind) {
    throw new TrailmixError('vault_secret_wrong', {
      message: `This vault opens by its ${NAMES[stored.kind]}.`,
    });
  }
  const master = unwrap(
    await custodyKey(stored, secret, place.folder),
    fromBase64(stored.wrapped),
    place.context,
  );
  if (master === undefined) {
    throw new TrailmixError('vault_secret_wrong', {
      message: `The ${NAMES[stored.kind]} does not open this vault; nothing was changed.`,
    });
  }
  return master;
}

const NAMES = {
  passphrase: 'passphrase',
  key_file: 'key file',
  safe_storage: "desktop's keystore",
} as const;

async function custodyKey(stored: StoredCustody, secret: CustodySecret, folder: string): Promise<Uint8Array> {
  if (stored.kind === 'passphrase' && secret.kind === 'passphrase') {
    return passphraseKey(secret.passphrase, fromBase64(stored.kdf.salt), stored.kdf);
  }
  if (stored.kind === 'key_file' && secret.kind === 'key_file') {
    return deriveKey(await readKeyFile(secret.file ?? stored.file, folder), fromBase64(stored.salt), LABEL);
  }
  if (stored.kind === 'safe_storage' && secret.kind === 'safe_storage') {
    const opened = await secret.storage.decrypt(fromBase64(stored.sealed)).catch(() => {
      throw new TrailmixError('vault_secret_wrong', {
        message:
          "The desktop's keystore does not open this vault: was it sealed by another user or computer?",
      });
    });
    return deriveKey(opened, fromBase64(stored.salt), LABEL);
  }
  throw new TrailmixError('internal');
}

const COPY = 'A copy of the data folder alone (a stolen disk or backup, a synced folder) cannot be read';
const SAME_USER =
  'Programs that run as the same user of this computer, the audited agent among them, and its administrators';
const REWRITE =
  'Whoever has the key can rewrite history since the last checkpoint that someone else has, without a trace here';

/** The custody in words. On Linux `basic_text` is a keystore in name only, and is called what it is. */
export function describeCustody(stored: StoredCustody): Custody {
  switch (stored.kind) {
    case 'passphrase':
      return {
        kind: 'passphrase',
        label: 'Passphrase, typed at each start',
        protects: [COPY, 'Nor can the whole disk of this computer while the app is not running'],
        does_not_protect: [
          `${SAME_USER}, while the app is running`,
          REWRITE,
          'A passphrase that can be guessed',
        ],
      };
    case 'key_file':
      return {
        kind: 'key_file',
        label: 'Key file outside the data folder',
        protects: [COPY, 'Other users of this computer cannot read it'],
        does_not_protect: [
          SAME_USER,
          'A stolen disk that is not encrypted, or a backup of the whole home folder: both hold the key file too',
          REWRITE,
        ],
      };
    case 'safe_storage':
      return stored.backend === 'basic_text' || stored.backend === 'unknown'
        ? {
            kind: 'basic_text',
            label: 'Not protected: this desktop has no keystore',
            protects: [],
            does_not_protect: [
              'A copy of the data folder: the key in it is only obscured (backend basic_text), so anyone can read it',
              SAME_USER,
              REWRITE,
            ],
          }
        : {
            kind: 'safe_storage',
            label: `The desktop's keystore (${KEYSTORES[stored.backend] ?? stored.backend})`,
            protects: [COPY, "Nor can the whole disk without this user's sign-in to the computer"],
            does_not_protect: [`${SAME_USER}, once the user is signed in`, REWRITE],
          };
  }
}

const KEYSTORES: { readonly [backend: string]: string } = {
  darwin: 'macOS Keychain',
  win32: 'Windows DPAPI',
  gnome_libsecret: 'GNOME Keyring',
  kwallet: 'KWallet',
  kwallet5: 'KWallet',
  kwallet6: 'KWallet',
};
