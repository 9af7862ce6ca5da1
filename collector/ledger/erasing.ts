/**
 * Erasure from the door to the disk: recorded, bodies emptied, search index made anew, blobs that nothing else names
 * unlinked. What a crash left undone is done when the ledger is next opened. Retention rules run here too, by a timer.
 * Rules: one erasure at a time; what is not erased here (backups, packs given away) is said in docs/security.md.
 * A blob is unlinked in the writer's own order, after every record before was looked at (blob-guard.ts).
 */
import { TrailmixError } from '../../core/api/errors.ts';
import type { OutputOf } from '../../core/api/operations.ts';
import { formatMicros } from '../../core/event/time.ts';
import { blobRefs, JCS_BLOB_LIMIT } from '../../core/pack/blobs.ts';
import { RETENTION_SETTING } from '../../core/pack/erasure_rules.ts';
import { type BlobRef, JCS_BLOB_TYPE } from '../../core/proof/blob.ts';
import { type ErasureStatement, rulesThatHold } from '../../core/proof/erasure.ts';
import type { JsonObject, JsonValue } from '../../core/proof/jcs.ts';
import { LEDGER_APP } from '../../core/proof/record.ts';
import type { Signing } from '../policy/signing.ts';
import type { Clock, Ledger, Source } from '../ports.ts';
import { ERASE_BATCH } from './erasure_commands.ts';

/** What is meant: at most `ERASE_BATCH` seqs, or all that an app received before a time (microseconds). */
type Meant = { seqs?: readonly number[]; app?: { appId: string; beforeUs: number } };
/** Who asks; what they signed stands apart. */
export type Asking = Omit<Signing<ErasureStatement>, 'statement' | 'signature'> & { source?: Source };
type SignedPart = { seqs: readonly number[]; statement: ErasureStatement; signature: string };

export type Erasure = {
  /**
   * `signed`: parts as `prepare` gave them, in place of what is meant. Throws erase_refused, app_unknown, and where somebody is
   * enrolled signature_missing, statement_invalid, person_key_unknown, role_missing, signature_invalid: of the first part that is
   * refused, those before it are erased.
   */
  erase(
    asked: Asking & Meant & { signed?: readonly SignedPart[]; reason: string },
  ): Promise<{ erased: number; records: number[]; blobs: number }>;
  /** What erasing would name, in the parts that are signed one by one. `more`: the rest comes once these are erased. */
  prepare(meant: Meant): Promise<OutputOf<'prepareErasure'>>;
  retention(): Promise<Record<string, number>>;
  /** Days by app; 0 or absent keeps for ever. Throws input_invalid, and where somebody is enrolled as `erase`. */
  changeRetention(
    days: Record<string, number>,
    asking: Asking & { statement?: ErasureStatement; signature?: string },
  ): Promise<Record<string, number>>;
  /** What erasing an app's bodies received before a time (microseconds) would take. Throws app_unknown. */
  preview(appId: string, beforeUs: number): Promise<OutputOf<'previewErasure'>>;
  /** Does what the rules ask for now, a bounded part at a time. Called from time to time. */
  tick(): Promise<number>;
  /** All of it. `by`: who asked. Ends early, with what is done, when the signal says so. */
  run(by: string, signal: AbortSignal): Promise<{ erased: number }>;
  /** Ends what a crash interrupted. */
  finish(): Promise<number>;
  close(): void;
};

const DAY_US = 86_400_000_000;
const LOOK = 15 * 60_000;
/** Batches that one look erases at most: the rest comes with the next. */
const BATCHES = 20;
/** Attempts at unlinking between two records that may name blobs. */
const TURNS = 20;
/** Records under open approvals that a rule remembers; beyond, it waits for them. */
const HELD = 100_000;

