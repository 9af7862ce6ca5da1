/**
 * The queue as windows of the server: pages by cursor, loaded on the way down, with the total of all that match. A short queue renews
 * itself; a long one does so at the top, and further down says that it has changed: rows never move under the reader's eyes.
 */
import { type InfiniteData, useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState } from 'react';
import type { OutputOf, QueryOf } from '../../../core/api/operations.ts';
import { call } from '../../api/client.ts';
import type { Failure } from '../../api/problem.ts';
import { useStatus } from '../../api/queries.ts';
import type { ApprovalsSearch } from './approvals_search.ts';

const PAGE = 100;
type Page = OutputOf<'approvals'>;

export function queueQuery(search: ApprovalsSearch): QueryOf<'approvals'> {
  const { show, q, app, action, risk, by, outcome } = search;
  return {
    status: show === 'answered' ? 'answered' : show === 'mine' ? 'all' : 'waiting',
    ...(q === undefined ? {} : { q }),
    ...(app === undefined ? {} : { app }),
    ...(action === undefined ? {} : { action }),
    ...(risk === undefined ? {} : { risk }),
    ...(show === undefined || outcome === undefined ? {} : { outcome }),
    ...(show === undefined && search.for === 'me' ? { for: 'me' as const } : {}),
    ...(show === 'mine' ? { by: 'me' } : show === 'answered' && by !== undefined ? { by } : {}),
  };
}

export function useQueue(search: ApprovalsSearch, atTop: boolean) {
  const asked = useMemo(() => queueQuery(search), [search]);
  const key = ['approvals', asked] as const;
  const client = useQueryClient();
  const query = useInfiniteQuery<Page, Failure, InfiniteData<Page>, typeof key, string | undefined>({
    queryKey: key,
    enabled: search.show !== 'report',
    initialPageParam: undefined,
    queryFn: ({ pageParam, signal }) =>
      call(
        'approvals',
        { query: { ...asked, limit: PAGE, ...(pageParam === undefined ? {} : { cursor: pageParam }) } },
        signal,
      ),
    getNextPageParam: last => last.next,
    placeholderData: held => held,
    refetchInterval: ({ state }) => ((state.data?.pages.length ?? 1) <= 2 ? 3_000 : false),
    // A long list is renewed on purpose only: coming back to the window would load every page again.
    refetchOnWindowFocus: ({ state }) => (state.data?.pages.length ?? 1) <= 2,
  });
  const waiting = useStatus().data?.ledger?.waiting_approvals;
  const seen = useRef(waiting);
  const [changed, setChanged] = useState(false);

  useEffect(() => {
    if (waiting === undefined || seen.current === waiting) return;
    seen.current = waiting;
    if (atTop || (query.data?.pages.length ?? 1) <= 2) void refresh();
    else setChanged(true);
  });

  /** Back to the first window when the list is long, then anew. */
  async function refresh(): Promise<void> {
    setChanged(false);
    client.setQueryData<InfiniteData<Page>>(key, held =>
      held === undefined || held.pages.length <= 2
        ? held
        : { pages: held.pages.slice(0, 1), pageParams: held.pageParams.slice(0, 1) },
    );
    await query.refetch();
  }

  const pages = query.data?.pages;
  const items = useMemo(() => pages?.flatMap(page => page.items) ?? [], [pages]);
  const loadMore = () => {
    if (query.hasNextPage && !query.isFetching) void query.fetchNextPage();
  };
  return { query, items, total: pages?.at(-1)?.total ?? 0, changed, refresh, loadMore };
}
