/**
 * Diagnostics as someone types: the compiler's, soon after the pause; lint, which runs the tests, once it lasts longer.
 * Rule: one question of each kind at a time, and the compiler's does not wait for lint's; what was answered about older text is
 * replaced, never mixed with.
 */
import { useEffect, useRef, useState } from 'react';
import type { PolicyDiagnostic, PolicyFile } from '../../../core/api/policy_views.ts';
import { call } from '../../api/client.ts';
import { asFailure, type Failure } from '../../api/problem.ts';
import { checkable, textOf } from './drafts.ts';

/** Milliseconds without a key press that count as a pause; the second is for lint. */
export const PAUSE_MS = 60;
export const LINT_MS = 700;

export type Diagnosis = {
  diagnostics: readonly PolicyDiagnostic[];
  regoV0: readonly string[];
  /** undefined: not yet. */
  ok: boolean | undefined;
  linted: boolean;
  /** Milliseconds from asking to the answer. */
  took: number | undefined;
  failure: Failure | undefined;
};
const none: Diagnosis = {
  diagnostics: [],
  regoV0: [],
  ok: undefined,
  linted: false,
  took: undefined,
  failure: undefined,
};

export function useDiagnostics(files: readonly PolicyFile[], enabled: boolean): Diagnosis {
  const [state, setState] = useState(none);
  const latest = useRef(files);
  latest.current = files;
  const asking = useRef(new Set<'check' | 'lint'>());
  const again = useRef(new Set<'check' | 'lint'>());

  const alive = useRef(true);
  useEffect(() => {
    alive.current = true;
    return () => {
      alive.current = false;
    };
  }, []);

  useEffect(() => {
    if (!enabled || !checkable(files)) {
      setState(none);
      return;
    }
    const ask = async (what: 'check' | 'lint'): Promise<void> => {
      if (asking.current.has(what)) {
        again.current.add(what);
        return;
      }
      asking.current.add(what);
      const asked = latest.current;
      const started = performance.now();
      try {
        const found = await call('checkPolicy', { input: { files: [...asked], lint: what === 'lint' } });
        if (alive.current && asked === latest.current)
          setState(held => ({
            // Findings of lint stay until the text was linted again: they would flicker with every word.
            diagnostics:
              what === 'lint' || !found.ok
                ? found.diagnostics
                : [...found.diagnostics, ...held.diagnostics.filter(one => one.severity !== 'error')],
            regoV0: found.rego_v0,
            ok: found.ok,
            linted: what === 'lint',
            took: what === 'check' ? performance.now() - started : held.took,
            failure: undefined,
          }));
      } catch (error) {
        if (alive.current && asked === latest.current) setState({ ...none, failure: asFailure(error) });
      }
      asking.current.delete(what);
      // Also when the text has changed meanwhile: it is the newer text that was waiting.
      if (again.current.delete(what) && alive.current) void ask(what);
    };
    const soon = setTimeout(() => void ask('check'), PAUSE_MS);
    const late = setTimeout(() => void ask('lint'), LINT_MS);
    return () => {
      clearTimeout(soon);
      clearTimeout(late);
    };
  }, [files, enabled]);
  return state;
}

/** The app's own decision.rego is tested where the app is built: that no test of a draft makes its rules fire is no finding. */
export function withoutOwn(
  said: Diagnosis,
  files: readonly PolicyFile[],
  own: string | undefined,
): Diagnosis {
  if (own === undefined || textOf(files, 'decision.rego') !== own) return said;
  const diagnostics = said.diagnostics.filter(
    one => one.path !== 'decision.rego' || one.code !== 'untested-rule',
  );
  return { ...said, diagnostics };
}
