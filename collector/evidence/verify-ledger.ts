/**
 * The four verdicts over the whole live ledger (`trailmix verify --ledger`): the same checks of records, chain, keys,
 * tree, approvals and policies as for a pack, over every record up to the last checkpoint and beyond. Streams; reads only.
 */

import { Approvals } from '../../core/pack/approvals.ts';
import { erasedBy } from '../../core/pack/erasure.ts';
import { ErasureStatements } from '../../core/pack/erasure_statements.ts';
import { Findings, type Verdicts } from '../../core/pack/findings.ts';
import { hmacOf } from '../../core/pack/hmac.ts';
import { KeyChain } from '../../core/pack/keys.ts';
import { type Place, placesOfLedger } from '../../core/pack/places.ts';
import { largeMembers, wholeRecord } from '../../core/pack/policy_large.ts';
import { PolicyStatements } from '../../core/pack/policy_statements.ts';
import { authOf, RecordChecker, RecordError, readRecordValue } from '../../core/pack/records.ts';
import { SignatureQueue } from '../../core/pack/signatures.ts';
import { Streams } from '../../core/pack/streams.ts';
import { base64, equalBytes, fromHex, utf8 } from '../../core/proof/bytes.ts';
import { parseCheckpoint } from '../../core/proof/checkpoint.ts';
import type { JsonObject } from '../../core/proof/jcs.ts';
import { noteKey, openNote } from '../../core/proof/note.ts';
import { LEDGER_APP } from '../../core/proof/record.ts';
import { Frontier, recordLeaf } from '../../core/proof/tree.ts';
import type { KeyVault, Ledger } from '../ports.ts';
import { sha256 } from '../sha256.ts';
import { SignaturePool } from './signature-pool.ts';
import { verifyEd25519 } from './verifier-host.ts';

export type LedgerReport = {
  verdicts: Verdicts;
  /** The records that the first failures point at, with their neighbours. */
  places: Place[];
  counts: { records: number; erased: number; apps: number };
  origin: { ledger_id: string; tenant_id: string; checkpoint?: { size: number; root: string } };
};

const PAGE = 500;

