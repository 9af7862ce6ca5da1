import { execFileSync } from 'node:child_process';
import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { signCms } from '../../collector/evidence/cms.ts';
import type { SafeStorage } from '../../collector/keys/custody.ts';
import { defaultKeyFile } from '../../collector/keys/key-file.ts';
import {
  createVault,
  describeVault,
  openVault,
  thisHost,
  type VaultSecret,
} from '../../collector/keys/vault.ts';
import { TrailmixError } from '../../core/api/errors.ts';
import { jcs } from '../../core/proof/jcs.ts';

const PASSPHRASE = 'correct horse battery';
let root: string;
let folder: string;
let host: typeof thisHost;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'trailmix-vault-'));
  folder = join(root, 'data');
  host = { ...thisHost, home: join(root, 'home'), env: {} };
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

// biome-ignore lint/suspicious/noExplicitAny: forgeries reach into the file's members by name
type Loose = Record<string, any>;
const vaultPath = () => join(folder, 'vault.json');
const bytes = () => readFileSync(vaultPath());
const refused = async (run: Promise<unknown>): Promise<TrailmixError> => {
  try {
    await run;
  } catch (error) {
    if (error instanceof TrailmixError) return error;
    throw error;
  }
  throw new Error('was not refused');
};
const code = async (run: Promise<unknown>) => (await refused(run)).code;

/** A keystore that really encrypts: what Electron's safeStorage does, with a key that only it has. */
function keystore(backend: string): SafeStorage {
  const pad = createHash('sha512').update(`${backend}${root}`).digest();
  const mask = (data: Uint8Array) => data.map((byte, i) => byte ^ pad[i % pad.length]!);
  return {
    backend,
    encrypt: async secret => Uint8Array.from([7, ...mask(secret)]),
    decrypt: async sealed => {
      if (sealed[0] !== 7) throw new Error('not sealed here');
      return mask(sealed.subarray(1));
    },
  };
}

