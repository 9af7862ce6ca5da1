/**
 * DER: a writer of a few lines, and asn1js as the reader. Whoever reads compares with what the writer makes of it.
 * Host-neutral, as cms.ts, certificates.ts and timestamp.ts are: the verifier's page is made of them too.
 */
import { type BaseBlock, fromBER, ObjectIdentifier } from 'asn1js';
import { base64, compareBytes, concat, fromBase64, utf8 } from '../../core/proof/bytes.ts';

export const TAG = {
  integer: 0x02,
  octets: 0x04,
  null: 0x05,
  oid: 0x06,
  utcTime: 0x17,
  sequence: 0x30,
  set: 0x31,
} as const;

/** One value of identifier octet `tag`, the parts one after another as its content. */
export function tlv(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const size = parts.reduce((sum, { length }) => sum + length, 0);
  if (size < 0x80) return concat(Uint8Array.of(tag, size), ...parts);
  const length: number[] = [];
  for (let rest = size; rest > 0; rest = Math.floor(rest / 256)) length.unshift(rest % 256);
  return concat(Uint8Array.of(tag, 0x80 | length.length, ...length), ...parts);
}

export const sequence = (...parts: readonly Uint8Array[]): Uint8Array => tlv(TAG.sequence, ...parts);
/** As DER orders the members of a set. */
export const setOf = (...parts: readonly Uint8Array[]): Uint8Array =>
  tlv(TAG.set, ...[...parts].sort(compareBytes));
export const oid = (value: string): Uint8Array => new Uint8Array(new ObjectIdentifier({ value }).toBER());
export const small = (value: number): Uint8Array => tlv(TAG.integer, Uint8Array.of(value));
export const octets = (bytes: Uint8Array): Uint8Array => tlv(TAG.octets, bytes);
export const NULL: Uint8Array = Uint8Array.of(TAG.null, 0);
export const utcTime = (text: string): Uint8Array => tlv(TAG.utcTime, utf8(text));

/** Bytes of a value that was read, as they stood. */
export const bytesOf = (node: BaseBlock): Uint8Array => node.valueBeforeDecodeView.slice();
/** Bytes of its content. */
export const contentOf = (node: BaseBlock): Uint8Array => {
  const whole = node.valueBeforeDecodeView;
  return whole.slice(whole.length - node.lenBlock.length);
};

/** Throws where the bytes are not one value, and nothing else. */
export function readDer(bytes: Uint8Array): BaseBlock {
  const { offset, result } = fromBER(bytes);
  if (offset !== bytes.length) throw new Error('not one DER value');
  return result;
}

/** Members of a constructed value; none of any other. */
export const itemsOf = (node: BaseBlock | undefined): readonly BaseBlock[] => {
  const value = (node?.valueBlock as { value?: unknown } | undefined)?.value;
  return Array.isArray(value) ? (value as BaseBlock[]) : [];
};
/** Text of an object identifier; empty of any other. */
export const oidText = (node: BaseBlock | undefined): string =>
  node instanceof ObjectIdentifier ? node.valueBlock.toString() : '';

/** DER of the blocks of a PEM text with this label. Throws on base64 that is none. */
export function pemBlocks(text: string, label: string): Uint8Array[] {
  const form = new RegExp(`-----BEGIN ${label}-----([^-]+)-----END ${label}-----`, 'g');
  return [...text.matchAll(form)].map(([, body]) => fromBase64(body!.replaceAll(/\s/g, '')));
}

export const pemOf = (der: Uint8Array, label: string): string =>
  `-----BEGIN ${label}-----\n${base64(der).replaceAll(/.{64}(?=.)/g, '$&\n')}\n-----END ${label}-----\n`;
