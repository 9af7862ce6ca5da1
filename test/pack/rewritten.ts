/** Forgeries that need a key or a tree of one's own: another signer of the same name, another tree, another purpose's prefix. */
import { sign } from 'node:crypto';
import { checkpointParts } from '../../core/pack/checkpoint.ts';
import type { FindingCode } from '../../core/pack/findings.ts';
import { concat, hex, utf8 } from '../../core/proof/bytes.ts';
import { checkpointText, originOf } from '../../core/proof/checkpoint.ts';
import { noteKey, signNote } from '../../core/proof/note.ts';
import { recordLeaf } from '../../core/proof/tree.ts';
import { type MemoryLedger, sha256 } from './memory-ledger.ts';
import { type Parts, reseal, type Signer, seededSigner } from './packs.ts';

/** Another key under a self-made certificate of the same name. */
export const stranger = (): Signer => seededSigner('someone else');

/** As Bitcoin's tree is made: the last node of an odd level is joined with itself. */
function rootWithDuplicates(leaves: readonly Uint8Array[]): Uint8Array {
  let level = [...leaves];
  while (level.length > 1) {
    if (level.length % 2 === 1) level.push(level.at(-1)!);
    level = Array.from({ length: level.length / 2 }, (_, i) =>
      sha256(concat(Uint8Array.of(1), level[2 * i]!, level[2 * i + 1]!)),
    );
  }
  return level[0]!;
}

/** The pack under a checkpoint that the ledger's own key signed over such a tree. */
export async function duplicatedRoot(parts: Parts, ledger: MemoryLedger): Promise<Parts> {
  const leaves = ledger.all.map(({ hash_self }) => recordLeaf(sha256, hash_self));
  const root = rootWithDuplicates(leaves);
  const origin = originOf(ledger.ledgerId, ledger.tenantId);
  const note = utf8(
    await signNote(
      checkpointText({ origin, size: leaves.length, root }),
      noteKey(sha256, origin, ledger.checkpointKey.raw),
      message => sign(null, message, ledger.checkpointKey.privateKey),
    ),
  );
  const { body, signature } = checkpointParts(note);
  parts.set('checkpoint.note', note).set('checkpoint.body', body).set('checkpoint.sig', signature);
  return reseal(parts, manifest => ({
    ...manifest,
    checkpoint: { size: leaves.length, root: hex(root) },
  }));
}

/** Signatures that are right for another purpose. */
export const signedUnderOtherPrefix: [
  name: string,
  about: string,
  code: FindingCode,
  make: (into: MemoryLedger) => void,
][] = [
  [
    'domain_key',
    'a record signed under the prefix of key changes',
    'signature_wrong',
    into => into.append({ signed: hash => utf8(`trailmix/key/v1\n${hash}`) }),
  ],
  [
    'domain_none',
    'a record signed without any prefix',
    'signature_wrong',
    into => into.append({ signed: hash => utf8(hash) }),
  ],
  [
    'domain_raw_hash',
    'a record signed over the raw bytes of its hash',
    'signature_wrong',
    into => into.append({ signed: hash => concat(utf8('trailmix/event/v1\n'), Buffer.from(hash, 'hex')) }),
  ],
];
