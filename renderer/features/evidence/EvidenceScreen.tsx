/** Evidence: export what happened as a pack that anyone can verify, and verify any pack. */
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMay, useMe } from '../../api/me.ts';
import { PageHeader } from '../../ui/Page.tsx';
import { TabBar } from '../../ui/TabBar.tsx';
import { ExportTab } from './ExportTab.tsx';
import { VerifyTab } from './VerifyTab.tsx';
import './evidence.css';

export function EvidenceScreen() {
  const search = useSearch({ from: '/evidence' });
  const known = useMe().data !== undefined;
  const mayExport = useMay('startExport');
  const navigate = useNavigate({ from: '/evidence' });
  return (
    <>
      <PageHeader title="Evidence" />
      <div className="evidence">
        {known && (
          <TabBar
            label="Evidence"
            value={search.tab ?? 'export'}
            onChange={id => void navigate({ search: id === 'verify' ? { tab: 'verify' } : {} })}
            tabs={[
              ...(mayExport ? [{ id: 'export', label: 'Export a pack', body: () => <ExportTab /> }] : []),
              { id: 'verify', label: 'Verify a pack', body: () => <VerifyTab /> },
            ]}
          />
        )}
      </div>
    </>
  );
}
