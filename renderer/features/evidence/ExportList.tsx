/** Exports of this run of the collector: progress, cancel, save, verify here, and the trust file that goes another way. */
import { Button, Progress } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconClockCheck, IconDownload, IconShieldCheck, IconUpload, IconX } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { ExportJob } from '../../../core/api/views.ts';
import { call, send } from '../../api/client.ts';
import { useMay } from '../../api/me.ts';
import { asFailure } from '../../api/problem.ts';
import { invalidate, useAsk, useCall } from '../../api/queries.ts';
import { Hash } from '../../ui/Copy.tsx';
import { FileButton } from '../../ui/FileButton.tsx';
import { countOf, formatBytes, formatCount } from '../../ui/numbers.ts';
import { Section } from '../../ui/Page.tsx';
import { ErrorPanel } from '../../ui/States.tsx';
import { saveBlob, saveResponse } from '../settings/save_file.ts';
import { StampDialog } from './StampDialog.tsx';
import { progressOf } from './scope.ts';
import { verify } from './verify_store.ts';

export function ExportList() {
  const jobs = useAsk('exportJobs', {}, { every: 1_000 });
  const items = jobs.data?.items ?? [];
  const done = items.some(job => job.state === 'done');
  if (jobs.isError) return <ErrorPanel error={jobs.error} retry={() => void jobs.refetch()} />;
  if (jobs.data === undefined) return null;
  return (
    <Section
      title="Exports"
      lead="Kept while the collector runs. Save what you need: a pack that is kept elsewhere also holds its checkpoint there."
      actions={done && <SaveTrust />}
    >
      {items.length > 0 && (
        <ul className="exports">
          {items.map(job => (
            <Job key={job.id} job={job} />
          ))}
        </ul>
      )}
      <BringBack />
    </Section>
  );
}

function Job({ job }: { job: ExportJob }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const cancel = useCall('cancelExport');
  const mayStamp = useMay('packTimestampRequest');
  const [saving, setSaving] = useState(false);
  const [stamping, setStamping] = useState(false);
  const fetching = async (use: (answer: Response) => Promise<unknown>) => {
    setSaving(true);
    try {
      await use(await send('downloadExport', { params: { id: job.id } }, { accept: 'application/zip' }));
    } catch (error) {
      const failure = asFailure(error);
      notifications.show({ color: 'red', title: failure.title, message: failure.next });
    } finally {
      setSaving(false);
    }
  };
  const name = job.pack?.file ?? `${job.app_id}.zip`;
  return (
    <li className="export" data-state={job.state}>
      <div className="grow">
        <b>{job.pack?.file ?? job.app_id}</b>
        {job.state === 'running' && <Running job={job} />}
        {job.state === 'done' && job.pack !== undefined && (
          <p className="mute">
            {countOf(job.pack.events, 'event')}, {formatBytes(job.pack.bytes)}, under a checkpoint of{' '}
            {formatCount(job.pack.checkpoint.size)} records. Pack{' '}
            <Hash value={job.pack.pack_id} what="pack id" />
            {job.brought === true && ' Brought back; not checked here.'}
            {job.stamps !== undefined && job.stamps.length > 0 && (
              <> Stamped by {[...new Set(job.stamps.map(({ authority }) => authority))].join(', ')}.</>
            )}
          </p>
        )}
        {job.state === 'cancelled' && <p className="mute">Cancelled; nothing was kept.</p>}
        {job.state === 'failed' && (
          <p className="export-failed">
            {job.error?.message ?? 'The export failed.'} <code className="mono">{job.error?.code}</code>
          </p>
        )}
      </div>
      {job.state === 'running' && (
        <Button
          variant="default"
          leftSection={<IconX size={14} aria-hidden />}
          loading={cancel.isPending}
          onClick={() =>
            cancel.mutate({ params: { id: job.id } }, { onSettled: () => invalidate(client, 'exportJobs') })
          }
        >
          Cancel
        </Button>
      )}
      {stamping && <StampDialog job={job} name={name} close={() => setStamping(false)} />}
      {job.state === 'done' && (
        <>
          {mayStamp && (
            <Button
              variant="default"
              leftSection={<IconClockCheck size={15} aria-hidden />}
              aria-label={`Stamp ${name}`}
              onClick={() => setStamping(true)}
            >
              Stamp
            </Button>
          )}
          <Button
            variant="default"
            leftSection={<IconShieldCheck size={15} aria-hidden />}
            disabled={saving}
            onClick={() =>
              void fetching(async answer => {
                verify({ name, blob: await answer.blob() });
                await navigate({ to: '/evidence', search: { tab: 'verify' } });
              })
            }
          >
            Verify here
          </Button>
          <Button
            leftSection={<IconDownload size={15} aria-hidden />}
            loading={saving}
            onClick={() => void fetching(answer => saveResponse(answer, name))}
          >
            Save
          </Button>
        </>
      )}
    </li>
  );
}

function Running({ job }: { job: ExportJob }) {
  const percent = progressOf(job);
  return (
    <>
      <p className="mute" role="status">
        {job.step}
        {percent === undefined ? '…' : `, ${formatCount(job.done)} of ${formatCount(job.total)}`}
      </p>
      <Progress
        value={percent ?? 100}
        animated={percent === undefined}
        size="sm"
        aria-label={`Progress of the export of ${job.app_id}`}
      />
    </>
  );
}

/** A pack of an earlier day, to be stamped. */
function BringBack() {
  const client = useQueryClient();
  const [state, setState] = useState<{ busy: boolean; error?: unknown }>({ busy: false });
  if (!useMay('bringPack')) return null;
  const bring = async (file: File) => {
    setState({ busy: true });
    try {
      await send('bringPack', { query: { name: file.name } }, { raw: file });
      setState({ busy: false });
      await invalidate(client, 'exportJobs');
    } catch (error) {
      setState({ busy: false, error });
    }
  };
  return (
    <div className="bring-back">
      <FileButton
        label="Bring a pack back to stamp it"
        accept=".zip,application/zip"
        loading={state.busy}
        icon={<IconUpload size={14} aria-hidden />}
        take={([file]) => file !== undefined && void bring(file)}
      />
      {state.error !== undefined && <ErrorPanel error={state.error} />}
    </div>
  );
}

function SaveTrust() {
  const [saving, setSaving] = useState(false);
  const save = async () => {
    setSaving(true);
    try {
      const { files } = await call('trust', {});
      for (const [path, text] of Object.entries(files)) {
        saveBlob(new Blob([text]), path.split('/').at(-1) ?? path);
      }
    } catch (error) {
      const failure = asFailure(error);
      notifications.show({ color: 'red', title: failure.title, message: failure.next });
    } finally {
      setSaving(false);
    }
  };
  return (
    <Button
      variant="default"
      size="compact-sm"
      loading={saving}
      onClick={() => void save()}
      title="What a verifier must get apart from the pack"
    >
      Save trust files
    </Button>
  );
}
