/** One input tried on what is open: its answer, what `print` wrote, and a test made from it. */
import { Button, Textarea, TextInput } from '@mantine/core';
import { IconFlask, IconPlayerPlay, IconSearch } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { DecisionBadge } from '../../ui/Decision.tsx';
import { stateOfDecision } from '../../ui/decisions.ts';
import { JsonView } from '../../ui/Json.tsx';
import { formatCount } from '../../ui/numbers.ts';
import { ErrorPanel } from '../../ui/States.tsx';
import { DECISION, type Trial } from './useEvaluation.ts';
import { reasonsOfResult, unfaithfulWord, wordOfResult } from './words.ts';

export function EvaluationPanel({
  trial,
  mayTry,
  choose,
  makeTest,
  toPlace,
}: {
  trial: Trial;
  mayTry: boolean;
  choose: () => void;
  /** Absent where nothing may be changed. */
  makeTest: (() => void) | undefined;
  toPlace: (path: string, row: number) => void;
}) {
  const { recorded, evaluation } = trial;
  const [query, setQuery] = useState(DECISION);
  const asked = evaluation.value?.query;
  useEffect(() => {
    if (asked !== undefined) setQuery(asked);
  }, [asked]);
  const word = wordOfResult(evaluation.value?.result);
  const value = evaluation.value;
  const reasons = reasonsOfResult(value?.result);
  return (
    <div className="policy-evaluation">
      <div className="policy-input">
        <div className="policy-input-head">
          <span className="grow">
            {recorded === undefined ? (
              <b>Input</b>
            ) : (
              <>
                <b>
                  Input of{' '}
                  <Link to="/events/$seq" params={{ seq: String(recorded.decision.seq) }}>
                    #{formatCount(recorded.decision.seq)}
                  </Link>
                </b>{' '}
                <span className="mute">recorded as</span>{' '}
                <DecisionBadge state={stateOfDecision(recorded.decision.result) ?? ''} />
              </>
            )}
          </span>
          <Button
            size="compact-xs"
            variant="default"
            onClick={choose}
            leftSection={<IconSearch size={12} aria-hidden />}
          >
            Choose a decision
          </Button>
        </div>
        {trial.recordedFailure !== null && <ErrorPanel error={trial.recordedFailure} />}
        {recorded?.missing !== undefined && (
          <p className="policy-note tone-ask policy-word">
            Its input cannot be shown as it was: {unfaithfulWord(recorded.missing)}.
          </p>
        )}
        {recorded !== undefined && recorded.without.length > 0 && (
          <p className="policy-note mute">
            That decision was made without {recorded.without.map(one => `input.${one}`).join(' and ')}: a rule
            that reads it sees none here.
          </p>
        )}
        <Textarea
          aria-label="Input, as JSON"
          value={trial.text}
          onChange={event => trial.setText(event.currentTarget.value)}
          rows={8}
          spellCheck={false}
          className="policy-input-text"
        />
      </div>
      <div className="policy-answer">
        <form
          className="policy-query"
          onSubmit={event => {
            event.preventDefault();
            void trial.evaluate(query.trim() === '' ? DECISION : query.trim());
          }}
        >
          <TextInput
            aria-label="What to evaluate"
            value={query}
            onChange={event => setQuery(event.currentTarget.value)}
            spellCheck={false}
            className="grow policy-query-text"
            maxLength={4096}
          />
          {mayTry && (
            <Button
              type="submit"
              size="compact-sm"
              disabled={evaluation.running}
              leftSection={<IconPlayerPlay size={13} aria-hidden />}
            >
              Evaluate
            </Button>
          )}
        </form>
        {evaluation.failure !== undefined && <ErrorPanel error={evaluation.failure} />}
        <div role="status" className="policy-result">
          {value === undefined && evaluation.failure === undefined && (
            <p className="mute policy-note">
              The answer stands here. Ctrl Enter in the editor evaluates the selection.
            </p>
          )}
          {value !== undefined && !value.ok && (
            <>
              <p className="policy-note">
                <b>It does not compile.</b>
              </p>
              {value.diagnostics.slice(0, 3).map(one => (
                <p key={`${one.path}${one.row}${one.message}`} className="policy-note mono">
                  {one.path !== undefined && `${one.path}:${one.row ?? 1} `}
                  {one.message}
                </p>
              ))}
            </>
          )}
          {value?.ok && !value.defined && (
            <p className="policy-note">
              <b>Undefined:</b> no value for this input.
              {value.query === DECISION && ' As a decision that would be recorded as failed, and deny.'}
            </p>
          )}
          {word !== undefined && (
            <p className="policy-note">
              <DecisionBadge state={stateOfDecision(word) ?? ''} filled />{' '}
              {reasons.length > 0 ? reasons.join(', ') : <span className="mute">no reasons</span>}
            </p>
          )}
          {value?.defined && <JsonView value={value.result} what="result" />}
        </div>
        {value !== undefined && value.faults.length > 0 && (
          <ul className="policy-faults-list">
            {value.faults.map(one => (
              <li key={`${one.path}${one.row}${one.message}`}>{one.message}</li>
            ))}
          </ul>
        )}
        {value !== undefined && value.printed.length > 0 && (
          <>
            <h3 className="policy-h3">Printed</h3>
            <ul className="policy-printed mono">
              {value.printed.map((line, n) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: lines can be the same
                <li key={`${n}${line.text}`}>
                  {line.path !== undefined && (
                    <button
                      type="button"
                      className="policy-link"
                      onClick={() => toPlace(line.path ?? '', line.row ?? 1)}
                    >
                      {line.path}:{line.row}
                    </button>
                  )}{' '}
                  {line.text}
                </li>
              ))}
            </ul>
          </>
        )}
        {makeTest !== undefined && word !== undefined && (
          <Button
            size="compact-sm"
            variant="default"
            leftSection={<IconFlask size={13} aria-hidden />}
            onClick={makeTest}
            className="policy-make-test"
          >
            {recorded === undefined ? 'Make a test of this' : 'Make a test from this decision'}
          </Button>
        )}
      </div>
    </div>
  );
}
