import { sign } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { HeadFile, readHeadFile } from '../../collector/ledger/headfile.ts';
import { eventSignatureMessage } from '../../core/proof/record.ts';
import { temporaryFolder } from './ledger.fixture.ts';
import { memoryVault } from './vault.fixture.ts';

test('the head file stays small and always ends with the last head', () => {
  const { eventKey, ledgerId } = memoryVault();
  const file = join(temporaryFolder(), 'head.log');
  const head = new HeadFile(file);
  const key = { key: Buffer.from(eventKey.privateKey), format: 'der', type: 'pkcs8' } as const;
  const line = (seq: number) => {
    const hash_self = seq.toString(16).padStart(64, '0');
    const signature = sign(null, eventSignatureMessage(hash_self), key).toString('base64');
    return { ledger_id: ledgerId, tenant_id: 'default', seq, hash_self, signature };
  };
  for (let seq = 0; seq < 5000; seq++) head.append(line(seq));
  expect(statSync(file).size).toBeLessThan(1_100_000);
  expect(readHeadFile(file, { ledgerId, tenantId: 'default' }, eventKey.publicKey)).toEqual(line(4999));
  expect(readHeadFile(file, { ledgerId, tenantId: 'other' }, eventKey.publicKey)).toBeUndefined();
  head.close();
  expect(readFileSync(file, 'utf8').endsWith('\n')).toBe(true);
});