describe('make and open', () => {
  test('by passphrase: the same keys come back, and only by the right one', async () => {
    const { vault, recoveryPhrase } = await createVault({
      folder,
      custody: { kind: 'passphrase', passphrase: PASSPHRASE },
      host,
    });
    expect(recoveryPhrase.reveal().split(' ')).toHaveLength(24);
    expect(vault.ledgerId).toMatch(/^[0-9a-f]{32}$/);
    const opened = await openVault({ folder, secret: { kind: 'passphrase', passphrase: PASSPHRASE } });
    expect(opened.ledgerId).toBe(vault.ledgerId);
    expect(Buffer.from(opened.derive('database'))).toEqual(Buffer.from(vault.derive('database')));
    expect(opened.eventKey.keyId).toBe(vault.eventKey.keyId);
    expect(Buffer.from(opened.eventKey.privateKey)).toEqual(Buffer.from(vault.eventKey.privateKey));

    const before = bytes();
    for (const wrong of ['correct horse batterz', '', PASSPHRASE.toUpperCase()]) {
      expect(await code(openVault({ folder, secret: { kind: 'passphrase', passphrase: wrong } }))).toBe(
        'vault_secret_wrong',
      );
    }
    expect(bytes()).toEqual(before);
  });

  test('a passphrase is the same however its letters were composed', async () => {
    await createVault({ folder, custody: { kind: 'passphrase', passphrase: 'Ünïcödé wörds 1' }, host });
    const decomposed = 'Ünïcödé wörds 1'.normalize('NFD');
    const opened = await openVault({ folder, secret: { kind: 'passphrase', passphrase: decomposed } });
    expect(opened.custody.kind).toBe('passphrase');
  });

  test('by the recovery phrase, however it is spaced; another phrase does not open it', async () => {
    const made = await createVault({ folder, custody: { kind: 'key_file' }, host });
    const phrase = made.recoveryPhrase.reveal();
    const typed = `  ${phrase.toUpperCase().replaceAll(' ', '\n  ')} `;
    const opened = await openVault({ folder, secret: { kind: 'recovery_phrase', phrase: typed } });
    expect(opened.eventKey.keyId).toBe(made.vault.eventKey.keyId);

    const other = await createVault({ folder: join(root, 'other'), custody: { kind: 'key_file' }, host });
    for (const wrong of [
      other.recoveryPhrase.reveal(),
      phrase.split(' ').reverse().join(' '),
      phrase.split(' ').slice(1).join(' '),
      'nonsense',
    ]) {
      const error = await refused(openVault({ folder, secret: { kind: 'recovery_phrase', phrase: wrong } }));
      expect(error.code).toBe('vault_secret_wrong');
      expect(error.message).not.toContain(wrong.split(' ')[0]);
    }
  });

  test('by a key file, made at its default place, 0600, outside the data folder', async () => {
    const { vault } = await createVault({ folder, custody: { kind: 'key_file' }, host });
    const file = defaultKeyFile(vault.ledgerId, host);
    expect(vault.keyFile).toBe(file);
    expect(file.startsWith(join(root, 'home', '.config', 'trailmix', 'keys'))).toBe(true);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).toMatch(/^[0-9a-f]{64}\n$/);
    expect(await describeVault(folder)).toMatchObject({ kind: 'key_file', keyFile: file });
    expect((await openVault({ folder, secret: { kind: 'key_file' } })).ledgerId).toBe(vault.ledgerId);

    const moved = join(root, 'moved.key');
    writeFileSync(moved, readFileSync(file), { mode: 0o600 });
    rmSync(file);
    expect(await code(openVault({ folder, secret: { kind: 'key_file' } }))).toBe('vault_key_missing');
    expect((await openVault({ folder, secret: { kind: 'key_file', file: moved } })).ledgerId).toBe(
      vault.ledgerId,
    );
  });

  test("by the desktop's keystore, and basic_text is called what it is", async () => {
    const storage = keystore('gnome_libsecret');
    const { vault } = await createVault({ folder, custody: { kind: 'safe_storage', storage }, host });
    expect(vault.custody.kind).toBe('safe_storage');
    expect(vault.custody.label).toContain('GNOME Keyring');
    expect((await openVault({ folder, secret: { kind: 'safe_storage', storage } })).ledgerId).toBe(
      vault.ledgerId,
    );
    const other: SafeStorage = { ...storage, decrypt: () => Promise.reject(new Error('locked')) };
    expect(await code(openVault({ folder, secret: { kind: 'safe_storage', storage: other } }))).toBe(
      'vault_secret_wrong',
    );

    const basic = keystore('basic_text');
    const weak = await createVault({
      folder: join(root, 'weak'),
      custody: { kind: 'safe_storage', storage: basic },
      host,
    });
    expect(weak.vault.custody.kind).toBe('basic_text');
    expect(weak.vault.custody.protects).toEqual([]);
    expect(weak.vault.custody.label).toMatch(/not protected/i);
    expect(
      await code(
        createVault({
          folder: join(root, 'none'),
          custody: { kind: 'safe_storage', storage: keystore('none') },
          host,
        }),
      ),
    ).toBe('input_invalid');
  });
});

test('what was lost is replaced: the phrase opens in place of a passphrase, then a new one is set', async () => {
  for (const custody of [{ kind: 'passphrase', passphrase: PASSPHRASE }, { kind: 'key_file' }] as const) {
    const place = join(root, custody.kind);
    const made = await createVault({ folder: place, custody, host });
    if (made.vault.keyFile !== undefined) rmSync(made.vault.keyFile);
    const phrase = made.recoveryPhrase.reveal();
    const opened = await openVault({ folder: place, secret: { kind: 'passphrase', passphrase: phrase } });
    await opened.changePassphrase({ current: phrase, passphrase: 'found again, later' });
    const secret = { kind: 'passphrase', passphrase: 'found again, later' } as const;
    expect((await openVault({ folder: place, secret })).ledgerId).toBe(made.vault.ledgerId);
  }
});

