/** Who is signed in, and `useMay('createKey')`: what they may not do has no button. */
import type { UseQueryResult } from '@tanstack/react-query';
import type { PersonOperation } from '../../core/api/permissions.ts';
import type { SessionView } from '../../core/api/views.ts';
import { mayDo } from './may.ts';
import type { Failure } from './problem.ts';
import { useAsk } from './queries.ts';

export function useMe(): UseQueryResult<SessionView, Failure> {
  return useAsk('whoAmI', {}, { fresh: 10_000, every: 30_000 });
}

/** False until it is known who is signed in. */
export function useMay(name: PersonOperation): boolean {
  return mayDo(useMe().data, name);
}
