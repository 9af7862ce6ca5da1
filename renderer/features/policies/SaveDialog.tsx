/** Saving a draft as a set for good: checked, tested and built first; signed where people are enrolled. */
import { notifications } from '@mantine/notifications';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { PolicyFile, PolicySetView } from '../../../core/api/policy_views.ts';
import type { SessionView } from '../../../core/api/views.ts';
import { call } from '../../api/client.ts';
import type { Failure } from '../../api/problem.ts';
import { invalidate } from '../../api/queries.ts';
import { Hash } from '../../ui/Copy.tsx';
import { KeyValue } from '../../ui/KeyValue.tsx';
import { countOf } from '../../ui/numbers.ts';
import { ErrorPanel, Waiting } from '../../ui/States.tsx';
import { type Prepared, saveSet } from './policy_signing.ts';
import { SigningDialog } from './SigningDialog.tsx';

export function SaveDialog({
  me,
  files,
  close,
  saved,
}: {
  me: SessionView;
  files: readonly PolicyFile[];
  close: () => void;
  saved: (set: PolicySetView) => void;
}) {
  const client = useQueryClient();
  const [message, setMessage] = useState('');
  const [texts] = useState(files);
  const prepared = useQuery<Prepared, Failure>({
    queryKey: ['preparePolicySet', texts],
    queryFn: ({ signal }) => call('preparePolicySet', { input: { files: [...texts] } }, signal),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    retry: false,
  });
  const found = prepared.data;
  const untested = found !== undefined && found.counts.passed === 0;
  const failed = found?.counts.failed ?? 0;
  const ready = found?.ok === true;
  const submit = async (): Promise<boolean> => {
    const set = found === undefined ? undefined : await saveSet(me, texts, message.trim(), found);
    if (set === undefined) return false;
    await invalidate(client, 'policySets');
    notifications.show({ message: 'The policy set is saved.' });
    saved(set);
    return true;
  };
  return (
    <SigningDialog
      title="Save as a policy set"
      message={
        ready
          ? {
              label: 'What changes, and why',
              description: 'Kept with the set, and part of what is signed.',
              value: message,
              onChange: setMessage,
            }
          : undefined
      }
      submit={submit}
      enabled={ready}
      act={me.person === undefined ? 'Save the set' : 'Sign and save'}
      close={close}
    >
      {prepared.isError && <ErrorPanel error={prepared.error} />}
      {found === undefined && !prepared.isError && <Waiting label="Checking, testing and building" />}
      {found !== undefined && !found.ok && (
        <div className="callout tone-deny">
          <b>It cannot be saved: it does not compile.</b>
          {found.diagnostics.slice(0, 3).map(one => (
            <p key={`${one.path}${one.row}${one.message}`} className="mono">
              {one.path}:{one.row} {one.message}
            </p>
          ))}
        </div>
      )}
      {found?.ok && (
        <>
          <KeyValue
            rows={[
              { name: 'Files', value: countOf(texts.length, 'file') },
              {
                name: 'Tests',
                value:
                  found.tests.length === 0
                    ? 'none'
                    : `${found.counts.passed} passed, ${found.counts.failed} failed, ${Math.round(found.counts.percent)} % of lines covered`,
              },
              found.policy_hash !== undefined && {
                name: 'Its name',
                value: <Hash value={found.policy_hash} what="policy hash" />,
              },
            ]}
          />
          {(untested || failed > 0) && (
            <div className="callout tone-ask">
              <b>{failed > 0 ? `${countOf(failed, 'test')} failed.` : 'It has no tests.'}</b>
              <p>
                It can be saved and compared, but comes into force only when it has tests and all of them
                pass.
              </p>
            </div>
          )}
          <p className="mute policy-note">
            A saved set never changes.{' '}
            {me.person === undefined
              ? 'Nobody is enrolled yet, so it is recorded without a signature.'
              : 'You sign it with your key.'}
          </p>
        </>
      )}
    </SigningDialog>
  );
}
