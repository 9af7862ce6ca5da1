/**
 * Packs over chains of restores, held against a pack of the first ledger: right, incomplete and forged, with the finding that must name
 * it. Follows the format, not the collector's code. Not a test itself.
 */
import type { EpochProof } from '../../collector/evidence/epoch.ts';
import { epochKeysPath } from '../../core/pack/epochs.ts';
import type { Trust } from '../../core/pack/verify.ts';
import { utf8 } from '../../core/proof/bytes.ts';
import { parseNote } from '../../core/proof/note.ts';
import { MemoryLedger } from './memory-ledger.ts';
import { makePack, trustOf, wholeWindow } from './packs.ts';
import { epochKeys, epochProof, restoredLedger } from './restored.ts';

export type RestoreCase = {
  name: string;
  about: string;
  /** What is to be found of the restores beside `restored`; null: that the older pack is continued. */
  code: string | null;
  pack: Uint8Array;
  trust: Trust;
};

const THIRD = 'cafe0000cafe0000cafe0000cafe0000';

function steps(ledger: MemoryLedger, count: number): void {
  for (let n = 0; n < count; n++) ledger.append({ body: { name: `step ${n}` } });
}

async function packOf(ledger: MemoryLedger, epochs: readonly EpochProof[]): Promise<Uint8Array> {
  steps(ledger, 3);
  return makePack(ledger, wholeWindow, { epochs });
}

function forgedNote(note: string): string {
  const { text, lines } = parseNote(utf8(note));
  const bytes = Buffer.concat([Buffer.from(lines[0]!.id, 'hex'), lines[0]!.signature]);
  bytes[20]! ^= 1;
  return `${text}\n— ${lines[0]!.name} ${bytes.toString('base64')}\n`;
}

