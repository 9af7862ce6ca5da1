/** Events of a pack as CSV, OCSF and in Attesta's words, by the real command; OCSF against the published schema. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { attestaEvent } from '../../core/formats/attesta.ts';
import { csvHead, csvLine } from '../../core/formats/csv.ts';
import { ocsfEvent } from '../../core/formats/ocsf.ts';
import { type JsonObject, jcs } from '../../core/proof/jcs.ts';
import { type Place, temporaryPlace, trailmix } from '../cli/trailmix.ts';
import { busyLedger, linesOf, makePack, type Parts, partsOf, setLines, zipOf } from './packs.ts';
import { reportLedger } from './report_ledger.ts';

let place: Place;
let parts: Parts;
let records: JsonObject[];
let pack: string;
beforeAll(async () => {
  place = await temporaryPlace();
  const ledger = reportLedger();
  ledger.append({
    type: 'llm.chat',
    body: {
      name: '=HYPERLINK("http://example.test","x")',
      model: { name: 'm', provider: 'p', version: '1' },
      trace_id: 't1',
      input: { text: 'a "quote", a comma\r\nand a line' },
      output: '-1+2',
    },
  });
  const bytes = await makePack(ledger);
  parts = await partsOf(bytes);
  records = linesOf(parts, 'events.jsonl').map(line => JSON.parse(line) as JsonObject);
  pack = join(place.folder, 'pack.zip');
  await writeFile(pack, bytes);
}, 60_000);
afterAll(() => place.remove());

/** A reader of RFC 4180, written from the RFC. */
function readCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (let at = 0; at < text.length; ) {
    let cell = '';
    if (text[at] === '"') {
      for (at++; !(text[at] === '"' && text[at + 1] !== '"'); at++) {
        if (text[at] === '"') at++;
        cell += text[at];
      }
      at++;
    } else {
      const end = text.slice(at).search(/,|\r\n/);
      cell = text.slice(at, at + end);
      at += end;
    }
    row.push(cell);
    if (text[at] === ',') at++;
    else {
      expect(text.slice(at, at + 2)).toBe('\r\n');
      at += 2;
      rows.push(row);
      row = [];
    }
  }
  return rows;
}

const convert = async (to: string, events = records.length): Promise<string> => {
  const file = join(place.folder, `events.${to}`);
  const { code, json, err } = await trailmix(['convert', pack, '--to', to, '--out', file, '--json']);
  expect(code, err).toBe(0);
  expect(json).toEqual({ file, events, format: to });
  return readFile(file, 'utf8');
};

test('csv: a row for each event, read back as it was; no cell is a formula', async () => {
  const [head, ...rows] = readCsv(await convert('csv'));
  expect(`${head!.join(',')}\r\n`).toBe(csvHead());
  expect(rows).toHaveLength(records.length);
  for (const [i, row] of rows.entries()) {
    expect(row).toHaveLength(head!.length);
    expect(row[head!.indexOf('hash_self')]).toBe(records[i]!.hash_self);
    for (const cell of row) expect(cell).not.toMatch(/^[=+\-@\t\r\n]/);
  }
  const last = Object.fromEntries(rows.at(-1)!.map((cell, i) => [head![i]!, cell]));
  expect(last.name).toBe('\'=HYPERLINK("http://example.test","x")');
  expect(last.input).toBe(jcs({ text: 'a "quote", a comma\r\nand a line' }));
  expect(last.output).toBe("'-1+2");
});

