/** Picks the input of a recorded decision, newest first, by app, action and answer. */
import { Button, Modal, Select, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useState } from 'react';
import type { DecisionRow, PolicyWord } from '../../../core/api/policy_views.ts';
import { useAsk } from '../../api/queries.ts';
import { DecisionBadge } from '../../ui/Decision.tsx';
import { stateOfDecision } from '../../ui/decisions.ts';
import { formatCount } from '../../ui/numbers.ts';
import { ErrorPanel, Waiting } from '../../ui/States.tsx';
import { Time } from '../../ui/Time.tsx';
import { wordsOf } from './words.ts';

export function InputPicker({ close, pick }: { close: () => void; pick: (row: DecisionRow) => void }) {
  const [app, setApp] = useState('');
  const [action, setAction] = useState('');
  const [result, setResult] = useState<PolicyWord>();
  const [pages, setPages] = useState<string[]>([]);
  const [asked] = useDebouncedValue(JSON.stringify({ app, action }), 250);
  const given = JSON.parse(asked) as { app: string; action: string };
  const cursor = pages.at(-1);
  const found = useAsk(
    'policyDecisions',
    {
      query: {
        ...(given.app === '' ? {} : { app: given.app }),
        ...(given.action === '' ? {} : { action: given.action }),
        ...(result === undefined ? {} : { result }),
        ...(cursor === undefined ? {} : { cursor }),
        limit: 50,
      },
    },
    { keep: true },
  );
  const filter = (change: () => void) => {
    setPages([]);
    change();
  };
  return (
    <Modal opened onClose={close} title="Choose a recorded decision" size={820}>
      <div className="policy-picker-filters">
        <TextInput
          label="App"
          value={app}
          onChange={event => filter(() => setApp(event.currentTarget.value))}
          data-autofocus
        />
        <TextInput
          label="Action"
          value={action}
          onChange={event => filter(() => setAction(event.currentTarget.value))}
        />
        <Select
          label="Answer"
          clearable
          placeholder="Any"
          data={(['allow', 'approve', 'deny', 'failed'] as const).map(value => ({
            value,
            label: wordsOf[value],
          }))}
          value={result ?? null}
          onChange={value => filter(() => setResult((value ?? undefined) as PolicyWord | undefined))}
          clearButtonProps={{ 'aria-label': 'Any answer' }}
        />
      </div>
      {found.isError && <ErrorPanel error={found.error} />}
      {found.data === undefined && !found.isError && <Waiting label="Loading decisions" />}
      {found.data?.items.length === 0 && (
        <p className="mute policy-note">
          No recorded decision matches. Decisions are recorded when an app asks before an action (Settings,
          Connect), or with the sample runs.
        </p>
      )}
      {(found.data?.items.length ?? 0) > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
        <section className="policy-picker-list" tabIndex={0} aria-label="Recorded decisions">
          <table className="table">
            <thead>
              <tr>
                <th className="num">Record</th>
                <th>Action</th>
                <th>App</th>
                <th>Answer</th>
                <th>Reasons</th>
                <th>When</th>
              </tr>
            </thead>
            <tbody>
              {found.data?.items.map(row => (
                <tr key={row.seq}>
                  <td className="num">
                    <button type="button" className="policy-link" onClick={() => pick(row)}>
                      #{formatCount(row.seq)}
                    </button>
                  </td>
                  <td className="mono">{row.action}</td>
                  <td>{row.app_id}</td>
                  <td>
                    <DecisionBadge state={stateOfDecision(row.result) ?? ''} />
                  </td>
                  <td className="policy-cut" title={row.reasons.join('\n')}>
                    {row.reasons.join(', ')}
                  </td>
                  <td className="nowrap">
                    <Time at={row.at} short />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      <div className="modal-actions">
        {pages.length > 0 && (
          <Button variant="default" onClick={() => setPages(held => held.slice(0, -1))}>
            Newer
          </Button>
        )}
        {found.data?.next !== undefined && (
          <Button
            variant="default"
            onClick={() => {
              const next = found.data?.next;
              if (next !== undefined) setPages(held => [...held, next]);
            }}
          >
            Older
          </Button>
        )}
      </div>
    </Modal>
  );
}
