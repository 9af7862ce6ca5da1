import { expect, test } from 'vitest';
import { jcs } from '../../core/proof/jcs.ts';
import { append, event, openTest } from './ledger.fixture.ts';

test('lines made without parsing are the canonical text of the records', async () => {
  const { ledger } = await openTest();
  await append(ledger, [
    event({ name: 'quotes "and\\" \\\\', input: { a: '}{][,', z: [1, [{}, []], '\\'], '"': { ',': '' } } }),
    event({ app_id: 'other' }),
    event({ name: 'Straße 東京 😀', output: { text: 'line\nnext\u2028', n: -1.5e-9, no: null, yes: true } }),
    event({ labels: { seq: '1', app_id: 'x', 'é"\\': 'y' }, evals: [{ name: 'x', score: 1 }] }),
  ]);
  const { seq } = await ledger.read.head();
  const records = await ledger.read.records(0, seq);
  for (const app of ['support-bot', 'other', '_ledger']) {
    const own = records.filter(({ app_id }) => app_id === app);
    expect(own.length).toBeGreaterThan(0);
    expect(await ledger.read.packLines(0, seq, app)).toBe(own.map(record => `${jcs(record)}\n`).join(''));
  }
  const rated = records.filter(({ evals }) => evals !== undefined).map(record => record.seq);
  expect(JSON.parse(await ledger.read.packEvals(rated))).toMatchObject({ seq: rated[0], index: 0 });
});
