/** Traces: facets, query box, and a virtual table over the server's windows. The URL is the state. */
import { Button, Menu, Popover } from '@mantine/core';
import { IconColumns3, IconDownload, IconHelpCircle, IconListTree } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useMay } from '../../api/me.ts';
import { invalidate, useCall, useStatus } from '../../api/queries.ts';
import { CodeBlock } from '../../ui/Copy.tsx';
import { countOf, formatCount } from '../../ui/numbers.ts';
import { PageHeader } from '../../ui/Page.tsx';
import { SearchBox } from '../../ui/SearchBox.tsx';
import { EmptyState, ErrorPanel, Waiting } from '../../ui/States.tsx';
import { firstSteps } from './first_steps.ts';
import { RunTable } from './RunTable.tsx';
import { columns, looks } from './traces_columns.tsx';
import type { TracesSearch } from './traces_search.ts';
import { buildFacets, querySyntax, readSort, writeSort } from './traces_view.ts';
import { useColumnChoice } from './useColumnChoice.ts';
import { useTraces } from './useTraces.ts';
import './traces.css';

export function TracesScreen() {
  const search = useSearch({ from: '/traces' });
  const navigate = useNavigate({ from: '/traces' });
  const [atTop, setAtTop] = useState(true);
  const { query, rows, total, facets, newer, refresh } = useTraces(search, atTop);
  const [hidden, setHidden] = useColumnChoice();
  const change = (next: Partial<Record<keyof TracesSearch, string | undefined>>, replace = false) =>
    void navigate({
      search: held =>
        Object.fromEntries(
          Object.entries({ ...held, row: undefined, ...next }).filter(([, v]) => v !== undefined),
        ),
      replace,
    });
  const filtered = Boolean(search.q || search.app || search.risk || search.decision);
  const untouched = query.isSuccess && total === 0 && !filtered;

  return (
    <>
      <PageHeader
        title="Traces"
        aside={
          query.isSuccess &&
          !untouched && (
            <span className="mute" role="status">
              {filtered
                ? `${countOf(total, 'run')} ${total === 1 ? 'matches' : 'match'}`
                : countOf(total, 'run')}
            </span>
          )
        }
        actions={
          <Menu position="bottom-end" closeOnItemClick={false}>
            <Menu.Target>
              <Button variant="default" leftSection={<IconColumns3 size={15} />}>
                Columns
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              {columns
                .filter(
                  column =>
                    looks[column.id ?? '']?.optional ||
                    looks[String((column as { accessorKey?: string }).accessorKey)]?.optional,
                )
                .map(column => {
                  const id = String(column.id ?? (column as { accessorKey?: string }).accessorKey);
                  const shown = !hidden.includes(id);
                  return (
                    <Menu.Item
                      key={id}
                      role="menuitemcheckbox"
                      aria-checked={shown}
                      leftSection={<span className="menu-check">{shown ? '✓' : ''}</span>}
                      onClick={() =>
                        setHidden(shown ? [...hidden, id] : hidden.filter(other => other !== id))
                      }
                    >
                      {String(column.header)}
                    </Menu.Item>
                  );
                })}
            </Menu.Dropdown>
          </Menu>
        }
      />
      {untouched ? (
        <FirstSteps />
      ) : (
        <div className="traces">
          <Facets
            groups={buildFacets(facets, search)}
            choose={(facet, value) => change({ [facet]: value })}
          />
          <div className="traces-main">
            <QueryBox value={search.q ?? ''} onChange={q => change({ q: q === '' ? undefined : q }, true)} />
            {query.isError && !query.data && (
              <ErrorPanel error={query.error} retry={() => void query.refetch()} />
            )}
            {query.isLoading && <Waiting label="Loading runs" />}
            {query.data && total === 0 && (
              <EmptyState title="No run matches">
                <p>Take something out of the query, or clear it.</p>
                <Button variant="default" onClick={() => void navigate({ search: {} })}>
                  Clear query and filters
                </Button>
              </EmptyState>
            )}
            {query.data && total > 0 && (
              <RunTable
                rows={rows}
                total={total}
                hidden={hidden}
                sort={readSort(search.sort)}
                onSort={sort => change({ sort: writeSort(sort) })}
                chosen={search.row}
                onChoose={row => change({ row }, true)}
                open={run =>
                  void navigate({
                    to: '/traces/$run',
                    params: { run },
                    search: search.q ? { q: search.q } : {},
                  })
                }
                loadMore={() => {
                  if (query.hasNextPage && !query.isFetching) void query.fetchNextPage();
                }}
                loading={query.isFetchingNextPage}
                onTop={setAtTop}
                newer={newer}
                refresh={() => void refresh()}
                stale={query.isPlaceholderData}
              />
            )}
          </div>
        </div>
      )}
    </>
  );
}

