/** The worked examples of docs/spec are those of the vectors, and the text's own claims hold. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseIJson } from '../../core/event/ijson.ts';
import { RESERVED_PREFIXES } from '../../core/event/types.ts';
import { EVENT_MEMBERS, validateEvent } from '../../core/event/validate.ts';
import { utf8 } from '../../core/proof/bytes.ts';
import { jcs } from '../../core/proof/jcs.ts';
import { type FlatRecord, HEAD_MEMBERS, keyRotationMessage } from '../../core/proof/record.ts';
import { vectors } from './host.ts';

const spec = (name: string) => readFileSync(new URL(`../../docs/spec/${name}.md`, import.meta.url), 'utf8');
/** Contents of the fenced blocks of a text, in order. */
const blocks = (text: string) => [...text.matchAll(/^```\w*\n([\s\S]*?)^```$/gm)].map(match => match[1]!);

const { records, run_id } = vectors<{
  records: { body_jcs: string; head_jcs: string; record: FlatRecord }[];
  run_id: { run_id: string }[];
}>('record');

describe('event.md', () => {
  const text = spec('event');

  test('its example is accepted and makes the body of ledger.md', () => {
    const result = validateEvent(parseIJson(utf8(blocks(text)[0]!)), { appId: 'finance-bot' });
    if (!result.ok) throw new Error(JSON.stringify(result.errors));
    const source = { via: 'http', auth: 'key', key: 'a1b2c3d4' } as const;
    const { app_id, event_type, ts, ...members } = result.event;
    expect({ app_id, event_type, ts }).toEqual({
      app_id: records[1]!.record.app_id,
      event_type: records[1]!.record.event_type,
      ts: records[1]!.record.ts,
    });
    const body = { ...members, source, salt: '01'.repeat(16) };
    expect(`${jcs(body)}\n`).toBe(blocks(spec('ledger'))[0]);
  });

  test('names every member and every reserved prefix', () => {
    for (const member of EVENT_MEMBERS) expect(text).toContain(`\`${member}\``);
    for (const prefix of Object.keys(RESERVED_PREFIXES))
      expect(text).toMatch(new RegExp(` ${prefix}(?= |\n)`));
  });
});

describe('ledger.md', () => {
  const text = spec('ledger');

  test('its example is record 1 of the vectors', () => {
    const { body_jcs, head_jcs, record } = records[1]!;
    const wanted = [body_jcs, head_jcs, record.hash_self, record.signature, record.key_id];
    expect(blocks(text).slice(0, 5)).toEqual(wanted.map(line => `${line}\n`));
    expect(text).toContain(run_id[0]!.run_id);
    for (const member of HEAD_MEMBERS) expect(text).toContain(`| \`${member}\` |`);
  });

  test('its rotation and approval are those of the vectors', () => {
    const { approval } = vectors<{ approval: { message: string } }>('binding');
    const { ledger_id, tenant_id, key_id, new_key } = records[3]!.record;
    const rotation = keyRotationMessage({
      ledger_id,
      tenant_id,
      old_key_id: key_id,
      new_key: new_key as string,
    });
    const found = blocks(text);
    expect(found).toContain(`${new TextDecoder().decode(rotation)}\n`);
    expect(found).toContain(`${approval.message}\n`);
  });
});

test('tree.md shows the checkpoint, vkey and proofs of the vectors', () => {
  const note = vectors<{ checkpoint: { note: string }; keys: { vkey: string }[] }>('note');
  const multiproof = vectors<{ accept: { case: string; size: number; lines: string }[] }>('multiproof');
  const found = blocks(spec('tree'));
  expect(found).toContain(note.checkpoint.note);
  expect(found).toContain(`${note.keys[0]!.vkey}\n`);
  for (const one of ['the first of seven', 'two windows of twenty']) {
    expect(found).toContain(multiproof.accept.find(({ case: name }) => name.startsWith(one))!.lines);
  }
});
