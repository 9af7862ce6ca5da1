/** A restored folder is a new ledger: nobody is enrolled there, and the first admin enrols anew. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startCollector } from '../../collector/compose.ts';
import { restore } from '../../collector/keys/restore.ts';
import type { OutputOf } from '../../core/api/operations.ts';
import { startTestCollector } from '../http/collector.ts';
import { enrolFirstAdmin, expectJson } from './person.ts';

it('carries nobody over into the restored ledger', async () => {
  const place = await mkdtemp(join(tmpdir(), 'tm-'));
  const folder = join(place, 'data');
  const first = await startCollector({ port: 0, folder });
  const file = join(place, 'keys', 'test.key');
  const { recoveryPhrase } = await first.initialise({ kind: 'key_file', file }, 'Ada');
  await first.close();
  try {
    const http = await startTestCollector({ folder, keyFile: file });
    const backup = join(place, 'out.backup');
    const ada = await enrolFirstAdmin(http);
    const answer = await fetch(`${http.url}/api/backup`, {
      method: 'POST',
      headers: { authorization: ada.headers.authorization!, origin: http.url },
    });
    await writeFile(backup, new Uint8Array(await answer.arrayBuffer()));
    await http.collector.close();

    const second = join(place, 'restored');
    const secondKey = join(place, 'keys', 'second.key');
    await restore({
      file: backup,
      folder: second,
      phrase: recoveryPhrase,
      custody: { kind: 'key_file', file: secondKey },
      acceptHead: true,
    });
    const again = await startTestCollector({ folder: second, keyFile: secondKey });
    try {
      const state = expectJson<OutputOf<'signInState'>>(await again.ask('/api/sign-in'), 200);
      expect(state.enrolled).toBe(false);
      expect(state.ledger_id).not.toBe(ada.place.ledger_id);
      const anew = await enrolFirstAdmin(again);
      const people = expectJson<OutputOf<'people'>>(await anew.call('/api/people'), 200);
      expect(people.items.map(person => person.id)).toEqual(['ada']);
    } finally {
      await again.collector.close();
    }
  } finally {
    await rm(place, { recursive: true, force: true });
  }
});
