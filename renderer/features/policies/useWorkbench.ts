/** What is open in the workbench: a draft of this browser, or a saved set to read; which file; where to jump. */
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useEffect, useMemo, useState } from 'react';
import type { EnvironmentView, PolicyFile } from '../../../core/api/policy_views.ts';
import { useMay, useMe } from '../../api/me.ts';
import type { Failure } from '../../api/problem.ts';
import { useAsk } from '../../api/queries.ts';
import { shortHash } from '../../ui/numbers.ts';
import { draftStore, useDrafts } from './draft_store.ts';
import { type Draft, isTest } from './drafts.ts';
import { type PoliciesSearch, readPoliciesSearch } from './policies_search.ts';

export type Opened = {
  title: string;
  files: readonly PolicyFile[];
  /** Absent for a saved set, which never changes. */
  draft?: Draft;
  hash?: string;
};

/** Members that are undefined leave the URL. */
export type SearchChange = { [K in keyof PoliciesSearch]?: PoliciesSearch[K] | undefined };
/** A place to go to, once its file is shown; a new object goes there again. */
export type Jump = { path: string; row: number; col?: number };

const noFiles: readonly PolicyFile[] = [];

export function useWorkbench() {
  const search = useSearch({ from: '/policies' });
  const navigate = useNavigate({ from: '/policies' });
  const me = useMe().data;
  const mayTry = useMay('checkPolicy');
  const { drafts, kept, elsewhere } = useDrafts();
  const ledger = me === undefined ? '' : `${me.ledger_id}/${me.tenant_id}`;
  const person = me?.person?.id;
  useEffect(() => {
    if (ledger !== '') draftStore.open(ledger, person);
  }, [ledger, person]);

  const draft = mayTry ? drafts.find(one => one.id === search.draft) : undefined;
  const environments = useAsk('policyEnvironments', {}, { every: 5_000 });
  const inForce = (environments.data?.items ?? []).find(one => one.name === 'prod')?.active?.hash;
  const hash = draft === undefined ? (search.set ?? inForce) : undefined;
  const set = useAsk(
    'policySet',
    { params: { hash: hash ?? '' } },
    { enabled: hash !== undefined, fresh: 600_000 },
  );

  const setFiles = set.data?.files;
  const files = useMemo<readonly PolicyFile[]>(
    () => draft?.files ?? setFiles?.map(({ path, text }) => ({ path, text })) ?? noFiles,
    [draft?.files, setFiles],
  );
  const opened: Opened | undefined =
    draft !== undefined
      ? { title: draft.name, files, draft }
      : set.data !== undefined
        ? { title: `Set ${shortHash(set.data.set.hash)}`, files, hash: set.data.set.hash }
        : undefined;
  const path = files.some(file => file.path === search.file)
    ? search.file
    : (files.find(file => !isTest(file.path) && file.path !== 'decision.rego')?.path ?? files[0]?.path);

  const go = useCallback(
    (next: SearchChange) =>
      void navigate({ search: held => readPoliciesSearch({ ...held, ...next }), replace: true }),
    [navigate],
  );
  const [jump, setJump] = useState<Jump>();
  const toPlace = useCallback(
    (file: string, row: number, col?: number) => {
      go({ file, against: undefined });
      setJump({ path: file, row, ...(col === undefined ? {} : { col }) });
    },
    [go],
  );
  const { row } = search;
  useEffect(() => {
    if (row !== undefined && path !== undefined) setJump({ path, row });
  }, [row, path]);

  const failure: Failure | null = set.error ?? environments.error;
  return {
    search,
    go,
    drafts,
    kept,
    /** Another tab has written the draft that is open. */
    elsewhere: draft !== undefined && elsewhere.has(draft.id),
    opened,
    path,
    jump,
    toPlace,
    mayTry,
    environments: environments.data?.items as EnvironmentView[] | undefined,
    failure: opened === undefined ? failure : null,
    me,
  };
}

export type Workbench = ReturnType<typeof useWorkbench>;
