/** The export: the question first, then app and window, what the pack would hold, and the exports of this run. */
import { Button, Select, TextInput } from '@mantine/core';
import { IconFileExport, IconInfoCircle } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { invalidate, useAsk, useCall } from '../../api/queries.ts';
import { Section } from '../../ui/Page.tsx';
import { EmptyState, ErrorPanel, Waiting } from '../../ui/States.tsx';
import { useZone } from '../../ui/Time.tsx';
import { formatTime, zoneName } from '../../ui/times.ts';
import { LoadSamples } from '../settings/LoadSamples.tsx';
import { ExportList } from './ExportList.tsx';
import type { EvidenceSearch } from './evidence_search.ts';
import {
  buildCounts,
  buildWarnings,
  includeWords,
  instantOf,
  questionOf,
  questions,
  type Span,
  scopeFault,
  spanOf,
  spans,
  wallOf,
} from './scope.ts';
import { nothingWithheld, WithholdFields } from './WithholdFields.tsx';
import { readSeqs, reasonFault } from './withhold.ts';

export function ExportTab() {
  const search = useSearch({ from: '/evidence' });
  const navigate = useNavigate({ from: '/evidence' });
  const client = useQueryClient();
  const overview = useAsk('overview', { query: { days: 3650 } });
  const [opened] = useState(() => Date.now());
  const apps = overview.data?.by_app.map(row => row.app_id) ?? [];
  const app = search.app ?? apps[0];
  const question = questionOf(search.q);
  const initial = spanOf(24 * 30, opened);
  const span: Span = { from: search.from ?? initial.from, to: search.to ?? initial.to };
  const fault = scopeFault(span);
  const input = {
    app_id: app ?? '',
    time_from: span.from,
    time_to: span.to,
    include: question.include,
  };
  const [withheld, setWithheld] = useState(nothingWithheld);
  const seqs = readSeqs(withheld.numbers);
  const left =
    withheld.on && 'seqs' in seqs ? { withhold: { seqs: seqs.seqs, reason: withheld.reason.trim() } } : {};
  const whole = !withheld.on || ('seqs' in seqs && reasonFault(withheld.reason) === undefined);
  const ready = app !== undefined && fault === undefined;
  const preview = useAsk('previewEvidence', { input }, { enabled: ready, keep: true });
  const start = useCall('startExport');
  const change = (next: Partial<EvidenceSearch>) =>
    void navigate({ search: held => ({ ...held, ...next }), replace: true });

  if (overview.isError) return <ErrorPanel error={overview.error} retry={() => void overview.refetch()} />;
  if (overview.data === undefined) return <Waiting label="Looking for apps" />;
  if (apps.length === 0 && search.app === undefined) {
    return (
      <EmptyState
        icon={<IconFileExport size={34} stroke={1.4} />}
        title="Nothing to export yet"
        actions={<LoadSamples />}
      >
        <p>
          A pack is a zip with an app’s records, the proofs for them, the policies in force and a summary in
          PDF. Anyone can verify it on another machine, without this app. There is nothing recorded to put
          into one yet.
        </p>
      </EmptyState>
    );
  }
  return (
    <div className="evidence-page">
      <div className="evidence-form">
        <fieldset className="questions">
          <legend>Which question must the pack answer?</legend>
          {questions.map(row => (
            <label key={row.id} className="question" data-chosen={row.id === question.id || undefined}>
              <input
                type="radio"
                name="question"
                checked={row.id === question.id}
                onChange={() => change({ q: row.id })}
                aria-label={row.asks}
                aria-describedby={`question-${row.id}`}
              />
              <b>{row.asks}</b>
              <span id={`question-${row.id}`} className="mute">
                {row.holds}
              </span>
            </label>
          ))}
        </fieldset>
        <ScopeFields app={app} apps={apps} span={span} now={opened} change={change} fault={fault} />
        <WithholdFields draft={withheld} change={setWithheld} />
      </div>
      <aside className="evidence-preview panel" aria-label="What the pack would hold">
        <h2>The pack would hold</h2>
        {preview.isError && ready && <ErrorPanel error={preview.error} />}
        {ready && preview.data === undefined && !preview.isError && <Waiting label="Counting" />}
        {!ready && <p className="mute">Choose an app and a window.</p>}
        {ready && preview.data !== undefined && !preview.isError && (
          <>
            <dl className="kv" aria-busy={preview.isPlaceholderData || undefined}>
              {buildCounts(preview.data).map(row => (
                <div className="kv-row" key={row.label}>
                  <dt>{row.label}</dt>
                  <dd>{row.value}</dd>
                </div>
              ))}
              <div className="kv-row">
                <dt>Laid out</dt>
                <dd>{question.include.map(part => includeWords[part]).join(', ')}</dd>
              </div>
            </dl>
            {buildWarnings(preview.data).map(text => (
              <p key={text} className="evidence-warning tone-ask">
                <IconInfoCircle size={15} aria-hidden /> <span>{text}</span>
              </p>
            ))}
          </>
        )}
        <p className="mute evidence-note">
          Every record of {app ?? 'the app'} received in the window is in the pack, whatever the question:
          leaving some out would be seen. The export itself is recorded.
        </p>
        {start.isError && <ErrorPanel error={start.error} />}
        <Button
          fullWidth
          size="sm"
          leftSection={<IconFileExport size={16} aria-hidden />}
          disabled={!ready || !whole || preview.isError}
          loading={start.isPending}
          onClick={() =>
            start.mutate(
              { input: { ...input, ...left } },
              { onSuccess: () => invalidate(client, 'exportJobs', 'previewEvidence') },
            )
          }
        >
          Export the pack
        </Button>
      </aside>
      <div className="evidence-exports">
        <ExportList />
      </div>
    </div>
  );
}

function ScopeFields({
  app,
  apps,
  span,
  now,
  change,
  fault,
}: {
  app: string | undefined;
  apps: string[];
  span: Span;
  now: number;
  change: (next: Partial<EvidenceSearch>) => void;
  fault: string | undefined;
}) {
  const zone = useZone();
  const field = (member: 'from' | 'to', label: string) => (
    <TextInput
      type="datetime-local"
      step={1}
      label={`${label} (${zoneName(zone)} time)`}
      description={formatTime(span[member], 'UTC')}
      inputWrapperOrder={['label', 'input', 'description', 'error']}
      value={wallOf(span[member], zone)}
      onChange={event => {
        const instant = instantOf(event.currentTarget.value, zone);
        if (instant !== undefined) change({ [member]: instant });
      }}
      error={member === 'to' && fault}
    />
  );
  return (
    <Section title="Which app, which window?">
      <div className="scope-fields">
        <Select
          label="App"
          data={[...new Set(app === undefined ? apps : [app, ...apps])].sort()}
          value={app ?? null}
          allowDeselect={false}
          searchable={apps.length > 8}
          onChange={value => value !== null && change({ app: value })}
          comboboxProps={{ transitionProps: { duration: 0 } }}
        />
        {field('from', 'From')}
        {field('to', 'To')}
      </div>
      <div className="scope-spans">
        {spans.map(row => (
          <Button
            key={row.id}
            size="compact-xs"
            variant="default"
            onClick={() => change(spanOf(row.hours, Math.max(now, Date.now())))}
          >
            {row.label}
          </Button>
        ))}
      </div>
      <p className="mute evidence-note">
        The window is by the time the collector received a record, both ends included.
      </p>
    </Section>
  );
}
