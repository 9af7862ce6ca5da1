/**
 * API keys: `tm1.<id>.<auth>.<mac>`; auth and mac are 32 random bytes each, base64url without padding. auth proves the
 * program to the collector and is kept as SHA-256; mac proves the collector to the program and is kept sealed.
 * The live table is the main thread's; keys are made and revoked through it alone, so a revocation holds at once.
 * Format: docs/spec/gate.md, "API keys".
 */

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { TrailmixError } from '../../core/api/errors.ts';
import type { Environment } from '../../core/api/policy_views.ts';
import type { KeyView, Scope } from '../../core/api/views.ts';
import { type AnswerParts, answerMessage } from '../../core/proof/binding.ts';
import { fromHex, fromUtf8, hex, utf8 } from '../../core/proof/bytes.ts';
import { jcs } from '../../core/proof/jcs.ts';
import type { Clock, KeyVault, Ledger, Principal } from '../ports.ts';
import { sha256 } from '../sha256.ts';
import { replaceFile } from './durable.ts';
import { SecretBytes, SecretText } from './secret.ts';
import { type KeySecretRow, keyView } from './view.ts';

const PART = '[A-Za-z0-9_-]{43}';
const FORM = new RegExp(`^tm1\\.([a-z0-9]{4,64})\\.(${PART})(?:\\.(${PART}))?$`);
/** How often last_used_at reaches the disk, in milliseconds. */
const USED_EVERY = 60_000;
const USED_CONTEXT = 'keys-used';

export type ParsedKey = { id: string; auth: SecretBytes; mac?: SecretBytes };

/** The parts of a key in its 3- or 4-part form, or undefined. */
export function parseApiKey(text: string): ParsedKey | undefined {
  const [, id, auth, mac] = FORM.exec(text) ?? [];
  if (id === undefined || auth === undefined) return undefined;
  return { id, auth: bytesOf(auth), ...(mac === undefined ? {} : { mac: bytesOf(mac) }) };
}

const bytesOf = (part: string): SecretBytes => SecretBytes.copy(Buffer.from(part, 'base64url'));
const textOf = (part: Uint8Array): string => Buffer.from(part).toString('base64url');
const macContext = (id: string): string => `api-key/${id}`;

/** A new key and what is kept of it. `key.reveal()` is shown once. */
export function makeApiKey(vault: Pick<KeyVault, 'seal'>): {
  id: string;
  key: SecretText;
  authHash: Uint8Array;
  macSealed: Uint8Array;
} {
  const id = hex(randomBytes(8));
  const auth = randomBytes(32);
  const mac = randomBytes(32);
  return {
    id,
    key: new SecretText(`tm1.${id}.${textOf(auth)}.${textOf(mac)}`),
    authHash: sha256(auth),
    macSealed: vault.seal(mac, macContext(id)),
  };
}

/** The MAC of an answer, as sent: 64 hex characters. */
export const answerMac = (mac: Uint8Array, parts: AnswerParts): string =>
  createHmac('sha256', mac).update(answerMessage(parts)).digest('hex');

export type KeyPrincipal = Extract<Principal, { kind: 'key' }>;

export type ApiKeys = {
  /** Whether there is such a key; says nothing of whether it is right. */
  has(id: string): boolean;
  /** Who presents this key, and what MACs the answers to it. Throws key_invalid, key_revoked. */
  find(token: string): Promise<{ principal: KeyPrincipal; mac: () => Uint8Array }>;
  /** Throws input_invalid. `apiKey` is the whole key, to be shown once. */
  create(input: {
    appId: string;
    scopes?: Scope[];
    /** Default prod. */
    environment?: Environment;
    by: string;
  }): Promise<{ view: KeyView; apiKey: string }>;
  /** Holds before it is durable. Throws not_found. */
  revoke(id: string, by: string): Promise<KeyView>;
  /** Oldest first, with last_used_at. */
  list(): KeyView[];
  /** Writes what is known of last use. */
  close(): Promise<void>;
};

type Live = { view: KeyView; authHash: Uint8Array; mac: SecretBytes };

