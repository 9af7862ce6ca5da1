/** Tickets: ask now, go on elsewhere, come back in another process; against the real collector. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { policyCheck, tr } from '../../sdk/typescript/src/index.ts';
import type { Ticket } from '../../sdk/typescript/src/types.ts';
import { Collector } from './collector.ts';

const run = promisify(execFile);
const sdk = new URL('../../sdk/typescript/src/index.ts', import.meta.url).href;

let collector: Collector;
let apiKey: string;

beforeAll(async () => {
  collector = await Collector.start();
  apiKey = await collector.createKey('finance-bot');
});
afterAll(async () => {
  await tr.shutdown();
  await collector.remove();
});

const send = vi.fn(async (wire: { amount: number; iban: string }) => ({ sent: wire.amount }));
const guarded = policyCheck(send, { action: 'send_wire', risk: 'high', timeoutMs: 20_000 });
const wire = { amount: 12_000, iban: 'DE00' };
type Waiting = Extract<Ticket<unknown>, { state: 'waiting' }>;

beforeEach(() => {
  send.mockClear();
  tr.init({ apiKey, appId: 'finance-bot', endpoint: collector.url, onError: () => undefined });
});

async function asked(): Promise<Waiting> {
  const ticket = await guarded.ask(wire);
  expect(ticket.state).toBe('waiting');
  return ticket as Waiting;
}

test('asking does not wait; resuming uses the answer once, with the arguments of the ticket', async () => {
  const { token, approvalId, decisionId } = await asked();
  expect(await guarded.check(token)).toMatchObject({ status: 'waiting', approvalId });
  expect(send).not.toHaveBeenCalled();

  await collector.answer(approvalId, { verdict: 'approve' });
  expect(await guarded.check(token)).toMatchObject({ status: 'approved' });
  expect(await guarded.resume(token)).toEqual({ sent: 12_000 });
  expect(send).toHaveBeenCalledExactlyOnceWith(wire);
  await expect(guarded.resume(token)).rejects.toMatchObject({ name: 'ApprovalConsumed' });
  expect(send).toHaveBeenCalledOnce();

  await tr.flush();
  const { records } = await collector.records({ app: 'finance-bot' });
  const about = records.filter(({ parent_id }) => parent_id === decisionId);
  expect(about.map(({ event_type }) => event_type)).toContain('outcome.recorded');
  const spans = records.filter(({ name, event_type }) => name === 'send_wire' && event_type === 'tool.call');
  expect(new Set(spans.slice(0, 2).map(({ session_id }) => session_id)).size).toBe(1);
});

test('another process comes back with the token', async () => {
  const { token, approvalId } = await asked();
  await collector.answer(approvalId, { verdict: 'approve' });
  const program = `
    import { policyCheck, tr } from ${JSON.stringify(sdk)};
    tr.init({ apiKey: process.env.KEY, appId: 'finance-bot', endpoint: process.env.AT });
    const guarded = policyCheck(async wire => wire, { action: 'send_wire', risk: 'high' });
    console.log(JSON.stringify(await guarded.resume(process.env.TOKEN)));
    await tr.shutdown();`;
  const { stdout } = await run(process.execPath, ['--input-type=module-typescript', '--eval', program], {
    env: { ...process.env, KEY: apiKey, AT: collector.url, TOKEN: token },
    cwd: fileURLToPath(new URL('.', import.meta.url)),
  });
  expect(JSON.parse(stdout)).toEqual(wire);
});

test('a ticket that was altered uses nothing', async () => {
  const { token, approvalId } = await asked();
  await collector.answer(approvalId, { verdict: 'approve' });
  const body = JSON.parse(Buffer.from(token.slice(5), 'base64url').toString('utf8')) as {
    args: { amount: number }[];
  };
  body.args[0]!.amount = 12_001;
  const altered = `tmt1.${Buffer.from(JSON.stringify(body)).toString('base64url')}`;
  await expect(guarded.resume(altered)).rejects.toMatchObject({ code: 'binding_mismatch' });
  await expect(guarded.resume('tmt1.e30')).rejects.toMatchObject({ code: 'input_invalid' });
  const other = policyCheck(send, { action: 'issue_refund', risk: 'high' });
  await expect(other.resume(token)).rejects.toMatchObject({ code: 'binding_mismatch' });
  expect(send).not.toHaveBeenCalled();
  expect(await guarded.resume(token)).toEqual({ sent: 12_000 });
});

test('who comes back twice at the same moment runs it once', async () => {
  const { token, approvalId } = await asked();
  await collector.answer(approvalId, { verdict: 'approve' });
  const both = await Promise.allSettled([guarded.resume(token), guarded.resume(token)]);
  expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  expect(both.find(({ status }) => status === 'rejected')).toMatchObject({
    reason: { name: 'ApprovalConsumed' },
  });
  expect(send).toHaveBeenCalledOnce();
});

type Body = {
  action: string;
  sessionId: string;
  args: { amount: number; iban: string }[];
  decision: { args_salt: string; approval: { id: string; nonce: string } };
};
/** What a modified SDK would send of a call that was approved otherwise. */
const modified: [string, (body: Body, other: Body) => Body, string][] = [
  [
    'one byte of an argument',
    body => ({ ...body, args: [{ ...body.args[0]!, iban: 'DE01' }] }),
    'binding_mismatch',
  ],
  ['another session', body => ({ ...body, sessionId: 's-other' }), 'binding_mismatch'],
  ['another salt', body => withDecision(body, { args_salt: 'ab'.repeat(32) }), 'binding_mismatch'],
  [
    'a nonce of another approval',
    (body, other) => withApproval(body, { nonce: other.decision.approval.nonce }),
    'binding_mismatch',
  ],
  [
    'another approval, that is given',
    (body, other) => withApproval(body, { id: other.decision.approval.id }),
    'binding_mismatch',
  ],
  [
    'an approval that nobody asked for',
    body => withApproval(body, { id: 'apr_unknown' }),
    'approval_unknown',
  ],
];
const withDecision = (body: Body, change: Partial<Body['decision']>): Body => ({
  ...body,
  decision: { ...body.decision, ...change },
});
const withApproval = (body: Body, change: Partial<Body['decision']['approval']>): Body =>
  withDecision(body, { approval: { ...body.decision.approval, ...change } });

