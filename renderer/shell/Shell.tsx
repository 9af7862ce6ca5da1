/** Rail, screen, status bar, palette and glossary: what stands around every screen once the ledger is open. */
import { spotlight } from '@mantine/spotlight';
import { Outlet, useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useCallback, useState } from 'react';
import { ApprovalNotices } from '../features/approvals/ApprovalNotices.tsx';
import { Glossary, OpenGlossary } from './Glossary.tsx';
import { Palette } from './Palette.tsx';
import { places } from './places.ts';
import { Rail } from './Rail.tsx';
import { StatusBar } from './StatusBar.tsx';
import { useGo, useKeys } from './shortcuts.ts';
import { UnlockDialog } from './UnlockDialog.tsx';

const PackDrop = lazy(async () => ({
  default: (await import('../features/evidence/PackDrop.tsx')).PackDrop,
}));

export function Shell() {
  const [glossaryOpen, setGlossaryOpen] = useState(false);
  const openGlossary = useCallback(() => setGlossaryOpen(true), []);
  const navigate = useNavigate();
  useGo(letter => {
    const place = places.find(candidate => candidate.key === letter);
    if (place !== undefined) void navigate({ to: place.to });
    return place !== undefined;
  });
  useKeys({ '?': openGlossary });
  return (
    <div className="shell">
      <a href="#screen" className="skip">
        Skip to the screen
      </a>
      <Rail openGlossary={openGlossary} />
      <main id="screen" className="screen" tabIndex={-1}>
        <OpenGlossary value={openGlossary}>
          <Outlet />
        </OpenGlossary>
      </main>
      <StatusBar openPalette={spotlight.open} />
      <Palette openGlossary={openGlossary} />
      <Suspense>
        <PackDrop />
      </Suspense>
      <UnlockDialog />
      <ApprovalNotices />
      <Glossary opened={glossaryOpen} close={() => setGlossaryOpen(false)} />
    </div>
  );
}
