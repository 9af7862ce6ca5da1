/** What the compiler and lint say, as a list that a screen reader can use; each goes to its place or its explanation. */
import { Button, Modal } from '@mantine/core';
import { IconAlertTriangle, IconCircleX, IconInfoCircle } from '@tabler/icons-react';
import { useState } from 'react';
import type { PolicyDiagnostic } from '../../../core/api/policy_views.ts';
import { type LintRule, lintRule } from '../../../core/policy/lint_rules.ts';
import { CodeBlock } from '../../ui/Copy.tsx';
import { countOf } from '../../ui/numbers.ts';
import { Backticks, ErrorPanel } from '../../ui/States.tsx';
import type { Diagnosis } from './useDiagnostics.ts';

const signs = { error: IconCircleX, warning: IconAlertTriangle, note: IconInfoCircle } as const;
const tones = { error: 'tone-deny', warning: 'tone-ask', note: 'tone-plain' } as const;

export function ProblemsPanel({
  diagnosis,
  toPlace,
  repair,
}: {
  diagnosis: Diagnosis;
  toPlace: (path: string, row: number, col?: number) => void;
  /** Absent where nothing may be changed. */
  repair: (() => void) | undefined;
}) {
  const [explained, setExplained] = useState<LintRule>();
  const { diagnostics, failure, ok, took, regoV0 } = diagnosis;
  return (
    <div className="policy-panel">
      <p className="policy-panel-head" role="status">
        {failure !== undefined
          ? 'The policy could not be checked.'
          : ok === undefined
            ? 'Not checked yet'
            : diagnostics.length === 0
              ? 'No problems found.'
              : `${countOf(diagnostics.filter(one => one.severity === 'error').length, 'error')}, ${countOf(diagnostics.filter(one => one.severity !== 'error').length, 'finding')}`}
        {took !== undefined && failure === undefined && (
          <span className="mute"> Checked by OPA in {Math.round(took)} ms.</span>
        )}
      </p>
      {failure !== undefined && <ErrorPanel error={failure} />}
      {regoV0.length > 0 && (
        <div className="callout tone-ask">
          <b>{regoV0.join(', ')}: Rego of an older OPA (v0).</b>
          <p>It can be brought over; you see every change and what it means before it is made.</p>
          {repair !== undefined && (
            <Button size="compact-xs" variant="default" onClick={repair} mt={6}>
              Show the repair
            </Button>
          )}
        </div>
      )}
      <ul className="policy-problems" aria-label="Problems">
        {diagnostics.map((one, n) => {
          const Sign = signs[one.severity];
          const rule = lintRule(one.code);
          const place = one.path === undefined ? 'The whole set' : `${one.path}:${one.row ?? 1}`;
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: two problems can be the same in all members
            <li key={`${n}${one.code}${one.path}${one.row}`}>
              <button
                type="button"
                className="policy-problem"
                disabled={one.path === undefined}
                onClick={() => one.path !== undefined && toPlace(one.path, one.row ?? 1, one.col)}
              >
                <Sign size={14} className={`policy-sign ${tones[one.severity]}`} aria-hidden />
                <span className="visually-hidden">{one.severity}: </span>
                <span className="policy-problem-text">{one.message}</span>
                <span className="mono mute">{place}</span>
              </button>
              {rule === undefined ? (
                <span className="mono mute policy-code">{one.code}</span>
              ) : (
                <button type="button" className="policy-link mono" onClick={() => setExplained(rule)}>
                  {one.code}
                  <span className="visually-hidden">: what it means</span>
                </button>
              )}
            </li>
          );
        })}
      </ul>
      {explained !== undefined && (
        <Modal opened onClose={() => setExplained(undefined)} title={explained.title} size={640}>
          <p>
            <Backticks text={explained.why} />
          </p>
          <h3 className="policy-h3">Found in</h3>
          <CodeBlock code={explained.bad.trim()} what="what is found" />
          <h3 className="policy-h3">Not found in</h3>
          <CodeBlock code={explained.good.trim()} what="what to write instead" />
          <p className="mute">
            Where it is meant, write <code className="mono"># trailmix-lint-ignore: {explained.id}</code> on
            the line or above it.
          </p>
        </Modal>
      )}
    </div>
  );
}

export const errorsIn = (diagnostics: readonly PolicyDiagnostic[]): number =>
  diagnostics.filter(one => one.severity === 'error').length;
