/** Published packs with witnesses (docs/spec/pack.md, "Witnesses") and with bodies that are not there ("Hidden bodies"). */
import { sign } from 'node:crypto';
import type { Trust } from '../../core/pack/verify.ts';
import { parseWitnessPolicy } from '../../core/pack/witnesses.ts';
import { base64, concat, fromHex, utf8 } from '../../core/proof/bytes.ts';
import {
  COSIGN_ED25519,
  cosignatureBytes,
  cosignatureMessage,
  formatWitnessVkey,
  type WitnessKey,
  witnessKey,
} from '../../core/proof/cosignature.ts';
import type { JsonObject } from '../../core/proof/jcs.ts';
import { jcs } from '../../core/proof/jcs.ts';
import { parseNote } from '../../core/proof/note.ts';
import { MemoryLedger, newKey, sha256 } from './memory-ledger.ts';
import { gatedCall, makePack, partsOf, textOf, trustOf, wholeWindow, zipOf } from './packs.ts';

type Published = { name: string; about: string; code: string | null; pack: Uint8Array; trust: Trust };
type Witness = { readonly vkey: string; cosign(note: string): string };

const SECONDS = Date.UTC(2026, 10, 22) / 1000;
const NOTE = 'META-INF/cosignatures.note';

/** A witness whose key comes from the seed of the published packs. `cosign` answers its line for a checkpoint's note. */
function newWitness(name: string): Witness {
  const { privateKey, raw } = newKey();
  const key: WitnessKey = witnessKey(sha256, name, COSIGN_ED25519, raw);
  return {
    vkey: formatWitnessVkey(key),
    cosign(note) {
      const message = cosignatureMessage(key, SECONDS, parseNote(utf8(note)).text);
      const said = cosignatureBytes(SECONDS, sign(null, message, privateKey));
      return `— ${name} ${base64(concat(fromHex(key.id), said))}\n`;
    },
  };
}

const named = (trust: Trust, k: number, witnesses: readonly Witness[]): Trust => ({
  ...trust,
  witnesses: parseWitnessPolicy(sha256, utf8(jcs({ k, v: 1, witnesses: witnesses.map(({ vkey }) => vkey) }))),
});

/** Cosignatures of the pack's own checkpoint. */
async function* ofThePack(): AsyncGenerator<Published> {
  const ledger = new MemoryLedger();
  for (let i = 0; i < 6; i++) ledger.append({});
  const [one, two, three] = ['a.example', 'b.example', 'c.example'].map(newWitness) as [
    Witness,
    Witness,
    Witness,
  ];
  const older = textOf(await partsOf(await makePack(ledger)), 'checkpoint.note');
  ledger.append({});
  const parts = await partsOf(await makePack(ledger));
  const note = textOf(parts, 'checkpoint.note');
  const [first, second] = [one.cosign(note), two.cosign(note)];
  const all = [one, two, three];
  const bad = `${first.slice(0, -9)}AAAA${first.slice(-5)}`;
  const short = `— a.example ${base64(fromHex(`${one.vkey.split('+')[1]}01`))}\n`;
  const plain = trustOf(ledger);
  const cases: [string, string, string | null, string | undefined, Trust][] = [
    [
      'two_of_three',
      'two of three witnesses, and two are asked for',
      null,
      note + first + second,
      named(plain, 2, all),
    ],
    [
      'missing',
      'a policy of witnesses, and no cosignature',
      'witness_missing',
      undefined,
      named(plain, 1, all),
    ],
    ['too_few', 'one witness where two are asked for', 'witness_missing', note + first, named(plain, 2, all)],
    ['twice', 'one witness twice is one', 'witness_missing', note + first + first, named(plain, 2, all)],
    [
      'stranger',
      'cosigned by one whom nobody named',
      'witness_missing',
      note + first,
      named(plain, 1, [three]),
    ],
    ['untrusted', 'cosigned, and nobody named witnesses', 'witness_untrusted', note + first, plain],
    [
      'changed',
      'a changed cosignature beside a good one',
      'witness_signature_wrong',
      note + bad + second,
      named(plain, 1, all),
    ],
    [
      'short',
      'a cosignature without its signature',
      'witness_signature_wrong',
      note + short + second,
      named(plain, 1, all),
    ],
    [
      'moved',
      'the cosignature of an older checkpoint over this one',
      'witness_signature_wrong',
      note + one.cosign(older),
      named(plain, 1, all),
    ],
    [
      'older_note',
      'the cosigned note of an older checkpoint',
      'witness_note_wrong',
      older + one.cosign(older),
      named(plain, 1, all),
    ],
    ['no_note', 'cosignatures.note is no note', 'witness_note_wrong', 'cosigned\n', named(plain, 1, all)],
  ];
  for (const [name, about, code, text, trust] of cases) {
    const changed = new Map(parts);
    if (text !== undefined) changed.set(NOTE, utf8(text));
    yield { name: `witness_${name}`, about, code, pack: await zipOf(changed), trust };
  }
}

