/** What narrows the queue: words, risk, app, action, only mine to answer, whose answers. The address is the state. */
import { Autocomplete, Button, Select, Switch, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconSearch, IconX } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import type { PersonView, SessionView } from '../../../core/api/views.ts';
import { useAsk } from '../../api/queries.ts';
import { useKeys } from '../../shell/shortcuts.ts';
import { type ApprovalsSearch, isFiltered, outcomes, risks } from './approvals_search.ts';

const outcomeWords = {
  approved: 'Approved',
  denied: 'Refused',
  expired: 'Expired',
  cancelled: 'Taken back',
} as const;
const still = { transitionProps: { duration: 0 } };

export function QueueFilters({
  search,
  change,
  clear,
  me,
  people,
  actions,
}: {
  search: ApprovalsSearch;
  change: (next: Partial<ApprovalsSearch>) => void;
  clear: () => void;
  me: SessionView | undefined;
  people: readonly PersonView[];
  /** Names of actions that were seen, to choose from. */
  actions: readonly string[];
}) {
  const runs = useAsk('traces', { query: { limit: 1 } }, { fresh: 60_000 });
  const apps = Object.keys(runs.data?.facets.app ?? {}).sort();
  const seesOthers = me?.roles.some(role => ['admin', 'auditor', 'analyst'].includes(role)) === true;
  return (
    <search className="queue-filters" aria-label="Filter approvals">
      <Words value={search.q ?? ''} set={q => change({ q: q === '' ? undefined : q } as ApprovalsSearch)} />
      <Select
        size="xs"
        aria-label="Risk"
        placeholder="Any risk"
        clearable
        data={risks.map(risk => ({ value: risk, label: `${risk} risk` }))}
        value={search.risk ?? null}
        onChange={value => change({ risk: (value ?? undefined) as never })}
        comboboxProps={still}
        clearButtonProps={{ 'aria-label': 'Any risk' }}
      />
      <Select
        size="xs"
        aria-label="App"
        placeholder="Any app"
        clearable
        searchable={apps.length > 8}
        data={search.app === undefined || apps.includes(search.app) ? apps : [search.app, ...apps]}
        value={search.app ?? null}
        onChange={value => change({ app: value ?? undefined } as ApprovalsSearch)}
        comboboxProps={still}
        clearButtonProps={{ 'aria-label': 'Any app' }}
      />
      <Action
        value={search.action ?? ''}
        actions={actions}
        set={action => change({ action: action === '' ? undefined : action } as ApprovalsSearch)}
      />
      {search.show !== undefined && (
        <Select
          size="xs"
          aria-label="How it ended"
          placeholder="Any outcome"
          clearable
          data={outcomes.map(value => ({ value, label: outcomeWords[value] }))}
          value={search.outcome ?? null}
          onChange={value => change({ outcome: (value ?? undefined) as never })}
          comboboxProps={still}
          clearButtonProps={{ 'aria-label': 'Any outcome' }}
        />
      )}
      {search.show === 'answered' && seesOthers && people.length > 0 && (
        <Select
          size="xs"
          aria-label="Answered by"
          placeholder="By anyone"
          clearable
          searchable={people.length > 8}
          data={people
            .filter(person => person.key_id !== undefined)
            .map(person => ({ value: person.id, label: `by ${person.name}` }))}
          value={search.by ?? null}
          onChange={value => change({ by: value ?? undefined } as ApprovalsSearch)}
          comboboxProps={still}
          clearButtonProps={{ 'aria-label': 'By anyone' }}
        />
      )}
      {search.show === undefined && me?.person !== undefined && me.roles.includes('approver') && (
        <Switch
          size="xs"
          label="For me"
          checked={search.for === 'me'}
          onChange={event =>
            change({ for: event.currentTarget.checked ? 'me' : undefined } as ApprovalsSearch)
          }
        />
      )}
      {isFiltered(search) && (
        <Button size="compact-xs" variant="subtle" onClick={clear}>
          Clear
        </Button>
      )}
    </search>
  );
}

function Words({ value, set }: { value: string; set: (q: string) => void }) {
  const [text, setText] = useState(value);
  const input = useRef<HTMLInputElement>(null);
  const settle = useDebouncedCallback(set, 250);
  useKeys({ '/': () => input.current?.focus() });
  useEffect(() => {
    if (document.activeElement !== input.current) setText(value);
  }, [value]);
  const type = (next: string) => {
    setText(next);
    settle(next.trim());
  };
  return (
    <TextInput
      ref={input}
      size="xs"
      className="queue-words"
      aria-label="Search approvals"
      placeholder="Words of the action, who asked, or why"
      leftSection={<IconSearch size={14} aria-hidden />}
      rightSection={
        text !== '' && (
          <button
            type="button"
            className="icon-button"
            aria-label="Clear the search"
            onClick={() => type('')}
          >
            <IconX size={13} />
          </button>
        )
      }
      value={text}
      onChange={event => type(event.currentTarget.value)}
      onKeyDown={event => {
        if (event.key === 'Escape') input.current?.blur();
        if (event.key === 'Enter') {
          set(text.trim());
          input.current?.blur();
        }
      }}
    />
  );
}

function Action({
  value,
  actions,
  set,
}: {
  value: string;
  actions: readonly string[];
  set: (action: string) => void;
}) {
  const [text, setText] = useState(value);
  const settle = useDebouncedCallback(set, 300);
  useEffect(() => setText(value), [value]);
  return (
    <Autocomplete
      size="xs"
      aria-label="Action"
      placeholder="Any action"
      data={[...actions]}
      limit={30}
      value={text}
      onChange={next => {
        setText(next);
        settle(next.trim());
      }}
      comboboxProps={still}
    />
  );
}
