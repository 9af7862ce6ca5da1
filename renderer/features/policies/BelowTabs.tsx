/** What is said about the text, below it: tests, problems, the evaluation of an input and its trace. */
import { Button } from '@mantine/core';
import { TabBar } from '../../ui/TabBar.tsx';
import { EvaluationPanel } from './EvaluationPanel.tsx';
import { errorsIn, ProblemsPanel } from './ProblemsPanel.tsx';
import { TestsPanel } from './TestsPanel.tsx';
import { TracePanel } from './TracePanel.tsx';
import type { Desk } from './useDesk.ts';

export function BelowTabs({ desk }: { desk: Desk }) {
  const { search, go, toPlace, mayTry, diagnosis, tests, trial, selected, setDialog } = desk;
  const { draft, files } = desk.opened;
  const current = desk.currentTests;
  const errors = errorsIn(diagnosis.diagnostics);
  return (
    <div className="policy-below">
      {mayTry && selected !== '' && selected.length <= 4096 && (
        <Button
          size="compact-xs"
          variant="default"
          className="policy-evaluate-selection"
          onClick={() => desk.evaluate(selected)}
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
              current === undefined ? undefined : <span className="policy-mark">{current.tests.length}</span>,
            body: () => (
              <TestsPanel
                run={tests.run}
                running={tests.running}
                failure={tests.failure}
                files={files}
                missed={desk.missed}
                mayTry={mayTry}
                start={desk.runTests}
                toPlace={toPlace}
                why={desk.why}
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
                makeTest={draft === undefined ? undefined : desk.makeTest}
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
  );
}
