/** The workbench: files, editor, what is said about them below, and what becomes of them at the side. */
import { Button } from '@mantine/core';
import { lazy, Suspense } from 'react';
import { formatCount } from '../../ui/numbers.ts';
import { PageHeader } from '../../ui/Page.tsx';
import { ErrorPanel, Waiting } from '../../ui/States.tsx';
import { BelowTabs } from './BelowTabs.tsx';
import { BenchDialogs } from './BenchDialogs.tsx';
import { BenchHeader } from './BenchHeader.tsx';
import { DiffView } from './DiffView.tsx';
import { DraftMenu } from './DraftMenu.tsx';
import { draftStore } from './draft_store.ts';
import { FileList } from './FileList.tsx';
import { FolderPart } from './FolderPart.tsx';
import { SideTabs } from './SideTabs.tsx';
import { useDesk } from './useDesk.ts';
import { type Opened, useWorkbench, type Workbench } from './useWorkbench.ts';
import './policies.css';

const CodeEditor = lazy(() => import('./monaco/CodeEditor.tsx'));

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

function Bench({ bench, opened: given }: { bench: Workbench; opened: Opened }) {
  const desk = useDesk(bench, given);
  const { search, go, toPlace, path, mayTry, drafts, opened, trial, folder, setDialog, diagnosis } = desk;
  const { draft, files } = opened;
  return (
    <>
      <BenchHeader desk={desk} />
      <div className="policy-bench">
        <div className="policy-left">
          <DraftMenu
            drafts={drafts}
            opened={opened}
            mayTry={mayTry}
            open={desk.openDraft}
            readInForce={() => desk.readSet(undefined)}
            form={() => setDialog('form')}
            importBundle={desk.maySave ? () => setDialog('bundle') : undefined}
          />
          <FileList
            files={files}
            draft={draft}
            path={path}
            diagnostics={diagnosis.diagnostics}
            open={file => go({ file, against: undefined, row: undefined })}
          />
          {folder !== undefined && <FolderPart folder={folder} />}
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
              title={opened.title}
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
                    diagnostics={desk.marks}
                    coverage={desk.coverage}
                    jump={desk.jump}
                    onOpen={toPlace}
                    onSave={desk.runTests}
                    onEvaluate={desk.evaluate}
                    onSelection={desk.setSelected}
                    inputPaths={desk.inputPaths}
                    format={desk.format}
                  />
                </Suspense>
              )}
            </section>
          )}
          <BelowTabs desk={desk} />
        </div>
        <SideTabs desk={desk} />
      </div>
      <BenchDialogs desk={desk} />
    </>
  );
}
