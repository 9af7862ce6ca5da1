/**
 * The vault: one random master key per ledger, wrapped under the custody's secret and under the recovery phrase;
 * random signing keys wrapped under it; every other key derived from it by HKDF-SHA256 with the ledger's id as salt.
 * A wrong secret changes nothing and says only that it is wrong. Format: docs/security.md, "The vault's file".
 */
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { TrailmixError } from '../../core/api/errors.ts';
import type { Custody } from '../../core/api/views.ts';
import { base64, fromBase64 } from '../../core/proof/bytes.ts';
import { DEFAULT_TENANT } from '../../core/proof/record.ts';
import type { DerivedKey, KeyVault } from '../ports.ts';
import type { PackIdentity } from './certificates.ts';
import {
  type CustodyChoice,
  type CustodySecret,
  describeCustody,
  lockMaster,
  type StoredCustody,
  unlockMaster,
} from './custody.ts';
import { defaultKeyFile, type KeyFileHost } from './key-file.ts';
import type { PackSigning, PackVault } from './pack-signing.ts';
import { entropyOf, isPhrase, phraseOf } from './phrase.ts';
import { SecretBytes, type SecretText } from './secret.ts';
import { makeSigningKey, openSigningKey } from './signing-key.ts';
import {
  checkMac,
  vaultContext as context,
  createVaultFile,
  ledgerIdOf,
  ledgerSalt,
  readVaultFile,
  replaceVaultFile,
  type VaultContent,
  type VaultFile,
  vaultBytes,
} from './vault-file.ts';
import { deriveKey, KEY_BYTES, unwrap, wrap } from './wrap.ts';

/** What else the keys' own rooms and the host do with an open vault. */
export type OpenVault = KeyVault & {
  /** Where the key file is expected, if that is the custody. */
  readonly keyFile: string | undefined;
  /**
   * Puts the vault under a new passphrase; `current` (or the recovery phrase) is needed where there is one already. Only the wrap of the master
   * key changes: an older copy of vault.json still opens with the older secret.
   * Throws vault_secret_wrong, passphrase_weak.
   */
  changePassphrase(input: { current?: string; passphrase: string }): Promise<void>;
  /** The derived key of a ledger that this one was restored from; undefined for any other. */
  deriveEpoch(ledgerId: string, purpose: DerivedKey): SecretBytes | undefined;
  /** Certificate and key that sign packs: to show, to exchange. */
  identity(): Promise<PackIdentity>;
  /**
   * The vault as the ledger of a tenant uses it: derived keys of its own, so that no tenant's files or sealed secrets open with another's;
   * signing keys, custody and identity are those of the ledger. Of `default`: the vault itself.
   */
  forTenant(tenantId: string): OpenVault;
};

export type VaultHost = KeyFileHost & {
  /** Milliseconds since 1970. */
  now(): number;
};

export const thisHost: VaultHost = {
  platform: process.platform,
  home: homedir(),
  env: process.env,
  now: () => Date.now(),
};

/** What a restore carries over: the phrase stays valid, and the old ledger stays readable. */
export type Inheritance = {
  /** The 32 bytes of the recovery phrase. */
  entropy: Uint8Array;
  epochs: readonly Epoch[];
};

/** An earlier ledger and what opens it. */
export type Epoch = { ledgerId: string; master: Uint8Array };

/**
 * Makes vault.json in the folder (made 0700 where missing). Nothing is left behind when it throws. `undo` removes the
 * key file, if one was made: for a caller whose own next step fails and who removes the folder.
 * Throws setup_done, passphrase_weak, vault_key_exposed, vault_secret_wrong (an existing file that is no key file).
 */
export async function createVault(options: {
  folder: string;
  custody: CustodyChoice;
  host?: VaultHost;
  /** Where the folder will be in the end, if elsewhere: no key file may lie in it. */
  dataFolder?: string;
  from?: Inheritance;
}): Promise<{ vault: OpenVault; recoveryPhrase: SecretText; undo: () => Promise<void> }> {
  const { folder, custody, host = thisHost, dataFolder = folder, from } = options;
  if ((await readVaultFile(folder)) !== undefined) throw new TrailmixError('setup_done');
  await mkdir(folder, { recursive: true, mode: 0o700 });

  const ledgerId = ledgerIdOf(randomBytes(16));
  const salt = ledgerSalt(ledgerId);
  const master = SecretBytes.copy(randomBytes(KEY_BYTES));
  const wrapping = deriveKey(master, salt, LABEL.wrap);
  const entropy = from?.entropy ?? SecretBytes.copy(randomBytes(KEY_BYTES));
  const recoverySalt = randomBytes(32);
  const { stored, undo } = await lockMaster(master, custody, {
    folder: dataFolder,
    keyFile: defaultKeyFile(ledgerId, host),
    context: context(ledgerId, 'custody'),
  });
  try {
    const recovery = deriveKey(entropy, recoverySalt, LABEL.recovery);
    const content: VaultContent = {
      v: 1,
      ledger_id: ledgerId,
      created_at: new Date(host.now()).toISOString(),
      custody: stored,
      recovery: {
        salt: base64(recoverySalt),
        wrapped: base64(wrap(recovery, master, context(ledgerId, 'recovery'))),
      },
      keys: {
        event: makeSigningKey(wrapping, ledgerId, 'event'),
        checkpoint: makeSigningKey(wrapping, ledgerId, 'checkpoint'),
      },
      ...(from === undefined
        ? {}
        : {
            epochs: from.epochs.map(({ ledgerId: id, master: old }) => ({
              ledger_id: id,
              wrapped: base64(wrap(wrapping, old, context(ledgerId, `epoch/${id}`))),
            })),
          }),
    };
    const bytes = vaultBytes(content, deriveKey(master, salt, LABEL.mac));
    await createVaultFile(folder, bytes);
    return { vault: vaultOf(folder, content, master, host), recoveryPhrase: phraseOf(entropy), undo };
  } catch (error) {
    await undo();
    throw error;
  }
}

