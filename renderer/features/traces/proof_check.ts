/**
 * The proof of one record, recomputed here from GET /api/events/:seq/proof: nothing is taken on the collector's word but
 * its public keys, and the page says so. Pure: hash, signature check and clock are arguments.
 * Format: docs/spec/ledger.md, docs/spec/tree.md.
 */
import type { OutputOf } from '../../../core/api/operations.ts';
import { equalBytes, fromBase64, fromHex, hex, utf8 } from '../../../core/proof/bytes.ts';
import { originOf, parseCheckpoint } from '../../../core/proof/checkpoint.ts';
import { keyId, type Sha256, type VerifyEd25519 } from '../../../core/proof/hash.ts';
import { type JsonValue, jcs } from '../../../core/proof/jcs.ts';
import { openNote, parseVkey } from '../../../core/proof/note.ts';
import {
  bodyHash,
  bodyOf,
  eventSignatureMessage,
  GENESIS,
  hashSelf,
  headFault,
  headOf,
} from '../../../core/proof/record.ts';
import { recordLeaf, verifyInclusion } from '../../../core/proof/tree.ts';
import { formatCount } from '../../ui/numbers.ts';

export type ProofReply = OutputOf<'eventProof'>;
type Flat = { readonly [member: string]: JsonValue };

export type ProofStep = {
  id: 'content' | 'head' | 'before' | 'after' | 'signature' | 'inclusion' | 'checkpoint' | 'shown';
  /** pass, fail, or `absent`: there is nothing to compare with (first or newest record, erased body). */
  result: 'pass' | 'fail' | 'absent';
  /** What was checked, in plain words. */
  says: string;
  /** Hashes and the like, for who wants to follow the computation. */
  detail: { name: string; value: string }[];
};

export type ProofResult = {
  seq: number;
  intact: boolean;
  steps: ProofStep[];
  checkedAt: string;
  checkpoint: { size: number; root: string; at: string };
};

/** Runs every step, also after one failed, so that the reader sees all that is wrong. Never throws. */
export async function checkProof(
  reply: ProofReply,
  shown: unknown,
  tools: { sha256: Sha256; verify: VerifyEd25519; now: string },
): Promise<ProofResult> {
  const { sha256, verify } = tools;
  const record = reply.record as unknown as Flat;
  const steps: ProofStep[] = [
    await step('content', () => content(sha256, record)),
    await step('head', () => head(sha256, record)),
    await step('before', () => before(sha256, record, reply.before as unknown as Flat | undefined)),
    await step('after', () => after(sha256, record, reply.after as unknown as Flat | undefined)),
    await step('signature', () => signature(sha256, verify, record, reply.keys)),
    await step('inclusion', () => inclusion(sha256, record, reply)),
    await step('checkpoint', () => checkpoint(sha256, verify, record, reply)),
  ];
  if (shown !== undefined) steps.push(await step('shown', () => same(record, shown)));
  return {
    seq: reply.record.seq,
    intact: steps.every(one => one.result !== 'fail'),
    steps,
    checkedAt: tools.now,
    checkpoint: { size: reply.checkpoint.size, root: reply.checkpoint.root, at: reply.checkpoint.at },
  };
}

type Outcome = Omit<ProofStep, 'id'>;

