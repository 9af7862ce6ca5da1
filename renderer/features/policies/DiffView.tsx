/** What is open beside a saved set: by file, side by side, and as a list of changed lines. */
import { Button, SegmentedControl, Select } from '@mantine/core';
import { lazy, Suspense, useState } from 'react';
import type { PolicyFile } from '../../../core/api/policy_views.ts';
import { useAsk } from '../../api/queries.ts';
import { countOf, shortHash } from '../../ui/numbers.ts';
import { ErrorPanel, Waiting } from '../../ui/States.tsx';
import { ChangedLines } from './ChangedLines.tsx';
import { fileChanges } from './line_diff.ts';

const DiffEditor = lazy(() => import('./monaco/DiffEditor.tsx'));
const kinds = { added: 'new', removed: 'removed', changed: 'changed', same: 'same' } as const;

export function DiffView({
  against,
  files,
  title,
  close,
}: {
  against: string;
  files: readonly PolicyFile[];
  title: string;
  close: () => void;
}) {
  const set = useAsk('policySet', { params: { hash: against } }, { fresh: 600_000 });
  const [chosen, setChosen] = useState<string>();
  const [as, setAs] = useState('sides');
  if (set.isError) return <ErrorPanel error={set.error} />;
  if (set.data === undefined) return <Waiting label="Loading the set" />;
  const changes = fileChanges(set.data.files, files);
  const differing = changes.filter(one => one.kind !== 'same');
  const change = changes.find(one => one.path === chosen) ?? differing[0];
  const other = `set ${shortHash(against)}`;
  return (
    <section className="policy-diff" aria-label={`Compared with ${other}`}>
      <div className="policy-diff-head">
        <span className="grow" role="status">
          {differing.length === 0
            ? `The same as ${other}.`
            : `${countOf(differing.length, 'file differs', 'files differ')} from ${other}`}
        </span>
        {differing.length > 0 && (
          <>
            <Select
              aria-label="File"
              data={differing.map(one => ({ value: one.path, label: `${one.path} (${kinds[one.kind]})` }))}
              value={change?.path ?? null}
              allowDeselect={false}
              onChange={value => setChosen(value ?? undefined)}
            />
            <SegmentedControl
              size="xs"
              aria-label="Show as"
              value={as}
              onChange={setAs}
              data={[
                { value: 'sides', label: 'Side by side' },
                { value: 'lines', label: 'Changed lines' },
              ]}
            />
          </>
        )}
        <Button size="compact-sm" variant="default" onClick={close}>
          Close
        </Button>
      </div>
      {change !== undefined && as === 'sides' && (
        <div className="policy-diff-body">
          <Suspense fallback={<Waiting label="Loading the editor" />}>
            <DiffEditor
              path={change.path}
              before={change.before}
              after={change.after}
              names={[other, title]}
            />
          </Suspense>
        </div>
      )}
      {change !== undefined && as === 'lines' && (
        <ChangedLines before={change.before} after={change.after} label="Changed lines" />
      )}
    </section>
  );
}