export type VaultSecret = CustodySecret | { kind: 'recovery_phrase'; phrase: string };

/**
 * Opens the vault of a folder. The recovery phrase may stand in place of a passphrase, whatever the custody, so that
 * one field takes both. Throws setup_needed, vault_damaged, vault_secret_wrong, vault_key_missing,
 * vault_key_exposed; the file is not touched.
 */
export async function openVault(options: {
  folder: string;
  secret: VaultSecret;
  host?: VaultHost;
}): Promise<OpenVault> {
  const { folder, secret, host = thisHost } = options;
  const file = await readVaultFile(folder);
  if (file === undefined) throw new TrailmixError('setup_needed');
  const master =
    secret.kind === 'recovery_phrase'
      ? recoverMaster(file, secret.phrase)
      : (typedPhrase(file, secret) ??
        (await unlockMaster(file.custody, secret, { folder, context: context(file.ledger_id, 'custody') })));
  return openFile(folder, file, master, host);
}

/** The master key where the recovery phrase was typed in place of a passphrase: the way in when that is lost. */
function typedPhrase(
  file: Pick<VaultFile, 'ledger_id' | 'recovery'>,
  secret: CustodySecret,
): SecretBytes | undefined {
  if (secret.kind !== 'passphrase' || !isPhrase(secret.passphrase)) return undefined;
  try {
    return recoverMaster(file, secret.passphrase);
  } catch {
    return undefined;
  }
}

/** The master key by the recovery phrase alone. Throws vault_secret_wrong. */
export function recoverMaster(file: Pick<VaultFile, 'ledger_id' | 'recovery'>, phrase: string): SecretBytes {
  const key = deriveKey(entropyOf(phrase), fromBase64(file.recovery.salt), LABEL.recovery);
  const master = unwrap(key, fromBase64(file.recovery.wrapped), context(file.ledger_id, 'recovery'));
  if (master === undefined) {
    throw new TrailmixError('vault_secret_wrong', {
      message: 'This recovery phrase belongs to another vault; nothing was changed.',
    });
  }
  return master;
}

/** The vault of a file already read, by its master key. Throws vault_damaged. */
export function openFile(folder: string, file: VaultFile, master: Uint8Array, host = thisHost): OpenVault {
  checkMac(file, deriveKey(master, ledgerSalt(file.ledger_id), LABEL.mac));
  const { checksum: _checksum, mac: _mac, ...content } = file;
  return vaultOf(folder, content, master, host);
}

export type VaultState =
  | { kind: 'missing' }
  | { kind: 'damaged'; error: TrailmixError }
  | { kind: 'passphrase'; ledgerId: string; custody: Custody }
  | { kind: 'key_file'; ledgerId: string; custody: Custody; keyFile: string }
  | { kind: 'safe_storage'; ledgerId: string; custody: Custody };

/** What stands in the folder, without any secret: which host can open it, and what to ask for. */
export async function describeVault(folder: string): Promise<VaultState> {
  try {
    const file = await readVaultFile(folder);
    if (file === undefined) return { kind: 'missing' };
    const common = { ledgerId: file.ledger_id, custody: describeCustody(file.custody) };
    return file.custody.kind === 'key_file'
      ? { kind: 'key_file', ...common, keyFile: file.custody.file }
      : { kind: file.custody.kind, ...common };
  } catch (error) {
    if (error instanceof TrailmixError) return { kind: 'damaged', error };
    throw error;
  }
}

const LABEL = {
  wrap: 'trailmix/wrap/v1',
  mac: 'trailmix/vault-mac/v1',
  recovery: 'trailmix/recovery/v1',
} as const;