async function step(id: ProofStep['id'], run: () => Outcome | Promise<Outcome>): Promise<ProofStep> {
  try {
    return { id, ...(await run()) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { id, result: 'fail', says: `${names[id]} could not be read: ${reason}`, detail: [] };
  }
}

const names: Record<ProofStep['id'], string> = {
  content: 'The content',
  head: 'The head of the record',
  before: 'The record before',
  after: 'The record after',
  signature: 'The signature',
  inclusion: 'The inclusion proof',
  checkpoint: 'The checkpoint',
  shown: 'What this panel shows',
};

const judge = (ok: boolean, yes: string, no: string, detail: ProofStep['detail']): Outcome => ({
  result: ok ? 'pass' : 'fail',
  says: ok ? yes : no,
  detail,
});

function content(sha256: Sha256, record: Flat): Outcome {
  const body = bodyOf(record);
  const recorded = String(record.body_hash);
  if (Object.keys(body).length === 0) {
    return {
      result: 'absent',
      says: 'The content is gone: it was erased, and the ledger says so in a record of its own.',
      detail: [{ name: 'recorded body_hash', value: recorded }],
    };
  }
  const computed = bodyHash(sha256, jcs(body));
  return judge(
    computed === recorded,
    'The content gives the fingerprint that was recorded with it.',
    'The content does not give the fingerprint that was recorded with it: it was changed.',
    [
      { name: 'recorded body_hash', value: recorded },
      { name: 'computed here', value: computed },
    ],
  );
}

function head(sha256: Sha256, record: Flat): Outcome {
  const own = headOf(record);
  const fault = headFault(own as unknown as Record<string, unknown>);
  const recorded = String(record.hash_self);
  if (fault !== undefined) {
    return { result: 'fail', says: `The head of the record has a wrong form (${fault}).`, detail: [] };
  }
  const computed = hashSelf(sha256, own);
  return judge(
    computed === recorded,
    'Number, app, times and content fingerprint together give the record’s own hash.',
    'Number, app, times and content fingerprint do not give the record’s own hash: the record was changed.',
    [
      { name: 'recorded hash_self', value: recorded },
      { name: 'computed here', value: computed },
    ],
  );
}

function before(sha256: Sha256, record: Flat, previous: Flat | undefined): Outcome {
  const points = String(record.hash_prev);
  if (record.seq === 0) {
    return judge(
      points === GENESIS,
      'This is the first record: nothing stands before it.',
      'The first record points at something before it.',
      [{ name: 'hash_prev', value: points }],
    );
  }
  if (previous === undefined) throw new Error('it is missing from the answer');
  const computed = hashSelf(sha256, headOf(previous));
  const ok = previous.seq === Number(record.seq) - 1 && computed === points;
  return judge(
    ok,
    `It carries the hash of record #${formatCount(Number(previous.seq))}, which stands right before it.`,
    `It does not carry the hash of the record before it: the chain is broken between #${formatCount(Number(record.seq) - 1)} and #${formatCount(Number(record.seq))}.`,
    [
      { name: 'hash_prev here', value: points },
      { name: `hash of #${previous.seq}, computed here`, value: computed },
    ],
  );
}

function after(sha256: Sha256, record: Flat, next: Flat | undefined): Outcome {
  if (next === undefined) {
    return { result: 'absent', says: 'It is the newest record: nothing stands after it yet.', detail: [] };
  }
  const own = hashSelf(sha256, headOf(record));
  const points = String(next.hash_prev);
  const whole = hashSelf(sha256, headOf(next)) === next.hash_self;
  return judge(
    whole && next.seq === Number(record.seq) + 1 && points === own,
    `Record #${formatCount(Number(next.seq))}, right after it, carries its hash.`,
    `Record #${formatCount(Number(next.seq))} after it does not carry its hash: the chain is broken there.`,
    [
      { name: `hash_prev of #${next.seq}`, value: points },
      { name: 'hash of this record, computed here', value: own },
    ],
  );
}

async function signature(
  sha256: Sha256,
  verify: VerifyEd25519,
  record: Flat,
  keys: ProofReply['keys'],
): Promise<Outcome> {
  const named = String(record.key_id);
  const key = keys.find(candidate => candidate.key_id === named);
  if (key === undefined) {
    return {
      result: 'fail',
      says: 'It is signed with a key that the ledger does not name.',
      detail: [{ name: 'key_id', value: named }],
    };
  }
  const publicKey = fromBase64(key.public_key);
  const own = hashSelf(sha256, headOf(record));
  const ok =
    keyId(sha256, publicKey) === named &&
    (await verify(publicKey, eventSignatureMessage(own), fromBase64(String(record.signature))));
  return judge(
    ok,
    'The ledger’s event key signed exactly this record.',
    'The signature is not the ledger’s signature of this record.',
    [
      { name: 'signature', value: String(record.signature) },
      { name: 'key_id', value: named },
      { name: 'public key', value: key.public_key },
    ],
  );
}

function inclusion(sha256: Sha256, record: Flat, reply: ProofReply): Outcome {
  const { size, index, hashes } = reply.inclusion;
  const leaf = recordLeaf(sha256, hashSelf(sha256, headOf(record)));
  const ok =
    index === record.seq &&
    size === reply.checkpoint.size &&
    verifyInclusion(
      sha256,
      { leaf, index, size, root: fromHex(reply.checkpoint.root) },
      hashes.map(fromBase64),
    );
  return judge(
    ok,
    `It stands at place #${formatCount(index)} under the checkpoint over ${formatCount(size)} records.`,
    'It does not stand where it should under the checkpoint.',
    [
      { name: 'leaf', value: hex(leaf) },
      { name: 'root', value: reply.checkpoint.root },
      ...hashes.map((hash, i) => ({ name: `neighbour ${i + 1} of ${hashes.length}`, value: hash })),
    ],
  );
}

async function checkpoint(
  sha256: Sha256,
  verify: VerifyEd25519,
  record: Flat,
  reply: ProofReply,
): Promise<Outcome> {
  const known = reply.vkeys.map(vkey => parseVkey(sha256, vkey));
  const opened = await openNote(utf8(reply.checkpoint.note), known, verify);
  const said = parseCheckpoint(opened.text);
  const origin = originOf(String(record.ledger_id), String(record.tenant_id));
  const ok =
    said.origin === origin &&
    opened.signers.some(signer => signer.name === origin) &&
    said.size === reply.checkpoint.size &&
    equalBytes(said.root, fromHex(reply.checkpoint.root));
  return judge(
    ok,
    'The ledger’s checkpoint key signed that checkpoint.',
    'The signed checkpoint is another one than the proof leads to.',
    [
      { name: 'checkpoint', value: reply.checkpoint.note },
      ...reply.vkeys.map(vkey => ({ name: 'verifier key', value: vkey })),
    ],
  );
}

/** The panel shows an answer of its own: it must be the very record that was checked. */
function same(record: Flat, shown: unknown): Outcome {
  return judge(
    jcs(record) === jcs(shown),
    'What this panel shows is the record that was checked.',
    'What this panel shows is not the record that was checked.',
    [],
  );
}
