/** Ctrl/Cmd-K: places, people and one's sign-in, an event by number or id, search, colours, glossary. */
import { useMantineColorScheme } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { Spotlight } from '@mantine/spotlight';
import {
  IconBook2,
  IconBuilding,
  IconCalendarOff,
  IconHash,
  IconLock,
  IconLogout,
  IconMoon,
  IconSearch,
  IconSun,
  IconUserCircle,
  IconUserPlus,
  IconUsers,
} from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { call } from '../api/client.ts';
import { useMe } from '../api/me.ts';
import { signOut } from '../api/person_session.ts';
import { signer, useSigner } from '../api/signer.ts';
import { showFailure } from '../ui/failure_toast.ts';
import { formatCount } from '../ui/numbers.ts';
import { switchTenant } from './PersonMenu.tsx';
import {
  buildPaletteTargets,
  type PaletteTarget,
  type PersonAction,
  personActions,
} from './palette_actions.ts';
import { places } from './places.ts';

type Action = { id: string; label: string; description: string; icon: ReactNode; run: () => void };

const personIcons: Record<PersonAction['kind'], typeof IconUsers> = {
  people: IconUsers,
  invite: IconUserPlus,
  you: IconUserCircle,
  delegate: IconCalendarOff,
  lock: IconLock,
  tenant: IconBuilding,
  sign_out: IconLogout,
};

export function Palette({ openGlossary }: { openGlossary: () => void }) {
  const [text, setText] = useState('');
  const navigate = useNavigate();
  const { setColorScheme } = useMantineColorScheme();
  const me = useMe().data;
  const { unlocked } = useSigner();

  const act = (action: PersonAction): void => {
    if (action.search !== undefined) void navigate({ to: '/settings', search: action.search });
    else if (action.kind === 'lock') signer.lock();
    else if (action.kind === 'sign_out') void signOut();
    else if (action.tenant !== undefined) void switchTenant(action.tenant);
  };

  const toTarget = async (target: PaletteTarget): Promise<void> => {
    if (target.kind === 'search') {
      await navigate({ to: '/traces', search: { q: target.q } });
    } else if (target.kind === 'seq') {
      await navigate({ to: '/events/$seq', params: { seq: String(target.seq) } });
    } else {
      try {
        const found = await call('events', { query: { event_id: target.id, limit: 1 } });
        const first = found.items[0];
        if (first === undefined) {
          notifications.show({
            color: 'yellow',
            title: 'No such event',
            message: `No event has the id ${target.id}.`,
          });
        } else {
          await navigate({ to: '/events/$seq', params: { seq: String(first.seq) } });
        }
      } catch (error) {
        showFailure(error);
      }
    }
  };

  const targets: Action[] = buildPaletteTargets(text).map(target => ({
    id: `target-${target.kind}`,
    label:
      target.kind === 'seq'
        ? `Open event #${formatCount(target.seq)}`
        : target.kind === 'event_id'
          ? `Open the event with id ${target.id}`
          : `Search runs for “${target.q}”`,
    description:
      target.kind === 'search' ? 'Words, and app:, risk:, type:, decision:, session: terms' : 'In its run',
    icon: target.kind === 'search' ? <IconSearch size={18} /> : <IconHash size={18} />,
    run: () => void toTarget(target),
  }));
  const fixed: Action[] = [
    ...places.map(place => ({
      id: place.to,
      label: place.label,
      description: place.about,
      icon: <place.icon size={18} stroke={1.6} />,
      run: () => void navigate({ to: place.to }),
    })),
    ...personActions(me, unlocked).map(action => {
      const Icon = personIcons[action.kind];
      return {
        id: `person-${action.kind}${action.tenant ?? ''}`,
        label: action.label,
        description: action.about,
        icon: <Icon size={18} stroke={1.6} />,
        run: () => act(action),
      };
    }),
    {
      id: 'glossary',
      label: 'Words and keys',
      description: 'What the words mean, and every shortcut',
      icon: <IconBook2 size={18} />,
      run: openGlossary,
    },
    {
      id: 'light',
      label: 'Light colours',
      description: 'Theme',
      icon: <IconSun size={18} />,
      run: () => setColorScheme('light'),
    },
    {
      id: 'dark',
      label: 'Dark colours',
      description: 'Theme',
      icon: <IconMoon size={18} />,
      run: () => setColorScheme('dark'),
    },
  ];
  const wanted = text.trim().toLowerCase();
  const shown = fixed.filter(action =>
    `${action.label} ${action.description}`.toLowerCase().includes(wanted),
  );
  const group = (label: string, actions: Action[]) =>
    actions.length > 0 && (
      <Spotlight.ActionsGroup label={label}>
        {actions.map(action => (
          <Spotlight.Action
            key={action.id}
            label={action.label}
            description={action.description}
            leftSection={action.icon}
            onClick={action.run}
          />
        ))}
      </Spotlight.ActionsGroup>
    );
  return (
    <Spotlight.Root
      query={text}
      onQueryChange={setText}
      shortcut={['mod + K']}
      triggerOnContentEditable
      tagsToIgnore={[]}
      scrollable
      overlayProps={{ backgroundOpacity: 0.35, blur: 0 }}
      maxHeight={460}
      attributes={{ content: { 'aria-label': 'Command palette' } }}
    >
      <Spotlight.Search
        placeholder="Go to, or type #number, an event id, or words to search"
        aria-label="Go to a place, an event, or search"
        leftSection={<IconSearch size={18} aria-hidden />}
      />
      <Spotlight.ActionsList aria-label="Results">
        {wanted !== '' && shown.length === 0 && group('Find', targets)}
        {group('Go to', shown)}
        {wanted !== '' && shown.length > 0 && group('Find', targets)}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  );
}
