import { expect, test } from 'vitest';
import { openReadable } from '../../collector/ledger/database.ts';
import { placesOf } from '../../collector/ledger/folder.ts';
import { packReadings } from '../../collector/ledger/pack-readings.ts';
import { RecordReader } from '../../collector/ledger/records.ts';
import { sha256 } from '../../collector/sha256.ts';
import { evalLines } from '../../core/pack/evals.ts';
import { ReportFigures } from '../../core/pack/report_figures.ts';
import { Sessions } from '../../core/pack/sessions.ts';
import { type JsonObject, jcs } from '../../core/proof/jcs.ts';
import { append, event, openTest } from './ledger.fixture.ts';
import { memoryVault } from './vault.fixture.ts';

test('lines made without parsing are the canonical text of the records, and are counted alike', async () => {
  const vault = memoryVault();
  const { ledger, folder } = await openTest({ vault });
  const blob = { $blob: { sha256: 'a'.repeat(64), bytes: 9, type: 'text/plain' } };
  await append(ledger, [
    event({ name: 'quotes "and\\" \\\\', input: { a: '}{][,', z: [1, [{}, []], '\\'], '"': { ',': '' } } }),
    event({ app_id: 'other' }),
    event({ name: 'Straße 東京 😀', output: { text: 'line\nnext\u2028', n: -1.5e-9, no: null, yes: true } }),
    event({ labels: { seq: '1', app_id: 'x', 'é"\\': 'y' }, evals: [{ name: 'x', score: 1 }] }),
    event({
      status: 'error',
      labels: { title: 'A "title"' },
      input: blob,
      evals: [
        { name: ',]', score: 0 },
        { name: '{"', score: 1 },
      ],
    }),
    event({ event_id: 'quo"ted', session_id: 'back\\slash', evals: [{ name: 'y', score: 0.5 }] }),
  ]);
  const { seq } = await ledger.read.head();
  const records = (await ledger.read.records(0, seq)) as JsonObject[];
  const db = openReadable(placesOf(folder).ledger, vault.derive('database'), 1024);
  const reads = packReadings(db, new RecordReader(db, ledger), ledger.tenantId);
  for (const app of ['support-bot', 'other', '_ledger']) {
    const own = records.filter(({ app_id }) => app_id === app);
    expect(own.length).toBeGreaterThan(0);
    const lines = reads.packLines(app, 1, own.length);
    expect(lines.map(({ line }) => line)).toEqual(own.map(record => jcs(record)));
    expect(lines.map(({ seq, appSeq, eventType }) => [seq, appSeq, eventType])).toEqual(
      own.map(({ seq, app_seq, event_type }) => [seq, app_seq, event_type]),
    );
    expect(await ledger.read.packLines(app, 1, own.length)).toEqual(lines);
    const [whole, part] = [new ReportFigures(new Sessions(sha256)), new ReportFigures(new Sessions(sha256))];
    for (const record of own) whole.take(record);
    for (const { value } of lines) part.take(value);
    expect(part.figures([])).toEqual(whole.figures([]));
    const evals = own.flatMap(record => evalLines(record).map(line => `${line}\n`));
    expect(reads.packEvals(app, 1, own.length)).toBe(evals.join(''));
  }
  db.close();
});
