/** Settings > API keys: make, see, revoke. A new key is shown once, here, and never again. */
import { Button, Checkbox, Modal, TextInput } from '@mantine/core';
import { IconKey, IconPlus } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import type { OutputOf } from '../../../core/api/operations.ts';
import type { KeyView, Scope } from '../../../core/api/views.ts';
import { useMay } from '../../api/me.ts';
import { invalidate, useAsk, useCall, useStatus } from '../../api/queries.ts';
import { CodeBlock } from '../../ui/Copy.tsx';
import { countOf } from '../../ui/numbers.ts';
import { Section } from '../../ui/Page.tsx';
import { EmptyState, ErrorPanel, Waiting } from '../../ui/States.tsx';
import { Ago, Time } from '../../ui/Time.tsx';
import { Snippets } from './Snippets.tsx';
import { buildKeys, DEFAULT_SCOPES, scopeWords } from './settings_view.ts';
import { appIdFault } from './snippets.ts';

export function Keys() {
  const keys = useAsk('keys', {}, { every: 10_000 });
  const mayMake = useMay('createKey');
  const mayRevoke = useMay('revokeKey');
  const [making, setMaking] = useState(false);
  const [revoking, setRevoking] = useState<KeyView>();
  if (keys.isError && keys.data === undefined)
    return <ErrorPanel error={keys.error} retry={() => void keys.refetch()} />;
  if (keys.data === undefined) return <Waiting label="Loading keys" />;
  const { usable, revoked } = buildKeys(keys.data.items);
  const make = mayMake && (
    <Button leftSection={<IconPlus size={15} aria-hidden />} onClick={() => setMaking(true)}>
      New key
    </Button>
  );
  return (
    <div className="settings-page">
      <Section
        title="API keys"
        lead="One key belongs to one app: its events and its questions carry that app’s name. Each making and revoking is recorded."
        actions={usable.length > 0 && make}
      >
        {usable.length === 0 ? (
          <EmptyState icon={<IconKey size={30} stroke={1.4} />} title="No key yet" actions={make}>
            <p>A program needs a key to record under a name that counts, and to ask for decisions.</p>
          </EmptyState>
        ) : (
          <KeyTable keys={usable} used {...(mayRevoke ? { revoke: setRevoking } : {})} />
        )}
      </Section>
      {revoked.length > 0 && (
        <details className="settings-more">
          <summary>{countOf(revoked.length, 'revoked key')}</summary>
          <KeyTable keys={revoked} />
        </details>
      )}
      {making && <NewKey close={() => setMaking(false)} />}
      {revoking !== undefined && <Revoke target={revoking} close={() => setRevoking(undefined)} />}
    </div>
  );
}

/** `used`: keys that work, with their last use; without it revoked ones. */
function KeyTable({
  keys,
  used,
  revoke,
}: {
  keys: KeyView[];
  used?: boolean;
  revoke?: (key: KeyView) => void;
}) {
  return (
    <div className="table-scroll">
      <table className="table keys-table">
        <thead>
          <tr>
            <th scope="col">App</th>
            <th scope="col">Key</th>
            <th scope="col">May</th>
            <th scope="col">Made</th>
            <th scope="col">{used ? 'Last used' : 'Revoked'}</th>
            {revoke !== undefined && (
              <th scope="col">
                <span className="visually-hidden">Revoke</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {keys.map(key => (
            <tr key={key.id}>
              <td>
                <b>{key.app_id}</b>
              </td>
              <td>
                <code className="mono">tm1.{key.id}.…</code>
              </td>
              <td>{key.scopes.map(scope => scopeWords[scope].label).join(', ')}</td>
              <td className="nowrap">
                <Time at={key.created_at} short precision="minute" />
              </td>
              <td className="nowrap">
                {!used ? (
                  key.revoked_at !== undefined && <Time at={key.revoked_at} short precision="minute" />
                ) : key.last_used_at === undefined ? (
                  <span className="mute">never</span>
                ) : (
                  <Ago at={key.last_used_at} />
                )}
              </td>
              {revoke !== undefined && (
                <td className="num">
                  <Button
                    variant="subtle"
                    color="red"
                    size="compact-xs"
                    onClick={() => revoke(key)}
                    aria-label={`Revoke the key ${key.id} of ${key.app_id}`}
                  >
                    Revoke
                  </Button>
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function NewKey({ close }: { close: () => void }) {
  const client = useQueryClient();
  const create = useCall('createKey');
  const endpoint = useStatus().data?.address.url ?? location.origin;
  const [appId, setAppId] = useState('');
  const [scopes, setScopes] = useState<Scope[]>(DEFAULT_SCOPES);
  const [tried, setTried] = useState(false);
  const [made, setMade] = useState<OutputOf<'createKey'>>();
  const fault = appIdFault(appId);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (fault !== undefined || scopes.length === 0) return;
    create.mutate(
      { input: { app_id: appId, scopes } },
      {
        onSuccess: answer => {
          setMade(answer);
          void invalidate(client, 'keys', 'status');
        },
      },
    );
  };
  if (made !== undefined) {
    return (
      <Modal opened onClose={close} title={`Key for ${made.app_id}`} size={760} closeOnClickOutside={false}>
        <p className="settings-once">
          Copy it now: it is <b>shown only this once</b>.
        </p>
        <CodeBlock code={made.api_key} what="API key" />
        <Snippets endpoint={endpoint} appId={made.app_id} apiKey={made.api_key} />
        <div className="modal-actions">
          <Button onClick={close}>I have copied it</Button>
        </div>
      </Modal>
    );
  }
  return (
    <Modal opened onClose={close} title="New API key" size={480}>
      <form onSubmit={submit} className="stack" noValidate>
        <TextInput
          label="App"
          description="The name that its events carry, for example support-bot."
          data-autofocus
          spellCheck={false}
          autoComplete="off"
          value={appId}
          onChange={event => setAppId(event.currentTarget.value)}
          error={(tried || appId !== '') && fault}
        />
        <Checkbox.Group
          label="What it may do"
          value={scopes}
          onChange={value => setScopes(value as Scope[])}
          error={tried && scopes.length === 0 && 'Choose at least one.'}
        >
          <div className="scope-checks">
            {(Object.keys(scopeWords) as Scope[]).map(scope => (
              <Checkbox
                key={scope}
                size="xs"
                value={scope}
                label={`${scopeWords[scope].label}: ${scopeWords[scope].means}`}
              />
            ))}
          </div>
        </Checkbox.Group>
        {create.isError && <ErrorPanel error={create.error} />}
        <div className="modal-actions">
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" loading={create.isPending}>
            Make the key
          </Button>
        </div>
      </form>
    </Modal>
  );
}

function Revoke({ target, close }: { target: KeyView; close: () => void }) {
  const client = useQueryClient();
  const revoke = useCall('revokeKey');
  return (
    <Modal opened onClose={close} title={`Revoke the key of ${target.app_id}?`} size={440}>
      <p>
        <code className="mono">tm1.{target.id}.…</code> stops working at once, and for good. What it recorded
        stays; programs that still use it are refused, and their gated calls with them.
      </p>
      {revoke.isError && <ErrorPanel error={revoke.error} />}
      <div className="modal-actions">
        <Button variant="default" onClick={close} data-autofocus>
          Cancel
        </Button>
        <Button
          color="red"
          loading={revoke.isPending}
          onClick={() =>
            revoke.mutate(
              { params: { id: target.id } },
              {
                onSuccess: () => {
                  void invalidate(client, 'keys', 'status');
                  close();
                },
              },
            )
          }
        >
          Revoke
        </Button>
      </div>
    </Modal>
  );
}
