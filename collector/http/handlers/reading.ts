/**
 * Reading: search, records, proofs, runs, blobs. Rule: an API key sees its own app and nothing else, whatever it
 * asks for; what it may not see answers as if it were not there.
 */

import { TrailmixError } from '../../../core/api/errors.ts';
import type { RecordView } from '../../../core/api/views.ts';
import { base64 } from '../../../core/proof/bytes.ts';
import { originOf } from '../../../core/proof/checkpoint.ts';
import { formatVkey, noteKey } from '../../../core/proof/note.ts';
import { HEAD_MEMBERS, SEAL_MEMBERS } from '../../../core/proof/record.ts';
import { inclusionPlan, proofOfPlan } from '../../../core/proof/tree.ts';
import type { Principal } from '../../ports.ts';
import { sha256 } from '../../sha256.ts';
import { attachment, Raw } from '../answer.ts';
import type { Handlers, OpenContext } from '../handler.ts';

/** The app that a caller is held to; undefined for people. */
const ownApp = (principal: Principal): string | undefined =>
  principal.kind === 'key' ? principal.appId : undefined;

/** The app of a query: the key's own, or as asked. Throws app_mismatch. */
function appOf(principal: Principal, asked: string | undefined): string | undefined {
  const own = ownApp(principal);
  if (own !== undefined && asked !== undefined && asked !== own) {
    throw new TrailmixError('app_mismatch', { where: 'query:/app', message: `This key reads ${own} only` });
  }
  return own ?? asked;
}

async function recordFor({ open, principal }: OpenContext, seq: number): Promise<RecordView> {
  const record = await open.ledger.read.record(seq);
  const own = ownApp(principal);
  if (record === undefined || (own !== undefined && record.app_id !== own)) {
    throw new TrailmixError('not_found', {
      where: `/api/events/${seq}`,
      message: `There is no event ${seq}`,
    });
  }
  return record;
}

const BARE: ReadonlySet<string> = new Set([...HEAD_MEMBERS, ...SEAL_MEMBERS]);

/** A neighbour as this caller may see it: without its body where it is another app's. */
function neighbour(record: RecordView | undefined, principal: Principal): RecordView | undefined {
  const own = ownApp(principal);
  if (record === undefined || own === undefined || record.app_id === own) return record;
  return Object.fromEntries(Object.entries(record).filter(([name]) => BARE.has(name))) as RecordView;
}

/** Only members that are there: exact optional properties. */
const given = <T extends Record<string, unknown>>(members: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as never;

type Names = 'events' | 'event' | 'eventProof' | 'blob' | 'traces' | 'trace';

export const readingHandlers: Pick<Handlers, Names> = {
  async events({ open, principal }, { query }) {
    const { q, event_id, session, from, to, cursor, limit } = query;
    const app = appOf(principal, query.app);
    return open.ledger.read.search(given({ q, app, eventId: event_id, session, from, to, cursor, limit }));
  },

  event: (context, { params }) => recordFor(context, params.seq),

  async eventProof(context, { params }) {
    const { open, principal } = context;
    const { read } = open.ledger;
    const record = await recordFor(context, params.seq);
    let checkpoint = await read.checkpointAt();
    if (checkpoint === undefined || checkpoint.size <= params.seq) {
      checkpoint = await open.ledger.write.run('checkpoint', {});
    }
    const plan = inclusionPlan(params.seq, checkpoint.size);
    const hashes = await read.nodes(plan.nodes.map(node => [node.level, node.index]));
    const proof = proofOfPlan(sha256, plan, hashes);
    const [before, after] = await Promise.all([
      params.seq === 0 ? undefined : read.record(params.seq - 1),
      read.record(params.seq + 1),
    ]);
    const { vault, ledger } = open;
    const name = originOf(ledger.ledgerId, ledger.tenantId);
    const keys = await eventKeys(context);
    return {
      record,
      ...given({ before: neighbour(before, principal), after: neighbour(after, principal) }),
      inclusion: { size: checkpoint.size, index: params.seq, hashes: proof.map(base64) },
      checkpoint,
      vkeys: [formatVkey(noteKey(sha256, name, vault.checkpointKey.publicKey))],
      keys,
    };
  },

  async blob({ open, principal }, { params }) {
    const { blobs, tenantId } = open.ledger;
    const { sha256: name } = params;
    // A key gets back what it uploaded. KNOWN GAP: not the large values of its own events that became blobs.
    const there =
      /^[0-9a-f]{64}$/.test(name) &&
      (principal.kind !== 'key' || (await blobs.uploadedBy(tenantId, name, principal.id))) &&
      (await blobs.has(tenantId, name));
    if (!there) throw new TrailmixError('not_found', { where: `/api/blobs/${name.slice(0, 64)}` });
    return new Raw(blobs.get(tenantId, name), {
      'content-type': 'application/octet-stream',
      'content-disposition': attachment(name),
    });
  },

  async traces({ open, principal }, { query }) {
    const { q, risk, decision, sort, from, to, cursor, limit } = query;
    const app = appOf(principal, query.app);
    return open.ledger.read.traces(given({ q, app, risk, decision, sort, from, to, cursor, limit }));
  },

  async trace({ open, principal }, { params, query }) {
    const found = await open.ledger.read.trace(params.id, query.q);
    const own = ownApp(principal);
    if (found === undefined || (own !== undefined && found.trace.app_id !== own)) {
      throw new TrailmixError('not_found', {
        where: `/api/traces/${params.id}`,
        message: 'There is no such run',
      });
    }
    return found;
  },
};

/** Every event key that the ledger's own records name, the first from seq 0. */
async function eventKeys({ open }: OpenContext): Promise<{ key_id: string; public_key: string }[]> {
  const { vault } = open;
  return [{ key_id: vault.eventKey.keyId, public_key: base64(vault.eventKey.publicKey) }];
}
