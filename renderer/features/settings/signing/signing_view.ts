/** Who signs and who dates, in words; files that people choose, as the operations take them. Pure. */
import type { OutputOf } from '../../../../core/api/operations.ts';
import { base64 } from '../../../../core/proof/bytes.ts';
import { countOf, formatCount } from '../../../ui/numbers.ts';
import { formatDuration } from '../../../ui/times.ts';

export type Identity = OutputOf<'certificate'>;
export type Anchors = OutputOf<'timestampAnchors'>;
export type Clock = OutputOf<'clockState'>;
export type KeyKind = 'rsa-3072' | 'rsa-4096' | 'p256' | 'p384';

export const keyKinds: { value: KeyKind; label: string }[] = [
  { value: 'p256', label: 'ECDSA P-256 (small, quick; fits most authorities)' },
  { value: 'p384', label: 'ECDSA P-384' },
  { value: 'rsa-3072', label: 'RSA 3072 bits (where an authority takes RSA alone)' },
  { value: 'rsa-4096', label: 'RSA 4096 bits' },
];

const DAY = 86_400_000;
/** Days before the end from which on it is said. */
const SOON = 30;

export type Sentence = { tone: 'plain' | 'ask' | 'deny'; text: string };

/** What a reader of packs can take from the identity, worst first. */
export function identitySentences(identity: Identity, now: number): Sentence[] {
  const { kind, issuer, expired, revocation, valid_until } = identity;
  const left = Math.floor((Date.parse(valid_until) - now) / DAY);
  const said: (Sentence | false)[] = [
    revocation === 'revoked' && {
      tone: 'deny',
      text: 'Its authority has revoked it. Packs that it signs are not believed: switch to another one.',
    },
    expired && {
      tone: 'deny',
      text: 'It has expired. Packs that are signed from now on say so, unless an authority dates them: switch to another one.',
    },
    !expired && left <= SOON && { tone: 'ask', text: `It expires in ${countOf(Math.max(0, left), 'day')}.` },
    kind === 'self-made'
      ? {
          tone: 'plain',
          text: 'Self-made. It shows that packs come from the holder of one key; nobody else vouches for the name on it.',
        }
      : { tone: 'plain', text: `${issuer} vouches for this name.` },
  ];
  return said.filter(one => one !== false);
}

export const revocationWords: Record<Identity['revocation'], string> = {
  good: 'not revoked, by the list that was read',
  revoked: 'revoked',
  unknown: 'not checked: read a revocation list (CRL) of the authority',
};

