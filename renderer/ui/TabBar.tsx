/** Tabs of an inspector or a screen; the chosen tab belongs in the URL, so it is controlled. */
import { Tabs } from '@mantine/core';
import { type ReactNode, useEffect, useRef } from 'react';

export type Tab = { id: string; label: string; mark?: ReactNode; body: () => ReactNode };

/** Pixels of what lies beside the chosen tab. */
const PEEK = 12;

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
  const list = useRef<HTMLDivElement>(null);
  // Where they do not all fit, the list scrolls: the chosen one is always seen. The page around it stays where it is.
  // biome-ignore lint/correctness/useExhaustiveDependencies: it looks again at another choice
  useEffect(() => {
    const frame = list.current;
    if (frame === null) return;
    const watch = new ResizeObserver(() => {
      const tab = frame.querySelector('[aria-selected="true"]')?.getBoundingClientRect();
      const { left, right } = frame.getBoundingClientRect();
      if (tab !== undefined && tab.left < left) frame.scrollLeft -= left - tab.left + PEEK;
      else if (tab !== undefined && tab.right > right) frame.scrollLeft += tab.right - right + PEEK;
    });
    watch.observe(frame);
    return () => watch.disconnect();
  }, [chosen]);
  return (
    <Tabs value={chosen} onChange={id => id !== null && onChange(id)} keepMounted={false} className="tabs">
      <Tabs.List ref={list} aria-label={label}>
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
