/** Settings > Network: where the collector listens, what that means, and OTLP without a key. */
import { Switch } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useMay } from '../../api/me.ts';
import { invalidate, useAsk, useCall, useStatus } from '../../api/queries.ts';
import { CodeBlock } from '../../ui/Copy.tsx';
import { KeyValue } from '../../ui/KeyValue.tsx';
import { Section } from '../../ui/Page.tsx';
import { ErrorPanel, Waiting } from '../../ui/States.tsx';

export function Network() {
  const status = useStatus().data;
  const settings = useAsk('settings', {});
  const client = useQueryClient();
  const change = useCall('changeSettings');
  const mayChange = useMay('changeSettings');
  if (status === undefined) return <Waiting />;
  const { address } = status;
  return (
    <div className="settings-page">
      <Section title="Listening address">
        <KeyValue
          wide
          rows={[
            { name: 'Address', value: <code className="mono">{address.url}</code> },
            {
              name: 'Who can reach it',
              value: address.beyond_loopback ? (
                <b className="ink-warn">Other computers, over TLS</b>
              ) : (
                'Programs on this computer only'
              ),
            },
          ]}
        />
        <p className="mute settings-note">
          Other users of this computer can reach a loopback address too, so API keys and the sign-in guard it
          either way. The app itself calls nothing on the internet: no update check, no telemetry, no fonts
          from elsewhere. To listen elsewhere, start it so:
        </p>
        <CodeBlock
          code="trailmix start --host ADDRESS --port 4318 --tls-cert cert.pem --tls-key key.pem"
          what="command"
        />
      </Section>
      <Section
        title="OpenTelemetry without a key"
        lead="Lets any exporter on this computer send at its default settings. Such events are kept apart, marked unverified, exported only when chosen, and can never ask for a decision."
      >
        {settings.isError && <ErrorPanel error={settings.error} />}
        {settings.data !== undefined && !mayChange && (
          <p>{settings.data.otlp_unkeyed ? 'Accepted from this computer.' : 'Refused.'}</p>
        )}
        {settings.data !== undefined && mayChange && (
          <Switch
            label={settings.data.otlp_unkeyed ? 'Accepted from this computer' : 'Refused'}
            checked={settings.data.otlp_unkeyed}
            disabled={change.isPending}
            aria-label="Accept OpenTelemetry without a key"
            onChange={event =>
              change.mutate(
                { input: { otlp_unkeyed: event.currentTarget.checked } },
                { onSuccess: () => invalidate(client, 'settings', 'status') },
              )
            }
          />
        )}
        <span className="settings-status mute" role="status">
          {change.isPending ? 'Recording…' : change.isSuccess ? 'Changed and recorded.' : ''}
        </span>
        {change.isError && <ErrorPanel error={change.error} />}
      </Section>
    </div>
  );
}
