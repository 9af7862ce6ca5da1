/**
 * The identity in the vault that signs packs: kept, exchanged, used. Whoever signs needs no more than this; what reads and
 * judges certificates (certificates.ts) takes far longer to load.
 */
import type { KeyObject } from 'node:crypto';
import { base64, equalBytes, fromBase64, fromUtf8, utf8 } from '../../core/proof/bytes.ts';
import { bytesOf, itemsOf, pemBlocks, pemOf, readDer } from '../evidence/der.ts';
import { newPackKey, pkcs8Pem, selfMadeCertificate, selfMadeSubject } from './certificate-writing.ts';
import { PackSigner } from './pack-signer.ts';
import { brokenKey } from './signing-key.ts';
import { type VaultContent, vaultContext } from './vault-file.ts';
import { unwrap, wrap } from './wrap.ts';

export type Keys = VaultContent['keys'];
export type StoredPack = NonNullable<Keys['pack']>;
type Place = 'key/pack' | 'key/pack_next';

export type PackVault = {
  readonly ledgerId: string;
  /** Key of the vault's wraps. */
  readonly wrapping: Uint8Array;
  now(): number;
  keys(): Keys;
  /** Changes vault.json in one step; what was read is the file's state then. */
  change(edit: (keys: Keys) => Keys): Promise<void>;
};

export type PackSigning = {
  signer(): Promise<PackSigner>;
  /** What is stored; self-made where nothing was. */
  stored(): Promise<StoredPack>;
  /** PKCS#8 PEM in and out. */
  wrapKey(pem: string, place: Place): string;
  unwrapKey(wrapped: string, place: Place): string;
  /** `answered`: it answers the request that waits. */
  install(key: KeyObject, certificate: string, chain?: string, answered?: boolean): Promise<void>;
};

/** Whether a certificate names itself as its issuer. */
function namesItself(der: Uint8Array): boolean {
  const tbs = itemsOf(itemsOf(readDer(der))[0]);
  const from = tbs[0]?.idBlock.tagClass === 3 ? 1 : 0;
  const [issuer, subject] = [tbs[from + 2], tbs[from + 4]];
  return issuer !== undefined && subject !== undefined && equalBytes(bytesOf(issuer), bytesOf(subject));
}

/** The roots of an identity: itself where it is self-made, else the self-issued ones of its chain. */
const rootsOf = ({ certificate, chain }: StoredPack): string =>
  chain === undefined
    ? certificate
    : pemBlocks(chain, 'CERTIFICATE')
        .filter(namesItself)
        .map(der => pemOf(der, 'CERTIFICATE'))
        .join('');

export function packSigning({ ledgerId, wrapping, now, keys, change }: PackVault): PackSigning {
  const wrapKey = (pem: string, place: Place): string =>
    base64(wrap(wrapping, utf8(pem), vaultContext(ledgerId, place)));
  const unwrapKey = (wrapped: string, place: Place): string => {
    const pem = unwrap(wrapping, fromBase64(wrapped), vaultContext(ledgerId, place));
    if (pem === undefined) throw brokenKey('pack');
    return fromUtf8(pem);
  };
  let held: PackSigner | undefined;

  const install: PackSigning['install'] = async (key, certificate, chain, answered = false) => {
    const wrapped = wrapKey(pkcs8Pem(key), 'key/pack');
    await change(before => {
      const { pack: old, former = [], pack_next: next, ...rest } = before;
      const roots = old === undefined ? [] : [rootsOf(old)];
      const pack = { certificate, wrapped, ...(chain === undefined ? {} : { chain }) };
      const own = rootsOf(pack);
      const all = [...new Set([...roots, ...former])].filter(pem => pem !== own);
      const waits = next === undefined || answered ? {} : { pack_next: next };
      return { ...rest, pack, ...waits, ...(all.length === 0 ? {} : { former: all }) };
    });
    held = undefined;
  };

  // Two that ask at once get the same first identity.
  let making: Promise<void> | undefined;
  const stored = async (): Promise<StoredPack> => {
    if (keys().pack === undefined) {
      making ??= (async () => {
        const key = await newPackKey('rsa-3072');
        await install(key, selfMadeCertificate(key, selfMadeSubject(ledgerId), now()));
      })().finally(() => {
        making = undefined;
      });
      await making;
    }
    return keys().pack!;
  };

  return {
    async signer() {
      const pack = await stored();
      const roots = [rootsOf(pack), ...(keys().former ?? [])].join('');
      held ??= new PackSigner(unwrapKey(pack.wrapped, 'key/pack'), pack.certificate, pack.chain ?? '', roots);
      return held;
    },
    stored,
    wrapKey,
    unwrapKey,
    install,
  };
}
