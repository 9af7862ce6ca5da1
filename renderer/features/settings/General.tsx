/** Settings > General: name, time zone, colours, single-key shortcuts. */
import { Button, SegmentedControl, Select, Switch, TextInput, useMantineColorScheme } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useMay, useMe } from '../../api/me.ts';
import { invalidate, useAsk, useCall } from '../../api/queries.ts';
import { useKeysOn } from '../../shell/shortcuts.ts';
import type { Scheme } from '../../shell/theme.ts';
import { Section } from '../../ui/Page.tsx';
import { ErrorPanel, Waiting } from '../../ui/States.tsx';
import { formatTime, systemZone } from '../../ui/times.ts';

const zones = ['UTC', ...Intl.supportedValuesOf('timeZone').filter(zone => zone !== 'UTC')];

export function General() {
  const me = useMe().data;
  const mayChange = useMay('changeSettings');
  const settings = useAsk('settings', {});
  if (settings.isError) return <ErrorPanel error={settings.error} retry={() => void settings.refetch()} />;
  if (settings.data === undefined) return <Waiting />;
  return (
    <div className="settings-page">
      {me?.alone === true && <Person held={settings.data.person} />}
      {mayChange ? <Zone held={settings.data.time_zone} /> : <ZoneTold held={settings.data.time_zone} />}
      <Looks />
    </div>
  );
}

function useChange() {
  const client = useQueryClient();
  const change = useCall('changeSettings');
  return {
    change,
    save: (input: { person?: string; time_zone?: string }) =>
      change.mutate({ input }, { onSuccess: () => invalidate(client, 'settings', 'status') }),
    says: change.isPending ? 'Recording…' : change.isSuccess ? 'Changed and recorded.' : '',
  };
}

function Person({ held }: { held: string }) {
  const [name, setName] = useState(held);
  const { change, save, says } = useChange();
  return (
    <Section
      title="Your name"
      lead="Stands beside your approvals. It is what you say; a sign-in of your own, under People, proves it by a key."
    >
      <form
        className="settings-inline"
        onSubmit={event => {
          event.preventDefault();
          save({ person: name.trim() });
        }}
      >
        <TextInput
          aria-label="Your name"
          maxLength={256}
          value={name}
          onChange={event => setName(event.currentTarget.value)}
        />
        <Button
          type="submit"
          variant="default"
          loading={change.isPending}
          disabled={name.trim() === '' || name.trim() === held}
        >
          Save
        </Button>
        <span className="mute" role="status">
          {says}
        </span>
      </form>
      {change.isError && <ErrorPanel error={change.error} />}
    </Section>
  );
}

function Zone({ held }: { held: string }) {
  const { change, save, says } = useChange();
  const chosen = held === '' ? systemZone() : held;
  return (
    <Section title="Time zone" lead="Every time on the page says its zone. Records keep their times in UTC.">
      <div className="settings-inline">
        <Select
          aria-label="Time zone"
          searchable
          allowDeselect={false}
          data={zones.includes(chosen) ? zones : [chosen, ...zones]}
          value={chosen}
          limit={100}
          nothingFoundMessage="No such zone"
          onChange={zone => zone !== null && zone !== held && save({ time_zone: zone })}
        />
        <span className="mute" role="status">
          {says === '' ? `Now ${formatTime(new Date().toISOString(), chosen, 'minute')}` : says}
        </span>
      </div>
      {change.isError && <ErrorPanel error={change.error} />}
    </Section>
  );
}

function ZoneTold({ held }: { held: string }) {
  const chosen = held === '' ? systemZone() : held;
  return (
    <Section title="Time zone" lead="Every time on the page says its zone. Records keep their times in UTC.">
      <p className="settings-note">
        {chosen}, now {formatTime(new Date().toISOString(), chosen, 'minute')}
      </p>
    </Section>
  );
}

function Looks() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const [keysOn, setKeysOn] = useKeysOn();
  return (
    <Section title="This browser" lead="Kept in this browser, not recorded.">
      <div className="stack settings-looks">
        <SegmentedControl
          size="xs"
          aria-label="Colours"
          value={colorScheme}
          onChange={value => setColorScheme(value as Scheme)}
          data={[
            { value: 'auto', label: 'As the system' },
            { value: 'light', label: 'Light' },
            { value: 'dark', label: 'Dark' },
          ]}
        />
        <Switch
          checked={keysOn}
          onChange={event => setKeysOn(event.currentTarget.checked)}
          label="Single-key shortcuts (g t, j, k, ?)"
        />
      </div>
    </Section>
  );
}
