/** The places of the app: rail, palette and `g` shortcuts come from this one list. Only what works is in it. */
import {
  IconFileCertificate,
  IconLayoutDashboard,
  IconListTree,
  IconSettings,
  IconShieldCog,
  IconUserCheck,
} from '@tabler/icons-react';

export const places = [
  {
    to: '/overview',
    label: 'Overview',
    key: 'o',
    icon: IconLayoutDashboard,
    about: 'Figures of the last days',
  },
  { to: '/traces', label: 'Traces', key: 't', icon: IconListTree, about: 'Every run, searchable' },
  {
    to: '/approvals',
    label: 'Approvals',
    key: 'a',
    icon: IconUserCheck,
    about: 'Calls that wait for a person',
  },
  {
    to: '/policies',
    label: 'Policies',
    key: 'p',
    icon: IconShieldCog,
    about: 'Write, test and put in force what is allowed',
  },
  {
    to: '/evidence',
    label: 'Evidence',
    key: 'e',
    icon: IconFileCertificate,
    about: 'Export and verify packs',
  },
  { to: '/settings', label: 'Settings', key: 's', icon: IconSettings, about: 'Connect, keys, custody, data' },
] as const;

export type Place = (typeof places)[number];