function vaultOf(
  folder: string,
  content: VaultContent,
  secretMaster: Uint8Array,
  host: VaultHost,
): OpenVault {
  const master = SecretBytes.copy(secretMaster);
  const ledgerId = content.ledger_id;
  const salt = ledgerSalt(ledgerId);
  const wrapping = deriveKey(master, salt, LABEL.wrap);
  const eventKey = openSigningKey(wrapping, ledgerId, 'event', content.keys.event);
  const checkpointKey = openSigningKey(wrapping, ledgerId, 'checkpoint', content.keys.checkpoint);
  const sealContext = (what: string): string => `trailmix/seal/v1\n${ledgerId}\n${what}`;
  const place = { folder, context: context(ledgerId, 'custody') };

  let stored: StoredCustody = content.custody;

  // One change of the file at a time, each over what the file says then.
  let last: Promise<unknown> = Promise.resolve();
  const change = (edit: (now: VaultContent) => VaultContent): Promise<void> => {
    const next = last.then(async () => {
      const file = await readVaultFile(folder);
      if (file === undefined) throw new TrailmixError('vault_damaged', { message: 'vault.json is gone.' });
      const macKey = deriveKey(master, salt, LABEL.mac);
      checkMac(file, macKey);
      const { checksum: _checksum, mac: _mac, ...now } = file;
      await replaceVaultFile(folder, vaultBytes(edit(now), macKey));
    });
    last = next.catch(() => {});
    return next;
  };

  let keys = content.keys;
  const packVault: PackVault = {
    ledgerId,
    wrapping,
    now: () => host.now(),
    keys: () => keys,
    change: edit =>
      change(now => {
        keys = edit(now.keys);
        return { ...now, keys };
      }),
  };
  let signing: Promise<PackSigning> | undefined;
  const packSigning = (): Promise<PackSigning> => {
    signing ??= import('./pack-signing.ts').then(({ packSigning }) => packSigning(packVault));
    return signing;
  };
  let held: Promise<PackIdentity> | undefined;
  const identity = (): Promise<PackIdentity> => {
    held ??= Promise.all([import('./certificates.ts'), packSigning()]).then(([{ packIdentity }, own]) =>
      packIdentity(packVault, own),
    );
    return held;
  };

  const sealed = (sealing: Uint8Array): Pick<KeyVault, 'seal' | 'unseal'> => ({
    seal: (secret, what) => wrap(sealing, secret, sealContext(what)),
    unseal(sealed, what) {
      const secret = unwrap(sealing, sealed, sealContext(what));
      if (secret === undefined) {
        throw new TrailmixError('vault_damaged', {
          message: 'A sealed secret in the ledger cannot be opened.',
        });
      }
      return secret;
    },
  });
  const keysOf = (tenantId: string) => ({
    derive: (purpose: DerivedKey) => derivedKey({ ledgerId, master }, purpose, tenantId),
    deriveEpoch(id: string, purpose: DerivedKey) {
      const epoch = epochsOf(content, master).find(one => one.ledgerId === id);
      return epoch === undefined ? undefined : derivedKey(epoch, purpose, tenantId);
    },
    ...sealed(derivedKey({ ledgerId, master }, 'mac', tenantId)),
  });

  const vault: OpenVault = {
    ledgerId,
    eventKey,
    checkpointKey,
    ...keysOf(DEFAULT_TENANT),
    // What changes with time (custody) is read from the vault itself.
    forTenant: tenantId =>
      tenantId === DEFAULT_TENANT
        ? vault
        : Object.assign(Object.create(vault) as OpenVault, keysOf(tenantId)),
    get custody() {
      return describeCustody(stored);
    },
    get keyFile() {
      return stored.kind === 'key_file' ? stored.file : undefined;
    },
    packSigner: async () => (await packSigning()).signer(),
    identity,
    async changePassphrase({ current, passphrase }) {
      const given = { kind: 'passphrase', passphrase: current ?? '' } as const;
      if (stored.kind === 'passphrase' && typedPhrase(content, given) === undefined) {
        await unlockMaster(stored, given, place);
      }
      const choice = { kind: 'passphrase', passphrase } as const;
      const locked = await lockMaster(master, choice, { ...place, keyFile: '' });
      await change(now => ({ ...now, custody: locked.stored }));
      stored = locked.stored;
    },
  };
  return vault;
}

/** A derived key of a ledger, by its master key; of another tenant than `default`, a key of that tenant's own. */
export const derivedKey = (
  { ledgerId, master }: Epoch,
  purpose: DerivedKey,
  tenantId: string = DEFAULT_TENANT,
): SecretBytes => {
  const label = `trailmix/${purpose}/v1`;
  const own = tenantId === DEFAULT_TENANT ? label : `${label}/tenant/${tenantId}`;
  return deriveKey(master, ledgerSalt(ledgerId), own);
};

/** The ledgers that a vault's ledger was restored from, oldest last. Throws vault_damaged. */
export function epochsOf(file: Pick<VaultContent, 'ledger_id' | 'epochs'>, master: Uint8Array): Epoch[] {
  const wrapping = deriveKey(master, ledgerSalt(file.ledger_id), LABEL.wrap);
  return (file.epochs ?? []).map(({ ledger_id: id, wrapped }) => {
    const old = unwrap(wrapping, fromBase64(wrapped), context(file.ledger_id, `epoch/${id}`));
    if (old === undefined) throw new TrailmixError('vault_damaged');
    return { ledgerId: id, master: old };
  });
}
