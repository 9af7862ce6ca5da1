/**
 * Time-stamps (RFC 3161) of a pack: what a host that can read them says, and what follows for the verdict `time`.
 * META-INF/checksums.tsr is over checksums.txt; the CAdES signature may carry one over its own value; anchors/ are over
 * earlier checkpoints. Format: docs/spec/pack.md, "Time".
 * Rules: a stamp that is wrong fails; one by an authority that nobody named shows nothing.
 */
import { formatMicros } from '../event/time.ts';
import { equalBytes, fromBase64, fromHex, fromUtf8, utf8 } from '../proof/bytes.ts';
import { originOf, parseCheckpoint } from '../proof/checkpoint.ts';
import type { Sha256 } from '../proof/hash.ts';
import { parseNote } from '../proof/note.ts';
import { verifyConsistency } from '../proof/tree.ts';
import { consistencyText } from './checkpoint.ts';
import type { DatedRange } from './dated.ts';
import type { PackFiles } from './files.ts';
import type { FindingCode, Findings } from './findings.ts';
import type { Manifest } from './manifest.ts';
import type { Witnesses } from './witnesses.ts';

export const TSR = 'META-INF/checksums.tsr';
export const TSA_CHAIN = 'META-INF/tsa-chain.pem';

export type TimestampFault = 'form' | 'imprint' | 'signature' | 'purpose' | 'expired';

export type TimestampResult =
  | { readonly valid: false; readonly fault: TimestampFault; readonly reason: string }
  | {
      readonly valid: true;
      /** Milliseconds since 1970. */
      readonly time: number;
      /** What the authority says it may be off by, in milliseconds. */
      readonly accuracy?: number;
      readonly authority: string;
      readonly policy: string;
      /** Hex. */
      readonly serial: string;
      /** Whether the authority's certificate leads to a trusted one; undefined where none were given. */
      readonly trusted: boolean | undefined;
      readonly untrusted?: string;
    };

/** `stamp`: a TimeStampResp or a TimeStampToken (DER). `digest`: SHA-256 of what it must be over. */
export type CheckTimestamp = (
  stamp: Uint8Array,
  digest: Uint8Array,
  given: { readonly roots?: string; readonly chain?: string },
) => Promise<TimestampResult>;

/** A good stamp, as a report shows it. */
export type Stamp = {
  over: 'pack' | 'signature' | 'checkpoint';
  /** Of the checkpoint. */
  size?: number;
  /** RFC 3339. */
  time: string;
  accuracy_ms?: number;
  authority: string;
  policy: string;
  serial: string;
  trusted: boolean;
};

const CODES: { readonly [F in TimestampFault]: FindingCode } = {
  form: 'timestamp_form',
  imprint: 'timestamp_wrong',
  signature: 'timestamp_signature_wrong',
  purpose: 'timestamp_purpose_wrong',
  expired: 'timestamp_expired',
};

const STAMP_LIMIT = 2 ** 20;

export class Stamps {
  readonly list: Stamp[] = [];
  readonly #check: CheckTimestamp | undefined;
  readonly #roots: string | undefined;
  readonly #findings: Findings;
  #packTime: number | undefined;
  /** A stamp over the pack or its signature is there, whatever it is worth. */
  #overPack = false;

  constructor(check: CheckTimestamp | undefined, roots: string | undefined, findings: Findings) {
    this.#check = check;
    this.#roots = roots;
    this.#findings = findings;
  }

  /** The earliest time that a trusted stamp gives to the pack as a whole, ms since 1970. */
  get packTime(): number | undefined {
    return this.#packTime;
  }

