/** What narrows the queue: words, risk, app, action, only mine to answer, whose answers. The address is the state. */
import { Autocomplete, Button, Select, Switch } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useEffect, useState } from 'react';
import type { PersonView, SessionView } from '../../../core/api/views.ts';
import { useAsk } from '../../api/queries.ts';
import { SearchBox } from '../../ui/SearchBox.tsx';
import { type ApprovalsSearch, isFiltered, outcomes, risks } from './approvals_search.ts';

const outcomeWords = {
  approved: 'Approved',
  denied: 'Refused',
  expired: 'Expired',
  cancelled: 'Taken back',
} as const;

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
      <SearchBox
        className="queue-words"
        label="Search approvals"
        placeholder="Words of the action, who asked, or why"
        value={search.q ?? ''}
        onChange={q => change({ q: q === '' ? undefined : q } as ApprovalsSearch)}
      />
      <Select
        size="xs"
        aria-label="Risk"
        placeholder="Any risk"
        clearable
        data={risks.map(risk => ({ value: risk, label: `${risk} risk` }))}
        value={search.risk ?? null}
        onChange={value => change({ risk: (value ?? undefined) as never })}
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
    />
  );
}