describe('refusals leave nothing behind', () => {
  test('a second vault in the folder', async () => {
    await createVault({ folder, custody: { kind: 'key_file' }, host });
    const before = bytes();
    const keys = readdirSync(join(root, 'home', '.config', 'trailmix', 'keys'));
    expect(await code(createVault({ folder, custody: { kind: 'key_file' }, host }))).toBe('setup_done');
    expect(bytes()).toEqual(before);
    expect(readdirSync(join(root, 'home', '.config', 'trailmix', 'keys'))).toEqual(keys);
  });

  test('two at once: one vault, and the other leaves no key file', async () => {
    const made = await Promise.allSettled(
      [1, 2, 3].map(() => createVault({ folder, custody: { kind: 'key_file' }, host })),
    );
    const codes = made.map(one => (one.status === 'fulfilled' ? 'made' : (one.reason as TrailmixError).code));
    expect(codes.sort()).toEqual(['made', 'setup_done', 'setup_done']);
    expect(readdirSync(join(root, 'home', '.config', 'trailmix', 'keys'))).toHaveLength(1);
    expect(readdirSync(folder)).toEqual(['vault.json']);
  });

  test('a short passphrase', async () => {
    const custody = { kind: 'passphrase', passphrase: 'elevenchars' } as const;
    expect(await code(createVault({ folder, custody, host }))).toBe('passphrase_weak');
    expect(await describeVault(folder)).toEqual({ kind: 'missing' });
  });

  test('a key file inside the data folder, also through a link', async () => {
    mkdirSync(folder, { recursive: true });
    symlinkSync(folder, join(root, 'alias'));
    for (const file of [join(folder, 'a.key'), join(folder, 'sub', 'b.key'), join(root, 'alias', 'c.key')]) {
      expect(await code(createVault({ folder, custody: { kind: 'key_file', file }, host }))).toBe(
        'vault_key_exposed',
      );
    }
    expect(readdirSync(folder)).toEqual([]);
  });

  test.each([0o640, 0o604, 0o660, 0o644, 0o610])('a key file of mode %o', async mode => {
    const { vault } = await createVault({ folder, custody: { kind: 'key_file' }, host });
    const file = vault.keyFile!;
    chmodSync(file, mode);
    expect(await code(openVault({ folder, secret: { kind: 'key_file' } }))).toBe('vault_key_exposed');
    chmodSync(file, 0o400);
    expect((await openVault({ folder, secret: { kind: 'key_file' } })).ledgerId).toBe(vault.ledgerId);
  });

  test('a file that is no key file, and the key of another vault', async () => {
    const { vault } = await createVault({ folder, custody: { kind: 'key_file' }, host });
    const before = bytes();
    for (const text of [
      '',
      'hello',
      'F'.repeat(64),
      `${'a'.repeat(64)}\n${'b'.repeat(64)}\n`,
      'a'.repeat(64),
    ]) {
      writeFileSync(vault.keyFile!, text);
      expect(await code(openVault({ folder, secret: { kind: 'key_file' } }))).toBe('vault_secret_wrong');
    }
    expect(bytes()).toEqual(before);
  });

  test('no vault, and another kind of secret than the vault has', async () => {
    const secret: VaultSecret = { kind: 'passphrase', passphrase: PASSPHRASE };
    expect(await code(openVault({ folder, secret }))).toBe('setup_needed');
    await createVault({ folder, custody: { kind: 'key_file' }, host });
    expect((await refused(openVault({ folder, secret }))).message).toContain('key file');
  });
});

