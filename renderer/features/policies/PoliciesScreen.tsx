/** The workbench: files, editor, what is said about them below, and what becomes of them at the side. */
import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useMemo, useState } from 'react';
import type { PolicyFile } from '../../../core/api/policy_views.ts';
import { policyInputSchema } from '../../../core/policy/input_schema.ts';
import { call } from '../../api/client.ts';
import { useMay } from '../../api/me.ts';
import { useAsk } from '../../api/queries.ts';
import { showFailure } from '../../ui/failure_toast.ts';
import { countOf, formatCount } from '../../ui/numbers.ts';
import { Chip, PageHeader } from '../../ui/Page.tsx';
import { ErrorPanel, Waiting } from '../../ui/States.tsx';
import { TabBar } from '../../ui/TabBar.tsx';
import { DiffView } from './DiffView.tsx';
import { beginDraft, DraftMenu, useDecisionFile } from './DraftMenu.tsx';
import { draftStore } from './draft_store.ts';
import { withFiles } from './drafts.ts';
import { EvaluationPanel } from './EvaluationPanel.tsx';
import { ExplainPanel } from './ExplainPanel.tsx';
import { FileList } from './FileList.tsx';
import { RuleFormDialog } from './form/RuleFormDialog.tsx';
import { ImpactPanel } from './ImpactPanel.tsx';
import { InputPicker } from './InputPicker.tsx';
import { withTest } from './make_test.ts';
import { errorsIn, ProblemsPanel } from './ProblemsPanel.tsx';
import { RepairDialog } from './RepairDialog.tsx';
import { schemaPaths } from './rego/completion.ts';
import { SaveDialog } from './SaveDialog.tsx';
import { SetsPanel } from './SetsPanel.tsx';
import { nameOfSet } from './sets_view.ts';
import { TestsPanel } from './TestsPanel.tsx';
import { TracePanel } from './TracePanel.tsx';
import { useDiagnostics, withoutOwn } from './useDiagnostics.ts';
import { useEvaluation } from './useEvaluation.ts';
import { coverageNow, failuresOf, sameText, useTests } from './useTests.ts';
import { type Opened, useWorkbench, type Workbench } from './useWorkbench.ts';
import { reasonsOfResult, wordOfResult } from './words.ts';
import './policies.css';

const CodeEditor = lazy(() => import('./monaco/CodeEditor.tsx'));
const documented = schemaPaths(policyInputSchema);

export function PoliciesScreen() {
  const bench = useWorkbench();
  const { opened, failure } = bench;
  if (opened !== undefined && bench.me !== undefined) return <Bench bench={bench} opened={opened} />;
  return (
    <>
      <PageHeader title="Policies" />
      <div className="page-body">
        {failure === null ? (
          <Waiting label="Loading the policy" />
        ) : (
          <div className="page-column">
            <ErrorPanel error={failure} />
            {bench.search.set !== undefined && (
              <Button variant="default" onClick={() => bench.go({ set: undefined })}>
                Show what is in force
              </Button>
            )}
          </div>
        )}
      </div>
    </>
  );
}

type Dialog = 'save' | 'form' | 'pick' | 'repair';

