/** The workbench at work: what is known about the text that is open, and what its controls do. Used by the parts of the screen. */
import { notifications } from '@mantine/notifications';
import { useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import type { PolicyFile } from '../../../core/api/policy_views.ts';
import { policyInputSchema } from '../../../core/policy/input_schema.ts';
import { call } from '../../api/client.ts';
import { useMay } from '../../api/me.ts';
import { useAsk } from '../../api/queries.ts';
import { showFailure } from '../../ui/failure_toast.ts';
import { useDecisionFile } from './DraftMenu.tsx';
import { draftStore } from './draft_store.ts';
import { textOf, withFiles } from './drafts.ts';
import { withTest } from './make_test.ts';
import { schemaPaths } from './rego/completion.ts';
import { nameOfSet } from './sets_view.ts';
import { useDiagnostics, withoutOwn } from './useDiagnostics.ts';
import { useEvaluation } from './useEvaluation.ts';
import { useFolder } from './useFolder.ts';
import { coverageNow, failuresOf, missedLines, sameText, useTests } from './useTests.ts';
import type { Opened, Workbench } from './useWorkbench.ts';
import { reasonsOfResult, wordOfResult } from './words.ts';

const documented = schemaPaths(policyInputSchema);

export type DeskDialog = 'save' | 'form' | 'pick' | 'repair' | 'bundle';

export function useDesk(bench: Workbench, opened: Opened) {
  const { search, go, toPlace, mayTry, environments } = bench;
  const me = bench.me as NonNullable<Workbench['me']>;
  const navigate = useNavigate();
  const { draft, files } = opened;
  const [dialog, setDialog] = useState<DeskDialog>();
  const [selected, setSelected] = useState('');
  const maySave = useMay('savePolicySet');
  const own = useDecisionFile(mayTry).data;
  const said = useDiagnostics(files, mayTry);
  const diagnosis = useMemo(() => withoutOwn(said, files, own), [said, files, own]);
  const tests = useTests(files, mayTry);
  const trial = useEvaluation(files, search.decision, mayTry);
  const folder = useFolder(draft);
  const learned = useAsk('policyInputPaths', { query: {} }, { fresh: 60_000 });
  const sets = useAsk('policySets', { query: { limit: 100 } }, { fresh: 5_000 });

  const inForce = environments?.find(place => place.name === 'prod')?.active;
  const title = draft?.name ?? titleOf(opened, sets.data?.items ?? []);
  const change = (next: (held: readonly PolicyFile[]) => PolicyFile[]) =>
    draft !== undefined && draftStore.change(draft.id, held => ({ files: next(held.files) }));
  const openDraft = ({ id }: { id: string }) =>
    go({ draft: id, set: undefined, file: undefined, against: undefined, row: undefined });
  const readSet = (hash: string | undefined) =>
    go({ set: hash, draft: undefined, file: undefined, against: undefined, row: undefined });
  const openRun = (run: string, seq: number) =>
    void navigate({ to: '/traces/$run', params: { run }, search: { seq, tab: 'policy' } });
  const pickDecision = (decision: string) => go({ decision, below: 'evaluation' });

  const format = async (): Promise<readonly PolicyFile[] | undefined> => {
    try {
      const answer = await call('formatPolicy', { input: { files: [...files] } });
      if (answer.ok) return answer.files;
      notifications.show({
        color: 'yellow',
        message: 'It cannot be formatted before it compiles: see Problems.',
      });
    } catch (error) {
      showFailure(error);
    }
    return undefined;
  };
  const formatAll = async () => {
    const done = await format();
    if (done !== undefined)
      change(held =>
        withFiles(
          held,
          done.map(({ path: of, text }) => ({ path: of, text })),
        ),
      );
  };
  const runTests = () => {
    go({ below: 'tests' });
    void tests.start();
  };
  const evaluate = (text: string) => {
    go({ below: 'evaluation' });
    void trial.evaluate(text === '' ? undefined : text);
  };
  const makeTest = () => {
    const result = trial.evaluation.value?.result;
    const word = wordOfResult(result);
    if (draft === undefined || word === undefined) return;
    const input = JSON.parse(trial.text) as { action?: unknown };
    const from = trial.recorded?.decision;
    const made = withTest(draft.files, {
      input,
      action: String(input.action ?? 'call'),
      word,
      reasons: reasonsOfResult(result),
      note:
        from === undefined
          ? 'Written in the workbench.'
          : `From the recorded decision #${from.seq} (${from.decision_id}), then: ${from.result}.`,
    });
    change(() => made.files);
    toPlace(made.path, made.row);
    go({ below: 'tests' });
    void tests.start(made.files);
  };
  const why = (rule: string) => {
    go({ side: 'explain' });
    void trial.explain(rule, false);
  };

  const marks = useMemo(
    () => [...diagnosis.diagnostics, ...failuresOf(tests.run, files)],
    [diagnosis.diagnostics, tests.run, files],
  );
  const coverage = useMemo(() => coverageNow(tests.run, files), [tests.run, files]);
  // The app's own decision.rego is tested where the app is built.
  const ownPath = own !== undefined && textOf(files, 'decision.rego') === own ? 'decision.rego' : undefined;
  const missed = useMemo(() => missedLines(coverage, ownPath), [coverage, ownPath]);
  return {
    ...bench,
    me,
    opened: { ...opened, title },
    inForce,
    maySave,
    folder,
    diagnosis,
    marks,
    coverage,
    missed,
    tests,
    /** The last run of the tests, where it was on this text. */
    currentTests: tests.run !== undefined && sameText(tests.run.files, files) ? tests.run : undefined,
    trial,
    selected,
    setSelected,
    dialog,
    setDialog,
    inputPaths: () => [...(learned.data?.paths ?? []), ...documented],
    change,
    openDraft,
    readSet,
    openRun,
    pickDecision,
    format,
    formatAll,
    runTests,
    evaluate,
    makeTest,
    why,
  };
}

export type Desk = ReturnType<typeof useDesk>;

function titleOf(opened: Opened, sets: readonly Parameters<typeof nameOfSet>[0][]): string {
  const set = sets.find(one => one.hash === opened.hash);
  return set === undefined ? opened.title : nameOfSet(set);
}
