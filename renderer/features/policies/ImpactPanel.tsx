/** What a draft or a set would have said about recorded decisions: run with progress, the flip table, what stands behind a cell. */
import { Button, NumberInput, Progress, Select, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconPlayerPlay, IconPlayerStop } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { ImpactView, PolicyFile } from '../../../core/api/policy_views.ts';
import type { SessionView } from '../../../core/api/views.ts';
import { useMay } from '../../api/me.ts';
import { asFailure, type Failure } from '../../api/problem.ts';
import { invalidate, useAsk, useCall } from '../../api/queries.ts';
import { countOf, formatCount, shortHash } from '../../ui/numbers.ts';
import { ErrorPanel, Waiting } from '../../ui/States.tsx';
import { Time } from '../../ui/Time.tsx';
import { formatDuration } from '../../ui/times.ts';
import { checkable } from './drafts.ts';
import { FlipCellDecisions } from './FlipCellDecisions.tsx';
import { buildFlipTable, cellOf, sinceDays, skippedOf } from './impact_view.ts';
import { saveImpactReport } from './policy_signing.ts';
import { toneOf, unfaithfulWord, wordsOf } from './words.ts';

export function ImpactPanel({
  me,
  files,
  hash,
  title,
  impactId,
  cell,
  choose,
  toPlace,
  openRun,
  pick,
}: {
  me: SessionView;
  files: readonly PolicyFile[];
  /** Of the open set; absent for a draft. */
  hash: string | undefined;
  title: string;
  impactId: string | undefined;
  cell: string | undefined;
  choose: (impact: string | undefined, cell: string | undefined) => void;
  toPlace: (path: string, row: number) => void;
  openRun: (run: string, seq: number) => void;
  /** Uses a decision's input in Evaluation. */
  pick: (decision: string) => void;
}) {
  const client = useQueryClient();
  const mayStart = useMay('startImpact');
  const [app, setApp] = useState('');
  const [days, setDays] = useState('');
  const [last, setLast] = useState<number | string>(40_000);
  const start = useCall('startImpact');
  const cancel = useCall('cancelImpact');
  const jobs = useAsk('impacts', {}, { every: 5_000 });
  const id = impactId ?? jobs.data?.items[0]?.id;
  const job = useAsk(
    'impact',
    { params: { id: id ?? '' } },
    {
      enabled: id !== undefined,
      every:
        jobs.data?.items.find(one => one.id === id)?.state === 'running' || start.isPending ? 400 : 2_000,
      keep: true,
    },
  );
  const shown = job.data?.id === id ? job.data : undefined;
  const run = () => {
    const filter = {
      ...(app.trim() === '' ? {} : { app: app.trim() }),
      ...(days === '' ? {} : { from: sinceDays(Number(days), Date.now()) }),
      ...(typeof last === 'number' ? { last } : {}),
    };
    start.mutate(
      { input: hash === undefined ? { files: [...files], filter } : { hash, filter } },
      {
        onSuccess: async started => {
          await invalidate(client, 'impacts');
          choose(started.id, undefined);
        },
      },
    );
  };
  return (
    <div className="policy-side-body">
      {mayStart && (
        <form
          className="policy-impact-form"
          onSubmit={event => {
            event.preventDefault();
            run();
          }}
        >
          <p className="policy-note">
            Decides recorded decisions again under <b>{title}</b>, and counts what would change. Nothing is
            enforced.
          </p>
          <div className="policy-impact-filter">
            <TextInput
              label="App"
              placeholder="All"
              value={app}
              onChange={event => setApp(event.currentTarget.value)}
            />
            <Select
              label="From"
              data={[
                { value: '', label: 'All time' },
                { value: '1', label: 'Last day' },
                { value: '7', label: 'Last 7 days' },
                { value: '30', label: 'Last 30 days' },
                { value: '90', label: 'Last 90 days' },
              ]}
              value={days}
              allowDeselect={false}
              onChange={value => setDays(value ?? '')}
            />
            <NumberInput
              label="At most"
              size="xs"
              min={1}
              max={10_000_000}
              thousandSeparator=","
              hideControls
              value={last}
              onChange={setLast}
            />
          </div>
          <Button
            type="submit"
            size="compact-sm"
            loading={start.isPending}
            disabled={hash === undefined && !checkable(files)}
            leftSection={<IconPlayerPlay size={13} aria-hidden />}
          >
            Run on recorded decisions
          </Button>
        </form>
      )}
      {start.isError && <ErrorPanel error={start.error} />}
      {cancel.isError && <ErrorPanel error={cancel.error} />}
      {(jobs.data?.items.length ?? 0) > 1 && (
        <Select
          label="Earlier runs"
          data={jobs.data?.items.map(one => ({ value: one.id, label: jobWord(one) })) ?? []}
          value={id ?? null}
          allowDeselect={false}
          onChange={value => value !== null && choose(value, undefined)}
        />
      )}
      {job.isError && <ErrorPanel error={job.error} />}
      {id !== undefined && shown === undefined && !job.isError && <Waiting label="Loading the run" />}
      {id === undefined && jobs.data !== undefined && <p className="mute policy-note">No run yet.</p>}
      {shown !== undefined && (
        <Result
          me={me}
          job={shown}
          cell={cell}
          choose={next => choose(shown.id, next)}
          cancel={() =>
            cancel.mutate(
              { params: { id: shown.id } },
              { onSuccess: () => invalidate(client, 'impact', 'impacts') },
            )
          }
          mayCancel={mayStart}
          toPlace={toPlace}
          openRun={openRun}
          pick={pick}
        />
      )}
    </div>
  );
}

