/**
 * This ledger as a witness of others. Its key is derived from the vault, its memory is its own records `witness.signed`: one is
 * durable before a cosignature leaves. Format: docs/spec/tree.md, "Cosignatures".
 * Rules: one signing at a time; it signs nothing that does not continue what it signed last of the same log. A restored ledger is
 * a new one: another key, and so another witness, which cannot be made to forget.
 */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { TrailmixError } from '../../core/api/errors.ts';
import type { OutputOf } from '../../core/api/operations.ts';
import type { RecordView } from '../../core/api/views.ts';
import { parseTrust } from '../../core/pack/trust.ts';
import { utf8 } from '../../core/proof/bytes.ts';
import {
  COSIGN_ED25519,
  formatWitnessVkey,
  type WitnessKey,
  witnessKey,
} from '../../core/proof/cosignature.ts';
import { LEDGER_APP } from '../../core/proof/record.ts';
import type { Clock, KeyVault, Ledger } from '../ports.ts';
import { sha256 } from '../sha256.ts';
import { cosign, type KnownLog } from './cosigning.ts';

type View = OutputOf<'ownWitness'>;

export type OwnWitness = {
  view(): Promise<View>;
  /** Throws input_invalid. */
  rename(name: string, by: string): Promise<View>;
  /** `trust`: trust.json of the log. Throws what cosigning throws, and input_invalid. */
  sign(request: string, trust: string | undefined, by: string): Promise<OutputOf<'witnessSign'>>;
};

const SETTING = 'witness_name';
/** PKCS#8 of an Ed25519 key, up to its 32 bytes (RFC 8410). */
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex');

type Signed = Required<KnownLog> & { origin: string };

/** What a `witness.signed` record says; undefined where it says nothing of the kind. */
function signedOf(record: RecordView): Signed | undefined {
  const told = record.witnessed as Partial<Signed> | undefined;
  const whole =
    typeof told?.size === 'number' &&
    Array.isArray(told.vkeys) &&
    [told.origin, told.root, told.at].every(one => typeof one === 'string');
  return whole ? (told as Signed) : undefined;
}

export function openOwnWitness({
  ledger,
  vault,
  clock,
}: {
  ledger: Ledger;
  vault: Pick<KeyVault, 'derive'>;
  clock: Clock;
}): OwnWitness {
  const named = async (): Promise<string | undefined> => {
    const rows = await ledger.read.query<{ name: string; value: string }>('settings.all');
    const value = rows.find(({ name }) => name === SETTING)?.value;
    return value === undefined ? undefined : (JSON.parse(value) as string);
  };
  const privateKey = (): KeyObject =>
    createPrivateKey({
      key: Buffer.concat([PKCS8_ED25519, vault.derive('witness')]),
      format: 'der',
      type: 'pkcs8',
    });
  const keyOf = (name: string): WitnessKey => {
    const spki = createPublicKey(privateKey()).export({ format: 'der', type: 'spki' });
    return witnessKey(sha256, name, COSIGN_ED25519, Uint8Array.from(spki.subarray(-32)));
  };

  const signedAt = async (seq: number): Promise<Signed | undefined> => {
    const record = await ledger.read.record(seq);
    return record && signedOf(record);
  };
  /** What it signed last of one log. */
  const lastOf = async (origin: string): Promise<Signed | undefined> => {
    const given = { tenant: ledger.tenantId, origin };
    const [row] = await ledger.read.query<{ seq: number }>('evidence.witnessedOf', given);
    return row && signedAt(row.seq);
  };
  const lastOfEach = async (): Promise<View['logs']> => {
    const rows = await ledger.read.query<{ seq: number }>('evidence.witnessed', { tenant: ledger.tenantId });
    const found = await Promise.all(
      rows.map(async ({ seq }) => {
        const told = await signedAt(seq);
        return told && { origin: told.origin, size: told.size, time: told.at, seq };
      }),
    );
    return found.filter(one => one !== undefined);
  };

  const view = async (): Promise<View> => {
    const name = await named();
    return {
      ...(name === undefined ? {} : { name, vkey: formatWitnessVkey(keyOf(name)) }),
      logs: await lastOfEach(),
    };
  };

  let turn: Promise<unknown> = Promise.resolve();
  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work);
    turn = mine.catch(() => {});
    return mine;
  };

  return {
    view,
    async rename(name, by) {
      try {
        keyOf(name);
      } catch (error) {
        throw new TrailmixError('input_invalid', { where: '/name', message: (error as Error).message });
      }
      await ledger.write.run('changeSettings', { changes: { [SETTING]: name }, by });
      return view();
    },
    sign: (request, trust, by) =>
      alone(async () => {
        const name = await named();
        if (name === undefined)
          throw new TrailmixError('input_invalid', {
            where: '/request',
            message: 'This ledger has no name as a witness yet',
          });
        const { signing, log, line } = await cosign(utf8(request), {
          key: keyOf(name),
          privateKey: privateKey(),
          known: lastOf,
          ...(trust === undefined ? {} : { vkeys: vkeysOf(trust) }),
          now: clock.now(),
        });
        const { origin, size } = signing;
        const { seq } = await ledger.write.run('record', {
          appId: LEDGER_APP,
          eventType: 'witness.signed',
          members: {
            name: "Another log's checkpoint cosigned",
            witnessed: { origin, size, root: log.root, vkeys: log.vkeys, at: log.at, line },
            by,
          },
        });
        return { ...signing, seq };
      }),
  };
}

function vkeysOf(trust: string): readonly string[] {
  try {
    return parseTrust(sha256, utf8(trust)).vkeys;
  } catch (error) {
    throw new TrailmixError('input_invalid', { where: '/trust', message: (error as Error).message });
  }
}
