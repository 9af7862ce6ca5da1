import { verify } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { ed25519PublicKey } from '../../collector/ledger/headfile.ts';
import { jcs } from '../../core/proof/jcs.ts';
import {
  bodyHash,
  bodyOf,
  eventSignatureMessage,
  GENESIS,
  hashSelf,
  headOf,
} from '../../core/proof/record.ts';
import { append, event, openTest, sha256, until } from './ledger.fixture.ts';
import { memoryVault } from './vault.fixture.ts';

describe('a ledger', () => {
  test('begins with ledger.opened and keeps what is appended, chained and signed', async () => {
    const { ledger } = await openTest();
    const accepted = await append(ledger, [event({ input: { prompt: 'hello' } }), event()]);
    expect(accepted.map(one => one.seq)).toEqual([1, 2]);
    const records = await ledger.read.records(0, 10);
    expect(records.map(record => record.event_type)).toEqual(['ledger.opened', 'span', 'span']);
    const key = ed25519PublicKey(memoryVault().eventKey.publicKey);
    let previous = GENESIS;
    for (const record of records) {
      const head = headOf(record);
      expect(head.hash_prev).toBe(previous);
      expect(head.body_hash).toBe(bodyHash(sha256, jcs(bodyOf(record as never))));
      expect(record.hash_self).toBe(hashSelf(sha256, head));
      expect(
        verify(
          null,
          eventSignatureMessage(record.hash_self),
          key,
          Buffer.from(String(record.signature), 'base64'),
        ),
      ).toBe(true);
      previous = record.hash_self;
    }
    expect(records[1]).toMatchObject({
      input: { prompt: 'hello' },
      source: { via: 'api', auth: 'key', key: 'k1' },
    });
    await until(() => ledger.verifier().verifiedTo === 2);
  });
});
