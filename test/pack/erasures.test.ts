/**
 * Who erased bodies, told from a pack alone. The histories are rightly chained and sealed by the ledger's own keys, so that nothing
 * but the rules about erasures can give a forgery away.
 */
import { expect, test } from 'vitest';
import { beginErasures, erasureHistories } from './erasure_forgeries.ts';
import { rootOf } from './forgeries.ts';
import { check, codesOf, makePack, trustOf } from './packs.ts';

/** What is always said of a pack of this harness, and that bodies are gone. */
const usual = ['body_erased', 'certificate_self_made', 'time_not_shown'];

test.each(erasureHistories)('%s: %s', async (_about, code, make) => {
  const at = beginErasures();
  make(at);
  const trust = { ...trustOf(at.ledger), peopleRoot: rootOf(at.admin) };
  const report = await check(await makePack(at.ledger), trust);
  expect(codesOf(report).filter(one => !usual.includes(one))).toEqual(code === undefined ? [] : [code]);
});