test.each(modified)('a modified SDK: %s', async (_, change, code) => {
  const bodyOf = (token: string): Body =>
    JSON.parse(Buffer.from(token.slice(5), 'base64url').toString('utf8')) as Body;
  const [mine, another] = [await asked(), await asked()];
  for (const { approvalId } of [mine, another]) await collector.answer(approvalId, { verdict: 'approve' });
  const body = change(bodyOf(mine.token), bodyOf(another.token));
  const token = `tmt1.${Buffer.from(JSON.stringify(body)).toString('base64url')}`;
  await expect(guarded.resume(token)).rejects.toMatchObject({ code });
  expect(send).not.toHaveBeenCalled();
});

test('a modified SDK: a function of another name with the approval of this one', async () => {
  const { token, approvalId } = await asked();
  await collector.answer(approvalId, { verdict: 'approve' });
  const body = JSON.parse(Buffer.from(token.slice(5), 'base64url').toString('utf8')) as Body;
  const other = policyCheck(send, { action: 'close_account', risk: 'high' });
  const renamed = `tmt1.${Buffer.from(JSON.stringify({ ...body, action: 'close_account' })).toString('base64url')}`;
  await expect(other.resume(renamed)).rejects.toMatchObject({ code: 'binding_mismatch' });
  expect(send).not.toHaveBeenCalled();
});

test('a refusal, and a question that was taken back', async () => {
  const refused = await asked();
  await collector.answer(refused.approvalId, { verdict: 'deny' });
  await expect(guarded.resume(refused.token)).rejects.toMatchObject({ name: 'ApprovalDenied' });

  const cancelled = await asked();
  await guarded.cancel(cancelled.token, 'the customer went away');
  await expect(guarded.resume(cancelled.token)).rejects.toMatchObject({ name: 'ApprovalCancelled' });
  expect((await collector.approval(cancelled.approvalId)).status).toBe('cancelled');
  expect(send).not.toHaveBeenCalled();
});

test('what needs nobody runs from its ticket, once; what is denied has none', async () => {
  const ticket = await guarded.ask({ amount: 10, iban: 'DE00' });
  if (ticket.state !== 'allowed') throw new Error(ticket.state);
  expect(await ticket.run()).toEqual({ sent: 10 });
  await expect(ticket.run()).rejects.toMatchObject({ name: 'ApprovalConsumed' });
  expect(send).toHaveBeenCalledOnce();
});

test('who stops waiting takes the question back', async () => {
  const stop = new AbortController();
  const reason = new Error('the user closed the page');
  const going = guarded.with({ signal: stop.signal })(wire);
  going.catch(() => undefined);
  const { id } = await collector.waiting();
  stop.abort(reason);
  await expect(going).rejects.toBe(reason);
  await expect.poll(async () => (await collector.approval(id)).status).toBe('cancelled');
});
