/**
 * A ledger in memory with its keys in the test's hands, as a source of packs: so that packs can be made whose history
 * is wrong and yet rightly signed. Follows the formats, not the collector's code.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto';
import type { Anchor, PackSource, PolicyRecord, PolicyVersion } from '../../collector/evidence/source.ts';
import type { PackLine } from '../../collector/ledger/pack-lines.ts';
import type { ScopeRange } from '../../collector/ports.ts';
import type { CheckpointView, RecordView } from '../../core/api/views.ts';
import { formatMicros } from '../../core/event/time.ts';
import { evalLines } from '../../core/pack/evals.ts';
import { policyHash } from '../../core/proof/binding.ts';
import { base64, hex, utf8 } from '../../core/proof/bytes.ts';
import { checkpointText, originOf } from '../../core/proof/checkpoint.ts';
import { keyId } from '../../core/proof/hash.ts';
import { type JsonObject, jcs } from '../../core/proof/jcs.ts';
import { noteKey, signNote } from '../../core/proof/note.ts';
import {
  eventSignatureMessage,
  GENESIS,
  type Head,
  headJcs,
  keyRotationMessage,
  recordOf,
} from '../../core/proof/record.ts';
import { Frontier, type Hash, recordLeaf } from '../../core/proof/tree.ts';

export const sha256 = (data: Uint8Array): Uint8Array => createHash('sha256').update(data).digest();

type Pair = { privateKey: KeyObject; raw: Uint8Array; id: string };

const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
let seed: { text: string; next: number } | undefined;

/** From here on each new key is the next of these, so that published packs can be made again byte for byte. */
export function seedKeys(text: string): void {
  seed = { text, next: 0 };
}

