/** Settings > Retention: how long bodies are kept, what a rule would take, and erasing older ones once. */
import { Autocomplete, Button, Modal, Textarea, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconHourglass } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useMay } from '../../../api/me.ts';
import { invalidate, useAsk, useCall } from '../../../api/queries.ts';
import { countOf } from '../../../ui/numbers.ts';
import { Section } from '../../../ui/Page.tsx';
import { EmptyState, ErrorPanel, Waiting } from '../../../ui/States.tsx';
import { Time, useZone } from '../../../ui/Time.tsx';
import { formatTime } from '../../../ui/times.ts';
import { buildRules, daysOf, keptFor, type Preview, previewSentence, type Rule } from './retention_view.ts';
import './signing.css';

const AFTER_ERASURE = [
  'retention',
  'previewErasure',
  'events',
  'event',
  'trace',
  'traces',
  'overview',
] as const;

export function RetentionTab() {
  const client = useQueryClient();
  const retention = useAsk('retention', {});
  const change = useCall('changeRetention');
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
                              { input: { days: { ...days, [rule.app]: 0 } } },
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
      {adding && <RuleDialog days={days} close={() => setAdding(false)} />}
      {once && <EraseDialog close={() => setOnce(false)} />}
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

/** Apps of this ledger, to choose from; one that has recorded nothing yet may be typed. */
function AppField({
  value,
  change,
  error,
}: {
  value: string;
  change: (app: string) => void;
  error?: string | false;
}) {
  const overview = useAsk('overview', { query: { days: 3650 } });
  return (
    <Autocomplete
      label="App"
      data={[...new Set(overview.data?.by_app.map(row => row.app_id) ?? [])].sort()}
      value={value}
      maxLength={256}
      data-autofocus
      openOnFocus={false}
      comboboxProps={{ transitionProps: { duration: 0 } }}
      onChange={change}
      error={error}
    />
  );
}

function PreviewLine({ preview, error }: { preview: Preview | undefined; error: unknown }) {
  if (error !== null && error !== undefined) return <ErrorPanel error={error} />;
  if (preview === undefined) return null;
  return (
    <p className="callout tone-ask" role="status">
      <strong>{previewSentence(preview)}</strong>
      {preview.oldest !== undefined && preview.newest !== undefined && (
        <>
          {' '}
          Received from <Time at={preview.oldest} precision="minute" /> to{' '}
          <Time at={preview.newest} precision="minute" />.
        </>
      )}
    </p>
  );
}

function RuleDialog({ days: held, close }: { days: Record<string, number>; close: () => void }) {
  const client = useQueryClient();
  const change = useCall('changeRetention');
  const [app, setApp] = useState('');
  const [text, setText] = useState('180');
  const [tried, setTried] = useState(false);
  const read = daysOf(text);
  const days = 'days' in read ? read.days : undefined;
  const preview = useAsk(
    'previewErasure',
    { input: { app_id: app.trim(), days: days ?? 0 } },
    { enabled: app.trim() !== '' && days !== undefined },
  );
  const unknown = preview.error?.code === 'app_unknown';
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (app.trim() === '' || days === undefined) return;
    change.mutate(
      { input: { days: { ...held, [app.trim()]: days } } },
      {
        onSuccess: async () => {
          notifications.show({
            title: `Bodies of ${app.trim()} are kept ${keptFor(days)}`,
            message: 'What is older is erased within 15 minutes, and each time is recorded.',
          });
          close();
          await invalidate(client, ...AFTER_ERASURE);
        },
      },
    );
  };
  return (
    <Modal opened onClose={close} title="Add a retention rule" size={520}>
      <form onSubmit={submit} className="stack" noValidate>
        <AppField value={app} change={setApp} error={tried && app.trim() === '' && 'Which app?'} />
        <TextInput
          label="Days that bodies are kept"
          inputMode="numeric"
          maxLength={5}
          value={text}
          onChange={event => setText(event.currentTarget.value)}
          error={(tried || text !== '') && 'fault' in read && read.fault}
        />
        {unknown ? (
          <p className="mute">This app has recorded nothing yet. The rule holds once it does.</p>
        ) : (
          <PreviewLine preview={preview.data} error={preview.error} />
        )}
        <p className="mute">
          What is erased does not come back. Records of keys, people and the ledger stay.
        </p>
        {change.isError && <ErrorPanel error={change.error} />}
        <div className="modal-actions">
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" loading={change.isPending}>
            Set the rule
          </Button>
        </div>
      </form>
    </Modal>
  );
}

function EraseDialog({ close }: { close: () => void }) {
  const client = useQueryClient();
  const zone = useZone();
  const erase = useCall('erase');
  const [app, setApp] = useState('');
  const [day, setDay] = useState('');
  const [reason, setReason] = useState('');
  const [again, setAgain] = useState('');
  const before = /^\d{4}-\d\d-\d\d$/.test(day) ? `${day}T00:00:00Z` : undefined;
  const preview = useAsk(
    'previewErasure',
    { input: { app_id: app.trim(), before: before ?? '' } },
    { enabled: app.trim() !== '' && before !== undefined },
  );
  const bodies = preview.data?.bodies ?? 0;
  const ready = before !== undefined && bodies > 0 && reason.trim() !== '' && again.trim() === app.trim();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!ready) return;
    erase.mutate(
      { input: { app_id: app.trim(), before, reason: reason.trim() } },
      {
        onSuccess: async ({ erased, blobs }) => {
          notifications.show({
            title: `${countOf(erased, 'body', 'bodies')} erased`,
            message: `With ${countOf(blobs, 'large value')}. The erasure is recorded with your reason.`,
          });
          close();
          await invalidate(client, ...AFTER_ERASURE);
        },
      },
    );
  };
  return (
    <Modal opened onClose={close} closeOnEscape={!erase.isPending} title="Erase bodies of an app" size={560}>
      <form onSubmit={submit} className="stack" noValidate>
        <AppField value={app} change={setApp} />
        <TextInput
          type="date"
          label="Received before (UTC)"
          {...(before === undefined ? {} : { description: `That is ${formatTime(before, zone, 'minute')}` })}
          inputWrapperOrder={['label', 'input', 'description', 'error']}
          value={day}
          onChange={event => setDay(event.currentTarget.value)}
        />
        <PreviewLine preview={preview.data} error={preview.error} />
        <Textarea
          label="Reason"
          description="Recorded for good, so name no personal data."
          maxLength={1024}
          autosize
          minRows={2}
          value={reason}
          onChange={event => setReason(event.currentTarget.value)}
        />
        <TextInput
          label={`To be sure, type the app’s name again${app.trim() === '' ? '' : `: ${app.trim()}`}`}
          autoComplete="off"
          spellCheck={false}
          value={again}
          onChange={event => setAgain(event.currentTarget.value)}
        />
        {erase.isError && <ErrorPanel error={erase.error} />}
        <div className="modal-actions">
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" color="red" loading={erase.isPending} disabled={!ready}>
            Erase for good
          </Button>
        </div>
      </form>
    </Modal>
  );
}
