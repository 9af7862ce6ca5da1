/** The test explorer: every test with its outcome, message, what it printed, and why a failed one failed. */
import { Button } from '@mantine/core';
import { IconAlertTriangle, IconCheck, IconMinus, IconPlayerPlay, IconX } from '@tabler/icons-react';
import type { PolicyFile } from '../../../core/api/policy_views.ts';
import type { Failure } from '../../api/problem.ts';
import { countOf } from '../../ui/numbers.ts';
import { ErrorPanel } from '../../ui/States.tsx';
import { formatDuration } from '../../ui/times.ts';
import { type Missed, sameText, type TestRun } from './useTests.ts';

const signs = {
  pass: { icon: IconCheck, tone: 'tone-allow', word: 'passed' },
  fail: { icon: IconX, tone: 'tone-deny', word: 'failed' },
  error: { icon: IconAlertTriangle, tone: 'tone-fail', word: 'stopped with an error' },
  skip: { icon: IconMinus, tone: 'tone-plain', word: 'skipped' },
} as const;
const order = { error: 0, fail: 1, skip: 2, pass: 3 } as const;

export function TestsPanel({
  run,
  running,
  failure,
  files,
  missed,
  mayTry,
  start,
  toPlace,
  why,
}: {
  run: TestRun | undefined;
  running: boolean;
  failure: Failure | undefined;
  files: readonly PolicyFile[];
  missed: readonly Missed[];
  mayTry: boolean;
  start: () => void;
  toPlace: (path: string, row: number) => void;
  /** Asks why a test's rule did not hold: its full name. */
  why: (rule: string) => void;
}) {
  const stale = run !== undefined && !sameText(run.files, files);
  const tests = [...(run?.tests ?? [])].sort((a, b) => order[a.outcome] - order[b.outcome]);
  return (
    <div className="policy-panel">
      <div className="policy-panel-head">
        <span role="status" className="grow">
          {running ? (
            'Running the tests…'
          ) : run === undefined ? (
            <span className="mute">Tests have not been run on this text.</span>
          ) : (
            <>
              {run.counts.failed === 0 && run.counts.passed > 0 ? (
                <b className="tone-allow policy-word">{countOf(run.counts.passed, 'test')} passed</b>
              ) : (
                <b className={run.counts.failed > 0 ? 'tone-deny policy-word' : ''}>
                  {run.tests.length === 0
                    ? run.diagnostics.length > 0
                      ? 'It does not compile, see Problems'
                      : 'There are no tests'
                    : `${run.counts.failed} of ${countOf(run.tests.length, 'test')} failed`}
                </b>
              )}
              {run.tests.length > 0 && `, ${Math.round(run.counts.percent)} % of lines covered`}
              {stale && <span className="mute"> The text has changed since.</span>}
            </>
          )}
        </span>
        {mayTry && (
          <Button
            size="compact-xs"
            variant="default"
            onClick={start}
            disabled={running}
            leftSection={<IconPlayerPlay size={12} aria-hidden />}
          >
            Run the tests
          </Button>
        )}
      </div>
      {failure !== undefined && <ErrorPanel error={failure} />}
      {run?.tests.length === 0 && run.diagnostics.length === 0 && (
        <p className="mute policy-note">
          A test is a rule named <code className="mono">test_…</code> in a file that ends in{' '}
          <code className="mono">_test.rego</code>. Make one from a recorded decision under Evaluation, or a
          new test file.
        </p>
      )}
      <ul className="policy-tests" aria-label="Tests">
        {tests.map(test => {
          const look = signs[test.outcome];
          const { path, row } = test;
          return (
            <li key={`${test.package}.${test.name}`} data-outcome={test.outcome}>
              <div className="policy-test">
                <button
                  type="button"
                  className="policy-test-name"
                  disabled={path === undefined}
                  onClick={() => path !== undefined && toPlace(path, row ?? 1)}
                >
                  <look.icon size={14} stroke={2.4} className={`policy-sign ${look.tone}`} aria-hidden />
                  <span className="mono">{test.name}</span>
                  <span className="visually-hidden"> {look.word}</span>
                </button>
                {(test.outcome === 'fail' || test.outcome === 'error') && mayTry && (
                  <button
                    type="button"
                    className="policy-link"
                    onClick={() => why(`${test.package}.${test.name}`)}
                  >
                    Why?<span className="visually-hidden"> {test.name}</span>
                  </button>
                )}
                <span className="mute mono policy-took">
                  {formatDuration(Math.max(1, Math.round(test.duration_ns / 1_000)))}
                </span>
              </div>
              {test.message !== undefined && <p className="policy-test-message">{test.message}</p>}
              {(test.cases ?? [])
                .filter(one => one.failed)
                .map(one => (
                  <p key={one.name} className="policy-test-message">
                    Case {one.name} failed
                  </p>
                ))}
              {test.output !== undefined && test.output !== '' && (
                <pre className="mono policy-output">{test.output}</pre>
              )}
            </li>
          );
        })}
      </ul>
      {tests.length > 0 && <MissedList places={missed} toPlace={toPlace} />}
    </div>
  );
}

const MOST_MISSED = 50;

/** What the shading of the editor shows, in words. */
function MissedList({
  places,
  toPlace,
}: {
  places: readonly Missed[];
  toPlace: (path: string, row: number) => void;
}) {
  if (places.length === 0) return null;
  return (
    <>
      <h3 className="policy-h3">No test ran</h3>
      <ul className="policy-missed" aria-label="Lines that no test ran">
        {places.slice(0, MOST_MISSED).map(({ path, start, end }) => (
          <li key={`${path}${start}`}>
            <button type="button" className="policy-link mono" onClick={() => toPlace(path, start)}>
              {path}:{start}
              {end > start && `-${end}`}
            </button>
          </li>
        ))}
        {places.length > MOST_MISSED && (
          <li className="mute">and {countOf(places.length - MOST_MISSED, 'more place')}</li>
        )}
      </ul>
    </>
  );
}