describe('a changed vault.json', () => {
  test('any flipped byte is found, by checksum or by form', async () => {
    await createVault({ folder, custody: { kind: 'key_file' }, host });
    const whole = bytes();
    for (let at = 0; at < whole.length; at += 7) {
      const changed = Buffer.from(whole);
      changed[at]! ^= 1;
      writeFileSync(vaultPath(), changed);
      expect(await code(openVault({ folder, secret: { kind: 'key_file' } }))).toBe('vault_damaged');
      expect((await describeVault(folder)).kind).toBe('damaged');
    }
    for (const length of [0, 1, whole.length - 1]) {
      writeFileSync(vaultPath(), whole.subarray(0, length));
      expect((await describeVault(folder)).kind).toBe('damaged');
    }
  });

  // What an attacker with write access does: changes a member and makes the checksum anew.
  const forge = (edit: (vault: Loose) => void): void => {
    const { checksum: _checksum, ...content } = JSON.parse(bytes().toString()) as Loose;
    edit(content);
    const checksum = createHash('sha256').update(jcs(content)).digest('hex');
    writeFileSync(vaultPath(), jcs({ ...content, checksum }));
  };
  test.each([
    ['another date', (v: Loose) => (v.created_at = '2020-01-01T00:00:00.000Z'), 'vault_damaged'],
    ['another key id', (v: Loose) => (v.keys.event.key_id = '0'.repeat(64)), 'vault_damaged'],
    [
      'keys exchanged',
      (v: Loose) => ([v.keys.event, v.keys.checkpoint] = [v.keys.checkpoint, v.keys.event]),
      'vault_damaged',
    ],
    ['another wrap', (v: Loose) => (v.custody.wrapped = v.recovery.wrapped), 'vault_secret_wrong'],
    ['another ledger id', (v: Loose) => (v.ledger_id = 'a'.repeat(32)), 'vault_secret_wrong'],
  ])('with its checksum made anew: %s', async (_, edit, expected) => {
    await createVault({ folder, custody: { kind: 'key_file' }, host });
    forge(edit);
    expect(await code(openVault({ folder, secret: { kind: 'key_file' } }))).toBe(expected);
  });

  test('a key derivation made weak or ruinous is refused before it runs', async () => {
    await createVault({ folder, custody: { kind: 'passphrase', passphrase: PASSPHRASE }, host });
    for (const n of [2, 2 ** 13, 2 ** 17 + 1, 2 ** 30]) {
      forge(v => (v.custody.kdf.n = n));
      const secret: VaultSecret = { kind: 'passphrase', passphrase: PASSPHRASE };
      expect(await code(openVault({ folder, secret }))).toBe('vault_damaged');
    }
  });

  test('a newer version says so', async () => {
    await createVault({ folder, custody: { kind: 'key_file' }, host });
    writeFileSync(vaultPath(), bytes().toString().replace('"v":1', '"v":2'));
    expect((await refused(openVault({ folder, secret: { kind: 'key_file' } }))).message).toContain('newer');
  });
});

