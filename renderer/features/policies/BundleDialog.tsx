/** A bundle of someone's own `opa build -t wasm`: read, checked and tested by the collector before anything is saved; then signed. */
import { FileInput, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { OutputOf } from '../../../core/api/operations.ts';
import type { PolicySetView } from '../../../core/api/policy_views.ts';
import type { SessionView } from '../../../core/api/views.ts';
import { base64 } from '../../../core/proof/bytes.ts';
import { call } from '../../api/client.ts';
import type { Failure } from '../../api/problem.ts';
import { invalidate } from '../../api/queries.ts';
import { Hash } from '../../ui/Copy.tsx';
import { KeyValue } from '../../ui/KeyValue.tsx';
import { countOf } from '../../ui/numbers.ts';
import { ErrorPanel, Waiting } from '../../ui/States.tsx';
import { type BundleInput, saveBundle } from './policy_signing.ts';
import { SigningDialog } from './SigningDialog.tsx';

/** Bytes; the collector's own bounds are core/api/policy_operations.ts. */
const MOST_BUNDLE = 8 * 1024 * 1024;
const MOST_KEY = 16 * 1024;

type Read = OutputOf<'preparePolicyBundle'>;

/** Tells two chosen files apart. */
const nameOf = (file: File | null): string =>
  file === null ? '' : `${file.name} ${file.size} ${file.lastModified}`;

async function inputOf(bundle: File, key: File | null, scope: string): Promise<BundleInput> {
  return {
    bundle: base64(new Uint8Array(await bundle.arrayBuffer())),
    // A shared secret in a file ends where its line does.
    ...(key === null ? {} : { key: (await key.text()).replace(/\r?\n$/, '') }),
    ...(scope.trim() === '' ? {} : { scope: scope.trim() }),
  };
}

export function BundleDialog({
  me,
  close,
  saved,
}: {
  me: SessionView;
  close: () => void;
  saved: (set: PolicySetView) => void;
}) {
  const client = useQueryClient();
  const [bundle, setBundle] = useState<File | null>(null);
  const [key, setKey] = useState<File | null>(null);
  const [scope, setScope] = useState('');
  const [message, setMessage] = useState('');
  const tooLarge = (bundle?.size ?? 0) > MOST_BUNDLE || (key?.size ?? 0) > MOST_KEY;
  const prepared = useQuery<{ input: BundleInput; read: Read }, Failure>({
    queryKey: ['preparePolicyBundle', nameOf(bundle), nameOf(key), scope],
    queryFn: async ({ signal }) => {
      const input = await inputOf(bundle as File, key, scope);
      return { input, read: await call('preparePolicyBundle', { input }, signal) };
    },
    enabled: bundle !== null && !tooLarge,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    retry: false,
  });
  const found = prepared.data;
  const submit = async (): Promise<boolean> => {
    const set = found && (await saveBundle(me, found.input, message.trim(), found.read));
    if (set === undefined) return false;
    await invalidate(client, 'policySets');
    notifications.show({ message: 'The bundle is saved as a policy set.' });
    saved(set);
    return true;
  };
  return (
    <SigningDialog
      title="Import an OPA bundle"
      message={
        found === undefined
          ? undefined
          : {
              label: 'What it is, and why',
              description: 'Kept with the set, and part of what is signed.',
              value: message,
              onChange: setMessage,
            }
      }
      submit={submit}
      enabled={found !== undefined}
      act={me.person === undefined ? 'Save the set' : 'Sign and save'}
      close={close}
    >
      <FileInput
        label="Bundle"
        description="What opa build -t wasm -e trailmix/decision wrote: a .tar.gz."
        placeholder="Choose a file"
        accept=".gz,.tgz,application/gzip"
        value={bundle}
        onChange={setBundle}
      />
      <FileInput
        label="Key of its signature"
        description="Only for a signed one: a public key in PEM, or a file with the shared secret."
        placeholder="Not signed"
        value={key}
        onChange={setKey}
        clearable
        clearButtonProps={{ 'aria-label': 'No key' }}
      />
      <TextInput
        label="Scope of its signature"
        placeholder="Any"
        value={scope}
        maxLength={256}
        onChange={event => setScope(event.currentTarget.value)}
      />
      {tooLarge && (
        <p className="policy-note policy-word tone-deny" role="alert">
          A bundle has at most 8 MiB, a key 16 KiB.
        </p>
      )}
      {prepared.isError && <ErrorPanel error={prepared.error} />}
      {prepared.isFetching && <Waiting label="Reading and testing the bundle" />}
      {found !== undefined && <Found read={found.read} />}
    </SigningDialog>
  );
}

function Found({ read }: { read: Read }) {
  const { counts, bundle, files } = read;
  const { alg, key_sha256 } = bundle.signature ?? {};
  return (
    <>
      <KeyValue
        rows={[
          { name: 'Files', value: countOf(files.length, 'file') },
          {
            name: 'Tests',
            value:
              read.tests.length === 0
                ? 'none in it'
                : `${counts.passed} passed, ${counts.failed} failed, run by its own module`,
          },
          {
            name: 'Signature',
            value:
              alg === undefined
                ? 'none'
                : `${alg} holds, ${key_sha256 === undefined ? 'by a shared secret' : 'by the key that you chose'}`,
          },
          { name: 'Its name', value: <Hash value={read.policy_hash} what="policy hash" /> },
        ]}
      />
      {(counts.passed === 0 || counts.failed > 0) && (
        <div className="callout tone-ask">
          <b>{counts.failed > 0 ? `${countOf(counts.failed, 'test')} failed.` : 'It has no tests.'}</b>
          <p>
            It can be saved and compared, but comes into force only when it has tests and all of them pass:
            leave the *_test.rego files in the bundle.
          </p>
        </div>
      )}
    </>
  );
}
