/** test/vectors/people.json: what becomes of each record, and what was in force, by the class that collector and verifier share. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { verifyEd25519 } from '../../collector/people/state.ts';
import { sha256 } from '../../collector/sha256.ts';
import { People, type PersonRecord } from '../../core/pack/people.ts';
import { PersonFault, type Place } from '../../core/pack/person_form.ts';

type Vectors = {
  place: Place;
  records: (PersonRecord & { about: string; becomes: string })[];
  root: object;
  recovered: object[];
  in_force: {
    person: string;
    seq: number;
    is: { state: string; key_id: string; roles: string[] } | null;
  }[];
  approvers: { seq: number; count: number }[];
  delegations: { id: string; seq: number; time: string; roles: string[] | null }[];
};

const vectors = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', 'vectors', 'people.json'), 'utf8'),
) as Vectors;

describe('people vectors', () => {
  const people = new People(vectors.place, sha256);

  it.each(vectors.records)('$seq $about: $becomes', async record => {
    const { about: _about, becomes, ...given } = record;
    const code = await people
      .take(given, async (...check) => verifyEd25519(...check))
      .then(
        () => 'counts',
        error => (error instanceof PersonFault ? error.code : Promise.reject(error)),
      );
    expect(code).toBe(becomes);
  });

  it('knows the root, the recoveries and what was in force when', () => {
    expect(people.root).toEqual(vectors.root);
    expect(people.recovered).toEqual(vectors.recovered);
    for (const { person, seq, is } of vectors.in_force) {
      const found = people.at(person, seq);
      const told =
        found === undefined ? null : { state: found.state, key_id: found.keyId, roles: found.roles };
      expect(told, `${person} at ${seq}`).toEqual(is);
    }
    for (const { seq, count } of vectors.approvers) expect(people.approversAt(seq), `${seq}`).toBe(count);
    for (const { id, seq, time, roles } of vectors.delegations) {
      expect(people.delegationAt(id, seq, time)?.roles ?? null, `${id} at ${seq}`).toEqual(roles);
    }
  });
});
