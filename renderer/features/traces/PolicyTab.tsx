/**
 * The policy's answer to one call: decision, reasons word for word, which version, and its sources on request. Of an event that
 * is no decision: which policy was in force when it was recorded.
 */
import { Button } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { RecordView } from '../../../core/api/views.ts';
import { useAsk } from '../../api/queries.ts';
import { CodeBlock, Hash } from '../../ui/Copy.tsx';
import { DecisionBadge } from '../../ui/Decision.tsx';
import { stateOfDecision } from '../../ui/decisions.ts';
import { JsonView } from '../../ui/Json.tsx';
import { KeyValue } from '../../ui/KeyValue.tsx';
import { Section } from '../../ui/Page.tsx';
import { ErrorPanel, Waiting } from '../../ui/States.tsx';
import { Duration, Time } from '../../ui/Time.tsx';
import { buildPolicyView } from './policy_view.ts';

export function PolicyTab({ record, state }: { record: RecordView; state: string }) {
  const view = buildPolicyView(record);
  const [sources, setSources] = useState(false);
  const navigate = useNavigate();
  return (
    <>
      {view.decision === undefined && <InForceThen seq={record.seq} />}
      {view.decision !== undefined && (
        <Section title="The policy’s answer" level={3}>
          <KeyValue
            rows={[
              { name: 'Answer', value: <DecisionBadge state={stateOfDecision(view.decision.word) ?? ''} /> },
              state !== '' && { name: 'Now', value: <DecisionBadge state={state} /> },
              view.decision.evalUs !== undefined && {
                name: 'Took',
                value: <Duration us={view.decision.evalUs} />,
              },
              view.decision.version !== undefined && {
                name: 'Version',
                value: String(view.decision.version),
              },
              view.decision.hash !== undefined && {
                name: 'Policy hash',
                value: <Hash value={view.decision.hash} what="policy hash" />,
              },
              view.decision.failed !== undefined && { name: 'Failed by', value: view.decision.failed },
            ]}
          />
        </Section>
      )}
      {view.decision !== undefined && (
        <Section title="Reasons, as the policy gave them" level={3}>
          {view.decision.reasons.length === 0 ? (
            <p className="mute">The policy gave none.</p>
          ) : (
            <ul className="reasons">
              {view.decision.reasons.map(reason => (
                <li key={reason}>{reason}</li>
              ))}
            </ul>
          )}
        </Section>
      )}
      {view.decision?.hash !== undefined && (
        <Section
          title="The rules of that version"
          level={3}
          actions={
            <Button
              variant="default"
              size="compact-sm"
              onClick={() =>
                void navigate({
                  to: '/policies',
                  search: {
                    set: view.decision?.hash ?? '',
                    decision: String(record.event_id),
                    below: 'evaluation',
                    side: 'explain',
                  },
                })
              }
            >
              Open in the workbench
            </Button>
          }
        >
          {sources ? (
            <Sources hash={view.decision.hash} />
          ) : (
            <Button variant="default" size="compact-sm" onClick={() => setSources(true)}>
              Show the sources
            </Button>
          )}
        </Section>
      )}
      {view.claimed !== undefined && (
        <Section
          title="Claimed by the program"
          level={3}
          lead="The program sent this with its event. Only decisions recorded by this ledger count."
        >
          <JsonView value={view.claimed} what="claimed policy decision" />
        </Section>
      )}
    </>
  );
}

/** Events do not say in which environment their program runs: production is named. */
function InForceThen({ seq }: { seq: number }) {
  const then = useAsk('policyAt', { query: { seq } }, { fresh: 600_000 });
  const navigate = useNavigate();
  const version = then.data;
  return (
    <Section
      title="In force when it was recorded"
      level={3}
      lead="This event is no decision of a policy. Calls of production that were asked then were decided by this version."
      actions={
        version !== undefined && (
          <Button
            variant="default"
            size="compact-sm"
            onClick={() => void navigate({ to: '/policies', search: { set: version.hash } })}
          >
            Open in the workbench
          </Button>
        )
      }
    >
      {then.isError ? (
        then.error.code === 'policy_unknown' ? (
          <p className="mute">No policy was in force then.</p>
        ) : (
          <ErrorPanel error={then.error} />
        )
      ) : version === undefined ? (
        <Waiting label="Looking it up" />
      ) : (
        <KeyValue
          rows={[
            { name: 'Version', value: String(version.version) },
            { name: 'Policy hash', value: <Hash value={version.hash} what="policy hash" /> },
            { name: 'In force since', value: <Time at={version.since} /> },
            version.by !== '' && { name: 'By', value: version.by },
          ]}
        />
      )}
    </Section>
  );
}

function Sources({ hash }: { hash: string }) {
  const policy = useAsk('policies', { query: { hash } }, { fresh: 600_000 });
  if (policy.isError) return <ErrorPanel error={policy.error} />;
  if (policy.data === undefined) return <Waiting label="Loading the sources" />;
  if (policy.data.hash !== hash) return <p className="mute">The sources of that version are not here.</p>;
  return (
    <div className="stack">
      {policy.data.files.map(file => (
        <div key={file.path}>
          <div className="source-name mono">{file.path}</div>
          <CodeBlock code={file.text} what={file.path} />
        </div>
      ))}
    </div>
  );
}
