/** Rego of an older OPA brought over: every change with its meaning, and calls that would be decided differently, before it is made. */
import { Button, Modal } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { OutputOf } from '../../../core/api/operations.ts';
import type { PolicyFile } from '../../../core/api/policy_views.ts';
import { call } from '../../api/client.ts';
import type { Failure } from '../../api/problem.ts';
import { countOf } from '../../ui/numbers.ts';
import { ErrorPanel, Waiting } from '../../ui/States.tsx';

const meanings = {
  same: 'means the same',
  mended: 'did not compile before',
  changed: 'changes the meaning',
} as const;
const tones = { same: 'tone-allow', mended: 'tone-ask', changed: 'tone-deny' } as const;

export function RepairDialog({
  files,
  close,
  take,
}: {
  files: readonly PolicyFile[];
  close: () => void;
  take: (files: PolicyFile[]) => void;
}) {
  const found = useQuery<OutputOf<'repairPolicy'>, Failure>({
    queryKey: ['repairPolicy', files],
    queryFn: ({ signal }) => call('repairPolicy', { input: { files: [...files], merge: true } }, signal),
    retry: false,
  });
  const report = found.data;
  return (
    <Modal opened onClose={close} title="Bring it over to Rego v1" size={720}>
      {found.isError && <ErrorPanel error={found.error} />}
      {report === undefined && !found.isError && <Waiting label="Reading the policy" />}
      {report !== undefined && (
        <>
          {report.found.some(({ faults }) => faults.length > 0) && (
            <div className="callout tone-deny">
              <b>Even as the Rego that it was written in, it does not compile.</b>
              {report.found.flatMap(({ path, rego_v0, faults }) =>
                faults.slice(0, 5).map(one => (
                  <p key={`${path}${one.row}${one.message}`}>
                    <span className="mono">
                      {path}:{one.row ?? 1}
                    </span>{' '}
                    as Rego {rego_v0 ? 'v0' : 'v1'}: {one.message}
                  </p>
                )),
              )}
            </div>
          )}
          <ul className="policy-reports">
            {report.changes.map((change, n) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: changes can be the same in all members
              <li key={`${n}${change.path}${change.row}`}>
                <p>
                  <span className="mono mute">
                    {change.path}
                    {change.row !== undefined && `:${change.row}`}
                  </span>{' '}
                  {change.what}{' '}
                  <b className={`policy-word ${tones[change.meaning]}`}>{meanings[change.meaning]}</b>
                </p>
                {change.before !== undefined && <pre className="mono policy-output">− {change.before}</pre>}
                {change.after !== undefined && <pre className="mono policy-output">+ {change.after}</pre>}
              </li>
            ))}
          </ul>
          <p>
            {countOf(report.changes.length, 'change')}; of {countOf(report.tried, 'input')} tried,{' '}
            {formatExamples(report.examples.length)}.
          </p>
          {report.examples.slice(0, 5).map(example => (
            <pre key={JSON.stringify(example.input)} className="mono policy-output">
              {`${JSON.stringify(example.input)}\n− ${JSON.stringify(example.before)}\n+ ${JSON.stringify(example.after)}`}
            </pre>
          ))}
          {report.remaining.length > 0 && (
            <div className="callout tone-deny">
              <b>Something still does not compile.</b>
              {report.remaining.slice(0, 5).map(one => (
                <p key={one.message}>{one.message}</p>
              ))}
            </div>
          )}
        </>
      )}
      <div className="modal-actions">
        <Button variant="default" onClick={close}>
          Cancel
        </Button>
        <Button
          disabled={report === undefined || report.files.length === 0}
          onClick={() => report !== undefined && take(report.files.map(({ path, text }) => ({ path, text })))}
        >
          Make these changes
        </Button>
      </div>
    </Modal>
  );
}

const formatExamples = (n: number): string =>
  n === 0 ? 'all were decided as before' : `${n} decided differently`;
