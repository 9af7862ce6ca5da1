/**
 * The list of runs as windows of the server: pages by cursor, loaded on the way down, never cut. Follows the ledger:
 * when its head moves, the list is renewed if the reader is at the top; otherwise it says that there is more.
 */
import { type InfiniteData, useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState } from 'react';
import type { OutputOf } from '../../../core/api/operations.ts';
import type { TraceSummary } from '../../../core/api/views.ts';
import { call } from '../../api/client.ts';
import type { Failure } from '../../api/problem.ts';
import { useStatus } from '../../api/queries.ts';
import type { TracesSearch } from './traces_search.ts';

const PAGE = 200;
type Page = OutputOf<'traces'>;

export function useTraces(search: TracesSearch, atTop: boolean) {
  const { q, app, risk, decision, sort } = search;
  const key = useMemo(
    () => ['traces', { q, app, risk, decision, sort }] as const,
    [q, app, risk, decision, sort],
  );
  const client = useQueryClient();
  const query = useInfiniteQuery<Page, Failure, InfiniteData<Page>, typeof key, string | undefined>({
    queryKey: key,
    initialPageParam: undefined,
    queryFn: ({ pageParam, signal }) =>
      call(
        'traces',
        {
          query: {
            limit: PAGE,
            ...(q === undefined ? {} : { q }),
            ...(app === undefined ? {} : { app }),
            ...(risk === undefined ? {} : { risk }),
            ...(decision === undefined ? {} : { decision }),
            ...(sort === undefined ? {} : { sort }),
            ...(pageParam === undefined ? {} : { cursor: pageParam }),
          },
        },
        signal,
      ),
    getNextPageParam: last => last.next,
    placeholderData: held => held,
  });

  const head = useStatus().data?.ledger?.head_seq;
  const waiting = useStatus().data?.ledger?.waiting_approvals;
  const stamp = `${head}/${waiting}`;
  const seen = useRef(stamp);
  const [newer, setNewer] = useState(false);
  const { refetch } = query;

  useEffect(() => {
    if (head === undefined || seen.current === stamp) return;
    seen.current = stamp;
    if (atTop) void refresh();
    else setNewer(true);
  });

  /** Back to the first window, then anew: rows never move under the reader's eyes further down. */
  async function refresh(): Promise<void> {
    setNewer(false);
    client.setQueryData<InfiniteData<Page>>(key, held =>
      held === undefined ? held : { pages: held.pages.slice(0, 1), pageParams: held.pageParams.slice(0, 1) },
    );
    await refetch();
  }

  const pages = query.data?.pages;
  const rows: TraceSummary[] = useMemo(() => pages?.flatMap(page => page.items) ?? [], [pages]);
  const last = pages?.at(-1);
  return { query, rows, total: last?.total ?? 0, facets: pages?.[0]?.facets, newer, refresh };
}
