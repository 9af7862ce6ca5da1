/** vault.json opened from the text of docs/security.md alone, with nothing of collector/keys but what made the file. */
import { createDecipheriv, createHash, createHmac, hkdfSync, scryptSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mnemonicToEntropy } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { afterAll, expect, test } from 'vitest';
import type { CustodyChoice } from '../../collector/keys/custody.ts';
import { createVault, thisHost } from '../../collector/keys/vault.ts';
import { jcs } from '../../core/proof/jcs.ts';

const root = mkdtempSync(join(tmpdir(), 'trailmix-vault-spec-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const bytes = (text: string): Buffer => Buffer.from(text, 'base64');
const hkdf = (secret: Uint8Array, salt: Uint8Array, label: string): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, salt, label, 32));
function open(key: Uint8Array, wrapped: string, ledgerId: string, place: string): Buffer {
  const whole = bytes(wrapped);
  const cipher = createDecipheriv('aes-256-gcm', key, whole.subarray(0, 12));
  cipher.setAAD(Buffer.from(`trailmix/vault/v1\n${ledgerId}\n${place}`));
  cipher.setAuthTag(whole.subarray(-16));
  return Buffer.concat([cipher.update(whole.subarray(12, -16)), cipher.final()]);
}

test.each([{ kind: 'passphrase', passphrase: 'ﬁne passphrase here' }, { kind: 'key_file' }] as const)(
  'custody $kind',
  async (custody: CustodyChoice) => {
    const folder = join(root, custody.kind);
    const host = { ...thisHost, home: join(root, 'home'), env: {} };
    const { vault, recoveryPhrase } = await createVault({ folder, custody, host });
    const file = JSON.parse(readFileSync(join(folder, 'vault.json'), 'utf8'));
    const { checksum, ...withMac } = file;
    const { mac, ...content } = withMac;
    expect(createHash('sha256').update(jcs(withMac)).digest('hex')).toBe(checksum);

    const id: string = file.ledger_id;
    const idBytes = Buffer.from(id, 'hex');
    const salt = bytes(file.custody.salt ?? file.custody.kdf.salt);
    const custodyKey =
      custody.kind === 'passphrase'
        ? scryptSync('fine passphrase here', salt, 32, { N: 2 ** 17, r: 8, p: 1, maxmem: 2 ** 28 })
        : hkdf(Buffer.from(readFileSync(vault.keyFile!, 'utf8').trim(), 'hex'), salt, 'trailmix/custody/v1');
    const master = open(custodyKey, file.custody.wrapped, id, 'custody');
    expect(master).toHaveLength(32);

    const entropy = mnemonicToEntropy(recoveryPhrase.reveal(), wordlist);
    const recoveryKey = hkdf(entropy, bytes(file.recovery.salt), 'trailmix/recovery/v1');
    expect(open(recoveryKey, file.recovery.wrapped, id, 'recovery')).toEqual(master);

    const macKey = hkdf(master, idBytes, 'trailmix/vault-mac/v1');
    expect(createHmac('sha256', macKey).update(jcs(content)).digest('hex')).toBe(mac);

    const wrapping = hkdf(master, idBytes, 'trailmix/wrap/v1');
    for (const [name, key] of [
      ['event', vault.eventKey],
      ['checkpoint', vault.checkpointKey],
    ] as const) {
      const { key_id, public_key, wrapped } = file.keys[name];
      expect(key_id).toBe(createHash('sha256').update(bytes(public_key)).digest('hex'));
      expect(open(wrapping, wrapped, id, `key/${name}/${key_id}`)).toEqual(Buffer.from(key.privateKey));
    }
    expect(hkdf(master, idBytes, 'trailmix/database/v1')).toEqual(Buffer.from(vault.derive('database')));
    expect(hkdf(master, idBytes, 'trailmix/backup/v1')).toEqual(Buffer.from(vault.derive('backup')));
  },
);
