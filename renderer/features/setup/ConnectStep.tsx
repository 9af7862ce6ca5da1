/** Step 4: the first key, ways to connect, and a line that turns live when the first event arrives. */
import { Button, Loader } from '@mantine/core';
import { IconArrowRight, IconCheck } from '@tabler/icons-react';
import { useAsk, useStatus } from '../../api/queries.ts';
import { CopyButton } from '../../ui/Copy.tsx';
import { countOf } from '../../ui/numbers.ts';
import { LoadSamples } from '../settings/LoadSamples.tsx';
import { Snippets } from '../settings/Snippets.tsx';

export function ConnectStep({
  apiKey,
  appId,
  keyFile,
  person,
  leave,
}: {
  apiKey: string;
  appId: string;
  keyFile?: string | undefined;
  person: string;
  leave: (to: '/overview' | '/traces') => void;
}) {
  const status = useStatus().data;
  // The ledger writes records of its own at setup (its opening, this key): only a run is somebody's first event.
  const runs = useAsk('traces', { query: { limit: 1 } }, { every: 2_000, enabled: status?.phase === 'open' });
  const arrived = (runs.data?.total ?? 0) > 0;
  const samples = runs.data?.items[0]?.sample === true;
  return (
    <div>
      <h1>Ready, {person}. Connect your first app</h1>
      <p className="setup-lead">
        This key is for <b>{appId}</b> and is <b>shown only now</b>. It is already in the snippets below; more
        keys are made in Settings.
      </p>
      <div className="setup-key">
        <code className="mono wrap">{apiKey}</code>
        <CopyButton text={apiKey} what="API key" />
      </div>
      <Snippets endpoint={status?.address.url ?? location.origin} appId={appId} apiKey={apiKey} />
      {keyFile !== undefined && (
        <p className="mute setup-note">
          The key file is <code className="mono wrap">{keyFile}</code>. Keep a copy of it away from the data
          folder.
        </p>
      )}
      <footer className="setup-foot live" data-arrived={arrived || undefined}>
        <span className="row" role="status">
          {arrived ? (
            <IconCheck size={17} className="ink-allow" aria-hidden />
          ) : (
            <Loader size={15} aria-hidden />
          )}
          {arrived
            ? samples
              ? `${countOf(runs.data?.total ?? 0, 'sample run')} loaded`
              : `The first event has arrived: ${countOf(runs.data?.total ?? 0, 'run')} recorded`
            : 'Waiting for the first event…'}
        </span>
        <span className="row">
          {!arrived && <LoadSamples />}
          <Button
            size="compact-md"
            variant={arrived ? 'filled' : 'default'}
            rightSection={<IconArrowRight size={15} aria-hidden />}
            onClick={() => leave(arrived ? '/traces' : '/overview')}
          >
            {arrived ? 'See it in Traces' : 'Go to the app'}
          </Button>
        </span>
      </footer>
    </div>
  );
}
