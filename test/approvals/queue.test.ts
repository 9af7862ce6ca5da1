/** The queue over HTTP: filters, whole totals, pages, one's own history, what stands beside a question, the report. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OutputOf } from '../../core/api/operations.ts';
import { event } from '../http/collector.ts';
import { addPerson, expectJson, type Person } from '../people/person.ts';
import { codeOf, type Decided, openedBy, type Question, startTeam, type Team } from './team.ts';

type List = OutputOf<'approvals'>;
type Detail = OutputOf<'approvalDetail'>;

let team: Team;
beforeAll(async () => {
  team = await startTeam();
}, 120_000);
afterAll(() => team?.stop());

const list = async (query: string, person: Person = team.ada): Promise<List> =>
  expectJson(await person.call(`/api/approvals?${query}`), 200);
const ids = async (query: string, person?: Person): Promise<string[]> =>
  (await list(query, person)).items.map(({ id }) => id);
const detail = async (decided: Decided, person: Person = team.ada): Promise<Detail> =>
  expectJson(await person.call(`/api/approvals/${decided.approval.id}/detail`), 200);

describe('the list', () => {
  const asked: Record<string, Decided> = {};
  const questions: Record<string, Question> = {
    plain: { action: 'one', risk: 'low', payload: { amount: 1 } },
    two: { action: 'two', risk: 'high', actor: 'Clerk-7' },
    money: { action: 'money', risk: 'critical' },
    treasurer: { action: 'treasurer', risk: 'medium' },
    bobs: { action: 'one', risk: 'high', actor: 'bob@example.org' },
  };
  const names = (found: string[]): string[] =>
    found.map(id => Object.keys(asked).find(name => asked[name]!.approval.id === id) ?? id);

  beforeAll(async () => {
    for (const [name, question] of Object.entries(questions)) asked[name] = await team.agent.ask(question);
  });

  test('waiting, oldest first, by default', async () => {
    expect(names(await ids(''))).toEqual(['plain', 'two', 'money', 'treasurer', 'bobs']);
  });

  test.each<[string, string[]]>([
    ['risk=high', ['two', 'bobs']],
    ['action=one', ['plain', 'bobs']],
    ['action=one&risk=low', ['plain']],
    ['app=bot', ['plain', 'two', 'money', 'treasurer', 'bobs']],
    ['app=other', []],
    ['q=WATCHED%20clerk', ['two']],
    ['q=money', ['money']],
    ['q=%25', []],
    ["q=';DROP", []],
  ])('%s', async (query, expected) => {
    const found = await list(query);
    expect(names(found.items.map(({ id }) => id))).toEqual(expected);
    expect(found.total).toBe(expected.length);
  });

  test('what each person can answer now: by role, own or delegated, and not their own requests', async () => {
    expect(names(await ids('for=me', team.ada))).toEqual(['plain', 'two', 'bobs']);
    expect(names(await ids('for=me', team.bob))).toEqual(['plain', 'two', 'money', 'treasurer']);
    expect(names(await ids('for=me', team.cyd))).toEqual(['plain', 'two', 'money', 'bobs']);
    const { statement } = team.bob.delegation('ada', { roles: ['treasurer'] });
    expectJson(await team.bob.call('/api/delegations', { body: team.bob.delegation('ada', statement) }), 201);
    expect(names(await ids('for=me', team.ada))).toEqual(['plain', 'two', 'money', 'treasurer', 'bobs']);
    expectJson(await team.bob.call(`/api/delegations/${statement.delegation_id}`, { method: 'DELETE' }), 200);
    const ann = await addPerson(team.tm, team.ada, { id: 'ann', roles: ['auditor'] });
    expect(await list('for=me', ann)).toMatchObject({ items: [], total: 0 });
    // For each one the list and the detail agree.
    for (const person of [team.ada, team.bob, team.cyd, ann]) {
      const may = new Set(await ids('for=me', person));
      for (const decided of Object.values(asked)) {
        expect((await detail(decided, person)).may.answer).toBe(may.has(decided.approval.id));
      }
    }
  });

  test('after an answer it is no longer for that person, and stands in their history', async () => {
    expectJson(await team.ada.approve(asked.two!.approval.id), 200);
    expect(names(await ids('for=me', team.ada))).not.toContain('two');
    expect(names(await ids('by=me&status=all', team.ada))).toEqual(['two']);
    // By how it ended: each answered one is in exactly the list of its outcome.
    const answered = (await list('status=answered')).items;
    const given = {
      approved: ['approved', 'consumed'],
      denied: ['denied'],
      expired: ['expired'],
      cancelled: ['cancelled'],
    };
    for (const [outcome, states] of Object.entries(given)) {
      const found = await list(`status=answered&outcome=${outcome}`);
      const expected = answered.filter(({ status }) => states.includes(status)).map(({ id }) => id);
      expect(
        found.items.map(({ id }) => id),
        outcome,
      ).toEqual(expected);
      expect(found.total, outcome).toBe(expected.length);
    }
    expect(names(await ids('by=ada&status=all', team.bob))).toEqual(['two']);
    expect(await ids('by=bob&status=all')).toEqual([]);
    expect((await detail(asked.two!)).may).toEqual({
      answer: false,
      code: 'approval_answered',
      roles: ['approver'],
    });
    expect((await detail(asked.two!)).still_needed).toBe(1);
  });

  test('pages neither skip nor repeat, and totals are whole', async () => {
    expectJson(await team.cyd.deny(asked.bobs!.approval.id), 200);
    for (const [status, expected] of [
      ['waiting', ['plain', 'two', 'money', 'treasurer']],
      ['answered', ['bobs']],
      ['all', ['bobs', 'treasurer', 'money', 'two', 'plain']],
    ] as const) {
      const seen: string[] = [];
      let next: string | undefined;
      do {
        const page = await list(`status=${status}&limit=2${next === undefined ? '' : `&cursor=${next}`}`);
        expect(page.total).toBe(expected.length);
        seen.push(...page.items.map(({ id }) => id));
        next = page.next;
      } while (next !== undefined);
      expect(names(seen)).toEqual(expected);
    }
    expect(codeOf(await team.ada.call('/api/approvals?cursor=x'))).toBe('input_invalid');
  });
});

test('large arguments: shown whole and kept as a blob; a page of them ends earlier, and none is left out', async () => {
  const big = 'big-run';
  const text = 'x'.repeat(700_000);
  const asked: string[] = [];
  for (let i = 0; i < 8; i++) {
    const { approval } = await team.agent.ask({ payload: { amount: i, text }, session: big, actor: 'big' });
    asked.push(approval.id);
  }
  const opened = await openedBy(team.bob, asked[0]!);
  expect(opened.shown.payload).toEqual({ amount: 0, text });
  expect((await team.records('approval.opened')).at(-1)!.shown).toHaveProperty('$blob');
  const seen: string[] = [];
  const pages: number[] = [];
  let next: string | undefined;
  do {
    const page = await list(`q=big${next === undefined ? '' : `&cursor=${next}`}`);
    expect(page.total).toBe(8);
    pages.push(page.items.length);
    seen.push(...page.items.map(({ id }) => id));
    next = page.next;
  } while (next !== undefined);
  expect(seen).toEqual(asked);
  expect(pages.length).toBeGreaterThan(1);
  for (const id of asked) expectJson(await team.bob.deny(id), 200);
}, 60_000);

describe('beside the question', () => {
  test('the last one of the same kind, the session so far, comments, who opened it', async () => {
    const session = 'detail-run';
    const before = await team.agent.ask({ session, payload: { amount: 10_000, iban: 'DE00' } });
    expectJson(await team.cyd.approve(before.approval.id), 200);
    const events = Array.from({ length: 60 }, (_, i) =>
      event('bot', { session_id: session, event_type: 'tool.call', name: `step ${i}`, status: 'ok' }),
    );
    expectJson(await team.tm.ask('/api/events', { body: { events }, headers: team.agent.headers }), 201);
    const decided = await team.agent.ask({ session });
    await team.bob.call(`/api/approvals/${decided.approval.id}/open`, { method: 'POST' });
    const remark = await team.ada.call(`/api/approvals/${decided.approval.id}/comments`, {
      body: { text: 'Is this the July invoice?' },
    });
    const { seq } = expectJson<{ seq: number }>(remark, 200);
    await team.agent.ask({ session });
    const shown = await detail(decided, team.bob);
    expect(shown.previous).toMatchObject({
      id: before.approval.id,
      payload: { amount: 10_000, iban: 'DE00' },
      by: ['cyd'],
    });
    expect(shown.session.items).toHaveLength(50);
    expect(shown.session.more).toBe(4 + 60 - 50);
    expect(shown.session.items.at(-1)).toMatchObject({ name: 'step 59', kind: 'tool', status: 'ok' });
    expect(shown.comments).toMatchObject([{ by: 'ada', text: 'Is this the July invoice?', seq }]);
    expect(shown.opened).toMatchObject([{ by: 'bob' }]);
    expect(shown).toMatchObject({ still_needed: 1, may: { answer: true, roles: ['approver'] } });
    const empty = await team.ada.call(`/api/approvals/${decided.approval.id}/comments`, {
      body: { text: '  ' },
    });
    expect(codeOf(empty)).toBe('input_invalid');
    expect(codeOf(await team.ada.call('/api/approvals/apr_none/detail'))).toBe('approval_unknown');
    const none = await team.ada.call('/api/approvals/apr_none/comments', { body: { text: 'x' } });
    expect(codeOf(none)).toBe('approval_unknown');
  });
});

test("sample runs load beside enrolled people: labelled, unsigned, in nobody's report", async () => {
  const shipped = fileURLToPath(new URL('../../resources/generated/policies', import.meta.url));
  const own = await startTeam({ policies: shipped });
  try {
    const loaded = await own.ada.call('/api/samples', { method: 'POST' });
    expect(expectJson<OutputOf<'loadSamples'>>(loaded, 200).runs).toBeGreaterThan(0);
    const answered = await own.records('approval.answered');
    expect(answered.length).toBeGreaterThan(0);
    for (const record of answered) {
      expect(record).toMatchObject({ sample: true, approval: { signed_in: 'none', four_eyes: false } });
    }
    const report = await own.ada.call('/api/approvals/report');
    expect(expectJson<OutputOf<'reviewReport'>>(report, 200).answers).toBe(0);
    // One that waits is a person's to answer, as any other.
    const queue = expectJson<List>(await own.ada.call('/api/approvals'), 200);
    expect(queue.total).toBeGreaterThan(0);
    for (const { id } of queue.items) expectJson(await own.bob.deny(id), 200);
    const again = await own.ada.call('/api/samples', { method: 'POST' });
    expect(again.json).toMatchObject({ already: true });
  } finally {
    await own.stop();
  }
}, 120_000);

describe('the report', () => {
  test('answers faster than the content can be read, people who never say no, bursts', async () => {
    const rush = await addPerson(team.tm, team.ada, { id: 'rush', roles: ['approver'] });
    const from = new Date(Date.now() - 1000).toISOString();
    for (let i = 0; i < 20; i++) {
      const payload = { amount: 20_000 + i, note: 'a long explanation '.repeat(20) };
      const { approval } = await team.agent.ask({ payload });
      expectJson(await rush.approve(approval.id), 200);
    }
    const path = `/api/approvals/report?from=${from}&to=2999-01-01T00:00:00Z`;
    const report = expectJson<OutputOf<'reviewReport'>>(await team.ada.call(path), 200);
    expect(report.by_person.find(({ key }) => key === 'rush')).toMatchObject({
      label: 'Name of rush',
      answers: 20,
      approved: 20,
      denied: 0,
      too_fast: 20,
      in_bursts: 20,
      never_denied: true,
      flags: ['too_fast', 'never_denied', 'bursts'],
    });
    expect(report.by_rule.find(({ key }) => key === 'one is watched')!.answers).toBeGreaterThanOrEqual(20);
    expect(report.by_app.map(({ key }) => key)).toEqual(['bot']);
    expect(report.answers).toBe(report.by_app[0]!.answers);
    const later = expectJson<OutputOf<'reviewReport'>>(
      await team.ada.call('/api/approvals/report?from=2999-01-01T00:00:00Z'),
      200,
    );
    expect(later).toMatchObject({ answers: 0, by_person: [] });
    expect(codeOf(await team.ada.call('/api/approvals/report?from=yesterday'))).toBe('input_invalid');
    expect(codeOf(await rush.call('/api/approvals/report'))).toBe('role_missing');
  }, 60_000);
});
