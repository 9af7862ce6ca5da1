/** Why a rule fired or did not for the input that is tried: each definition, the condition where it stopped, what it read. */
import { Button, Select } from '@mantine/core';
import { useState } from 'react';
import type { PolicyFile } from '../../../core/api/policy_views.ts';
import { countOf } from '../../ui/numbers.ts';
import { ErrorPanel } from '../../ui/States.tsx';
import { isRego, isTest } from './drafts.ts';
import { scan } from './rego/scan.ts';
import { DECISION, type Trial } from './useEvaluation.ts';

const kinds = {
  false: 'is false',
  undefined: 'is undefined',
  negated: 'holds, and stands after not',
} as const;

export function ExplainPanel({
  trial,
  files,
  mayTry,
  toPlace,
}: {
  trial: Trial;
  files: readonly PolicyFile[];
  mayTry: boolean;
  toPlace: (path: string, row: number) => void;
}) {
  const rules = [
    ...new Set([
      DECISION,
      ...files
        .filter(file => isRego(file.path) && !isTest(file.path))
        .flatMap(file => {
          const read = scan(file.path, file.text);
          return read.rules.map(rule => `data.${read.package}.${rule.name}`);
        }),
    ]),
  ];
  const [chosen, setChosen] = useState<string>();
  const { value, running, failure } = trial.explained;
  const rule = chosen ?? (rules.includes('data.trailmix.deny') ? 'data.trailmix.deny' : DECISION);
  return (
    <div className="policy-side-body">
      {mayTry && (
        <div className="policy-explain-ask">
          <Select
            label="Why did this rule fire, or not?"
            data={rules}
            value={rules.includes(rule) ? rule : DECISION}
            allowDeselect={false}
            searchable={rules.length > 8}
            onChange={next => next !== null && setChosen(next)}
          />
          <Button size="compact-sm" onClick={() => void trial.explain(rule)} loading={running}>
            Explain
          </Button>
        </div>
      )}
      <p className="mute policy-note">
        For the input under Evaluation; evaluated now, with the text as it stands.
      </p>
      {failure !== undefined && <ErrorPanel error={failure} />}
      {value !== undefined && !value.ok && <p>It does not compile: see Problems.</p>}
      {value?.ok && (
        <div role="status">
          <p className="mono policy-explained">
            {value.rule} = {value.defined ? JSON.stringify(value.result) : 'undefined'}
          </p>
        </div>
      )}
      <ul className="policy-reports" aria-label="Definitions">
        {(value?.rules ?? []).map(report => (
          <li key={`${report.path}${report.row}${report.head}`}>
            <p>
              <span className={`policy-word ${report.fired > 0 ? 'tone-allow' : 'tone-plain'}`}>
                {report.fired > 0
                  ? `Fired${report.fired > 1 ? ` ${report.fired} times` : ''}`
                  : report.asked
                    ? 'Did not fire'
                    : 'Nothing asked for it'}
              </span>{' '}
              <button
                type="button"
                className="policy-link mono"
                onClick={() => toPlace(report.path, report.row)}
              >
                {report.path}:{report.row}
              </button>
            </p>
            <code className="mono policy-head">{report.head}</code>
            {(report.stopped ?? []).slice(0, 3).map(stop => (
              <div key={`${stop.path}${stop.row}${stop.col}`} className="policy-stop">
                <button
                  type="button"
                  className="policy-link mono"
                  onClick={() => toPlace(stop.path, stop.row)}
                >
                  line {stop.row}
                </button>{' '}
                <code className="mono">{stop.text}</code> <b>{kinds[stop.kind]}</b>
                {stop.times > 1 && <span className="mute"> ({countOf(stop.times, 'time')})</span>}
                {(stop.reads ?? []).map(read => (
                  <div key={read.name} className="mono policy-read">
                    {read.name} {read.defined ? `= ${JSON.stringify(read.value)}` : 'is not there'}
                  </div>
                ))}
              </div>
            ))}
          </li>
        ))}
      </ul>
    </div>
  );
}
