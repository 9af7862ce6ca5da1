/** The bar that always states the truth; each item opens what stands behind it. */
import { Popover, UnstyledButton } from '@mantine/core';
import { useState } from 'react';
import { useMe } from '../api/me.ts';
import { useStatus } from '../api/queries.ts';
import { CopyButton } from '../ui/Copy.tsx';
import { useNow, useZone } from '../ui/Time.tsx';
import { buildStatusItems, type StatusItem } from './status_items.ts';

export function StatusBar({ openPalette }: { openPalette: () => void }) {
  const query = useStatus();
  const me = useMe().data;
  const now = useNow(5_000);
  const zone = useZone();
  const items = buildStatusItems({ status: query.data, reachable: !query.isError, now, zone, me });
  const fault = items.find(item => item.tone === 'bad');
  return (
    <footer className="status-bar">
      {items
        .filter(item => item.side === 'left')
        .map(item => (
          <Item key={item.id} item={item} />
        ))}
      <span className="grow" />
      {items
        .filter(item => item.side === 'right')
        .map(item => (
          <Item key={item.id} item={item} />
        ))}
      <UnstyledButton className="status-item" onClick={openPalette}>
        <kbd>Ctrl</kbd> <kbd>K</kbd> <span className="visually-hidden">Open the command palette</span>
      </UnstyledButton>
      <span className="visually-hidden" role="status">
        {fault === undefined ? '' : `${fault.title}. ${fault.lines[0] ?? ''}`}
      </span>
    </footer>
  );
}

function Item({ item }: { item: StatusItem }) {
  const [open, setOpen] = useState(false);
  return (
    <Popover opened={open} onChange={setOpen} position="top-start" width={380} trapFocus returnFocus>
      <Popover.Target>
        <UnstyledButton
          className={`status-item tone-${item.tone}`}
          onClick={() => setOpen(!open)}
          data-status={item.id}
        >
          {item.id === 'ledger' && <span className="status-dot" aria-hidden />}
          {item.label} {item.figure !== undefined && <b>{item.figure}</b>} {item.after}
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown className="status-detail" aria-label={item.title}>
        <h2 tabIndex={-1} data-autofocus>
          {item.title}
        </h2>
        {item.lines.map(line => (
          <p key={line}>{line}</p>
        ))}
        {item.facts.length > 0 && (
          <dl className="kv">
            {item.facts.map(fact => (
              <div key={fact.name} className="kv-row">
                <dt>{fact.name}</dt>
                <dd className={fact.copy ? 'mono wrap' : undefined}>
                  {fact.value}{' '}
                  {fact.copy && <CopyButton text={fact.value} what={fact.name.toLowerCase()} size={18} />}
                </dd>
              </div>
            ))}
          </dl>
        )}
      </Popover.Dropdown>
    </Popover>
  );
}
