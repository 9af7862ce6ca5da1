/** Settings > Tenants, for who sees to the installation: which there are, a new one, and the way into it. */
import { Button, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import type { TenantView } from '../../../core/api/views.ts';
import { useMe } from '../../api/me.ts';
import { invalidate, useAsk, useCall } from '../../api/queries.ts';
import { session } from '../../api/session.ts';
import { switchTenant } from '../../shell/PersonMenu.tsx';
import { Section } from '../../ui/Page.tsx';
import { ErrorPanel, Waiting } from '../../ui/States.tsx';

export function TenantsTab() {
  const tenants = useAsk('tenants', {}, { every: 5_000 });
  if (tenants.isError) return <ErrorPanel error={tenants.error} retry={() => void tenants.refetch()} />;
  if (tenants.data === undefined) return <Waiting />;
  return (
    <div className="settings-page">
      <Section
        title="Tenants"
        lead="Each has a chain of records, people, API keys and policies of its own; none sees another. The custody of the vault, backups and signing certificates are common to all."
      >
        <ul className="tenant-list">
          {tenants.data.items.map(tenant => (
            <Tenant key={tenant.tenant_id} tenant={tenant} />
          ))}
        </ul>
      </Section>
      <NewTenant />
    </div>
  );
}

function Tenant({ tenant }: { tenant: TenantView }) {
  const me = useMe().data;
  const client = useQueryClient();
  const navigate = useNavigate();
  const enter = useCall('enterTenant');
  const { tenant_id: id, name, state, refused } = tenant;
  const here = me?.tenant_id === id;
  const goIn = () =>
    enter.mutate(
      { params: { id } },
      {
        onSuccess: async ({ session: token }) => {
          client.clear();
          session.enter(token);
          await navigate({ to: '/settings', search: { tab: 'people' } });
        },
      },
    );
  return (
    <li className="tenant-row">
      <span>
        <b>{name}</b> {name !== id && <code className="mono">{id}</code>}{' '}
        <span className="mute">{here ? 'you are here' : state === 'open' ? '' : state}</span>
        {refused !== undefined && (
          <span className="mute">
            : {refused.message}. {refused.next}
          </span>
        )}
      </span>
      {!here && state === 'open' && (
        <span className="tenant-ways">
          <Button size="compact-xs" variant="default" onClick={() => void switchTenant(id)}>
            Sign in to {name}
          </Button>
          {id !== 'default' && (
            <Button size="compact-xs" variant="subtle" loading={enter.isPending} onClick={goIn}>
              Enrol the first admin of {name}
            </Button>
          )}
        </span>
      )}
      {enter.error?.code === 'people_enrolled' ? (
        <p className="mute" role="status">
          Somebody is enrolled in {name} already: its people sign in, and its admins invite.
        </p>
      ) : (
        enter.isError && <ErrorPanel error={enter.error} />
      )}
    </li>
  );
}

function NewTenant() {
  const client = useQueryClient();
  const create = useCall('createTenant');
  const [name, setName] = useState('');
  const [typed, setTyped] = useState<string>();
  const id = typed ?? suggestId(name);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate(
      { input: { tenant_id: id, name: name.trim() } },
      {
        onSuccess: async () => {
          setName('');
          setTyped(undefined);
          await invalidate(client, 'tenants', 'whoAmI', 'status');
        },
      },
    );
  };
  return (
    <Section title="New tenant" lead="Recorded here and in record 0 of the new chain. Its id stays for good.">
      <form className="settings-inline" onSubmit={submit}>
        <TextInput
          label="Name"
          size="xs"
          maxLength={256}
          value={name}
          onChange={event => setName(event.currentTarget.value)}
        />
        <TextInput
          label="Id"
          size="xs"
          maxLength={64}
          value={id}
          onChange={event => setTyped(event.currentTarget.value)}
        />
        <Button type="submit" size="xs" loading={create.isPending} disabled={name.trim() === '' || id === ''}>
          Make the tenant
        </Button>
      </form>
      {create.isError && <ErrorPanel error={create.error} />}
    </Section>
  );
}

const suggestId = (name: string): string =>
  name
    .trim()
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 64);