/** Trusts the vault's own checkpoint key: whoever runs this holds it. */
export async function verifyLedger(
  ledger: Ledger,
  vault: Pick<KeyVault, 'checkpointKey'>,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<LedgerReport> {
  const { read, ledgerId, tenantId } = ledger;
  const findings = new Findings();
  const pool = new SignaturePool();
  try {
    const signatures = new SignatureQueue(pool.verifyBatch, findings);
    const keys = new KeyChain(sha256, findings, signatures);
    const checker = new RecordChecker({ sha256, findings, keys, signatures, ledgerId, tenantId });
    const approvals = new Approvals(sha256, hmacOf(sha256), ledger);
    const place = { ledger_id: ledgerId, tenant_id: tenantId };
    const signing = { sha256, place, people: approvals.people, signatures };
    const statements = new PolicyStatements(signing);
    const erasures = new ErasureStatements(signing);
    const readBlob = async (digest: string): Promise<Uint8Array> => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of ledger.blobs.get(tenantId, digest)) chunks.push(chunk);
      return Buffer.concat(chunks);
    };
    const streams = new Streams();
    const apps = new Map<string, number>();
    const erased = new Map<number, string>();
    let hidden = 0;
    const tree = new Frontier(sha256);
    const checkpoint = await read.checkpointAt();
    const { size } = await read.head();
    let root: Uint8Array | undefined;

    for (let from = 0; from < size; from += PAGE) {
      const to = Math.min(from + PAGE, size) - 1;
      const page = await read.records(from, to, PAGE);
      for (const [i, value] of page.entries()) {
        const where = `ledger:${from + i}`;
        try {
          const record = readRecordValue(value as JsonObject, where);
          if (record.head.seq !== from + i) findings.add('seq_order', where);
          checker.check(record);
          const { app_id, app_seq } = record.head;
          const expected = (apps.get(app_id) ?? 0) + 1;
          if (app_seq !== expected)
            findings.add('app_seq_gap', where, `${app_id}: ${app_seq}, not ${expected}.`);
          apps.set(app_id, app_seq);
          tree.append(recordLeaf(sha256, record.seal.hash_self));
          if (record.bodyJcs === undefined) {
            erased.set(record.head.seq, where);
            hidden++;
            approvals.hide(record.head.event_type);
            statements.hide(record.head.event_type);
            erasures.gone(record.head.seq, record.seal.hash_self);
          } else {
            if (record.head.event_type.startsWith('erasure.')) {
              for (const seq of erasedBy(record.value))
                if (erased.delete(seq)) findings.add('body_erased', `ledger:${seq}`);
            }
            approvals.take(record.value, true, where, findings);
            erasures.take(record.value, where, findings);
            const large = largeMembers(record.value);
            const whole =
              large.length === 0 ? record.value : (await wholeRecord(record.value, large, readBlob)).record;
            statements.take(whole, true, where, findings);
            streams.take(record.value, where, findings);
            if (authOf(record.value) === 'none') findings.add('unkeyed_events', where);
          }
        } catch (error) {
          if (!(error instanceof RecordError)) throw error;
          findings.add(error.code, where, error.message);
        }
        if (tree.size === checkpoint?.size) root = tree.root();
        if (signatures.full) await signatures.room();
      }
      if (page.length !== to - from + 1)
        findings.add('app_seq_gap', `ledger:${from}`, 'Records are missing.');
      onProgress(to + 1, size);
    }
    statements.finish(findings);
    await signatures.drain();
    for (const where of erased.values()) findings.add('body_missing', where);
    await approvals.finish({ ledgerId, tenantId }, verifyEd25519, findings);
    streams.finish({ before: false, after: true, hidden: hidden > 0 }, findings);
    if (checkpoint !== undefined) {
      if (root === undefined || !equalBytes(root, fromHex(checkpoint.root)))
        findings.add('root_wrong', 'ledger:checkpoint');
      await checkNote(checkpoint, vault, keys, findings);
    }
    findings.add('time_not_shown', 'ledger');
    apps.delete(LEDGER_APP);
    const verdicts = findings.verdicts();
    const recordsOf = async (from: number, to: number): Promise<readonly JsonObject[]> =>
      (await read.records(from, to, PAGE)) as readonly JsonObject[];
    return {
      verdicts,
      places: await placesOfLedger(verdicts, recordsOf),
      counts: { records: size, erased: hidden, apps: apps.size },
      origin: {
        ledger_id: ledgerId,
        tenant_id: tenantId,
        ...(checkpoint === undefined ? {} : { checkpoint: { size: checkpoint.size, root: checkpoint.root } }),
      },
    };
  } finally {
    await pool.close();
  }
}

async function checkNote(
  checkpoint: { size: number; root: string; note: string },
  vault: Pick<KeyVault, 'checkpointKey'>,
  keys: KeyChain,
  findings: Findings,
): Promise<void> {
  const where = 'ledger:checkpoint';
  try {
    const { origin, size, root } = parseCheckpoint(
      checkpoint.note.slice(0, checkpoint.note.lastIndexOf('\n\n') + 1),
    );
    if (size !== checkpoint.size || !equalBytes(root, fromHex(checkpoint.root)))
      findings.add('checkpoint_wrong', where);
    const known = noteKey(sha256, origin, vault.checkpointKey.publicKey);
    await openNote(utf8(checkpoint.note), [known], verifyEd25519);
    const named = keys.checkpointKeys.some(({ publicKey }) => base64(publicKey) === base64(known.publicKey));
    if (!named) findings.add('checkpoint_key_wrong', where);
  } catch (error) {
    findings.add('checkpoint_signature_wrong', where, `${(error as Error).message}.`);
  }
}