const decoder = new TextDecoder('latin1');
/** PEM as it stands; DER is put into PEM under the label. */
export function pemText(bytes: Uint8Array, label: 'CERTIFICATE' | 'X509 CRL'): string {
  const text = decoder.decode(bytes);
  if (text.includes('-----BEGIN ')) return text.endsWith('\n') ? text : `${text}\n`;
  const lines = base64(bytes).replaceAll(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

export type Chosen = { name: string; bytes: Uint8Array };
export const isPkcs12 = (name: string): boolean => /\.(p12|pfx)$/i.test(name);

/** The import of what was chosen: an authority's answer in PEM or DER, or a PKCS#12 file, perhaps with what it lacks. */
export function importInput(
  files: readonly Chosen[],
  password: string,
): { pem?: string; pkcs12?: string; password?: string } {
  const container = files.find(({ name }) => isPkcs12(name));
  const pem = files
    .filter(({ name }) => !isPkcs12(name))
    .map(({ bytes }) => pemText(bytes, 'CERTIFICATE'))
    .join('');
  return {
    ...(pem === '' ? {} : { pem }),
    ...(container === undefined ? {} : { pkcs12: base64(container.bytes), password }),
  };
}

export const countCertificates = (pem: string): number => pem.split('-----BEGIN CERTIFICATE-----').length - 1;

/** Why a text cannot be the address of an authority; undefined where it can. */
export function addressFault(text: string, known: readonly string[]): string | undefined {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return 'Give the whole address, for example https://tsa.example.org/tsr.';
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'It begins with https:// or http://.';
  if (url.username !== '' || url.password !== '') return 'An address must not hold a password.';
  if (known.includes(text)) return 'It is in the list already.';
  return known.length >= 8 ? 'At most eight authorities.' : undefined;
}

/** What went wrong with an authority, for who does not read error codes. */
export function failureWords(message: string): string {
  if (/ENOTFOUND|EAI_AGAIN/.test(message)) return 'no computer is known by this name, or there is no network';
  if (/ECONNREFUSED/.test(message)) return 'nobody answers at this address';
  if (/ECONNRESET|socket|other side closed/i.test(message)) return 'it broke the connection off';
  if (/timeout|aborted/i.test(message)) return 'it did not answer in time';
  if (/certificate|self-signed/i.test(message) && !/trusted/.test(message))
    return `its connection is not secure (${message})`;
  return message;
}

/** The list with one moved up (-1) or down (1). */
export function moved<T>(list: readonly T[], at: number, by: -1 | 1): T[] {
  const next = [...list];
  const [one] = next.splice(at, 1);
  if (one !== undefined) next.splice(Math.max(0, at + by), 0, one);
  return next;
}

export const schedules = [
  { value: '0', label: 'Never by itself' },
  { value: '1', label: 'Every hour' },
  { value: '6', label: 'Every 6 hours' },
  { value: '24', label: 'Every day' },
  { value: '168', label: 'Every week' },
];
export const scheduleData = (hours: number): { value: string; label: string }[] =>
  schedules.some(({ value }) => value === String(hours))
    ? schedules
    : [...schedules, { value: String(hours), label: `Every ${countOf(hours, 'hour')}` }];

/** What reads the schedule to those who do not change it. */
export function scheduleWords(hours: number, authorities: number): string {
  if (hours === 0 || authorities === 0) return 'No checkpoint is stamped by itself.';
  const label = scheduleData(hours).find(({ value }) => value === String(hours))?.label ?? '';
  return `A checkpoint is stamped ${label.toLowerCase()}, if something was recorded since.`;
}

export const rootsWords = (roots: number): string =>
  roots === 0
    ? 'No root certificate is kept: any authority’s stamp is taken.'
    : `${countOf(roots, 'root certificate')}: stamps that lead to no other are refused.`;

export type AnchorRow = {
  seq: number;
  /** "#0 to #41" */
  records: string;
  by: string;
  authority: string;
  /** The stamp before: what came after it is not older. */
  after?: string;
  /** How far apart the two are, in words: nothing else says when in between. */
  within: string;
};

/** Newest first, with how exactly each stamp says when. */
export function buildAnchors({ items }: Anchors): AnchorRow[] {
  return items.map(({ seq, size, time, authority }, i) => {
    const earlier = items[i + 1];
    const first = earlier?.size ?? 0;
    const records =
      size - 1 > first
        ? `#${formatCount(first)} to #${formatCount(size - 1)}`
        : size - 1 === first
          ? `#${formatCount(first)}`
          : 'none new';
    return {
      seq,
      records,
      by: time,
      authority,
      ...(earlier === undefined ? {} : { after: earlier.time }),
      within:
        earlier === undefined
          ? 'no stamp before it'
          : formatDuration(Math.max(0, Date.parse(time) - Date.parse(earlier.time)) * 1000),
    };
  });
}

/** Records that no stamp covers yet, in a sentence. */
export function sinceLastStamp({ items, size }: Anchors): string {
  const [last] = items;
  const open = size - (last?.size ?? 0);
  if (last === undefined) {
    return `No checkpoint was stamped yet: for all ${countOf(size, 'record')} only this computer’s clock says when.`;
  }
  return open === 0
    ? 'Every record is under a stamp.'
    : `For the newest ${countOf(open, 'record')} only this computer’s clock says when, until the next stamp.`;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

export function offsetWords({ offset }: Clock): string {
  if (offset === undefined) return 'not measured: it is, whenever an authority is asked over the network';
  const { ms, within_ms: within } = offset;
  if (Math.abs(ms) <= within) return `right to within ${seconds(within)}`;
  return `${seconds(Math.abs(ms))} ${ms > 0 ? 'behind' : 'ahead'}, known to within ${seconds(within)}`;
}

export const sourceWords = ({ source, synchronised }: Clock): string => {
  const by = source === '' ? 'not known: this system does not say' : source;
  if (synchronised === undefined) return by;
  return `${by}; the system says that it is ${synchronised ? 'synchronised' : 'not synchronised'}`;
};

export const jumpWords = ({ kind, ms }: Clock['jumps'][number]): string =>
  `${kind === 'back' ? 'back' : 'forward, or the computer slept'}${ms === undefined ? '' : `, by ${formatDuration(ms * 1000)}`}`;

/** The pair of a reply and the request that it answers. */
export function pairOf(files: readonly Chosen[]): { request: string; reply: string } | string {
  const reply = files.find(({ name }) => /\.tsr$/i.test(name));
  const request = files.find(({ name }) => /\.tsq$/i.test(name));
  if (reply === undefined) return 'Choose the reply of the authority: a .tsr file.';
  if (request === undefined)
    return 'Choose the .tsq file too that you saved here: the reply is held against it.';
  return { request: base64(request.bytes), reply: base64(reply.bytes) };
}
