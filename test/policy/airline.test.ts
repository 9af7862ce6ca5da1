/**
 * 100 real runs of an airline agent under a policy set written from the airline's own text: every write call is decided, and the
 * impact of a stricter draft is what a count made here finds. Needs shared data beside the repository. With
 * TRAILMIX_MEASURE=1 it prints what docs/policies.md reports.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OutputOf } from '../../core/api/operations.ts';
import { startTestCollector, type TestCollector } from '../http/collector.ts';
import { expectJson } from '../people/person.ts';
import { airlineFiles, type GatedCall, gatedCalls, hasData } from './airline/runs.ts';
import { activateSet, saveSet } from './authored.ts';

type Decided = { call: GatedCall; decision: 'allow' | 'deny' | 'approve' };

const runs = (): void => {
  let tm: TestCollector;
  const decided: Decided[] = [];
  const local = (path: string, body?: unknown) =>
    tm.ask(path, { socket: tm.collector.socket, ...(body === undefined ? {} : { body }) });

  beforeAll(async () => {
    tm = await startTestCollector();
    const saved = await saveSet(tm, airlineFiles(), "from the airline's text");
    expect(saved.tests).toMatchObject({ failed: 0, percent: 100 });
    await activateSet(tm, saved.hash);
    const { apiKey } = await tm.key('airline', ['decide']);
    for (const call of gatedCalls()) {
      const answer = await tm.ask('/api/decisions', {
        headers: { authorization: `Bearer ${apiKey}` },
        body: {
          action: call.name,
          risk: 'high',
          actor: { type: 'agent', id: 'airline-agent' },
          payload: call.args,
          context: call.context,
          session_id: call.session,
          app_id: 'airline',
        },
      });
      const { decision, code } = expectJson<OutputOf<'decide'>>(answer, 200);
      expect(code).toBeUndefined();
      decided.push({ call, decision });
    }
  }, 120_000);
  afterAll(() => tm?.stop());

  test('all gated calls are decided; wrong ones are stopped more often than right ones', () => {
    expect(decided.length).toBe(gatedCalls().length);
    const count = (right: boolean, decision: string): number =>
      decided.filter(one => one.call.right === right && one.decision === decision).length;
    const wrong = decided.filter(({ call }) => !call.right && !call.runPassed).length;
    const stopped = (word: string): number =>
      decided.filter(({ call, decision }) => !call.right && !call.runPassed && decision === word).length;
    const rightCalls = decided.filter(({ call }) => call.right).length;
    const told = {
      calls: decided.length,
      wrong_in_failed_runs: wrong,
      wrong_denied: stopped('deny'),
      wrong_asked: stopped('approve'),
      right: rightCalls,
      right_denied: count(true, 'deny'),
      right_asked: count(true, 'approve'),
    };
    if (process.env.TRAILMIX_MEASURE === '1') console.log(JSON.stringify(told));
    expect((told.wrong_denied + told.wrong_asked) / wrong).toBeGreaterThan(
      (told.right_denied + told.right_asked) / rightCalls,
    );
  });

  test('the impact of a stricter draft is what a count of our own finds', { timeout: 60_000 }, async () => {
    const stricter = airlineFiles().map(file =>
      file.path === 'airline.rego'
        ? {
            ...file,
            text: `${file.text}\napprove contains "a change of cabin" if {\n\tinput.action == "update_reservation_flights"\n\tinput.payload.cabin != reservation.cabin\n}\n`,
          }
        : file,
    );
    const started = expectJson<OutputOf<'startImpact'>>(
      await local('/api/policies/impact', { files: stricter, filter: { app: 'airline' } }),
      202,
    );
    let view: OutputOf<'impact'> = started;
    while (view.finished_at === undefined) {
      await new Promise(resolve => setTimeout(resolve, 20));
      view = expectJson<OutputOf<'impact'>>(await local(`/api/policies/impact/${started.id}`), 200);
    }
    const cabinChanges = decided.filter(
      ({ call, decision }) =>
        decision === 'allow' &&
        call.name === 'update_reservation_flights' &&
        call.args.cabin !== (call.context.reservation as { cabin?: string } | undefined)?.cabin,
    ).length;
    expect(cabinChanges).toBeGreaterThan(0);
    expect(view).toMatchObject({
      state: 'done',
      decided: decided.length,
      flipped: cabinChanges,
      skipped: {},
    });
    const flipped = view.cells.filter(({ from, to }) => from !== to);
    expect(flipped).toMatchObject([{ from: 'allow', to: 'approve', decisions: cabinChanges }]);
  });
};

if (hasData) describe('100 real runs of an airline agent', runs);
else {
  console.error(
    'SKIPPED: ../shared/data/tau-bench-airline.jsonl is not beside the repository: no airline call was decided.',
  );
  test.skip('100 real runs of an airline agent: needs shared data', () => undefined);
}
