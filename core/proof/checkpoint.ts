/**
 * The text of a checkpoint (c2sp.org/tlog-checkpoint): three lines, origin, size, base64 root. Format:
 * docs/spec/tree.md. Rules: ours has no extension lines, and none are accepted; note.ts signs and opens it.
 */
import { base64, fromBase64 } from './bytes.ts';

export class CheckpointError extends Error {
  override name = 'CheckpointError';
}

export interface Checkpoint {
  /** Also the name of the key that signs it. */
  readonly origin: string;
  /** Leaves covered: those with seq < size. */
  readonly size: number;
  /** 32 bytes */
  readonly root: Uint8Array;
}

/** `trailmix.invalid/<ledger_id>/<tenant>`: the one origin of a ledger and tenant. */
export function originOf(ledgerId: string, tenantId: string): string {
  return `trailmix.invalid/${ledgerId}/${tenantId}`;
}

const ORIGIN = /^trailmix\.invalid\/([0-9a-f]{32})\/([a-z0-9-]{1,64})$/;

/** Ledger and tenant of an origin, or undefined when it is none of ours. */
export function parseOrigin(origin: string): { ledger_id: string; tenant_id: string } | undefined {
  const [, ledger_id, tenant_id] = ORIGIN.exec(origin) ?? [];
  return ledger_id === undefined || tenant_id === undefined ? undefined : { ledger_id, tenant_id };
}

/** The signed text: three lines, each with its newline. */
export function checkpointText(checkpoint: Checkpoint): string {
  const { origin, size, root } = checkpoint;
  if (origin === '' || /[\s+\p{Cc}]/u.test(origin))
    throw new CheckpointError('the origin is one word without +');
  if (!Number.isSafeInteger(size) || size < 0) throw new CheckpointError('the size is an integer from 0');
  if (root.length !== 32) throw new CheckpointError('the root has 32 bytes');
  return `${origin}\n${size}\n${base64(root)}\n`;
}

/** Reads the signed text. Throws CheckpointError on anything that `checkpointText` would not write. */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin, size, encoded, end, ...more] = text.split('\n');
  if (origin === undefined || size === undefined || encoded === undefined || end !== '' || more.length > 0) {
    throw new CheckpointError('a checkpoint has three lines: origin, size, root');
  }
  if (!/^(?:0|[1-9][0-9]{0,15})$/.test(size)) throw new CheckpointError('the size is a plain decimal number');
  let root: Uint8Array;
  try {
    root = fromBase64(encoded);
  } catch {
    throw new CheckpointError('the root is base64');
  }
  const checkpoint = { origin, size: Number(size), root };
  if (checkpointText(checkpoint) !== text) throw new CheckpointError('not the exact text of a checkpoint');
  return checkpoint;
}
