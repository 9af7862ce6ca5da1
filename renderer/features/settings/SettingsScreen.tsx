/** Settings; each section has an address of its own (`?tab=`). */
import { useNavigate, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useMe } from '../../api/me.ts';
import { PageHeader } from '../../ui/Page.tsx';
import { TabBar } from '../../ui/TabBar.tsx';
import { ReviewSettingsTab } from '../approvals/ReviewSettingsTab.tsx';
import { PeopleTab } from '../people/PeopleTab.tsx';
import { YouTab } from '../people/YouTab.tsx';
import { About } from './About.tsx';
import { Connect } from './Connect.tsx';
import { CustodyTab } from './CustodyTab.tsx';
import { DataTab } from './DataTab.tsx';
import { General } from './General.tsx';
import { Keys } from './Keys.tsx';
import { Network } from './Network.tsx';
import { readTab, type SettingsTab, tabsFor } from './settings_view.ts';
import { RetentionTab } from './signing/RetentionTab.tsx';
import { SigningTab } from './signing/SigningTab.tsx';
import { WitnessesTab } from './signing/WitnessesTab.tsx';
import { TenantsTab } from './TenantsTab.tsx';
import './settings.css';

const bodies: Record<SettingsTab, { label: string; body: () => ReactNode }> = {
  connect: { label: 'Connect', body: () => <Connect /> },
  keys: { label: 'API keys', body: () => <Keys /> },
  people: { label: 'People', body: () => <PeopleTab /> },
  tenants: { label: 'Tenants', body: () => <TenantsTab /> },
  you: { label: 'Your sign-in', body: () => <YouTab /> },
  reviews: { label: 'Reviews', body: () => <ReviewSettingsTab /> },
  signing: { label: 'Signing and time', body: () => <SigningTab /> },
  witnesses: { label: 'Witnesses', body: () => <WitnessesTab /> },
  retention: { label: 'Retention', body: () => <RetentionTab /> },
  custody: { label: 'Custody and backup', body: () => <CustodyTab /> },
  network: { label: 'Network', body: () => <Network /> },
  data: { label: 'Data', body: () => <DataTab /> },
  general: { label: 'General', body: () => <General /> },
  about: { label: 'About', body: () => <About /> },
};

export function SettingsScreen() {
  const me = useMe().data;
  const { tab } = useSearch({ from: '/settings' });
  const navigate = useNavigate({ from: '/settings' });
  const asked = readTab(tab);
  const shown = tabsFor(me);
  return (
    <>
      <PageHeader title="Settings" />
      <div className="settings">
        {me?.alone === false && !shown.includes(asked) && (
          <p className="callout tone-ask settings-elsewhere" role="status">
            {bodies[asked].label} is not shown to your role.
          </p>
        )}
        <TabBar
          label="Settings"
          value={asked}
          onChange={id => void navigate({ search: id === 'connect' ? {} : { tab: id } })}
          tabs={shown.map(id => ({ id, ...bodies[id] }))}
        />
      </div>
    </>
  );
}
