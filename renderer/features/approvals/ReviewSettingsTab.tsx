/** Settings > Reviews: how long to read and what to do beside pressing a button, by risk. An admin changes it; each change is an event. */
import { Button, NumberInput, Select } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import type { ReviewSettings } from '../../../core/api/approval_operations.ts';
import { useMay } from '../../api/me.ts';
import { invalidate, useAsk, useCall } from '../../api/queries.ts';
import { Section } from '../../ui/Page.tsx';
import { ErrorPanel, Waiting } from '../../ui/States.tsx';
import { risks } from './approvals_search.ts';
import { RiskMark } from './RiskMark.tsx';
import './approvals.css';

const challenges = [
  { value: 'confirm', label: 'Confirm' },
  { value: 'retype', label: 'Type a value of the call' },
  { value: 'question', label: 'Answer a question about the call' },
];
const MINUTE = 60;

export function ReviewSettingsTab() {
  const settings = useAsk('reviewSettings', {});
  if (settings.isError) return <ErrorPanel error={settings.error} retry={() => void settings.refetch()} />;
  if (settings.data === undefined) return <Waiting />;
  return (
    <div className="settings-page">
      <Form key={JSON.stringify(settings.data)} held={settings.data} />
    </div>
  );
}

function Form({ held }: { held: ReviewSettings }) {
  const client = useQueryClient();
  const may = useMay('changeReviewSettings');
  const change = useCall('changeReviewSettings');
  const [given, setGiven] = useState(held);
  const touched = JSON.stringify(given) !== JSON.stringify(held);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (touched && !change.isPending) {
      change.mutate({ input: given }, { onSuccess: () => invalidate(client, 'reviewSettings') });
    }
  };
  const number = (value: string | number, least: number, most: number) =>
    Math.min(most, Math.max(least, Math.round(Number(value) || 0)));
  return (
    <form onSubmit={submit}>
      <Section
        title="Reviews of approvals"
        lead="The collector accepts an approval only after this time and with the right answer. A refusal is never held back. In force once people are enrolled."
      >
        <div className="report-scroll">
          <table className="table review-table">
            <thead>
              <tr>
                <th scope="col">Risk</th>
                <th scope="col">Seconds to read</th>
                <th scope="col">Then</th>
              </tr>
            </thead>
            <tbody>
              {risks.map(risk => (
                <tr key={risk}>
                  <th scope="row">
                    <RiskMark risk={risk} long />
                  </th>
                  <td>
                    <NumberInput
                      size="xs"
                      w={110}
                      aria-label={`Seconds to read at ${risk} risk`}
                      min={0}
                      max={3600}
                      allowDecimal={false}
                      disabled={!may}
                      value={given[risk].min_seconds}
                      onChange={value =>
                        setGiven({
                          ...given,
                          [risk]: { ...given[risk], min_seconds: number(value, 0, 3600) },
                        })
                      }
                    />
                  </td>
                  <td>
                    <Select
                      size="xs"
                      w={250}
                      aria-label={`What to do at ${risk} risk`}
                      data={challenges}
                      allowDeselect={false}
                      disabled={!may}
                      value={given[risk].challenge}
                      onChange={value =>
                        value !== null &&
                        setGiven({ ...given, [risk]: { ...given[risk], challenge: value as 'confirm' } })
                      }
                    />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        <div className="review-fields">
          <NumberInput
            label="People for critical risk"
            description="At least, while four-eyes is in force"
            min={1}
            max={5}
            allowDecimal={false}
            disabled={!may}
            value={given.critical_people}
            onChange={value => setGiven({ ...given, critical_people: number(value, 1, 5) })}
          />
          <NumberInput
            label="Minutes until a question expires"
            description="For what is asked from then on"
            min={1}
            max={10_080}
            allowDecimal={false}
            disabled={!may}
            value={Math.round(given.expires_seconds / MINUTE)}
            onChange={value => setGiven({ ...given, expires_seconds: number(value, 1, 10_080) * MINUTE })}
          />
        </div>
        {may ? (
          <div className="row">
            <Button type="submit" disabled={!touched} loading={change.isPending}>
              Save
            </Button>
            <span className="mute" role="status">
              {change.isPending ? 'Recording…' : change.isSuccess && !touched ? 'Changed and recorded.' : ''}
            </span>
          </div>
        ) : (
          <p className="mute">An admin changes these.</p>
        )}
        {change.isError && <ErrorPanel error={change.error} />}
      </Section>
    </form>
  );
}
