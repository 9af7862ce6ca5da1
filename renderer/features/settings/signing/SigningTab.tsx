/** Settings > Signing and time: who signs packs, who dates them, and what the clock here is worth. */
import { useMay } from '../../../api/me.ts';
import { AnchorSection } from './AnchorSection.tsx';
import { AuthoritySection } from './AuthoritySection.tsx';
import { ClockSection } from './ClockSection.tsx';
import { IdentitySection } from './IdentitySection.tsx';
import './signing.css';

export function SigningTab() {
  const mayIdentity = useMay('certificate');
  const mayAuthorities = useMay('timestampAuthorities');
  return (
    <div className="settings-page">
      {mayIdentity && <IdentitySection />}
      {mayAuthorities && <AuthoritySection />}
      <AnchorSection />
      <ClockSection />
    </div>
  );
}
