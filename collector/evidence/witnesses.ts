/**
 * Witnesses of this ledger: what they are asked with, and what they answered, by file. Each good answer is a record
 * `witness.cosigned`; later packs carry it. Format: docs/spec/tree.md, "Cosignatures"; docs/spec/pack.md, "Witnesses".
 * Rules: only lines of witnesses that were named here count; a bad line of one refuses the whole file.
 */
import { TrailmixError } from '../../core/api/errors.ts';
import type { OutputOf } from '../../core/api/operations.ts';
import type { RecordView } from '../../core/api/views.ts';
import { utf8 } from '../../core/proof/bytes.ts';
import { parseCheckpoint } from '../../core/proof/checkpoint.ts';
import { judgeCosignature, parseWitnessVkey, type WitnessKey } from '../../core/proof/cosignature.ts';
import {
  formatNoteLine,
  type Note,
  type NoteError,
  noteKey,
  openNote,
  parseNote,
} from '../../core/proof/note.ts';
import { LEDGER_APP } from '../../core/proof/record.ts';
import { consistencyPlan, proofOfPlan } from '../../core/proof/tree.ts';
import { formatWitnessRequest } from '../../core/proof/witness.ts';
import type { Clock, KeyVault, Ledger } from '../ports.ts';
import { sha256 } from '../sha256.ts';
import { fileHost } from './verifier-host.ts';

type View = OutputOf<'witnesses'>;
type Imported = OutputOf<'witnessImport'>;

export type WitnessDesk = {
  view(): Promise<View>;
  /** Throws input_invalid. */
  change(vkeys: readonly string[], by: string): Promise<View>;
  /** Throws witness_unknown, at_beyond, input_invalid. */
  request(asked: { witness?: string; old?: number; at?: number }): Promise<OutputOf<'witnessRequest'>>;
  /** Throws witness_invalid, witness_unknown. */
  import(note: string, by: string): Promise<Imported>;
};

const SETTING = 'witness_vkeys';
/** A cosignature may be this much ahead of our clock, in seconds. */
const AHEAD = 86_400;

export type CosignedRecord = {
  size: number;
  root: string;
  name: string;
  vkey: string;
  time: number;
  line: string;
};

/** What a `witness.cosigned` record says; undefined where it says nothing of the kind. */
export function cosignedOf(record: RecordView): CosignedRecord | undefined {
  const told = record.witness as Partial<CosignedRecord> | undefined;
  const whole =
    typeof told?.size === 'number' &&
    typeof told.time === 'number' &&
    [told.root, told.name, told.vkey, told.line].every(one => typeof one === 'string');
  return whole ? (told as CosignedRecord) : undefined;
}