function Bench({ bench, opened }: { bench: Workbench; opened: Opened }) {
  const { search, go, toPlace, path, mayTry, environments, drafts } = bench;
  const me = bench.me as NonNullable<Workbench['me']>;
  const navigate = useNavigate();
  const { draft, files } = opened;
  const [dialog, setDialog] = useState<Dialog>();
  const [selected, setSelected] = useState('');
  const maySave = useMay('savePolicySet');
  const own = useDecisionFile(mayTry).data;
  const said = useDiagnostics(files, mayTry);
  const diagnosis = useMemo(() => withoutOwn(said, files, own), [said, files, own]);
  const tests = useTests(files, mayTry);
  const trial = useEvaluation(files, search.decision, mayTry);
  const learned = useAsk('policyInputPaths', { query: {} }, { fresh: 60_000 });
  const sets = useAsk('policySets', { query: { limit: 100 } }, { fresh: 5_000 });

  const inForce = environments?.find(place => place.name === 'prod')?.active;
  const title = draft?.name ?? titleOf(opened, sets.data?.items ?? []);
  const shown: Opened = { ...opened, title };
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
  const errors = errorsIn(diagnosis.diagnostics);
  const current = tests.run !== undefined && sameText(tests.run.files, files) ? tests.run : undefined;
  return (
    <>
      <PageHeader
        title={title}
        crumbs={[{ label: 'Policies', to: '/policies' }]}
        aside={
          <>
            <Chip>
              {draft === undefined
                ? opened.hash === inForce?.hash
                  ? 'in force in prod'
                  : 'saved set'
                : 'draft, in this browser'}
            </Chip>
            {inForce !== undefined && (
              <Chip>
                prod runs <b>v{inForce.version}</b>
              </Chip>
            )}
            {current !== undefined && current.tests.length > 0 && (
              <Chip>
                {current.counts.failed > 0 ? (
                  <b className="policy-word tone-deny">{current.counts.failed} failed</b>
                ) : (
                  <b className="policy-word tone-allow">✓ {countOf(current.counts.passed, 'test')}</b>
                )}
                , {Math.round(current.counts.percent)} % covered
              </Chip>
            )}
            {!bench.kept && (
              <Chip title="This browser’s storage is full or off">not kept: storage is full</Chip>
            )}
          </>
        }
        actions={
          <>
            {inForce !== undefined && opened.hash !== inForce.hash && (
              <Button variant="default" onClick={() => go({ against: inForce.hash })}>
                Compare with v{inForce.version}
              </Button>
            )}
            {draft !== undefined && (
              <Button variant="default" onClick={() => void formatAll()}>
                Format
              </Button>
            )}
            {draft !== undefined && maySave && (
              <Button onClick={() => setDialog('save')}>Save as a set</Button>
            )}
            {draft === undefined && mayTry && (
              <Button
                onClick={() => beginDraft(`Change of ${title}`.slice(0, 60), files, openDraft, opened.hash)}
              >
                Edit as a draft
              </Button>
            )}
          </>
        }
      />
      <div className="policy-bench">
        <div className="policy-left">
          <DraftMenu
            drafts={drafts}
            opened={shown}
            mayTry={mayTry}
            open={openDraft}
            readInForce={() => readSet(undefined)}
            form={() => setDialog('form')}
          />
          <FileList
            files={files}
            draft={draft}
            path={path}
            diagnostics={diagnosis.diagnostics}
            open={file => go({ file, against: undefined, row: undefined })}
          />
          <section className="policy-left-foot">
            <h2>Input</h2>
            <button type="button" className="policy-left-button" onClick={() => setDialog('pick')}>
              {trial.decision === undefined
                ? 'choose a decision…'
                : `recorded #${formatCount(trial.decision.seq)}`}
            </button>
            {draft !== undefined && (
              <Button size="compact-xs" variant="default" onClick={() => setDialog('form')}>
                Add a rule by form
              </Button>
            )}
          </section>
        </div>
        <div className="policy-centre">
          {search.against !== undefined ? (
            <DiffView
              against={search.against}
              files={files}
              title={title}
              close={() => go({ against: undefined })}
            />
          ) : (
            <section className="policy-editor" aria-label={path === undefined ? 'Editor' : `Editor: ${path}`}>
              {path === undefined ? (
                <p className="mute policy-note">There is no file yet. Make one on the left.</p>
              ) : (
                <Suspense fallback={<Waiting label="Loading the editor" />}>
                  <CodeEditor
                    key={draft?.id ?? opened.hash}
                    files={files}
                    path={path}
                    readOnly={draft === undefined}
                    onText={(file, text) => draft !== undefined && draftStore.setText(draft.id, file, text)}
                    diagnostics={marks}
                    coverage={coverage}
                    jump={bench.jump}
                    onOpen={toPlace}
                    onSave={runTests}
                    onEvaluate={evaluate}
                    onSelection={setSelected}
                    inputPaths={() => [...(learned.data?.paths ?? []), ...documented]}
                    format={format}
                  />
                </Suspense>
              )}
            </section>
          )}
          <div className="policy-below">
            {mayTry && selected !== '' && selected.length <= 4096 && (
              <Button
                size="compact-xs"
                variant="default"
                className="policy-evaluate-selection"
                onClick={() => evaluate(selected)}
              >
                Evaluate selection
              </Button>
            )}
            <TabBar
              label="About the text"
              value={search.below ?? 'tests'}
              onChange={below => go({ below })}
              tabs={[
                {
                  id: 'tests',
                  label: 'Tests',
                  mark:
                    current === undefined ? undefined : (
                      <span className="policy-mark">{current.tests.length}</span>
                    ),
                  body: () => (
                    <TestsPanel
                      run={tests.run}
                      running={tests.running}
                      failure={tests.failure}
                      files={files}
                      mayTry={mayTry}
                      start={runTests}
                      toPlace={toPlace}
                      why={why}
                    />
                  ),
                },
                {
                  id: 'problems',
                  label: 'Problems',
                  mark: (
                    <span className={errors > 0 ? 'policy-mark tone-deny policy-word' : 'policy-mark'}>
                      {diagnosis.diagnostics.length}
                    </span>
                  ),
                  body: () => (
                    <ProblemsPanel
                      diagnosis={diagnosis}
                      toPlace={toPlace}
                      repair={draft === undefined ? undefined : () => setDialog('repair')}
                    />
                  ),
                },
                {
                  id: 'evaluation',
                  label: 'Evaluation',
                  body: () => (
                    <EvaluationPanel
                      trial={trial}
                      mayTry={mayTry}
                      choose={() => setDialog('pick')}
                      makeTest={draft === undefined ? undefined : makeTest}
                      toPlace={toPlace}
                    />
                  ),
                },
                {
                  id: 'trace',
                  label: 'Trace',
                  body: () => <TracePanel trial={trial} mayTry={mayTry} toPlace={toPlace} />,
                },
              ]}
            />
          </div>
        </div>
        <aside className="policy-side" aria-label="What becomes of it">
          <TabBar
            label="What becomes of it"
            value={search.side ?? 'sets'}
            onChange={side => go({ side })}
            tabs={[
              {
                id: 'sets',
                label: 'Versions',
                body: () => (
                  <SetsPanel
                    me={me}
                    places={environments ?? []}
                    read={readSet}
                    compare={hash => go({ against: hash })}
                    mayEdit={mayTry}
                    edit={set =>
                      void call('policySet', { params: { hash: set.hash } }).then(answer =>
                        beginDraft(
                          `Change of ${nameOfSet(set)}`.slice(0, 60),
                          answer.files.map(({ path: of, text }) => ({ path: of, text })),
                          openDraft,
                          set.hash,
                        ),
                      )
                    }
                    openRun={openRun}
                  />
                ),
              },
              {
                id: 'impact',
                label: 'Impact',
                body: () => (
                  <ImpactPanel
                    me={me}
                    files={files}
                    hash={opened.hash}
                    title={title}
                    impactId={search.impact}
                    cell={search.cell}
                    choose={(impact, cell) => go({ impact, cell })}
                    toPlace={toPlace}
                    openRun={openRun}
                    pick={pickDecision}
                  />
                ),
              },
              {
                id: 'explain',
                label: 'Explain',
                body: () => <ExplainPanel trial={trial} files={files} mayTry={mayTry} toPlace={toPlace} />,
              },
            ]}
          />
        </aside>
      </div>
      {dialog === 'save' && (
        <SaveDialog
          me={me}
          files={files}
          close={() => setDialog(undefined)}
          saved={() => {
            setDialog(undefined);
            go({ side: 'sets' });
          }}
        />
      )}
      {dialog === 'pick' && (
        <InputPicker
          close={() => setDialog(undefined)}
          pick={row => {
            setDialog(undefined);
            pickDecision(row.decision_id);
          }}
        />
      )}
      {dialog === 'repair' && (
        <RepairDialog
          files={files}
          close={() => setDialog(undefined)}
          take={next => {
            setDialog(undefined);
            change(held => withFiles(held, next));
          }}
        />
      )}
      {dialog === 'form' && (
        <RuleFormDialog
          files={draft?.files}
          close={() => setDialog(undefined)}
          take={(next, file) => {
            setDialog(undefined);
            if (draft !== undefined) {
              change(() => next);
              go({ file, against: undefined, below: 'tests' });
            } else
              beginDraft('Rules by form', next, made =>
                go({ draft: made.id, set: undefined, file, below: 'tests' }),
              );
            void tests.start(next);
          }}
        />
      )}
    </>
  );
}

function titleOf(opened: Opened, sets: readonly Parameters<typeof nameOfSet>[0][]): string {
  const set = sets.find(one => one.hash === opened.hash);
  return set === undefined ? opened.title : nameOfSet(set);
}