function QueryBox({ value, onChange }: { value: string; onChange: (q: string) => void }) {
  return (
    <search className="query-row">
      <SearchBox
        className="grow"
        label="Search runs"
        placeholder='Search, e.g.  app:support-bot risk:high decision:deny "refund"'
        value={value}
        onChange={onChange}
      />
      <Popover position="bottom-end" width={420} trapFocus returnFocus>
        <Popover.Target>
          <Button variant="default" leftSection={<IconHelpCircle size={15} />}>
            Syntax
          </Button>
        </Popover.Target>
        <Popover.Dropdown aria-label="Syntax of the search">
          <dl className="kv syntax">
            {querySyntax.map(row => (
              <div className="kv-row" key={row.term}>
                <dt>
                  <button
                    type="button"
                    className="term mono"
                    onClick={() => onChange(value === '' ? row.term : `${value} ${row.term}`)}
                  >
                    {row.term}
                  </button>
                </dt>
                <dd>{row.means}</dd>
              </div>
            ))}
          </dl>
          <p className="mute">All terms must be met by one event of the run. Press a term to add it.</p>
        </Popover.Dropdown>
      </Popover>
    </search>
  );
}

function Facets({
  groups,
  choose,
}: {
  groups: ReturnType<typeof buildFacets>;
  choose: (facet: string, value: string | undefined) => void;
}) {
  const [whole, setWhole] = useState<string[]>([]);
  return (
    <aside className="facets" aria-label="Filters">
      {groups.map(group => {
        const all = whole.includes(group.facet);
        const rows = all ? group.rows : group.rows.slice(0, 10);
        return (
          <section key={group.facet}>
            <h2>{group.title}</h2>
            {group.rows.length === 0 && <p className="mute">none</p>}
            {rows.map(row => (
              <button
                type="button"
                key={row.value}
                className="facet"
                aria-pressed={row.chosen}
                onClick={() => choose(group.facet, row.chosen ? undefined : row.value)}
              >
                <span className="facet-label" title={row.label}>
                  {row.label}
                </span>
                <span className="facet-count">{formatCount(row.count)}</span>
              </button>
            ))}
            {group.rows.length > rows.length && (
              <button type="button" className="facet more" onClick={() => setWhole([...whole, group.facet])}>
                {group.rows.length - rows.length} more
              </button>
            )}
          </section>
        );
      })}
    </aside>
  );
}

function FirstSteps() {
  const status = useStatus().data;
  const client = useQueryClient();
  const samples = useCall('loadSamples');
  const mayLoad = useMay('loadSamples');
  const steps = firstSteps(status?.address.url ?? location.origin, status?.otlp_unkeyed ?? true);
  return (
    <div className="page-body">
      <EmptyState
        icon={<IconListTree size={34} stroke={1.4} />}
        title="No run yet"
        actions={
          mayLoad && (
            <Button
              variant="default"
              leftSection={<IconDownload size={15} />}
              loading={samples.isPending}
              onClick={() =>
                samples.mutate({}, { onSuccess: () => invalidate(client, 'traces', 'status', 'overview') })
              }
            >
              Load sample runs
            </Button>
          )
        }
      >
        <p>
          A run appears here as soon as a program sends its first event to{' '}
          <code className="mono">{steps.endpoint}</code>. With the TypeScript SDK and a key, both in{' '}
          <Link to="/settings">Settings</Link>:
        </p>
        <CodeBlock code={steps.typescript} what="snippet" />
        <p>{steps.otel.says}</p>
        {steps.otel.setting !== undefined && <CodeBlock code={steps.otel.setting} what="setting" />}
        {mayLoad && <p>Or look around in runs that come with the app, marked as samples:</p>}
        {samples.isError && <ErrorPanel error={samples.error} />}
      </EmptyState>
    </div>
  );
}
