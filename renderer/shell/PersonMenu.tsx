/** Who is signed in, at the foot of the rail: their sign-in, the lock of their key, the tenant, sign-out. */
import { Menu, UnstyledButton } from '@mantine/core';
import { IconBuilding, IconLock, IconLogout, IconUserCircle, IconUserPlus } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import type { SessionView } from '../../core/api/views.ts';
import { useMe } from '../api/me.ts';
import { signOut } from '../api/person_session.ts';
import { signer, useSigner } from '../api/signer.ts';
import { rolesInWords } from '../features/people/people_view.ts';
import { initialsOf, rolesShort } from './person_words.ts';
import { wishedTenant } from './tenant_wish.ts';

export function PersonMenu() {
  const me = useMe().data;
  if (me === undefined) return null;
  return me.person === undefined ? <AloneMenu /> : <Signed me={me} person={me.person} />;
}

/** A session belongs to one tenant: another one means another sign-in. */
export async function switchTenant(tenant: string): Promise<void> {
  wishedTenant.set(tenant);
  await signOut();
}

function Signed({ me, person }: { me: SessionView; person: NonNullable<SessionView['person']> }) {
  const { unlocked } = useSigner();
  const navigate = useNavigate();
  const roles = rolesInWords(me.roles);
  return (
    <Menu position="right-end" width={230}>
      <Menu.Target>
        <UnstyledButton className="rail-person">
          <span className="rail-initials" aria-hidden>
            {initialsOf(person.name)}
          </span>
          <span className="rail-who">
            <b>
              <span className="visually-hidden">Signed in as </span>
              {person.name}
            </b>
            <span>{rolesShort(roles)}</span>
          </span>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{roles}</Menu.Label>
        <Menu.Item
          leftSection={<IconUserCircle size={15} />}
          onClick={() => void navigate({ to: '/settings', search: { tab: 'you' } })}
        >
          Your sign-in
        </Menu.Item>
        {unlocked && (
          <Menu.Item leftSection={<IconLock size={15} />} onClick={() => signer.lock()}>
            Lock your signing key
          </Menu.Item>
        )}
        {me.several && (
          <>
            <Menu.Divider />
            <Menu.Label>Tenant</Menu.Label>
            {me.tenants.length === 1 && (
              <Menu.Item
                leftSection={<IconBuilding size={15} />}
                onClick={() => void switchTenant(me.tenant_id)}
              >
                Sign in to another tenant
              </Menu.Item>
            )}
            {me.tenants.map(tenant => (
              <Menu.Item
                key={tenant}
                leftSection={<IconBuilding size={15} />}
                disabled={tenant === me.tenant_id}
                aria-current={tenant === me.tenant_id}
                onClick={() => void switchTenant(tenant)}
              >
                {tenant === me.tenant_id ? `${tenant} (here)` : `Sign in to ${tenant}`}
              </Menu.Item>
            ))}
          </>
        )}
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={15} />} onClick={() => void signOut()}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function AloneMenu() {
  const navigate = useNavigate();
  return (
    <Menu position="right-end" width={230}>
      <Menu.Target>
        <UnstyledButton className="rail-person">
          <span className="rail-initials" aria-hidden>
            <IconUserCircle size={16} />
          </span>
          <span className="rail-who">
            <b>You alone</b>
            <span>unsigned</span>
          </span>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Nobody is enrolled: answers are unsigned, and records say so.</Menu.Label>
        <Menu.Item
          leftSection={<IconUserPlus size={15} />}
          onClick={() => void navigate({ to: '/settings', search: { tab: 'people' } })}
        >
          Make your sign-in
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