export function openWitnesses({
  ledger,
  vault,
  clock,
}: {
  ledger: Ledger;
  vault: Pick<KeyVault, 'checkpointKey'>;
  clock: Clock;
}): WitnessDesk {
  const known = async (): Promise<WitnessKey[]> => {
    const rows = await ledger.read.query<{ name: string; value: string }>('settings.all');
    const value = rows.find(({ name }) => name === SETTING)?.value;
    const vkeys = value === undefined ? [] : (JSON.parse(value) as string[]);
    return vkeys.map(vkey => parseWitnessVkey(sha256, vkey));
  };

  /** Newest first. */
  const records = async (): Promise<(CosignedRecord & { seq: number })[]> => {
    const rows = await ledger.read.query<{ seq: number }>('evidence.cosigned', {
      tenant: ledger.tenantId,
      size: Number.MAX_SAFE_INTEGER,
    });
    const found: (CosignedRecord & { seq: number })[] = [];
    for (const { seq } of rows) {
      const [record] = await ledger.read.records(seq, seq, 1);
      const told = record && cosignedOf(record);
      if (told !== undefined) found.push({ ...told, seq });
    }
    return found;
  };

  const view = async (): Promise<View> => {
    const rows = await ledger.read.query<{ name: string; value: string }>('settings.all');
    const value = rows.find(({ name }) => name === SETTING)?.value;
    const vkeys = value === undefined ? [] : (JSON.parse(value) as string[]);
    const done = await records();
    return {
      witnesses: vkeys.map(vkey => {
        const { name } = parseWitnessVkey(sha256, vkey);
        const last = done.filter(one => one.name === name).sort((a, b) => b.size - a.size)[0];
        return {
          name,
          vkey,
          ...(last === undefined
            ? {}
            : { last: { size: last.size, time: new Date(last.time * 1000).toISOString(), seq: last.seq } }),
        };
      }),
    };
  };

  return {
    view,
    async change(vkeys, by) {
      const keys = vkeys.map(vkey => {
        try {
          return parseWitnessVkey(sha256, vkey);
        } catch (error) {
          throw new TrailmixError('input_invalid', { where: '/vkeys', message: (error as Error).message });
        }
      });
      if (new Set(keys.map(({ name, id }) => `${name} ${id}`)).size !== keys.length)
        throw new TrailmixError('input_invalid', { where: '/vkeys', message: 'a witness is named twice' });
      await ledger.write.run('changeSettings', { changes: { [SETTING]: [...vkeys] }, by });
      return view();
    },
    async request({ witness, old: given, at }) {
      const names = [...new Set((await known()).map(({ name }) => name))];
      const name = witness ?? (names.length === 1 ? names[0] : undefined);
      if (witness !== undefined && !names.includes(witness))
        throw new TrailmixError('witness_unknown', {
          where: '/witness',
          message: `No witness is named ${witness}`,
        });
      const size = at ?? (await ledger.write.run('checkpoint', {})).size;
      const checkpoint = await ledger.read.checkpointAt(size);
      if (checkpoint === undefined || checkpoint.size !== size)
        throw new TrailmixError('at_beyond', {
          where: '/at',
          message: `There is no checkpoint of size ${size}`,
        });
      const signed = (await records()).filter(one => one.name === name && one.size <= size);
      const old = given ?? Math.max(0, ...signed.map(one => one.size));
      if (old > size)
        throw new TrailmixError('input_invalid', {
          where: '/old',
          message: `${old} is beyond the checkpoint's ${size} records`,
        });
      const plan = consistencyPlan(old, size);
      const hashes = await ledger.read.nodes(plan.nodes.map(({ level, index }) => [level, index]));
      const proof = proofOfPlan(sha256, plan, hashes);
      return { size, old, request: formatWitnessRequest({ old, proof, note: checkpoint.note }) };
    },
    async import(text, by) {
      const invalid = (message: string) => new TrailmixError('witness_invalid', { message });
      let note: Note;
      let size: number;
      try {
        note = parseNote(utf8(text));
        size = parseCheckpoint(note.text).size;
      } catch (error) {
        throw invalid(`This is no cosigned checkpoint: ${(error as Error).message}`);
      }
      const own = await ledger.read.checkpointAt(size);
      if (own === undefined || parseNote(utf8(own.note)).text !== note.text)
        throw invalid('It is over none of the checkpoints of this ledger');
      const { verifyEd25519, verifyMlDsa44 } = fileHost();
      const log = noteKey(sha256, parseCheckpoint(note.text).origin, vault.checkpointKey.publicKey);
      await openNote(utf8(text), [log], verifyEd25519).catch((error: NoteError) => {
        if (error.fault === 'bad_signature') throw invalid(error.message);
      });
      const keys = await known();
      const before = new Set((await records()).filter(one => one.size === size).map(({ line }) => line));
      const cosigned: { key: WitnessKey; time: number; line: string }[] = [];
      for (const line of note.lines) {
        const judged = await judgeCosignature(line, note.text, keys, {
          ed25519: verifyEd25519,
          mlDsa44: verifyMlDsa44,
        });
        if (judged.kind === 'bad') throw invalid(`The cosignature of ${judged.key.name} does not verify`);
        if (judged.kind === 'unchecked')
          throw invalid(`${judged.key.name} signs by ML-DSA, which this build cannot check`);
        if (judged.kind !== 'good') continue;
        if (judged.time * 1000 > clock.now() + AHEAD * 1000)
          throw invalid(`The cosignature of ${judged.key.name} is of a time that is yet to come`);
        cosigned.push({ ...judged, line: formatNoteLine(line) });
      }
      if (cosigned.length === 0)
        throw new TrailmixError('witness_unknown', {
          message: 'It has no line of a witness that is named here',
        });
      const added: Imported['cosigned'] = [];
      for (const { key, time, line } of cosigned) {
        if (before.has(line)) continue;
        const [vkey] = (await view()).witnesses.filter(
          one => parseWitnessVkey(sha256, one.vkey).id === key.id,
        );
        const { seq } = await ledger.write.run('record', {
          appId: LEDGER_APP,
          eventType: 'witness.cosigned',
          members: {
            name: 'Checkpoint cosigned',
            witness: { size, root: own.root, name: key.name, vkey: vkey?.vkey ?? '', time, line },
            by,
          },
        });
        added.push({ name: key.name, time: new Date(time * 1000).toISOString(), seq });
      }
      return { size, cosigned: added };
    },
  };
}
