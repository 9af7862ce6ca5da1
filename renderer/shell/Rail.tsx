/** The rail: places by word, with the number of calls that wait for a person, and who is signed in. */
import { ActionIcon, Menu, UnstyledButton, useMantineColorScheme } from '@mantine/core';
import { IconBook2, IconDeviceDesktop, IconMoon, IconSun } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useMe } from '../api/me.ts';
import { useStatus } from '../api/queries.ts';
import { PersonMenu } from './PersonMenu.tsx';
import { places } from './places.ts';
import type { Scheme } from './theme.ts';

const schemes: { value: Scheme; label: string; icon: typeof IconSun }[] = [
  { value: 'auto', label: 'As the system', icon: IconDeviceDesktop },
  { value: 'light', label: 'Light', icon: IconSun },
  { value: 'dark', label: 'Dark', icon: IconMoon },
];

export function Rail({ openGlossary }: { openGlossary: () => void }) {
  const { data } = useStatus();
  const waiting = data?.ledger?.waiting_approvals ?? 0;
  return (
    <nav className="rail" aria-label="Main">
      <Link to="/overview" className="rail-brand" aria-label="Audit TrailMix, overview">
        <img src="/favicon.svg" width={28} height={28} alt="" />
        <span>TrailMix</span>
      </Link>
      <TenantMark />
      {places.map(place => (
        <Link
          key={place.to}
          to={place.to}
          className={place.to === '/settings' ? 'rail-item last' : 'rail-item'}
          activeProps={{ 'aria-current': 'page' }}
        >
          <place.icon size={17} stroke={1.7} aria-hidden />
          {place.label}
          {place.to === '/approvals' && waiting > 0 && (
            <span className="rail-count">
              {waiting > 999 ? '999+' : waiting}
              <span className="visually-hidden"> waiting</span>
            </span>
          )}
        </Link>
      ))}
      <PersonMenu />
      <div className="rail-foot">
        <SchemeMenu />
        <UnstyledButton className="rail-small" onClick={openGlossary}>
          <IconBook2 size={15} aria-hidden /> Help <kbd>?</kbd>
        </UnstyledButton>
      </div>
    </nav>
  );
}

/** Where one is, as soon as there are several tenants. */
function TenantMark() {
  const me = useMe().data;
  if (me?.several !== true) return null;
  return (
    <p className="rail-tenant" title={`Tenant ${me.tenant_id}`}>
      <span className="visually-hidden">Tenant </span>
      {me.tenant_name}
    </p>
  );
}

function SchemeMenu() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const chosen = schemes.find(scheme => scheme.value === colorScheme) ?? schemes[0]!;
  return (
    <Menu position="right-end" width={160}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size={26} aria-label={`Colours: ${chosen.label}`}>
          <chosen.icon size={15} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {schemes.map(scheme => (
          <Menu.Item
            key={scheme.value}
            leftSection={<scheme.icon size={15} />}
            onClick={() => setColorScheme(scheme.value)}
            aria-current={scheme.value === chosen.value}
          >
            {scheme.label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
