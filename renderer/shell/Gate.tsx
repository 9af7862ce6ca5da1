/** Which page the phase of the collector allows: an invitation, signed out, setup, locked, refused, or the app. */
import { Navigate, Outlet, useMatch } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { useAsk, useStatus } from '../api/queries.ts';
import { useInvitation, useSession } from '../api/session.ts';
import { Waiting } from '../ui/States.tsx';
import { ZoneProvider } from '../ui/Time.tsx';
import { isZone, systemZone } from '../ui/times.ts';
import { Shell } from './Shell.tsx';
import { Door } from './SignInPage.tsx';
import { Away, NoRole, Refused, Unlock } from './Standing.tsx';

const InvitePage = lazy(async () => ({
  default: (await import('../features/people/InvitePage.tsx')).InvitePage,
}));

export function Gate() {
  const session = useSession();
  const invited = useInvitation();
  if (invited !== undefined) {
    return (
      <Suspense fallback={<Waiting label="Opening" />}>
        <InvitePage invitation={invited} />
      </Suspense>
    );
  }
  if (session.state === 'signing_in') return <Waiting label="Signing in" />;
  if (session.state === 'signed_out') return <Door why={session.why} person={session.person} />;
  return <Phases />;
}

function Phases() {
  const status = useStatus();
  // The match, not the address: the address is ahead while a screen is still being loaded.
  const setup = useMatch({ from: '/setup', shouldThrow: false }) !== undefined;
  const settings = useAsk('settings', {}, { enabled: status.data?.phase === 'open', fresh: 60_000 });
  const chosen = settings.data?.time_zone;
  const zone = chosen !== undefined && chosen !== '' && isZone(chosen) ? chosen : systemZone();

  // Setup shows the recovery phrase after the phase has turned to open: it leaves by itself.
  if (setup && status.data !== undefined) return <Outlet />;
  if (status.data === undefined) {
    if (status.error?.code === 'role_missing') return <NoRole />;
    return status.isError ? <Away retry={() => void status.refetch()} /> : <Waiting label="Opening" />;
  }
  switch (status.data.phase) {
    case 'setup':
      return <Navigate to="/setup" replace />;
    case 'locked':
      return <Unlock keyMissing={status.data.key_missing?.file} />;
    case 'refused':
      return (
        <Refused
          refused={
            status.data.refused ?? {
              code: 'ledger_refused',
              message: 'No reason was given.',
              next: 'Run `trailmix doctor`.',
            }
          }
        />
      );
    case 'open':
      return (
        <ZoneProvider zone={zone}>
          <Shell />
        </ZoneProvider>
      );
  }
}
