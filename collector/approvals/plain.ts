/**
 * What a program may put into the gate's records: the same as into an event. A key that starts with `$` would be read
 * as a blob or a sealed value by whoever verifies the record, and a deeper value would not be read at all.
 */
import { TrailmixError } from '../../core/api/errors.ts';
import { utf8Length } from '../../core/proof/bytes.ts';
import { pointer } from '../../core/proof/jcs.ts';

/** An event may have 64 levels, itself the first. */
const MOST_DEPTH = 63;
const ID_BYTES = 256;

/** Throws key_dollar, json_depth with a pointer to the place. */
export function refuseSpecial(value: unknown, path: readonly (string | number)[]): void {
  const walk = (inner: unknown, at: (string | number)[], depth: number): void => {
    if (typeof inner !== 'object' || inner === null) return;
    if (depth > MOST_DEPTH) throw new TrailmixError('json_depth', { where: pointer(at) });
    for (const [name, member] of Object.entries(inner)) {
      const step = Array.isArray(inner) ? Number(name) : name;
      if (name.startsWith('$')) throw new TrailmixError('key_dollar', { where: pointer([...at, name]) });
      at.push(step);
      walk(member, at, depth + 1);
      at.pop();
    }
  };
  walk(value, [...path], 1);
}

/** Throws field_too_long for the first id that has more than 256 UTF-8 bytes. */
export function refuseLong(ids: { readonly [member: string]: string | undefined }): void {
  for (const [where, id] of Object.entries(ids)) {
    if (id !== undefined && utf8Length(id) > ID_BYTES) {
      throw new TrailmixError('field_too_long', { where, message: `${where} has more than 256 UTF-8 bytes` });
    }
  }
}