  /** Checks one stamp. Answers its time where it is good and trusted. */
  async take(
    stamp: Uint8Array,
    digest: Uint8Array,
    of: { over: Stamp['over']; where: string; size?: number; chain?: string },
  ): Promise<number | undefined> {
    if (of.over !== 'checkpoint') this.#overPack = true;
    if (this.#check === undefined) {
      this.#findings.add('timestamp_unchecked', of.where);
      return undefined;
    }
    const result = await this.#check(stamp, digest, {
      ...(this.#roots === undefined ? {} : { roots: this.#roots }),
      ...(of.chain === undefined ? {} : { chain: of.chain }),
    });
    if (!result.valid) {
      this.#findings.add(CODES[result.fault], of.where, `${result.reason}.`);
      return undefined;
    }
    const trusted = result.trusted === true;
    if (!trusted) {
      const why = result.untrusted === undefined ? '' : ` (${result.untrusted})`;
      this.#findings.add('timestamp_untrusted', of.where, `${result.authority}${why}.`);
    }
    this.list.push({
      over: of.over,
      ...(of.size === undefined ? {} : { size: of.size }),
      time: formatMicros(result.time * 1000),
      ...(result.accuracy === undefined ? {} : { accuracy_ms: result.accuracy }),
      authority: result.authority,
      policy: result.policy,
      serial: result.serial,
      trusted,
    });
    if (!trusted) return undefined;
    if (of.over !== 'checkpoint') this.#packTime = Math.min(result.time, this.#packTime ?? result.time);
    return result.time;
  }

  /** anchors/: each must be a checkpoint that this pack continues, with a stamp over its text or cosignatures in its note. */
  async takeAnchors(
    files: PackFiles,
    manifest: Manifest,
    sha256: Sha256,
    witnesses: Witnesses,
  ): Promise<void> {
    const sizes = new Set(
      manifest.files
        .filter(({ role }) => role === 'anchor')
        .map(({ path }) => path.slice('anchors/'.length, path.lastIndexOf('.'))),
    );
    for (const size of sizes) {
      const where = `anchors/${size}.note`;
      const [note, body, stamp] = await Promise.all(
        ['note', 'body', 'tsr'].map(kind => files.read(`anchors/${size}.${kind}`, STAMP_LIMIT)),
      );
      const fault =
        note === undefined || body === undefined || (stamp === undefined && !cosigned(note))
          ? 'It is not whole'
          : await anchorFault(files, manifest, sha256, { size, note, body });
      if (fault !== undefined) {
        this.#findings.add('anchor_wrong', where, `${fault}.`);
        if (fault === NOT_CONTINUED) await witnesses.contradicted(note!, where);
        continue;
      }
      await witnesses.take(note!, Number(size), where);
      if (stamp === undefined) continue;
      await this.take(stamp, sha256(body!), {
        over: 'checkpoint',
        where: `anchors/${size}.tsr`,
        size: Number(size),
      });
    }
  }

  /** Where nothing is over the pack: whether stamped checkpoints date its records. Once, after all stamps were taken. */
  finish(dated: readonly DatedRange[]): void {
    if (this.#overPack) return;
    const covered = dated.filter(({ by }) => by !== undefined);
    const open = dated.find(({ by }) => by === undefined);
    if (covered.length === 0) this.#findings.add('time_not_shown', 'META-INF');
    else if (open === undefined) this.#findings.add('time_by_anchors', 'anchors');
    else this.#findings.add('time_partly_shown', 'anchors', `From seq ${open.first} on.`);
  }

  /** META-INF/checksums.tsr. `digest`: SHA-256 of checksums.txt. */
  async takePack(files: PackFiles, digest: Uint8Array): Promise<void> {
    const stamp = await files.read(TSR, STAMP_LIMIT);
    if (files.has(TSR)) this.#overPack = true;
    if (stamp === undefined) {
      if (this.#overPack) this.#findings.add('timestamp_form', TSR);
      return;
    }
    const chain = await files.read(TSA_CHAIN, STAMP_LIMIT);
    await this.take(stamp, digest, {
      over: 'pack',
      where: TSR,
      ...(chain === undefined
        ? {}
        : { chain: Array.from(chain, byte => String.fromCharCode(byte)).join('') }),
    });
  }
}

const NOT_CONTINUED = 'The pack does not continue it';

/** Whether a note has more lines than its log's. */
function cosigned(note: Uint8Array): boolean {
  try {
    return parseNote(note).lines.length > 1;
  } catch {
    return false;
  }
}

/** Why an anchor is not a checkpoint that the pack continues, or undefined. */
async function anchorFault(
  files: PackFiles,
  manifest: Manifest,
  sha256: Sha256,
  { size, note, body }: { size: string; note: Uint8Array; body: Uint8Array },
): Promise<string | undefined> {
  const { checkpoint } = manifest;
  try {
    const { text } = parseNote(note);
    const anchored = parseCheckpoint(text);
    if (!equalBytes(utf8(text), body)) return 'Its text is not that of its note';
    if (anchored.origin !== originOf(manifest.ledger_id, manifest.tenant_id))
      return 'It is of another ledger';
    if (String(anchored.size) !== size || anchored.size > checkpoint.size) return 'It is of another size';
    let hashes: Uint8Array[] = [];
    if (anchored.size < checkpoint.size) {
      const proof = await files.read(`consistency/${size}-${checkpoint.size}`);
      if (proof === undefined) return 'The pack has no proof that it continues it';
      const lines = fromUtf8(proof);
      hashes = lines.split('\n').slice(0, -1).map(fromBase64);
      if (consistencyText(hashes) !== lines) return 'The proof that the pack continues it is not in its form';
    }
    const claim = {
      first: anchored.size,
      second: checkpoint.size,
      root1: anchored.root,
      root2: fromHex(checkpoint.root),
    };
    return verifyConsistency(sha256, claim, hashes) ? undefined : NOT_CONTINUED;
  } catch (error) {
    return `It cannot be read (${(error as Error).message})`;
  }
}