test('docs/spec/formats.md names the columns of the CSV, in their order', async () => {
  const spec = await readFile(join(import.meta.dirname, '../../docs/spec/formats.md'), 'utf8');
  const named = /Columns: `([^`]+)`/.exec(spec)![1]!.split(/,\s*/);
  expect(`${named.join(',')}\r\n`).toBe(csvHead());
});

describe('ocsf', () => {
  const schema = join(import.meta.dirname, '../vectors/ocsf/api_activity-1.8.0.json');

  test('every kind of record is a valid API Activity of the published schema', async () => {
    const ajv = new Ajv2020({ strict: false, allErrors: true });
    const validate = ajv.compile(JSON.parse(await readFile(schema, 'utf8')) as object);
    const lines = (await convert('ocsf')).split('\n').slice(0, -1);
    expect(lines).toHaveLength(records.length);
    const more = linesOf(await partsOf(await makePack(busyLedger())), 'events.jsonl').map(line =>
      ocsfEvent(JSON.parse(line) as JsonObject, '0.0.0'),
    );
    const events = [...lines.map(line => JSON.parse(line) as JsonObject), ...more];
    for (const event of events)
      expect(validate(event), JSON.stringify(validate.errors?.slice(0, 3))).toBe(true);
    expect(new Set(records.map(({ event_type }) => event_type)).size).toBeGreaterThanOrEqual(7);
    // The schema is not blind.
    expect(validate({ ...events[0], severity_id: 'high' })).toBe(false);
    expect(validate({ ...events[0], of_ours: 1 })).toBe(false);
  });

  test('says what was decided, and leads back to the record', () => {
    const denied = records.find(({ decision }) => (decision as JsonObject | undefined)?.result === 'deny')!;
    const event = ocsfEvent(denied, '0.0.0');
    expect(event).toMatchObject({
      class_uid: 6003,
      type_uid: 600_399,
      action_id: 2,
      severity_id: 5,
      policy: { version: '1', is_applied: true },
      metadata: { uid: `${String(denied.ledger_id)}:${String(denied.seq)}`, version: '1.8.0' },
      unmapped: { hash_self: denied.hash_self, signature: denied.signature },
    });
    // Nothing of the record is lost.
    const text = jcs(event);
    for (const value of Object.values(denied))
      if (typeof value === 'string') expect(text).toContain(value.slice(0, 19));
  });
});

test('attesta: decisions alone, in their order, with what came of them', async () => {
  const decided = records.filter(({ event_type }) => event_type === 'decision.recorded');
  const settled = decided.filter(record => attestaEvent([record, ...behind(record)]) !== undefined);
  const lines = (await convert('attesta', settled.length)).split('\n').slice(0, -1);
  const told = lines.map(line => JSON.parse(line) as JsonObject);
  expect(told.map(({ event_id }) => event_id)).toEqual(settled.map(({ event_id }) => event_id));
  expect(told).toEqual(settled.map(record => attestaEvent([record, ...behind(record)])));
  for (const [i, line] of lines.entries()) expect(line).toBe(jcs(told[i]!));
  const kinds = new Set(told.map(({ event_type }) => String(event_type).split('.').at(-1)));
  expect(kinds).toContain('auto_approved');
  expect(kinds).toContain('approved');
  expect(kinds).toContain('denied');
});
/** Every record about this decision. */
const behind = (decision: JsonObject): JsonObject[] =>
  records.filter(({ approval, intent }) =>
    [approval, intent].some(about => (about as JsonObject | undefined)?.decision_id === decision.event_id),
  );

test('a pack whose events were exchanged, a wrong word and a file that is there are refused, and leave nothing', async () => {
  const changed = new Map(parts);
  setLines(changed, 'events.jsonl', linesOf(parts, 'events.jsonl').slice(1));
  const other = join(place.folder, 'changed.zip');
  await writeFile(other, await zipOf(changed));
  const out = join(place.folder, 'new.csv');
  const refused = await trailmix(['convert', other, '--to', 'csv', '--out', out, '--json']);
  expect(refused.code).toBe(2);
  await expect(readFile(out)).rejects.toThrow();
  await expect(readFile(`${out}.part`)).rejects.toThrow();
  expect((await trailmix(['convert', pack, '--to', 'xml', '--out', out])).code).toBe(2);
  expect((await trailmix(['convert', pack, '--to', 'csv', '--out', pack])).code).toBe(2);
  expect((await trailmix(['convert', out, '--to', 'csv', '--out', out])).code).toBe(2);
});

test('a cell is empty where the record has nothing, and text stays text', () => {
  const line = csvLine({ seq: 0, name: '漢字', status: 'ok' });
  expect(line.startsWith('0,,')).toBe(true);
  expect(line).toContain(',漢字,');
});
