/** Being a witness for others: a name, the line to give away, cosigning what they bring. */
import { Button, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useMay } from '../../../api/me.ts';
import { invalidate, useAsk, useCall } from '../../../api/queries.ts';
import { CodeBlock } from '../../../ui/Copy.tsx';
import { formatCount } from '../../../ui/numbers.ts';
import { Section } from '../../../ui/Page.tsx';
import { ErrorPanel, Waiting } from '../../../ui/States.tsx';
import { Time } from '../../../ui/Time.tsx';
import { saveBlob } from '../save_file.ts';
import { ChooseFiles } from './files.tsx';
import type { Chosen } from './signing_view.ts';
import { witnessFile, witnessNameFault } from './witness_view.ts';

export function OwnWitnessSection() {
  const own = useAsk('ownWitness', {});
  const mayName = useMay('nameWitness');
  const maySign = useMay('witnessSign');
  if (own.isError) return <ErrorPanel error={own.error} retry={() => void own.refetch()} />;
  if (own.data === undefined) return <Waiting label="Reading" />;
  const { vkey, logs } = own.data;
  return (
    <Section
      title="Be a witness for others"
      lead="This ledger keeps in its own records what it last saw of theirs, and cosigns only what continues it. Its key comes from the vault."
    >
      {vkey === undefined ? (
        mayName ? (
          <NameForm />
        ) : (
          <p className="mute">Not set up. An admin gives this ledger a name as a witness.</p>
        )
      ) : (
        <>
          <p>
            Give this line to those whom you witness, and to those who verify their packs. It is no secret.
          </p>
          <CodeBlock code={vkey} what="line of this witness" />
          {maySign && <Cosign />}
          {logs.length > 0 && (
            <div className="table-scroll">
              <table className="table">
                <thead>
                  <tr>
                    <th scope="col">Ledger</th>
                    <th scope="col">Cosigned up to</th>
                    <th scope="col">When</th>
                  </tr>
                </thead>
                <tbody>
                  {logs.map(log => (
                    <tr key={log.origin}>
                      <td>
                        <code className="mono wrap">{log.origin}</code>
                      </td>
                      <td className="nowrap">{formatCount(log.size)} records</td>
                      <td className="nowrap">
                        <Time at={log.time} short />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
        </>
      )}
    </Section>
  );
}

function NameForm() {
  const client = useQueryClient();
  const call = useCall('nameWitness');
  const [name, setName] = useState('');
  const [tried, setTried] = useState(false);
  const fault = witnessNameFault(name.trim());
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (fault === undefined)
      call.mutate({ input: { name: name.trim() } }, { onSuccess: () => invalidate(client, 'ownWitness') });
  };
  return (
    <>
      <form className="signing-add" onSubmit={submit} noValidate>
        <TextInput
          label="Name as a witness"
          placeholder="example.org/audit"
          spellCheck={false}
          maxLength={200}
          value={name}
          onChange={event => setName(event.currentTarget.value)}
          error={tried && fault}
        />
        <Button type="submit" variant="default" loading={call.isPending}>
          Be a witness
        </Button>
      </form>
      {call.isError && <ErrorPanel error={call.error} />}
    </>
  );
}

/** What they bring in, the note out. At the first time their trust.json too, got from them in another way. */
function Cosign() {
  const client = useQueryClient();
  const sign = useCall('witnessSign');
  const [done, setDone] = useState('');
  const take = (files: Chosen[]) => {
    const trust = files.find(({ name }) => /\.json$/i.test(name));
    const asked = files.find(file => file !== trust);
    setDone(asked === undefined ? 'Choose the file that they brought (.ask), too.' : '');
    sign.reset();
    if (asked === undefined) return;
    const decoder = new TextDecoder();
    sign.mutate(
      {
        input: {
          request: decoder.decode(asked.bytes),
          ...(trust === undefined ? {} : { trust: decoder.decode(trust.bytes) }),
        },
      },
      {
        onSuccess: ({ note, size, before, origin }) => {
          saveBlob(new Blob([note], { type: 'text/plain' }), witnessFile(origin, size, 'note'));
          setDone(
            before === 0
              ? `Cosigned: the first ${formatCount(size)} records, the first time that this witness sees them. Give the saved note back.`
              : `Cosigned: ${formatCount(size)} records, which continue the ${formatCount(before)} of before. Give the saved note back.`,
          );
          void invalidate(client, 'ownWitness');
        },
      },
    );
  };
  return (
    <>
      <p className="settings-note">
        Choose the file that they brought. The first time also their trust.json, which they gave you in
        another way: by it you know their key.
      </p>
      <div className="signing-actions">
        <ChooseFiles
          label="Cosign a checkpoint"
          accept=".ask,.txt,.json"
          multiple
          loading={sign.isPending}
          take={take}
        />
      </div>
      <p className="mute settings-note" role="status">
        {done}
      </p>
      {sign.isError && <ErrorPanel error={sign.error} />}
    </>
  );
}
