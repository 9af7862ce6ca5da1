/** Tabs of an inspector or a screen; the chosen tab belongs in the URL, so it is controlled. */
import { Tabs } from '@mantine/core';
import type { ReactNode } from 'react';

export type Tab = { id: string; label: string; mark?: ReactNode; body: () => ReactNode };

/** Only the chosen body is rendered. `label` names the whole for readers. */
export function TabBar({
  tabs,
  value,
  onChange,
  label,
}: {
  tabs: Tab[];
  value: string;
  onChange: (id: string) => void;
  label: string;
}) {
  const chosen = tabs.some(tab => tab.id === value) ? value : (tabs[0]?.id ?? '');
  return (
    <Tabs value={chosen} onChange={id => id !== null && onChange(id)} keepMounted={false} className="tabs">
      <Tabs.List aria-label={label}>
        {tabs.map(tab => (
          <Tabs.Tab key={tab.id} value={tab.id} rightSection={tab.mark}>
            {tab.label}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {tabs.map(tab => (
        <Tabs.Panel key={tab.id} value={tab.id} tabIndex={0}>
          {tab.id === chosen && tab.body()}
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}
