/** The three ways to an identity: self-made, asked of an authority by a request, imported. */
import { Button, Modal, PasswordInput, Select, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { invalidate, useCall } from '../../../api/queries.ts';
import { ErrorPanel } from '../../../ui/States.tsx';
import { ChooseFiles, saveRequest } from './files.tsx';
import { type Chosen, importInput, isPkcs12, type KeyKind, keyKinds } from './signing_view.ts';

function Foot({ close, children }: { close: () => void; children: ReactNode }) {
  return (
    <div className="modal-actions">
      <Button variant="default" onClick={close}>
        Cancel
      </Button>
      {children}
    </div>
  );
}

function KeyField({ value, change }: { value: KeyKind; change: (kind: KeyKind) => void }) {
  return (
    <Select
      label="Key"
      data={keyKinds}
      value={value}
      allowDeselect={false}
      comboboxProps={{ transitionProps: { duration: 0 } }}
      onChange={kind => kind !== null && change(kind as KeyKind)}
    />
  );
}

function useChanged(close: () => void) {
  const client = useQueryClient();
  return async (title: string, message: string) => {
    notifications.show({ title, message });
    close();
    await invalidate(client, 'certificate', 'events', 'trust');
  };
}

export function SelfMadeDialog({ close }: { close: () => void }) {
  const make = useCall('certificateSelf');
  const changed = useChanged(close);
  const [name, setName] = useState('');
  const [key, setKey] = useState<KeyKind>('p256');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const common = name.trim() === '' ? {} : { common_name: name.trim() };
    make.mutate(
      { input: { key, ...common } },
      {
        onSuccess: ({ subject }) =>
          changed('A new certificate signs from now on', `${subject}. Hand the trust files over anew.`),
      },
    );
  };
  return (
    <Modal opened onClose={close} title="Make a certificate here" size={520}>
      <form onSubmit={submit} className="stack">
        <p className="modal-lead">
          For a start, or where no authority is at hand. Packs say that it is self-made; whoever verifies them
          gets it from you, apart from the pack, in the trust files.
        </p>
        <TextInput
          label="Name on it"
          description="Empty: the ledger’s own id."
          placeholder="Example Ltd, evidence"
          maxLength={64}
          data-autofocus
          value={name}
          onChange={event => setName(event.currentTarget.value)}
        />
        <KeyField value={key} change={setKey} />
        <p className="mute">
          It replaces the one in force. Packs that were signed before stay valid: the trust files keep what
          they are checked with.
        </p>
        {make.isError && <ErrorPanel error={make.error} />}
        <Foot close={close}>
          <Button type="submit" loading={make.isPending}>
            Make it and sign with it
          </Button>
        </Foot>
      </form>
    </Modal>
  );
}

const optional = [
  ['organization', 'Organisation'],
  ['unit', 'Department'],
  ['locality', 'Town'],
] as const;

export function RequestDialog({ close }: { close: () => void }) {
  const ask = useCall('certificateRequest');
  const changed = useChanged(close);
  const [key, setKey] = useState<KeyKind>('p256');
  const [fields, setFields] = useState<Record<string, string>>({});
  const [tried, setTried] = useState(false);
  const value = (name: string): string => (fields[name] ?? '').trim();
  const country = value('country').toUpperCase();
  const faults = {
    common_name: value('common_name') === '' && 'The authority wants a name.',
    country: country !== '' && !/^[A-Z]{2}$/.test(country) && 'Two letters, for example DE.',
  };
  const field = (name: string, label: string, more: object = {}) => (
    <TextInput
      key={name}
      label={label}
      maxLength={64}
      value={fields[name] ?? ''}
      onChange={event => {
        const { value: next } = event.currentTarget;
        setFields(held => ({ ...held, [name]: next }));
      }}
      {...more}
    />
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (faults.common_name !== false || faults.country !== false) return;
    const given = Object.fromEntries(
      optional.map(([name]) => [name, value(name)] as const).filter(([, text]) => text !== ''),
    );
    ask.mutate(
      {
        input: {
          key,
          common_name: value('common_name'),
          ...given,
          ...(country === '' ? {} : { country }),
        },
      },
      {
        onSuccess: ({ request }) => {
          saveRequest(request);
          void changed(
            'The request is saved',
            'Carry signing-request.csr.pem to the authority. Its key waits in the vault.',
          );
        },
      },
    );
  };
  return (
    <Modal opened onClose={close} title="Ask an authority for a certificate" size={560}>
      <form onSubmit={submit} className="stack" noValidate>
        <p className="modal-lead">
          A new key is made in the vault. You get a request file for the authority (a CSR, PKCS#10); what it
          answers is imported here. Nothing changes until then.
        </p>
        {field('common_name', 'Name', {
          'data-autofocus': true,
          placeholder: 'Evidence of Example Ltd',
          required: true,
          error: tried && faults.common_name,
        })}
        <div className="settings-form">
          {optional.map(([name, label]) => field(name, label))}
          {field('country', 'Country', { maxLength: 2, error: tried && faults.country })}
        </div>
        <KeyField value={key} change={setKey} />
        {ask.isError && <ErrorPanel error={ask.error} />}
        <Foot close={close}>
          <Button type="submit" loading={ask.isPending}>
            Make the request
          </Button>
        </Foot>
      </form>
    </Modal>
  );
}

/** `waits`: whether a request was made here whose answer this may be. */
export function ImportDialog({ close, waits }: { close: () => void; waits: boolean }) {
  const take = useCall('certificateImport');
  const changed = useChanged(close);
  const [files, setFiles] = useState<Chosen[]>([]);
  const [password, setPassword] = useState('');
  const container = files.some(({ name }) => isPkcs12(name));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    take.mutate(
      { input: importInput(files, password) },
      {
        onSuccess: ({ subject }) =>
          changed('The certificate signs from now on', `${subject}. Hand the trust files over anew.`),
      },
    );
  };
  return (
    <Modal opened onClose={close} title="Import a certificate" size={560}>
      <form onSubmit={submit} className="stack">
        <p className="modal-lead">
          {waits
            ? 'The authority’s answer to your request: its certificate, what leads to its root, and the root, in one file or several (.pem, .crt, .cer).'
            : 'A file with key and certificate (PKCS#12: .p12 or .pfx), with what leads to the authority’s root. For an authority’s answer alone, make the request here first.'}
        </p>
        <ChooseFiles
          label={files.length === 0 ? 'Choose the files' : 'Choose other files'}
          accept=".pem,.crt,.cer,.p12,.pfx"
          multiple
          take={chosen => {
            take.reset();
            setFiles(chosen);
          }}
        />
        {files.length > 0 && (
          <ul className="signing-files" aria-label="Chosen files">
            {files.map(({ name }) => (
              <li key={name}>{name}</li>
            ))}
          </ul>
        )}
        {container && (
          <PasswordInput
            label="Password of the .p12 file"
            autoComplete="off"
            value={password}
            onChange={event => setPassword(event.currentTarget.value)}
          />
        )}
        <p className="mute">
          The chain up to the root is checked before anything changes. Packs that were signed before stay
          valid.
        </p>
        {take.isError && <ErrorPanel error={take.error} />}
        <Foot close={close}>
          <Button type="submit" loading={take.isPending} disabled={files.length === 0}>
            Import and sign with it
          </Button>
        </Foot>
      </form>
    </Modal>
  );
}