/** What a key may do when nothing is said. */
export const DEFAULT_SCOPES: readonly Scope[] = ['decide', 'ingest'];

/** `usedFile`: where last_used_at is kept, sealed; it is a convenience, and a lost one is no error. */
export async function openApiKeys(options: {
  ledger: Pick<Ledger, 'tenantId' | 'read' | 'write'>;
  vault: Pick<KeyVault, 'seal' | 'unseal'>;
  clock: Clock;
  usedFile?: string;
}): Promise<ApiKeys> {
  const { ledger, vault, clock, usedFile } = options;
  const live = new Map<string, Live>();
  for (const row of await ledger.read.query<KeySecretRow>('keys.all')) {
    const mac = SecretBytes.copy(vault.unseal(fromHex(row.mac_sealed), macContext(row.id)));
    live.set(row.id, { view: keyView(row), authHash: fromHex(row.auth_hash), mac });
  }
  const used = await readUsed(usedFile, vault);
  let dirty = false;

  const flush = async (): Promise<void> => {
    if (!dirty || usedFile === undefined) return;
    dirty = false;
    const known = [...used].filter(([id]) => live.has(id));
    await replaceFile(usedFile, vault.seal(utf8(jcs(Object.fromEntries(known))), USED_CONTEXT));
  };
  const timer = setInterval(() => void flush().catch(() => {}), USED_EVERY);
  timer.unref();

  const withUse = (view: KeyView): KeyView => {
    const at = used.get(view.id);
    return at === undefined ? view : { ...view, last_used_at: at };
  };

  return {
    has: id => live.has(id),

    async find(token) {
      const parsed = parseApiKey(token);
      const key = parsed === undefined ? undefined : live.get(parsed.id);
      if (parsed === undefined || key === undefined || !timingSafeEqual(sha256(parsed.auth), key.authHash)) {
        throw new TrailmixError('key_invalid', { where: 'authorization' });
      }
      if (parsed.mac !== undefined && !timingSafeEqual(parsed.mac, key.mac)) {
        throw new TrailmixError('key_invalid', { where: 'authorization' });
      }
      const { view } = key;
      if (view.revoked_at !== undefined) throw new TrailmixError('key_revoked', { where: 'authorization' });
      used.set(view.id, new Date(clock.now()).toISOString());
      dirty = true;
      const principal: KeyPrincipal = {
        kind: 'key',
        id: view.id,
        tenantId: view.tenant_id,
        appId: view.app_id,
        scopes: view.scopes,
        ...(view.environment === undefined ? {} : { environment: view.environment }),
      };
      return { principal, mac: () => key.mac };
    },

    async create({ appId, scopes = [...DEFAULT_SCOPES], environment, by }) {
      const { id, key, authHash, macSealed } = makeApiKey(vault);
      const named = environment === undefined ? {} : { environment };
      const input = { appId, tenantId: ledger.tenantId, scopes, ...named, by, id, authHash, macSealed };
      const view = await ledger.write.run('createKey', input);
      const mac = SecretBytes.copy(vault.unseal(macSealed, macContext(id)));
      live.set(id, { view, authHash, mac });
      return { view, apiKey: key.reveal() };
    },

    async revoke(id, by) {
      const key = live.get(id);
      if (key === undefined)
        throw new TrailmixError('not_found', { where: '/id', message: 'no such API key' });
      const before = key.view;
      key.view = { ...before, revoked_at: before.revoked_at ?? new Date(clock.now()).toISOString() };
      try {
        key.view = await ledger.write.run('revokeKey', { id, by });
      } catch (error) {
        key.view = before;
        throw error;
      }
      return withUse(key.view);
    },

    list: () => [...live.values()].map(({ view }) => withUse(view)),

    async close() {
      clearInterval(timer);
      await flush();
    },
  };
}

async function readUsed(
  file: string | undefined,
  vault: Pick<KeyVault, 'unseal'>,
): Promise<Map<string, string>> {
  if (file === undefined) return new Map();
  try {
    const text = fromUtf8(vault.unseal(await readFile(file), USED_CONTEXT));
    return new Map(Object.entries(JSON.parse(text) as Record<string, string>));
  } catch {
    return new Map();
  }
}