export function openErasure({
  ledger,
  clock,
  onError = () => {},
}: {
  ledger: Ledger;
  clock: Clock;
  onError?: (error: unknown) => void;
}): Erasure {
  const { read, write, blobs, tenantId } = ledger;
  let turn: Promise<unknown> = Promise.resolve();
  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work);
    turn = mine.catch(() => {});
    return mine;
  };

  const appOf = async (appId: string): Promise<number | undefined> =>
    (await read.query<{ app: number }>('erasure.app', { tenant: tenantId, app: appId }))[0]?.app;

  const nested = async (sha256: string): Promise<BlobRef['$blob'][]> => {
    const parts: Uint8Array[] = [];
    let length = 0;
    for await (const part of blobs.get(tenantId, sha256)) {
      length += part.length;
      if (length > JCS_BLOB_LIMIT) return [];
      parts.push(part);
    }
    return [...blobRefs(JSON.parse(Buffer.concat(parts).toString('utf8')) as JsonValue)];
  };

  /** Digests that a value names, those inside its JSON blobs too. */
  const namedBy = async (value: JsonValue, into: Set<string>): Promise<void> => {
    const open = [...blobRefs(value)];
    for (let one = open.pop(); one !== undefined; one = open.pop()) {
      if (into.has(one.sha256)) continue;
      into.add(one.sha256);
      if (one.type === JCS_BLOB_TYPE && (await blobs.has(tenantId, one.sha256)))
        open.push(...(await nested(one.sha256)));
    }
  };

  /** Whether blobs are left for the next look, because records that name some came too often. */
  let unsettled = false;
  const unlinkBlobs = async (): Promise<{ count: number; freed: number }> => {
    unsettled = false;
    const rows = await read.query<{ sha256: string; type: string }>('erasure.blobs', {});
    if (rows.length === 0) return { count: 0, freed: 0 };
    const wanted = new Set<string>();
    for (const { sha256, type } of rows) {
      wanted.add(sha256);
      if (type !== JCS_BLOB_TYPE || !(await blobs.has(tenantId, sha256))) continue;
      for (const inner of await nested(sha256)) await namedBy({ $blob: inner }, wanted);
    }
    const still = new Set<string>();
    let seen = 0;
    const look = async (): Promise<number> => {
      const { size } = await read.head();
      for (;;) {
        const page = await read.query<{ seq: number }>('erasure.naming', { from: seen });
        for (const { seq } of page) {
          const record = await read.record(seq);
          if (record?.source !== undefined) await namedBy(record as JsonObject, still);
          seen = seq + 1;
        }
        if (page.length === 0) break;
      }
      return size;
    };
    // The whole ledger while others record, what came meanwhile while nobody records one of these.
    await look();
    return blobs.apart([...wanted], async () => {
      for (let turn = 0; turn < TURNS; turn++) {
        const size = await look();
        const gone = [...wanted].filter(sha256 => !still.has(sha256));
        const kept = [...wanted].filter(sha256 => still.has(sha256));
        const { again, freed } = await write.run('erasedBlobs', { gone, kept, size });
        if (!again) return { count: gone.length, freed };
      }
      unsettled = true;
      return { count: 0, freed: 0 };
    });
  };

  const finish = async (): Promise<{ bodies: number; blobs: number }> => {
    let bodies = 0;
    for (;;) {
      const { done } = await write.run('eraseBodies', {});
      if (done === 0) break;
      bodies += done;
    }
    const [left] = await read.query<{ count: number }>('erasure.unindexed', {});
    if ((left?.count ?? 0) > 0) {
      await ledger.reindex();
      await write.run('erasureIndexed', {});
    }
    return { bodies, blobs: (await unlinkBlobs()).count };
  };

  const retention: Erasure['retention'] = async () => {
    const rows = await read.query<{ name: string; value: string }>('settings.all');
    const value = rows.find(({ name }) => name === RETENTION_SETTING)?.value;
    return value === undefined ? {} : (JSON.parse(value) as Record<string, number>);
  };

  /** Where the last look stopped, by app: what is below was erased or is kept, but for what an open approval holds. */
  const reached = new Map<string, { after: number; held: number[] }>();
  const sweep = (by: string): Promise<{ count: number; more: boolean }> =>
    alone(async () => {
      let count = 0;
      let batches = 0;
      let left = false;
      for (const [appId, days] of Object.entries(await retention())) {
        // A rule may name an app that has recorded nothing yet.
        if (days <= 0 || (await appOf(appId)) === undefined) continue;
        const beforeUs = clock.now() * 1000 - days * DAY_US;
        const place = reached.get(appId) ?? { after: 0, held: [] };
        reached.set(appId, place);
        const erase = async (only?: number[]): Promise<boolean> => {
          const app = { appId, beforeUs, after: place.after, ...(only === undefined ? {} : { only }) };
          const reason = `Retention: ${days} days`;
          const done = await write.run('erase', { app, days, by, signedIn: 'collector', reason });
          count += done.erased.length;
          place.after = done.next;
          place.held.push(...done.held);
          return done.more;
        };
        // Whose approvals have been closed since.
        for (const before = place.held.splice(0); before.length > 0; )
          await erase(before.splice(0, ERASE_BATCH));
        for (let more = place.held.length < HELD; more; batches++) {
          if (batches >= BATCHES) {
            left = true;
            break;
          }
          more = await erase();
        }
      }
      if (count > 0 || unsettled) await finish();
      return { count, more: left };
    });
  const tick = async (): Promise<number> => (await sweep('retention')).count;

  const timer = setInterval(() => void tick().catch(onError), LOOK);
  timer.unref();

  return {
    erase: ({ seqs, app, signed, ...asked }) =>
      alone(async () => {
        const records: number[] = [];
        let erased = 0;
        const record = async (given: Parameters<typeof write.run<'erase'>>[1]) => {
          const done = await write.run('erase', given);
          if (done.seq !== undefined) records.push(done.seq);
          erased += done.erased.length;
          return done;
        };
        try {
          if (signed !== undefined) for (const part of signed) await record({ ...asked, ...part });
          else if (app === undefined) await record({ ...asked, seqs: seqs ?? [] });
          else
            for (let after = 0, more = true; more; )
              ({ next: after, more } = await record({ ...asked, app: { ...app, after } }));
        } catch (error) {
          if (records.length > 0) await finish();
          throw error;
        }
        const { blobs: unlinked } = await finish();
        return { erased, records, blobs: unlinked };
      }),
    prepare: ({ seqs, app }) =>
      alone(async () => {
        const parts: { seqs: number[]; hashes: string[] }[] = [];
        const asked = { by: '', signedIn: 'collector', reason: '', dry: true } as const;
        let more = true;
        for (let after = 0; more && parts.length < BATCHES; ) {
          const given = app === undefined ? { seqs: seqs ?? [] } : { app: { ...app, after } };
          const found = await write.run('erase', { ...asked, ...given });
          if (found.erased.length > 0) parts.push({ seqs: found.erased, hashes: found.hashes });
          ({ next: after, more } = found);
        }
        return { parts, more };
      }),
    retention,
    async changeRetention(days, asking) {
      for (const [app, count] of Object.entries(days)) {
        const fine = app !== LEDGER_APP && app.length <= 256 && Number.isSafeInteger(count);
        if (!fine || count < 0 || count > 36_500)
          throw new TrailmixError('input_invalid', {
            where: `/days/${app}`,
            message: 'days are from 0 (keep) to 36500, for an app of this ledger',
          });
      }
      await write.run('changeRetention', { ...asking, days: rulesThatHold(days) });
      reached.clear();
      return retention();
    },
    async preview(appId, beforeUs) {
      const app = await appOf(appId);
      if (app === undefined || appId === LEDGER_APP)
        throw new TrailmixError('app_unknown', { where: '/app_id' });
      const [row] = await read.query<{
        bodies: number;
        held: number;
        oldest: number | null;
        newest: number | null;
      }>('erasure.preview', { app, before: beforeUs });
      const { bodies = 0, held = 0, oldest = null, newest = null } = row ?? {};
      return {
        bodies,
        held,
        ...(oldest === null ? {} : { oldest: formatMicros(oldest) }),
        ...(newest === null ? {} : { newest: formatMicros(newest) }),
      };
    },
    tick,
    async run(by, signal) {
      let erased = 0;
      for (let left = true; left && !signal.aborted; ) {
        const { count, more } = await sweep(by);
        erased += count;
        left = more;
      }
      return { erased };
    },
    finish: () => alone(async () => (await finish()).bodies),
    close: () => clearInterval(timer),
  };
}
