/**
 * Witnesses of a pack: cosignatures of its own checkpoint (META-INF/cosignatures.note) and of earlier ones (anchors/),
 * against a policy that came apart from the pack. Format: docs/spec/pack.md, "Witnesses".
 * Rules: k counts names, not keys; without a policy nothing is judged; a bad line of a named key fails.
 */
import { formatMicros } from '../event/time.ts';
import { equalBytes, utf8 } from '../proof/bytes.ts';
import {
  judgeCosignature,
  parseWitnessVkey,
  type VerifyMlDsa44,
  type WitnessKey,
} from '../proof/cosignature.ts';
import type { Sha256, VerifyEd25519 } from '../proof/hash.ts';
import { parseNote } from '../proof/note.ts';
import type { PackFiles } from './files.ts';
import type { Findings } from './findings.ts';
import { ManifestError, parseCanonical } from './manifest.ts';

export const COSIGNATURES = 'META-INF/cosignatures.note';
export const WITNESS_POLICY = 'witness_policy.json';
const NOTE_LIMIT = 65_536;
/** The end of the year 2255, the last that microseconds below 2^53 can say. */
const LAST_SECOND = 9_007_199_254;

/** `witnesses` are vkeys; `k` of their names must have cosigned. */
export type WitnessPolicy = { readonly v: 1; readonly k: number; readonly witnesses: readonly string[] };

/** Reads witness_policy.json. Throws ManifestError or NoteError. */
export function parseWitnessPolicy(sha256: Sha256, bytes: Uint8Array): WitnessPolicy {
  const value = parseCanonical(bytes) as Partial<WitnessPolicy> | null;
  const form =
    typeof value === 'object' &&
    value !== null &&
    Object.keys(value).join() === 'k,v,witnesses' &&
    value.v === 1 &&
    Number.isSafeInteger(value.k) &&
    Array.isArray(value.witnesses) &&
    value.witnesses.length <= 64 &&
    value.witnesses.every(one => typeof one === 'string');
  if (!form) throw new ManifestError('witness_policy.json must be {k, v: 1, witnesses}');
  const { k, witnesses } = value as WitnessPolicy;
  const names = new Set(witnesses.map(vkey => parseWitnessVkey(sha256, vkey).name));
  if (k < 1 || k > names.size) throw new ManifestError('k must be from 1 to the number of names');
  return value as WitnessPolicy;
}

/** One witness of one checkpoint. `time` is the witness's own clock. */
export type Witnessed = { name: string; size: number; time: string };

type Host = {
  readonly sha256: Sha256;
  readonly verifyEd25519: VerifyEd25519;
  readonly verifyMlDsa44?: VerifyMlDsa44;
};

export class Witnesses {
  readonly #host: Host;
  readonly #policy: WitnessPolicy | undefined;
  readonly #keys: readonly WitnessKey[];
  readonly #findings: Findings;
  readonly #bySize = new Map<number, Set<string>>();
  readonly list: Witnessed[] = [];

  constructor(host: Host, policy: WitnessPolicy | undefined, findings: Findings) {
    this.#host = host;
    this.#policy = policy;
    this.#keys = policy?.witnesses.map(vkey => parseWitnessVkey(host.sha256, vkey)) ?? [];
    this.#findings = findings;
  }

  /** Judges the lines of a note whose text was found to be that of a checkpoint which the pack continues. */
  async take(note: Uint8Array, size: number, where: string): Promise<void> {
    if (this.#policy === undefined) return;
    const { text, lines } = parseNote(note);
    const verify = { ed25519: this.#host.verifyEd25519, mlDsa44: this.#host.verifyMlDsa44 };
    for (const line of lines) {
      const judged = await judgeCosignature(line, text, this.#keys, verify);
      if (judged.kind === 'bad') this.#findings.add('witness_signature_wrong', where, `${judged.key.name}.`);
      else if (judged.kind === 'unchecked')
        this.#findings.add('witness_unchecked', where, `${judged.key.name}.`);
      else if (judged.kind === 'good') {
        const names = this.#bySize.get(size) ?? new Set();
        this.#bySize.set(size, names);
        if (names.has(judged.key.name)) continue;
        names.add(judged.key.name);
        this.list.push({
          name: judged.key.name,
          size,
          time: formatMicros(Math.min(judged.time, LAST_SECOND) * 1_000_000),
        });
      }
    }
  }

  /** A note of this ledger that the pack does not continue: did a named witness sign it? */
  async contradicted(note: Uint8Array, where: string): Promise<void> {
    const { text, lines } = parseNote(note);
    const verify = { ed25519: this.#host.verifyEd25519, mlDsa44: this.#host.verifyMlDsa44 };
    for (const line of lines) {
      const judged = await judgeCosignature(line, text, this.#keys, verify);
      if (judged.kind === 'good') this.#findings.add('witness_inconsistent', where, `${judged.key.name}.`);
    }
  }

  /** META-INF/cosignatures.note, over the text of the pack's own checkpoint. */
  async takePack(files: PackFiles, size: number): Promise<void> {
    if (!files.has(COSIGNATURES)) return;
    const [note, body] = [await files.read(COSIGNATURES, NOTE_LIMIT), await files.read('checkpoint.body')];
    let same = false;
    try {
      same = note !== undefined && body !== undefined && equalBytes(utf8(parseNote(note).text), body);
    } catch {
      same = false;
    }
    if (!same) this.#findings.add('witness_note_wrong', COSIGNATURES);
    else if (this.#policy === undefined) this.#findings.add('witness_untrusted', COSIGNATURES);
    else await this.take(note!, size, COSIGNATURES);
  }

  /** `last`: the highest seq of the scope (-1 where it is empty). */
  finish(size: number, last: number): void {
    if (this.#policy === undefined) return;
    const { k } = this.#policy;
    const met = [...this.#bySize].filter(([, names]) => names.size >= k).map(([at]) => at);
    const far = Math.max(-1, ...met);
    if (far === size || (far >= 0 && far > last)) return;
    if (far < 0) {
      const most = Math.max(0, ...[...this.#bySize.values()].map(names => names.size));
      this.#findings.add('witness_missing', COSIGNATURES, `${most} of the ${k} that you ask for.`);
    } else {
      this.#findings.add(
        'witness_earlier',
        `anchors/${far}.note`,
        `They saw the first ${far} of ${size} records.`,
      );
    }
  }
}