describe('keys', () => {
  test('every purpose has its own key, and another ledger others', async () => {
    const { vault } = await createVault({ folder, custody: { kind: 'key_file' }, host });
    const other = await createVault({ folder: join(root, 'b'), custody: { kind: 'key_file' }, host });
    const purposes = ['database', 'search', 'blob', 'token', 'mac', 'idempotence', 'backup'] as const;
    const keys = [vault, other.vault].flatMap(one =>
      purposes.map(purpose => Buffer.from(one.derive(purpose)).toString('hex')),
    );
    expect(new Set(keys).size).toBe(14);
    expect(keys.every(key => key.length === 64)).toBe(true);
  });

  test('signing keys are real Ed25519 keys, and two', async () => {
    const { vault } = await createVault({ folder, custody: { kind: 'key_file' }, host });
    for (const key of [vault.eventKey, vault.checkpointKey]) {
      const privateKey = createPrivateKey({ key: Buffer.from(key.privateKey), format: 'der', type: 'pkcs8' });
      const signature = sign(null, Buffer.from('x'), privateKey);
      expect(verify(null, Buffer.from('x'), createPublicKey(privateKey), signature)).toBe(true);
      expect(key.keyId).toBe(createHash('sha256').update(key.publicKey).digest('hex'));
      expect(key.publicKey).toHaveLength(32);
    }
    expect(vault.eventKey.keyId).not.toBe(vault.checkpointKey.keyId);
  });

  test('sealed secrets open only in their context and unchanged', async () => {
    const { vault } = await createVault({ folder, custody: { kind: 'key_file' }, host });
    const secret = new Uint8Array(32).fill(9);
    const sealed = vault.seal(secret, 'api-key/k1');
    expect([...vault.unseal(sealed, 'api-key/k1')]).toEqual([...secret]);
    expect(() => vault.unseal(sealed, 'api-key/k2')).toThrow(TrailmixError);
    sealed[20]! ^= 1;
    expect(() => vault.unseal(sealed, 'api-key/k1')).toThrow(TrailmixError);
  });

  test('the pack signer is made once, called self-made, kept, and openssl signs and verifies with it', async () => {
    const { vault } = await createVault({ folder, custody: { kind: 'key_file' }, host });
    const [one, two] = await Promise.all([vault.packSigner(), vault.packSigner()]);
    expect(one.certificatePem).toBe(two.certificatePem);
    const again = await (await openVault({ folder, secret: { kind: 'key_file' } })).packSigner();
    expect(again.certificatePem).toEqual(one.certificatePem);
    expect(again.rootsPem).toBe(one.certificatePem);
    expect(again.sign(Buffer.from('x'))).toEqual(one.sign(Buffer.from('x')));

    const file = (name: string) => join(root, name);
    writeFileSync(file('org.pem'), one.certificatePem);
    writeFileSync(file('checksums.txt'), 'abc  events.jsonl\n');
    writeFileSync(file('c.p7s'), signCms(readFileSync(file('checksums.txt')), one, new Date(host.now())));
    const openssl = (...args: string[]) =>
      execFileSync('openssl', args, { cwd: root, stdio: 'pipe' }).toString();
    openssl(
      'cms',
      '-verify',
      '-binary',
      '-inform',
      'DER',
      '-in',
      'c.p7s',
      '-content',
      'checksums.txt',
      '-CAfile',
      'org.pem',
      '-purpose',
      'any',
      '-out',
      'out',
    );
    const text = openssl('x509', '-in', 'org.pem', '-noout', '-text');
    expect(text).toContain('self-made');
    expect(text).toContain('3072 bit');
  });
});

describe('changing the passphrase', () => {
  test('rewraps only: keys and recovery phrase stay, the old passphrase no longer opens', async () => {
    const made = await createVault({ folder, custody: { kind: 'passphrase', passphrase: PASSPHRASE }, host });
    const { vault } = made;
    const before = bytes();
    expect(await code(vault.changePassphrase({ passphrase: 'another good one' }))).toBe('vault_secret_wrong');
    expect(
      await code(vault.changePassphrase({ current: 'wrong wrong wrong', passphrase: 'another good one' })),
    ).toBe('vault_secret_wrong');
    expect(await code(vault.changePassphrase({ current: PASSPHRASE, passphrase: 'short' }))).toBe(
      'passphrase_weak',
    );
    expect(bytes()).toEqual(before);

    await vault.changePassphrase({ current: PASSPHRASE, passphrase: 'another good one' });
    expect(await code(openVault({ folder, secret: { kind: 'passphrase', passphrase: PASSPHRASE } }))).toBe(
      'vault_secret_wrong',
    );
    for (const secret of [
      { kind: 'passphrase', passphrase: 'another good one' },
      { kind: 'recovery_phrase', phrase: made.recoveryPhrase.reveal() },
    ] as const) {
      expect((await openVault({ folder, secret })).eventKey.keyId).toBe(vault.eventKey.keyId);
    }
    expect(readdirSync(folder)).toEqual(['vault.json']);
    expect(statSync(vaultPath()).mode & 0o777).toBe(0o600);
  });

  test('from a key file to a passphrase, beside a pack signer being made', async () => {
    const { vault } = await createVault({ folder, custody: { kind: 'key_file' }, host });
    const [signer] = await Promise.all([
      vault.packSigner(),
      vault.changePassphrase({ passphrase: PASSPHRASE }),
    ]);
    expect(vault.custody.kind).toBe('passphrase');
    expect(vault.keyFile).toBeUndefined();
    const opened = await openVault({ folder, secret: { kind: 'passphrase', passphrase: PASSPHRASE } });
    expect((await opened.packSigner()).certificatePem).toBe(signer.certificatePem);
    expect(await code(openVault({ folder, secret: { kind: 'key_file' } }))).toBe('vault_secret_wrong');
  });
});

