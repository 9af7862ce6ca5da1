/** What the dialogs of Settings > Retention share: which app, and what an erasure would take. */
import { Autocomplete } from '@mantine/core';
import { useAsk } from '../../../api/queries.ts';
import { ErrorPanel } from '../../../ui/States.tsx';
import { Time } from '../../../ui/Time.tsx';
import { type Preview, previewSentence } from './retention_view.ts';

/** Apps of this ledger, to choose from; one that has recorded nothing yet may be typed. */
export function AppField({
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

export function PreviewLine({ preview, error }: { preview: Preview | undefined; error: unknown }) {
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
