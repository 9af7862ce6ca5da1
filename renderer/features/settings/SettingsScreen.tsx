/** Settings; each section has an address of its own (`?tab=`). */
import { useNavigate, useSearch } from '@tanstack/react-router';
import { PageHeader } from '../../ui/Page.tsx';
import { TabBar } from '../../ui/TabBar.tsx';
import { About } from './About.tsx';
import { Connect } from './Connect.tsx';
import { CustodyTab } from './CustodyTab.tsx';
import { DataTab } from './DataTab.tsx';
import { General } from './General.tsx';
import { Keys } from './Keys.tsx';
import { Network } from './Network.tsx';
import { readTab } from './settings_view.ts';
import './settings.css';

export function SettingsScreen() {
  const { tab } = useSearch({ from: '/settings' });
  const navigate = useNavigate({ from: '/settings' });
  return (
    <>
      <PageHeader title="Settings" />
      <div className="settings">
        <TabBar
          label="Settings"
          value={readTab(tab)}
          onChange={id => void navigate({ search: id === 'connect' ? {} : { tab: id } })}
          tabs={[
            { id: 'connect', label: 'Connect', body: () => <Connect /> },
            { id: 'keys', label: 'API keys', body: () => <Keys /> },
            { id: 'custody', label: 'Custody and backup', body: () => <CustodyTab /> },
            { id: 'network', label: 'Network', body: () => <Network /> },
            { id: 'data', label: 'Data', body: () => <DataTab /> },
            { id: 'general', label: 'General', body: () => <General /> },
            { id: 'about', label: 'About', body: () => <About /> },
          ]}
        />
      </div>
    </>
  );
}