function newPair(): { privateKey: KeyObject; publicKey: KeyObject } {
  if (seed === undefined) return generateKeyPairSync('ed25519');
  const secret = sha256(utf8(`${seed.text} ${seed.next++}`));
  const privateKey = createPrivateKey({
    key: Buffer.concat([PKCS8, secret]),
    format: 'der',
    type: 'pkcs8',
  });
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

export function newKey(): Pair {
  const { privateKey, publicKey } = newPair();
  const raw = Uint8Array.from(publicKey.export({ format: 'der', type: 'spki' }).subarray(-32));
  return { privateKey, raw, id: keyId(sha256, raw) };
}

export type Draft = {
  app?: string;
  type?: string;
  body?: JsonObject;
  /** Microseconds; default one more than the last. */
  at?: number;
  /** When it says it was; default when it is received. */
  ts?: string;
  /** For faults: another app_seq, hash_prev or key than is right. */
  appSeq?: number;
  hashPrev?: string;
  key?: Pair;
  /** What is signed of this hash_self, where it is not what it should be. */
  signed?: (hashSelf: string) => Uint8Array;
  source?: JsonObject;
};

const START = Date.UTC(2026, 10, 1) * 1000;

export class MemoryLedger implements PackSource {
  readonly ledgerId: string;
  readonly tenantId = 'default';
  eventKey: Pair;
  readonly checkpointKey: Pair;
  readonly all: RecordView[] = [];
  readonly blobs = new Map<string, Uint8Array>();
  readonly versions: PolicyVersion[] = [];
  readonly exports: number[] = [];
  readonly stamped: Anchor[] = [];
  readonly #checkpoints = new Map<number, CheckpointView>();
  readonly #apps = new Map<string, number>();
  readonly #nodes = new Map<string, Hash>();
  readonly #frontier = new Frontier(sha256);
  #us = START;
  #salt = 0;

  /** `like`: a ledger whose keys it has, for a history that is told twice. `first`: what else record 0 says. */
  constructor(
    like?: MemoryLedger,
    first: { ledgerId?: string; members?: (ledger: MemoryLedger) => JsonObject } = {},
  ) {
    this.ledgerId = first.ledgerId ?? 'c0ffee00c0ffee00c0ffee00c0ffee00';
    this.eventKey = like?.eventKey ?? newKey();
    this.checkpointKey = like?.checkpointKey ?? newKey();
    this.append({
      app: '_ledger',
      type: 'ledger.opened',
      body: {
        name: 'Ledger opened',
        event_key: base64(this.eventKey.raw),
        checkpoint_key: base64(this.checkpointKey.raw),
        ...first.members?.(this),
      },
    });
  }

  append(draft: Draft): RecordView {
    const app = draft.app ?? 'bot';
    const type = draft.type ?? 'span';
    const own =
      app === '_ledger' || /^(?:decision|approval|intent|outcome|export|policy|key|erasure)\./.test(type);
    const seq = this.all.length;
    this.#us = draft.at ?? this.#us + 1000;
    const receivedAt = formatMicros(this.#us);
    const body: JsonObject = {
      event_id: `e${seq}`,
      session_id: 's1',
      source:
        draft.source ?? (own ? { via: 'collector', auth: 'self' } : { via: 'sdk', auth: 'key', key: 'k1' }),
      salt: base64(sha256(utf8(`salt ${this.#salt++}`)).slice(0, 16)),
      ...draft.body,
    };
    const appSeq = draft.appSeq ?? (this.#apps.get(app) ?? 0) + 1;
    this.#apps.set(app, appSeq);
    const head: Head = {
      v: 1,
      ledger_id: this.ledgerId,
      tenant_id: this.tenantId,
      seq,
      app_id: app,
      app_seq: appSeq,
      event_type: type,
      ts: draft.ts ?? receivedAt,
      received_at: receivedAt,
      hash_prev: draft.hashPrev ?? this.all.at(-1)?.hash_self ?? GENESIS,
      body_hash: hex(sha256(utf8(jcs(body)))),
    };
    const hashSelf = hex(sha256(utf8(headJcs(head))));
    const key = draft.key ?? this.eventKey;
    const record = recordOf(head, body, {
      hash_self: hashSelf,
      key_id: key.id,
      signature: sign(null, (draft.signed ?? eventSignatureMessage)(hashSelf), key.privateKey).toString(
        'base64',
      ),
    }) as RecordView;
    this.all.push(record);
    this.#frontier.append(recordLeaf(sha256, hashSelf), ({ level, index }, hash) =>
      this.#nodes.set(`${level}/${index}`, hash),
    );
    return record;
  }

  /** Replaces the event key by a signed rotation; `forged`: the new key does not sign itself. */
  rotate(forged = false): void {
    const next = newKey();
    const message = keyRotationMessage({
      ledger_id: this.ledgerId,
      tenant_id: this.tenantId,
      old_key_id: this.eventKey.id,
      new_key: base64(next.raw),
    });
    const signer = forged ? newKey() : next;
    this.append({
      app: '_ledger',
      type: 'key.rotated',
      body: {
        new_key: base64(next.raw),
        new_key_sig: sign(null, message, signer.privateKey).toString('base64'),
      },
    });
    this.eventKey = next;
  }

  activate(text: string): PolicyVersion {
    const files = [{ path: 'policies/main.rego', sha256: hex(sha256(utf8(text))), text }];
    const parts = {
      entrypoint: 'trailmix/decision',
      capabilities_sha256: hex(sha256(utf8('capabilities'))),
      wasm_sha256: hex(sha256(utf8(`wasm of ${text}`))),
      files,
    };
    const hash = policyHash(sha256, parts);
    const version = this.versions.length + 1;
    const { seq } = this.append({
      app: '_ledger',
      type: 'policy.activated',
      body: { policy: { version, hash, ...parts } },
    });
    const made = { version, hash, seq, ...parts };
    this.versions.push(made);
    return made;
  }

  async checkpoint(size: number): Promise<CheckpointView | undefined> {
    return this.#checkpoints.get(size);
  }

  /** Records the export and signs a checkpoint over everything. */
  async close(app = 'bot'): Promise<{ checkpoint: CheckpointView; receivedAt: string }> {
    const { received_at, seq } = this.append({
      app,
      type: 'export.recorded',
      body: { export: { by: 'test' } },
    });
    const checkpoint = await this.sign();
    this.exports.push(seq);
    return { checkpoint, receivedAt: received_at };
  }

  async sign(): Promise<CheckpointView> {
    const size = this.all.length;
    const root = this.#frontier.root();
    const origin = originOf(this.ledgerId, this.tenantId);
    const note = await signNote(
      checkpointText({ origin, size, root }),
      noteKey(sha256, origin, this.checkpointKey.raw),
      message => sign(null, message, this.checkpointKey.privateKey),
    );
    const view = { size, root: hex(root), at: formatMicros(this.#us), note };
    this.#checkpoints.set(size, view);
    return view;
  }

  async scope(appId: string, from: string, to: string, size: number): Promise<ScopeRange | undefined> {
    const own = this.all.filter(({ app_id, seq }) => app_id === appId && seq < size);
    if (own.length === 0) return undefined;
    const inside = own.filter(({ received_at }) => received_at >= from && received_at <= to);
    const before = own.filter(({ received_at }) => received_at < from).at(-1);
    const after = own.find(({ received_at }) => received_at > to);
    const firstAppSeq = inside[0]?.app_seq ?? (before?.app_seq ?? 0) + 1;
    return {
      firstAppSeq,
      lastAppSeq: inside.at(-1)?.app_seq ?? firstAppSeq - 1,
      count: inside.length,
      firstSeq: inside[0]?.seq ?? -1,
      lastSeq: inside.at(-1)?.seq ?? -1,
      ...(before === undefined ? {} : { before: before.seq }),
      ...(after === undefined ? {} : { after: after.seq }),
    };
  }

  async records(from: number, to: number): Promise<readonly RecordView[]> {
    return this.all.slice(from, Math.min(to + 1, from + 500));
  }

  /** Between the first and the last record of these numbers, also where numbers between fall or are missing. */
  #ofApp(appId: string, from: number, to: number): RecordView[] {
    const own = this.all.filter(({ app_id }) => app_id === appId);
    const first = own.findIndex(({ app_seq }) => app_seq >= from);
    return own.slice(first, own.findLastIndex(({ app_seq }) => app_seq <= to) + 1);
  }

  async lines(appId: string, from: number, to: number): Promise<readonly PackLine[]> {
    return this.#ofApp(appId, from, to).map(record => ({
      seq: record.seq,
      appSeq: record.app_seq,
      eventType: record.event_type,
      line: record.source === undefined ? undefined : jcs(record),
      value: record as JsonObject,
      blobs: true,
    }));
  }

  async evals(appId: string, from: number, to: number): Promise<string> {
    const lines = this.#ofApp(appId, from, to).flatMap(record => evalLines(record as JsonObject));
    return lines.map(line => `${line}\n`).join('');
  }

  async ledgerRecords(size: number): Promise<readonly { seq: number; event_type: string }[]> {
    return this.all.filter(({ app_id, seq }) => app_id === '_ledger' && seq < size);
  }

  async policyRecords(size: number): Promise<readonly PolicyRecord[]> {
    const all = this.all.filter(({ seq, event_type }) => seq < size && event_type.startsWith('policy.'));
    return all
      .filter(({ app_id, event_type }) => app_id === '_ledger' && event_type !== 'policy.activated')
      .map(record => {
        const { policy, shadow, impact } = record as unknown as {
          policy?: { hash: string };
          shadow?: { hash: string };
          impact?: { report: { policy_hash: string } };
        };
        const hash = policy?.hash ?? shadow?.hash ?? impact?.report.policy_hash ?? null;
        return { seq: record.seq, event_type: record.event_type, hash };
      });
  }

  async decisionRecords(decisionId: string, size: number): Promise<readonly number[]> {
    return this.all
      .filter(
        record => record.seq < size && (record.event_id === decisionId || record.parent_id === decisionId),
      )
      .map(({ seq }) => seq);
  }

  async policies(size: number): Promise<readonly PolicyVersion[]> {
    return this.versions.filter(({ seq }) => seq < size);
  }

  async nodes(coordinates: readonly (readonly [number, number])[]): Promise<readonly Uint8Array[]> {
    return coordinates.map(([level, index]) => this.#nodes.get(`${level}/${index}`)!);
  }

  async anchors(size: number): Promise<Anchor[]> {
    return this.stamped.filter(({ checkpoint }) => checkpoint.size <= size);
  }

  async earlierSizes(_appId: string, size: number): Promise<readonly number[]> {
    const sizes = [...this.#checkpoints.keys()].filter(
      other => other < size && this.exports.some(seq => seq < other),
    );
    return sizes.sort((a, b) => a - b);
  }

  async *blob(digest: string): AsyncIterable<Uint8Array> {
    yield this.blobs.get(digest)!;
  }
}