/** What a witness saw earlier, carried by a later pack of the same history and by one of another. */
async function* seenEarlier(): AsyncGenerator<Published> {
  const ledger = new MemoryLedger();
  const forked = new MemoryLedger(ledger);
  for (const one of [ledger, forked]) for (let i = 0; i < 4; i++) one.append({});
  for (let i = 0; i < 4; i++) {
    ledger.append({ body: { input: { amount: 10 } } });
    forked.append({ body: { input: { amount: 9999 } } });
  }
  const witness = newWitness('example.org/w');
  const { size, note } = await ledger.sign();
  const anchor = { checkpoint: (await ledger.checkpoint(size))!, lines: [witness.cosign(note)] };
  const until = ledger.all[6]!.received_at;
  for (const one of [ledger, forked]) {
    one.stamped.push(anchor);
    one.append({});
  }
  const trust = named(trustOf(ledger), 1, [witness]);
  const at = (name: string, about: string, code: string | null, pack: Uint8Array): Published => ({
    name: `witness_${name}`,
    about,
    code,
    pack,
    trust,
  });
  yield at(
    'earlier',
    'a witness saw an earlier state, not all of the pack',
    'witness_earlier',
    await makePack(ledger),
  );
  const window = { ...wholeWindow, time_to: until };
  yield at(
    'covers',
    'a witness saw an earlier state, which covers the pack',
    null,
    await makePack(ledger, window),
  );
  yield at('other_history', 'a witness saw another history', 'witness_inconsistent', await makePack(forked));
}

/** Replaces the body of a record by the event that erased it, as the collector does. */
function erase(ledger: MemoryLedger, seq: number): void {
  const { event_type } = ledger.all[seq]!;
  const erasure = { apps: ['bot'], reason: 'Retention rule', seqs: [seq], types: [event_type] };
  ledger.append({ app: '_ledger', type: 'erasure.recorded', body: { erasure } });
  ledger.all[seq] = headOf(ledger.all[seq] as JsonObject) as never;
}

const HEAD = 'v ledger_id tenant_id seq app_id app_seq event_type ts received_at hash_prev body_hash'.split(
  ' ',
);
const headOf = (record: JsonObject): JsonObject =>
  Object.fromEntries([...HEAD, 'hash_self', 'key_id', 'signature'].map(name => [name, record[name]!]));

/** Bodies that were erased or withheld: spans, and each record behind an approval. */
async function* hidden(): AsyncGenerator<Published> {
  const begin = () => {
    const ledger = new MemoryLedger();
    const policy = ledger.activate('package trailmix\n');
    for (let i = 0; i < 3; i++) ledger.append({ body: { name: `step ${i}` } });
    gatedCall(ledger, policy);
    ledger.append({});
    return ledger;
  };
  const seqOf = (ledger: MemoryLedger, type: string) =>
    ledger.all.find(({ event_type }) => event_type === type)!.seq;
  for (const type of [
    'span',
    'decision.recorded',
    'approval.asked',
    'approval.answered',
    'intent.recorded',
  ]) {
    const word = type.replace('.', '_');
    const code = type === 'span' ? '' : 'approval_hidden';
    const erased = begin();
    erase(erased, seqOf(erased, type));
    yield {
      name: `erased_${word}`,
      about: `the body of ${type} is erased`,
      code: code || 'body_erased',
      pack: await makePack(erased),
      trust: trustOf(erased),
    };
    const ledger = begin();
    const withhold = { seqs: [seqOf(ledger, type)], reason: 'Privileged' };
    yield {
      name: `withheld_${word}`,
      about: `the body of ${type} is withheld`,
      code: code || 'body_withheld',
      pack: await makePack(ledger, { ...wholeWindow, withhold }),
      trust: trustOf(ledger),
    };
  }
}

/** In the order in which keys are drawn from the seed. */
export async function* witnessedAndHidden(): AsyncGenerator<Published> {
  yield* ofThePack();
  yield* seenEarlier();
  yield* hidden();
}