test('no secret appears in any form of the objects or in vault.json', async () => {
  const { vault, recoveryPhrase } = await createVault({
    folder,
    custody: { kind: 'passphrase', passphrase: PASSPHRASE },
    host,
  });
  const signer = await vault.packSigner();
  const secrets = [
    vault.eventKey.privateKey,
    vault.checkpointKey.privateKey,
    vault.derive('database'),
    vault.derive('mac'),
  ].flatMap(secret => {
    const raw = Buffer.from(secret);
    return [
      raw.toString('hex'),
      raw.toString('base64'),
      raw.toString('base64url'),
      JSON.stringify([...raw]).slice(1, 60),
    ];
  });
  secrets.push(PASSPHRASE, recoveryPhrase.reveal(), 'PRIVATE KEY');
  const shown = [
    ...[vault, vault.eventKey, vault.derive('database'), recoveryPhrase, signer].flatMap(object => [
      JSON.stringify(object),
      inspect(object, { depth: 9, showHidden: true }),
      String(object),
      `${object}`,
    ]),
    bytes().toString(),
  ];
  for (const text of shown) for (const secret of secrets) expect(text.includes(secret)).toBe(false);
  expect(JSON.stringify(vault.eventKey)).toContain('[secret]');
  expect(`${recoveryPhrase}`).toBe('[secret]');
});

test('no refusal repeats the secret that was given', async () => {
  await createVault({ folder, custody: { kind: 'key_file' }, host });
  await fc.assert(
    fc.asyncProperty(fc.string({ minLength: 12, maxLength: 60, unit: 'grapheme' }), async secret => {
      const errors = await Promise.all([
        refused(openVault({ folder, secret: { kind: 'passphrase', passphrase: secret } })),
        refused(openVault({ folder, secret: { kind: 'recovery_phrase', phrase: secret } })),
        refused(openVault({ folder, secret: { kind: 'recovery_phrase', phrase: `${secret} `.repeat(24) } })),
        refused(
          createVault({
            folder: join(root, 'x'),
            custody: { kind: 'passphrase', passphrase: secret.slice(0, 5) },
          }),
        ),
      ]);
      for (const error of errors) {
        expect(`${error.message}${JSON.stringify(error)}`.includes(secret)).toBe(false);
      }
    }),
    { numRuns: 50 },
  );
});

test.each([
  ['linux', { XDG_CONFIG_HOME: '/x/config' }, '/x/config/trailmix/keys/id.key'],
  ['linux', { XDG_CONFIG_HOME: 'relative' }, '/home/u/.config/trailmix/keys/id.key'],
  ['darwin', {}, '/home/u/.config/trailmix/keys/id.key'],
  ['win32', { APPDATA: '/roaming' }, '/roaming/trailmix-keys/id.key'],
] as const)('default key file on %s %o', (platform, env, expected) => {
  expect(defaultKeyFile('id', { platform, env, home: '/home/u' })).toBe(expected);
});
