/**
 * The ledgers before this one, as far as a pack shows: what each restore cites, and the keys of the ledger that it cites, proved in the
 * cited checkpoint. Format: docs/spec/pack.md, "Restores".
 * Rules: keys.jsonl counts whole or not at all; nobody's key is trusted by it alone (since.ts asks who vouches for whom).
 */
import { BytesError, base64, fromBase64 } from '../proof/bytes.ts';
import { isPlain, type JsonObject, jcs } from '../proof/jcs.ts';
import { recordLeaf, verifyInclusion } from '../proof/tree.ts';
import type { PackFiles } from './files.ts';
import { Findings } from './findings.ts';
import type { VerifyHost } from './host.ts';
import { KeyChain } from './keys.ts';
import { ManifestError, parseCanonical } from './manifest.ts';
import { type ReadRecord, RecordChecker, RecordError, readRecordValue } from './records.ts';
import { type RestoredFrom, restoredFrom } from './restore.ts';
import { oneByOne, SignatureQueue } from './signatures.ts';

/** Ledgers before this one that are followed. */
const MOST = 16;

/** Keys of one ledger. */
export type LedgerKeys = {
  /** By key_id. */
  readonly event: ReadonlyMap<string, Uint8Array>;
  readonly checkpoint: readonly Uint8Array[];
};

/** A restore, and the keys of the ledger that it cites; undefined where the pack does not prove them. */
export type Epoch = { readonly restored: RestoredFrom; readonly keys: LedgerKeys | undefined };

export const NO_KEYS: LedgerKeys = { event: new Map(), checkpoint: [] };

/** Where a pack carries the keys of a ledger that a restore cites. */
export const epochKeysPath = (ledgerId: string): string => `epochs/${ledgerId}/keys.jsonl`;

/** One line of it. */
export const epochKeysLine = (record: JsonObject, proof: readonly Uint8Array[]): string =>
  `${jcs({ proof: proof.map(base64), record })}\n`;

/** The restores that lead to this ledger, newest first. A keys.jsonl that does not hold is a finding and ends them. */
export async function readEpochs(
  host: VerifyHost,
  files: PackFiles,
  first: RestoredFrom | undefined,
  findings: Findings,
): Promise<Epoch[]> {
  const epochs: Epoch[] = [];
  const seen = new Set<string>();
  for (let restored = first; restored !== undefined && epochs.length < MOST; ) {
    if (seen.has(restored.ledgerId)) break;
    seen.add(restored.ledgerId);
    const path = epochKeysPath(restored.ledgerId);
    const found = files.has(path) ? await readKeys(host, files, path, restored) : undefined;
    if (files.has(path) && found === undefined) findings.add('restore_keys_wrong', path);
    epochs.push({ restored, keys: found });
    restored = found && restoredFrom(found.opened);
  }
  return epochs;
}

/** Undefined where anything of it does not hold. */
async function readKeys(
  host: VerifyHost,
  files: PackFiles,
  path: string,
  { checkpoint }: RestoredFrom,
): Promise<(LedgerKeys & { readonly opened: JsonObject }) | undefined> {
  const bytes = await files.read(path);
  if (bytes === undefined || checkpoint === undefined) return undefined;
  const [, ledgerId = '', tenantId = ''] = checkpoint.origin.split('/');
  const reading = new KeyReading(host, { ledgerId, tenantId });
  try {
    for (const line of linesOf(bytes)) {
      const { record, proof } = parseLine(line, path);
      const claim = {
        leaf: recordLeaf(host.sha256, record.seal.hash_self),
        index: record.head.seq,
        size: checkpoint.size,
        root: checkpoint.root,
      };
      if (!verifyInclusion(host.sha256, claim, proof)) return undefined;
      await reading.take(record);
    }
  } catch (error) {
    if (error instanceof ManifestError || error instanceof RecordError || error instanceof BytesError)
      return undefined;
    throw error;
  }
  const keys = await reading.keys();
  return keys === undefined || reading.opened === undefined ? undefined : { ...keys, opened: reading.opened };
}

function linesOf(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  let from = 0;
  for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, from)) {
    lines.push(bytes.subarray(from, end));
    from = end + 1;
  }
  if (from < bytes.length) throw new ManifestError('the last line has no end');
  return lines;
}

/** Throws ManifestError, RecordError, BytesError. */
function parseLine(line: Uint8Array, where: string): { record: ReadRecord; proof: Uint8Array[] } {
  const value = parseCanonical(line);
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !isPlain(value))
    throw new ManifestError('not an object');
  const { proof, record, ...rest } = value as JsonObject;
  const isRight =
    Object.keys(rest).length === 0 &&
    Array.isArray(proof) &&
    typeof record === 'object' &&
    record !== null &&
    !Array.isArray(record);
  if (!isRight) throw new ManifestError('not {proof, record}');
  return {
    record: readRecordValue(record as JsonObject, where),
    proof: (proof as unknown[]).map(hash => fromBase64(String(hash))),
  };
}

/** Key records of a ledger by rising seq, each checked by itself and by the keys before it. */
export class KeyReading {
  readonly #findings = new Findings();
  readonly #signatures: SignatureQueue;
  readonly #chain: KeyChain;
  readonly #checker: RecordChecker;
  opened: JsonObject | undefined;

  constructor(host: VerifyHost, place: { ledgerId: string; tenantId: string }) {
    const findings = this.#findings;
    this.#signatures = new SignatureQueue(host.verifyBatch ?? oneByOne(host.verifyEd25519), findings);
    const { sha256 } = host;
    this.#chain = new KeyChain(sha256, findings, this.#signatures);
    const parts = { sha256, findings, keys: this.#chain, signatures: this.#signatures };
    this.#checker = new RecordChecker({ ...parts, ...place });
  }

  async take(record: ReadRecord): Promise<void> {
    if (record.head.seq === 0) this.opened = record.value;
    this.#checker.check(record);
    if (this.#signatures.full) await this.#signatures.room();
  }

  /** Whether any record named keys. */
  get found(): boolean {
    return this.#chain.all.length > 0;
  }

  /** Undefined where a record does not verify. */
  async keys(): Promise<LedgerKeys | undefined> {
    await this.#signatures.drain();
    if (this.#findings.failures > 0) return undefined;
    const checkpoint = this.#chain.checkpointKeys.map(({ publicKey }) => publicKey);
    const ofNotes = new Set(checkpoint.map(base64));
    const event = this.#chain.all.filter(({ publicKey }) => !ofNotes.has(base64(publicKey)));
    return { event: new Map(event.map(({ id, publicKey }) => [id, publicKey])), checkpoint };
  }
}
