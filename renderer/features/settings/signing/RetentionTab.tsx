/** Settings > Retention: how long bodies are kept, what a rule would take, and erasing older ones once. */
import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconHourglass } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useMay } from '../../../api/me.ts';
import { invalidate, useAsk, useCall } from '../../../api/queries.ts';
import { countOf } from '../../../ui/numbers.ts';
import { Section } from '../../../ui/Page.tsx';
import { EmptyState, ErrorPanel, Waiting } from '../../../ui/States.tsx';
import { AFTER_ERASURE, setRules, useSigned } from '../../evidence/erasing.ts';
import { EraseOnceDialog } from './EraseOnceDialog.tsx';
import { RetentionRuleDialog } from './RetentionRuleDialog.tsx';
import { buildRules, keptFor, type Rule } from './retention_view.ts';
import './signing.css';

export function RetentionTab() {
  const client = useQueryClient();
  const retention = useAsk('retention', {});
  const change = useSigned(setRules);
  const run = useCall('runRetention');
  const mayChange = useMay('changeRetention');
  const mayErase = useMay('erase');
  const [adding, setAdding] = useState(false);
  const [once, setOnce] = useState(false);
  if (retention.isError) return <ErrorPanel error={retention.error} retry={() => void retention.refetch()} />;
  if (retention.data === undefined) return <Waiting label="Reading the rules" />;
  const { days } = retention.data;
  const rules = buildRules(days);
  const add = mayChange && <Button onClick={() => setAdding(true)}>Add a rule</Button>;
  return (
    <div className="settings-page">
      <Section
        title="How long bodies are kept"
        lead="A body is what a record says: inputs, outputs, arguments. When it goes, the record keeps its place, its hash and its proofs, and packs say that the body was erased. Apps without a rule keep everything. Backups and packs that were made before hold what they hold."
        actions={rules.length > 0 && add}
      >
        {rules.length === 0 ? (
          <EmptyState
            icon={<IconHourglass size={30} stroke={1.4} />}
            title="Everything is kept"
            actions={add}
          >
            <p>
              A rule erases the bodies of one app after a number of days, by itself, and records each time
              that it did. Before it is set you see how many bodies it would take.
            </p>
          </EmptyState>
        ) : (
          <div className="table-scroll">
            <table className="table">
              <thead>
                <tr>
                  <th scope="col">App</th>
                  <th scope="col">Bodies are kept</th>
                  <th scope="col">Due now</th>
                  {mayChange && (
                    <th scope="col">
                      <span className="visually-hidden">Remove</span>
                    </th>
                  )}
                </tr>
              </thead>
              <tbody>
                {rules.map(rule => (
                  <tr key={rule.app}>
                    <td>
                      <b>{rule.app}</b>
                    </td>
                    <td>{keptFor(rule.days)}</td>
                    <td>
                      <Due rule={rule} />
                    </td>
                    {mayChange && (
                      <td className="num">
                        <Button
                          variant="subtle"
                          color="red"
                          size="compact-xs"
                          loading={change.isPending}
                          aria-label={`Remove the rule of ${rule.app}`}
                          onClick={() =>
                            change.mutate(
                              { ...days, [rule.app]: 0 },
                              { onSuccess: () => invalidate(client, 'retention') },
                            )
                          }
                        >
                          Remove
                        </Button>
                      </td>
                    )}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
        {mayChange && rules.length > 0 && (
          <div className="signing-actions">
            <Button
              variant="default"
              loading={run.isPending}
              onClick={() =>
                run.mutate(
                  {},
                  {
                    onSuccess: ({ erased }) => {
                      notifications.show({
                        title:
                          erased === 0 ? 'Nothing was due' : `${countOf(erased, 'body', 'bodies')} erased`,
                        message:
                          erased === 0
                            ? 'No body is older than its rule allows.'
                            : 'Recorded first, then erased.',
                      });
                      void invalidate(client, ...AFTER_ERASURE);
                    },
                  },
                )
              }
            >
              Do now what is due
            </Button>
            <span className="mute signing-beside">By itself every 15 minutes.</span>
          </div>
        )}
        {!mayChange && (
          <p className="mute settings-note">An admin sets and removes rules, and erases bodies.</p>
        )}
        {change.isError && <ErrorPanel error={change.error} />}
        {run.isError && <ErrorPanel error={run.error} />}
      </Section>
      {mayErase && (
        <Section
          title="Erase older bodies once"
          lead="At the end of a contract, or on request: what one app received before a day. A single event is erased from its own panel, under Traces."
        >
          <Button variant="default" color="red" onClick={() => setOnce(true)}>
            Erase bodies of an app
          </Button>
        </Section>
      )}
      {adding && <RetentionRuleDialog days={days} close={() => setAdding(false)} />}
      {once && <EraseOnceDialog close={() => setOnce(false)} />}
    </div>
  );
}

function Due({ rule }: { rule: Rule }) {
  const preview = useAsk('previewErasure', { input: { app_id: rule.app, days: rule.days } });
  if (preview.error?.code === 'app_unknown') return <span className="mute">nothing recorded yet</span>;
  if (preview.isError) return <span className="mute">{preview.error.title}</span>;
  if (preview.data === undefined) return null;
  return <>{preview.data.bodies === 0 ? 'nothing' : countOf(preview.data.bodies, 'body', 'bodies')}</>;
}
