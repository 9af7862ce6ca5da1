/** Settings > Connect: the address, the SDK to install, OpenTelemetry without a key, snippets. */
import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconDownload } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { send } from '../../api/client.ts';
import { useMay } from '../../api/me.ts';
import { asFailure } from '../../api/problem.ts';
import { useAsk, useStatus } from '../../api/queries.ts';
import { CodeBlock } from '../../ui/Copy.tsx';
import { Section } from '../../ui/Page.tsx';
import { LoadSamples } from './LoadSamples.tsx';
import { Snippets } from './Snippets.tsx';
import { saveResponse } from './save_file.ts';
import { buildKeys } from './settings_view.ts';

export function Connect() {
  const status = useStatus().data;
  const mayKeys = useMay('keys');
  const maySamples = useMay('loadSamples');
  const keys = useAsk('keys', {}, { enabled: mayKeys });
  const endpoint = status?.address.url ?? location.origin;
  const appId = buildKeys(keys.data?.items ?? []).usable[0]?.app_id ?? 'my-agent';
  return (
    <div className="settings-page">
      <Section
        title="Send here"
        lead="Programs on this computer send to this address. SDKs and exporters at their default settings find it by themselves on port 4318."
      >
        <CodeBlock code={endpoint} what="address" />
      </Section>
      <Section
        title="Connect a program"
        lead={
          <>
            With a key from{' '}
            {mayKeys ? (
              <Link to="/settings" search={{ tab: 'keys' }}>
                API keys
              </Link>
            ) : (
              'an admin'
            )}
            . A key is shown once, when it is made; put it where the snippet says PASTE_YOUR_KEY.
          </>
        }
        actions={<SaveSdk />}
      >
        <Snippets endpoint={endpoint} appId={appId} />
      </Section>
      <Section
        title="OpenTelemetry without a key"
        lead="Accepted from this computer if Network says so, into an app named otlp:<service.name>. It is shown as unverified, and can never ask for a decision: nobody vouches for who sent it."
      >
        <CodeBlock code={`export OTEL_EXPORTER_OTLP_ENDPOINT=${endpoint}`} what="setting" />
      </Section>
      {maySamples && (
        <Section
          title="Nothing to connect yet?"
          lead="Look around in runs that come with the app, marked as samples."
        >
          <LoadSamples />
        </Section>
      )}
    </div>
  );
}

function SaveSdk() {
  const [saving, setSaving] = useState(false);
  const save = async () => {
    setSaving(true);
    try {
      await saveResponse(await send('sdkTarball', {}, { accept: 'application/gzip' }), 'trailmix-ts.tgz');
    } catch (error) {
      const failure = asFailure(error);
      notifications.show({ color: 'red', title: failure.title, message: failure.message });
    } finally {
      setSaving(false);
    }
  };
  return (
    <Button
      variant="default"
      size="compact-sm"
      leftSection={<IconDownload size={14} aria-hidden />}
      loading={saving}
      onClick={() => void save()}
    >
      Save the TypeScript SDK
    </Button>
  );
}
