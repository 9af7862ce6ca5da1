/** The input that is tried, and what the open files answer for it: value, prints, trace, and why rules did not fire. */
import { useCallback, useEffect, useRef, useState } from 'react';
import type { OutputOf } from '../../../core/api/operations.ts';
import type { DecisionRow, PolicyFile } from '../../../core/api/policy_views.ts';
import { call } from '../../api/client.ts';
import { asFailure, type Failure, refusal } from '../../api/problem.ts';
import { useAsk } from '../../api/queries.ts';
import { checkable } from './drafts.ts';

export type Evaluation = OutputOf<'evaluatePolicy'> & { query: string; traced: boolean };
export type Explained = OutputOf<'explainPolicy'> & { rule: string };
export const DECISION = 'data.trailmix.decision';
const STEPS = 4_000;
const EXAMPLE = `{
  "action": "issue_refund",
  "risk": "high",
  "actor": {"type": "agent", "id": "helper"},
  "payload": {"amount": 750},
  "context": {},
  "session_id": "s-1",
  "app_id": "my-app",
  "policy": {"version": 1}
}`;

type Answer<T> = { value?: T; running: boolean; failure?: Failure };

export function useEvaluation(
  files: readonly PolicyFile[],
  decisionId: string | undefined,
  enabled: boolean,
) {
  const [text, setText] = useState(EXAMPLE);
  const [evaluation, setEvaluation] = useState<Answer<Evaluation>>({ running: false });
  const [explained, setExplained] = useState<Answer<Explained>>({ running: false });
  const latest = useRef({ files, text });
  latest.current = { files, text };
  const recorded = useAsk(
    'policyDecisionInput',
    { params: { id: decisionId ?? '' } },
    { enabled: decisionId !== undefined, fresh: 60_000 },
  );
  const found = recorded.data;
  useEffect(() => {
    if (found?.input !== undefined) setText(JSON.stringify(found.input, null, 2));
  }, [found]);

  const input = useCallback((): unknown => {
    try {
      return JSON.parse(latest.current.text) as unknown;
    } catch (error) {
      throw refusal('input_invalid', `The input is no JSON: ${(error as Error).message}`);
    }
  }, []);

  const evaluate = useCallback(
    async (query = DECISION, traced = false): Promise<void> => {
      const asked = latest.current.files;
      if (!enabled || !checkable(asked)) return;
      setEvaluation(held => ({ ...held, running: true }));
      try {
        const answer = await call('evaluatePolicy', {
          input: { files: [...asked], query, input: input(), ...(traced ? { trace: STEPS } : {}) },
        });
        setEvaluation({ value: { ...answer, query, traced }, running: false });
      } catch (error) {
        setEvaluation({ running: false, failure: asFailure(error) });
      }
    },
    [enabled, input],
  );

  const explain = useCallback(
    async (rule: string, withInput = true): Promise<void> => {
      const asked = latest.current.files;
      if (!enabled || !checkable(asked)) return;
      setExplained(held => ({ ...held, running: true }));
      try {
        const given = withInput ? { input: input() } : {};
        const answer = await call('explainPolicy', { input: { files: [...asked], rule, ...given } });
        setExplained({ value: { ...answer, rule }, running: false });
      } catch (error) {
        setExplained({ running: false, failure: asFailure(error) });
      }
    },
    [enabled, input],
  );

  return {
    text,
    setText,
    evaluation,
    evaluate,
    explained,
    explain,
    recorded: found,
    recordedFailure: recorded.error,
    decision: found?.decision as DecisionRow | undefined,
  };
}

export type Trial = ReturnType<typeof useEvaluation>;