/** The older pack, of the first ledger, and the cases that are held against it. */
export async function restoreCases(): Promise<{ older: Uint8Array; trust: Trust; cases: RestoreCase[] }> {
  const first = new MemoryLedger();
  steps(first, 4);
  const older = await makePack(first);
  const size = first.all.length;
  steps(first, 2);
  first.rotate();
  steps(first, 3);
  const cases: RestoreCase[] = [];
  const add = async (
    name: string,
    about: string,
    code: string | null,
    ledger: MemoryLedger,
    epochs: readonly EpochProof[],
  ): Promise<void> => {
    const pack = await packOf(ledger, epochs);
    cases.push({ name, about, code, pack, trust: trustOf(ledger) });
  };

  // Once, the event key having been rotated after the older pack.
  const proof = await epochProof(first, size);
  const keys = await epochKeys(first);
  const once = (more: Parameters<typeof restoredLedger>[1] = {}) => restoredLedger(first, more);
  await add(
    'rotated',
    'the key that signed the restore came after the older pack, by a rotation that the pack proves',
    null,
    await once(),
    [proof, keys],
  );
  await add(
    'rotated_unproved',
    'the same, and nothing shows the rotation',
    'restore_unsigned',
    await once(),
    [proof],
  );
  const zero = await epochKeys(first, [0]);
  await add(
    'rotation_left_out',
    'the same, and the rotation is left out of the keys',
    'restore_unsigned',
    await once(),
    [proof, zero],
  );
  await add(
    'rotated_forged',
    'the same, and the restore is signed by another key',
    'restore_signature_wrong',
    await once({ forged: true }),
    [proof, keys],
  );
  const wrong = async (name: string, about: string, text: string): Promise<void> =>
    add(`keys_${name}`, about, 'restore_keys_wrong', await once(), [proof, { ...keys, text }]);
  const [line0 = '', line1 = ''] = keys.text.split('\n');
  const rotation = first.all.findIndex(({ new_key }) => new_key !== undefined);
  await wrong('without_first', 'keys without record 0', `${line1}\n`);
  await wrong('order', 'keys in another order', `${line1}\n${line0}\n`);
  await wrong('twice', 'a key record twice', `${line0}\n${line1}\n${line1}\n`);
  await wrong('end', 'keys whose last line has no end', keys.text.slice(0, -1));
  await wrong('empty', 'a file of keys without any', '');
  await wrong('form', 'keys with another member', keys.text.replace('{"proof"', '{"more":1,"proof"'));
  await wrong('blank', 'keys that are not canonical', keys.text.replace('{"proof":', '{"proof": '));
  await wrong(
    'proof',
    'a hash of a proof changed',
    keys.text.replace(/(?<=\["?)[A-Za-z]/, one => (one === 'A' ? 'B' : 'A')),
  );
  await wrong('proof_short', 'a proof without its last hash', keys.text.replace(/,"[^"]{44}"\]/, ']'));
  await wrong('record', 'a key record changed', keys.text.replace('"Ledger opened"', '"Ledger Opened"'));
  await wrong(
    'other',
    'another record in the place of the rotation',
    (await epochKeys(first, [0, rotation + 1])).text.replace(/"seq":\d+/g, (seq, at) =>
      at > line0.length ? `"seq":${rotation}` : seq,
    ),
  );
  const twin = new MemoryLedger();
  steps(twin, first.all.length - 1);
  await wrong('of_another', 'the keys of another ledger', (await epochKeys(twin)).text);
  const forgedRotation = new MemoryLedger(first);
  steps(forgedRotation, 4);
  forgedRotation.rotate(true);
  steps(forgedRotation, 2);
  await add(
    'keys_rotation_forged',
    'a rotation that the new key did not sign',
    'restore_keys_wrong',
    await restoredLedger(forgedRotation),
    [await epochKeys(forgedRotation)],
  );
  const elsewhere = { ...keys, path: epochKeysPath('f'.repeat(32)) };
  await add('keys_elsewhere', 'keys of a ledger that nothing cites', 'file_role_wrong', await once(), [
    proof,
    keys,
    elsewhere,
  ]);

  // Twice.
  const twice = async (
    given: {
      first?: Parameters<typeof restoredLedger>[1];
      second?: Parameters<typeof restoredLedger>[1];
      from?: MemoryLedger;
    } = {},
  ): Promise<{ second: MemoryLedger; third: MemoryLedger; keys: EpochProof }> => {
    const second = await restoredLedger(given.from ?? first, given.first);
    steps(second, 3);
    second.rotate();
    steps(second, 1);
    const third = await restoredLedger(second, { ledgerId: THIRD, ...given.second });
    return { second, third, keys: await epochKeys(second) };
  };
  const good = await twice();
  await add('twice', 'restored twice, with both ledgers’ keys rotated before', null, good.third, [
    proof,
    keys,
    good.keys,
  ]);
  const noSecond = await twice();
  await add(
    'twice_without_keys',
    'restored twice, and the pack does not say what the second ledger continues',
    'epoch_changed',
    noSecond.third,
    [proof, keys],
  );
  const noProof = await twice();
  await add(
    'twice_without_proof',
    'restored twice, without a proof to the first backup',
    'epoch_changed',
    noProof.third,
    [keys, noProof.keys],
  );
  const noFirst = await twice();
  await add(
    'twice_without_first_keys',
    'restored twice, and nothing shows the rotation in the first ledger',
    'restore_unsigned',
    noFirst.third,
    [proof, noFirst.keys],
  );
  const bent = { ...proof, text: proof.text.replace(/^./, one => (one === 'A' ? 'B' : 'A')) };
  const bentTwice = await twice();
  await add(
    'twice_proof_wrong',
    'restored twice, another hash in the proof of the first ledger',
    'since_inconsistent',
    bentTwice.third,
    [bent, keys, bentTwice.keys],
  );
  const forgedFirst = await twice({ first: { forged: true } });
  await add(
    'twice_first_forged',
    'restored twice, the first time without the first ledger’s key',
    'restore_signature_wrong',
    forgedFirst.third,
    [proof, keys, forgedFirst.keys],
  );
  const forgedSecond = await twice({ second: { forged: true } });
  await add(
    'twice_second_forged',
    'restored twice, the second time without the second ledger’s key',
    'restore_signature_wrong',
    forgedSecond.third,
    [proof, keys, forgedSecond.keys],
  );
  const noted = await twice({ second: { note: forgedNote } });
  await add(
    'twice_note_wrong',
    'restored twice, the second backup’s checkpoint is not signed by the second ledger',
    'restore_signature_wrong',
    noted.third,
    [proof, keys, noted.keys],
  );
  const lookalike = await twice();
  const other = await twice();
  await add(
    'twice_lookalike',
    'restored twice, with the keys of a look-alike of the second ledger',
    'restore_keys_wrong',
    lookalike.third,
    [proof, keys, other.keys],
  );
  const early = new MemoryLedger(first);
  steps(early, 2);
  const behind = await twice({ from: early });
  await add(
    'twice_behind',
    'restored twice, the first time from before the older pack',
    'restored_behind',
    behind.third,
    [await epochKeys(early), behind.keys],
  );
  return { older, trust: trustOf(first), cases };
}