const jobWord = (job: ImpactView): string =>
  `${shortHash(job.hash)}: ${formatCount(job.flipped)} of ${formatCount(job.decided)} change${job.saved_seq === undefined ? '' : ', saved'}`;

function Result({
  me,
  job,
  cell,
  choose,
  cancel,
  mayCancel,
  toPlace,
  openRun,
  pick,
}: {
  me: SessionView;
  job: ImpactView;
  cell: string | undefined;
  choose: (cell: string | undefined) => void;
  cancel: () => void;
  mayCancel: boolean;
  toPlace: (path: string, row: number) => void;
  openRun: (run: string, seq: number) => void;
  pick: (decision: string) => void;
}) {
  const table = buildFlipTable(job);
  const skipped = skippedOf(job);
  const chosen = cellOf(cell);
  const took =
    job.finished_at === undefined
      ? undefined
      : (Date.parse(job.finished_at) - Date.parse(job.started_at)) * 1_000;
  return (
    <section aria-label="Impact">
      <p className="policy-impact-sum" role="status">
        <b className="policy-figure">{formatCount(job.flipped)}</b> of{' '}
        <b className="policy-figure">{formatCount(job.decided)}</b> recorded decisions change
      </p>
      <p className="mute policy-small">
        {job.filter.app ?? 'all apps'}
        {job.filter.from !== undefined && (
          <>
            , since <Time at={job.filter.from} short />
          </>
        )}
        {took !== undefined && `, ${formatDuration(Math.max(took, 1_000))}`}
        {job.saved_seq !== undefined && `, saved as evidence #${formatCount(job.saved_seq)}`}
        {!job.saved_set && ', a draft'}
      </p>
      {job.state === 'running' && (
        <div className="policy-progress">
          <Progress
            value={job.total === 0 ? 0 : (100 * job.done) / job.total}
            aria-label={`${formatCount(job.done)} of ${formatCount(job.total)} decisions`}
            transitionDuration={0}
          />
          <span className="mute">
            {formatCount(job.done)} of {formatCount(job.total)}
          </span>
          {mayCancel && (
            <Button
              size="compact-xs"
              variant="default"
              onClick={cancel}
              leftSection={<IconPlayerStop size={12} aria-hidden />}
            >
              Cancel
            </Button>
          )}
        </div>
      )}
      {job.state === 'cancelled' && (
        <p className="policy-note">Cancelled: these are the first {formatCount(job.done)}.</p>
      )}
      {job.error !== undefined && (
        <div className="callout tone-deny">
          <b>It could not be finished.</b>
          <p>{job.error.message}</p>
        </div>
      )}
      <table className="policy-flip">
        <caption className="visually-hidden">
          Recorded answer by row, answer of the tried policy by column
        </caption>
        <thead>
          <tr>
            <th scope="col">recorded ↓ tried →</th>
            {table.words.map(word => (
              <th key={word} scope="col">
                {wordsOf[word]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.map(row => (
            <tr key={row.from}>
              <th scope="row">{wordsOf[row.from]}</th>
              {row.cells.map(one => {
                const key = `${one.from}>${one.to}`;
                const flips = !one.same && one.decisions > 0;
                return (
                  <td
                    key={key}
                    className={flips ? `flips ${toneOf[one.to]}` : undefined}
                    data-cell={key}
                    data-chosen={key === cell || undefined}
                  >
                    {flips ? (
                      <button
                        type="button"
                        onClick={() => choose(key === cell ? undefined : key)}
                        aria-pressed={key === cell}
                        title={`${countOf(one.decisions, 'decision')} in ${countOf(one.runs, 'run')}`}
                      >
                        {formatCount(one.decisions)}
                        <span className="visually-hidden">
                          {' '}
                          from {wordsOf[one.from]} to {wordsOf[one.to]}
                        </span>
                      </button>
                    ) : (
                      <span className="mute">{formatCount(one.decisions)}</span>
                    )}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      {chosen !== undefined && (
        <FlipCellDecisions
          key={cell}
          job={job}
          from={chosen.from}
          to={chosen.to}
          toPlace={toPlace}
          openRun={openRun}
          pick={pick}
        />
      )}
      {skipped.length > 0 && (
        <>
          <h3 className="policy-h3">Not decided again, because</h3>
          <ul className="policy-skipped">
            {skipped.map(({ reason, count }) => (
              <li key={reason}>
                <b>{formatCount(count)}</b> {unfaithfulWord(reason)}
              </li>
            ))}
          </ul>
        </>
      )}
      {job.state === 'done' && job.saved_seq === undefined && <SaveReport me={me} job={job} />}
    </section>
  );
}

function SaveReport({ me, job }: { me: SessionView; job: ImpactView }) {
  const client = useQueryClient();
  const may = useMay('saveImpact');
  const [message, setMessage] = useState('');
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  if (!may) return null;
  const save = async () => {
    setBusy(true);
    setFailure(undefined);
    try {
      const done = await saveImpactReport(
        me,
        { id: job.id, ...(job.report_sha256 === undefined ? {} : { report_sha256: job.report_sha256 }) },
        message.trim(),
      );
      if (done !== undefined) {
        await invalidate(client, 'impact', 'impacts');
        notifications.show({ message: 'Recorded: this change was tried on recorded decisions.' });
      }
    } catch (error) {
      setFailure(asFailure(error));
    }
    setBusy(false);
  };
  return (
    <form
      className="policy-impact-save"
      onSubmit={event => {
        event.preventDefault();
        void save();
      }}
    >
      <TextInput
        label="Keep the result as evidence"
        placeholder="What was tried, and why"
        maxLength={500}
        value={message}
        onChange={event => setMessage(event.currentTarget.value)}
        className="grow"
      />
      <Button type="submit" size="compact-sm" variant="default" loading={busy}>
        {me.person === undefined ? 'Save' : 'Sign and save'}
      </Button>
      {failure !== undefined && <ErrorPanel error={failure} />}
    </form>
  );
}
