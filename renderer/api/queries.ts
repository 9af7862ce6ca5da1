/**
 * React Query over the typed client. `useAsk` reads, `useCall` changes; keys are [operation, ask], so
 * `invalidate(client, 'approvals')` refreshes every window of that list.
 */
import {
  keepPreviousData,
  QueryClient,
  queryOptions,
  type UseQueryResult,
  useMutation,
  useQuery,
} from '@tanstack/react-query';
import type { OperationName, OutputOf } from '../../core/api/operations.ts';
import type { StatusView } from '../../core/api/views.ts';
import { type Ask, type AskArguments, call } from './client.ts';
import { asFailure, type Failure } from './problem.ts';

export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        refetchOnWindowFocus: true,
        retry: (count, error) => count < 2 && asFailure(error).repeatable,
      },
      mutations: { retry: false },
    },
  });
}

export function asking<N extends OperationName>(name: N, ...[ask]: AskArguments<N>) {
  const asked = (ask ?? {}) as Ask<N>;
  return queryOptions<OutputOf<N>, Failure>({
    queryKey: [name, asked],
    queryFn: ({ signal }) => call(name, asked, signal),
  });
}

/** The answer of a reading operation, kept while the next window loads. */
export function useAsk<N extends OperationName>(
  name: N,
  ask: Ask<N>,
  options: { enabled?: boolean; every?: number | false; keep?: boolean; fresh?: number } = {},
): UseQueryResult<OutputOf<N>, Failure> {
  return useQuery({
    ...asking(name, ...([ask] as unknown as AskArguments<N>)),
    enabled: options.enabled ?? true,
    refetchInterval: options.every ?? false,
    ...(options.fresh === undefined ? {} : { staleTime: options.fresh }),
    ...(options.keep ? { placeholderData: keepPreviousData } : {}),
  }) as UseQueryResult<OutputOf<N>, Failure>;
}

/** A changing operation. No optimistic updates: evidence is shown when the ledger has answered. */
export function useCall<N extends OperationName>(name: N) {
  return useMutation<OutputOf<N>, Failure, Ask<N>>({
    mutationKey: [name],
    mutationFn: ask => call(name, ask),
  });
}

export function invalidate(client: QueryClient, ...names: OperationName[]): Promise<unknown> {
  return Promise.all(names.map(name => client.invalidateQueries({ queryKey: [name] })));
}

/** The status bar's truth, polled every two seconds, also while the collector is away. */
export function useStatus(): UseQueryResult<StatusView, Failure> {
  return useQuery({
    ...asking('status'),
    refetchInterval: 2_000,
    refetchIntervalInBackground: false,
    retry: false,
    staleTime: 1_000,
  }) as UseQueryResult<StatusView, Failure>;
}
