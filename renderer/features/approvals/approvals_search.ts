/** The URL of Approvals: which list, which one is open. Pure. */

export type ApprovalsSearch = { show?: 'answered'; id?: string };

export function readApprovalsSearch(search: Record<string, unknown>): ApprovalsSearch {
  return {
    ...(search.show === 'answered' ? { show: 'answered' as const } : {}),
    ...(typeof search.id === 'string' && search.id !== '' ? { id: search.id } : {}),
  };
}
