/** The latest test run of what is open, and what of it still holds for the text as it is now. */
import { useCallback, useRef, useState } from 'react';
import type { OutputOf } from '../../../core/api/operations.ts';
import type { FileCoverage, PolicyDiagnostic, PolicyFile } from '../../../core/api/policy_views.ts';
import { call } from '../../api/client.ts';
import { asFailure, type Failure } from '../../api/problem.ts';
import { checkable } from './drafts.ts';

export type TestRun = OutputOf<'testPolicy'> & { files: readonly PolicyFile[] };
type State = { run?: TestRun; running: boolean; failure?: Failure };

export function useTests(files: readonly PolicyFile[], enabled: boolean) {
  const [state, setState] = useState<State>({ running: false });
  const latest = useRef(files);
  latest.current = files;
  const run = useCallback(
    async (given?: readonly PolicyFile[]): Promise<void> => {
      const asked = given ?? latest.current;
      if (!enabled || !checkable(asked)) return;
      setState(({ run: held }) => ({ ...(held === undefined ? {} : { run: held }), running: true }));
      try {
        const answer = await call('testPolicy', { input: { files: [...asked] } });
        setState({ run: { ...answer, files: asked }, running: false });
      } catch (error) {
        setState({ running: false, failure: asFailure(error) });
      }
    },
    [enabled],
  );
  return { ...state, start: run };
}

export const sameText = (a: readonly PolicyFile[], b: readonly PolicyFile[]): boolean =>
  a.length === b.length && a.every(({ path, text }, n) => b[n]?.path === path && b[n]?.text === text);

/** Coverage of files whose text is still the one that was tested. */
export function coverageNow(run: TestRun | undefined, files: readonly PolicyFile[]): FileCoverage[] {
  if (run === undefined) return [];
  const tested = new Map(run.files.map(file => [file.path, file.text]));
  const now = new Map(files.map(file => [file.path, file.text]));
  return run.coverage.filter(({ path }) => tested.get(path) === now.get(path));
}

/** Failed tests as marks at their line. */
export function failuresOf(run: TestRun | undefined, files: readonly PolicyFile[]): PolicyDiagnostic[] {
  const tested = new Map((run?.files ?? []).map(file => [file.path, file.text]));
  return (run?.tests ?? []).flatMap(({ outcome, path, row, name, message }) => {
    const text = files.find(file => file.path === path)?.text;
    if (
      (outcome !== 'fail' && outcome !== 'error') ||
      path === undefined ||
      row === undefined ||
      tested.get(path) !== text
    )
      return [];
    const end = text?.split('\n')[row - 1]?.length ?? 1;
    return [
      {
        path,
        row,
        col: 1,
        end_row: row,
        end_col: end + 1,
        code: 'test_failed',
        severity: 'error' as const,
        message: `${name} failed${message === undefined ? '' : `: ${message}`}`,
      },
    ];
  });
}

export type Missed = { path: string; start: number; end: number };

/** Lines that no test ran, as few ranges of lines; `but`: a file that is tested elsewhere. */
export function missedLines(coverage: readonly FileCoverage[], but: string | undefined): Missed[] {
  const found: Missed[] = [];
  for (const { path, not_covered } of coverage.filter(one => one.path !== but))
    for (const { start, end } of [...not_covered].sort((a, b) => a.start - b.start)) {
      const last = found.at(-1);
      if (last?.path === path && start <= last.end + 1) last.end = Math.max(last.end, end);
      else found.push({ path, start, end });
    }
  return found;
}
