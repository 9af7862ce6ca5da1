/**
 * Writes what no library of ours writes for every key: a self-made certificate (RFC 5280) and a request for one
 * (PKCS#10, RFC 2986), for RSA and ECDSA alike, in DER. Signing is node:crypto's.
 */
import { createHash, createPublicKey, generateKeyPair, type KeyObject, randomBytes, sign } from 'node:crypto';
import { promisify } from 'node:util';
import { concat, utf8 } from '../../core/proof/bytes.ts';
import { NULL, octets, oid, pemOf, sequence, setOf, small, TAG, tlv } from '../evidence/der.ts';

export const KEY_KINDS = ['rsa-3072', 'rsa-4096', 'p256', 'p384'] as const;
export type KeyKind = (typeof KEY_KINDS)[number];

/** What a certificate calls its holder. */
export type Subject = {
  readonly common_name: string;
  readonly organization?: string;
  readonly unit?: string;
  readonly locality?: string;
  /** Two letters. */
  readonly country?: string;
};

/** PKCS#8 PEM. Made on libuv's pool, off the event loop. */
export async function newPackKey(kind: KeyKind): Promise<KeyObject> {
  const make = promisify(generateKeyPair) as (
    type: string,
    options: object,
  ) => Promise<{ privateKey: KeyObject }>;
  const { privateKey } =
    kind === 'p256' || kind === 'p384'
      ? await make('ec', { namedCurve: kind === 'p256' ? 'P-256' : 'P-384' })
      : await make('rsa', { modulusLength: kind === 'rsa-3072' ? 3072 : 4096 });
  return privateKey;
}

export const pkcs8Pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }) as string;

const spkiOf = (key: KeyObject): Uint8Array => createPublicKey(key).export({ type: 'spki', format: 'der' });
const text = (value: string): Uint8Array => tlv(0x0c, utf8(value));
const printable = (value: string): Uint8Array => tlv(0x13, utf8(value));
const bits = (bytes: Uint8Array): Uint8Array => tlv(0x03, concat(Uint8Array.of(0), bytes));

function nameOf({ common_name, organization, unit, locality, country }: Subject): Uint8Array {
  const part = (type: string, value: Uint8Array | undefined) =>
    value === undefined ? [] : [setOf(sequence(oid(type), value))];
  const some = (value: string | undefined) => (value === undefined ? undefined : text(value));
  return sequence(
    ...part('2.5.4.6', country === undefined ? undefined : printable(country)),
    ...part('2.5.4.7', some(locality)),
    ...part('2.5.4.10', some(organization)),
    ...part('2.5.4.11', some(unit)),
    ...part('2.5.4.3', text(common_name)),
  );
}

const algorithmOf = (key: KeyObject): Uint8Array =>
  key.asymmetricKeyType === 'ec'
    ? sequence(oid('1.2.840.10045.4.3.2'))
    : sequence(oid('1.2.840.113549.1.1.11'), NULL);

/** digitalSignature and nonRepudiation, critical. */
const keyUsage = (): Uint8Array =>
  sequence(oid('2.5.29.15'), Uint8Array.of(0x01, 0x01, 0xff), octets(Uint8Array.of(0x03, 0x02, 0x06, 0xc0)));

function signed(body: Uint8Array, key: KeyObject): Uint8Array {
  return sequence(body, algorithmOf(key), bits(sign('sha256', body, key)));
}

function timeOf(time: Date): Uint8Array {
  const digits = `${time.toISOString().slice(0, 19).replaceAll(/[-:T]/g, '')}Z`;
  return time.getUTCFullYear() < 2050 ? tlv(TAG.utcTime, utf8(digits.slice(2))) : tlv(0x18, utf8(digits));
}

const YEARS = 10;

/** A certificate of the key by itself, PEM. `now`: ms since 1970. Nobody vouches for it, and its name says so. */
export function selfMadeCertificate(key: KeyObject, subject: Subject, now: number): string {
  const until = new Date(now);
  until.setUTCFullYear(until.getUTCFullYear() + YEARS);
  const serial = randomBytes(16);
  // A positive number without a leading zero byte.
  serial[0] = (serial[0]! & 0x3f) | 0x40;
  const name = nameOf(subject);
  const spki = spkiOf(key);
  const extensions = sequence(
    sequence(oid('2.5.29.19'), Uint8Array.of(0x01, 0x01, 0xff), octets(sequence())),
    keyUsage(),
    sequence(oid('2.5.29.14'), octets(octets(createHash('sha1').update(spki).digest()))),
  );
  const body = sequence(
    tlv(0xa0, small(2)),
    tlv(TAG.integer, serial),
    algorithmOf(key),
    name,
    sequence(timeOf(new Date(now - 60_000)), timeOf(until)),
    name,
    spki,
    tlv(0xa3, extensions),
  );
  return pemOf(signed(body, key), 'CERTIFICATE');
}

/** A request for a certificate of the key, PEM. */
export function certificateRequest(key: KeyObject, subject: Subject): string {
  const wanted = sequence(oid('1.2.840.113549.1.9.14'), setOf(sequence(keyUsage())));
  const body = sequence(small(0), nameOf(subject), spkiOf(key), tlv(0xa0, wanted));
  return pemOf(signed(body, key), 'CERTIFICATE REQUEST');
}

/** What a ledger's own certificate is called until another is chosen. */
export const selfMadeSubject = (ledgerId: string, name?: string): Subject => ({
  common_name: name ?? `Audit TrailMix self-made, ledger ${ledgerId.slice(0, 8)}`,
  organization: 'Self-made certificate: nobody vouches for this name',
});
