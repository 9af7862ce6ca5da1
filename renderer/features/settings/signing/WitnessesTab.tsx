/** Settings > Witnesses: others who cosign this ledger's checkpoints, and being a witness for others. All by file. */
import { Button, Modal, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconDownload, IconEye } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useMay } from '../../../api/me.ts';
import { invalidate, useAsk, useCall, useStatus } from '../../../api/queries.ts';
import { Hash } from '../../../ui/Copy.tsx';
import { Section } from '../../../ui/Page.tsx';
import { EmptyState, ErrorPanel, Waiting } from '../../../ui/States.tsx';
import { Time } from '../../../ui/Time.tsx';
import { saveBlob } from '../save_file.ts';
import { ChooseFiles } from './files.tsx';
import { OwnWitnessSection } from './OwnWitnessSection.tsx';
import { keyOfVkey, vkeyFault, type Witness, witnessFile, witnessReach } from './witness_view.ts';
import './signing.css';

export function WitnessesTab() {
  const mayOwn = useMay('ownWitness');
  return (
    <div className="settings-page">
      <OurWitnesses />
      {mayOwn && <OwnWitnessSection />}
    </div>
  );
}

function OurWitnesses() {
  const client = useQueryClient();
  const held = useAsk('witnesses', {}, { every: 10_000 });
  const size = (useStatus().data?.ledger?.head_seq ?? -1) + 1;
  const take = useCall('witnessImport');
  const mayChange = useMay('changeWitnesses');
  const mayImport = useMay('witnessImport');
  const [dialog, setDialog] = useState<'add' | Witness>();
  if (held.isError) return <ErrorPanel error={held.error} retry={() => void held.refetch()} />;
  if (held.data === undefined) return <Waiting label="Reading the witnesses" />;
  const { witnesses } = held.data;
  const add = mayChange && <Button onClick={() => setDialog('add')}>Add a witness</Button>;
  const imported = (text: string) =>
    take.mutate(
      { input: { note: text } },
      {
        onSuccess: ({ size: cosigned, cosigned: lines }) => {
          notifications.show({
            title:
              lines.length === 0
                ? 'It was here already'
                : `Cosigned by ${lines.map(({ name }) => name).join(', ')}`,
            message: `A checkpoint over ${cosigned} records. Later packs carry it.`,
          });
          void invalidate(client, 'witnesses');
        },
      },
    );
  return (
    <Section
      title="Who witnesses this ledger"
      lead="A witness keeps what it last saw of this ledger and cosigns only what continues it. Then not even who holds every key here can rewrite what was cosigned without being caught. It sees counts and hashes, nothing of the records."
      actions={witnesses.length > 0 && add}
    >
      {witnesses.length === 0 ? (
        <EmptyState icon={<IconEye size={30} stroke={1.4} />} title="No witness yet" actions={add}>
          <p>
            Choose someone who gains nothing from a changed history: your auditor, another department, a
            partner with a TrailMix of their own. They give you one line, their key; a USB stick is enough for
            the rest.
          </p>
        </EmptyState>
      ) : (
        <ul className="witness-list">
          {witnesses.map(witness => (
            <li key={witness.vkey}>
              <span className="grow">
                <b>{witness.name}</b> <Hash value={keyOfVkey(witness.vkey)} what={`key of ${witness.name}`} />
                <span className="authority-said mute">
                  {witnessReach(witness, size)}{' '}
                  {witness.last !== undefined && (
                    <>
                      By its clock at <Time at={witness.last.time} short />.
                    </>
                  )}
                </span>
              </span>
              {mayImport && <SaveQuestion witness={witness} />}
              {mayChange && (
                <Button
                  size="compact-sm"
                  variant="subtle"
                  color="red"
                  aria-label={`Remove the witness ${witness.name}`}
                  onClick={() => setDialog(witness)}
                >
                  Remove
                </Button>
              )}
            </li>
          ))}
        </ul>
      )}
      {!mayChange && <p className="mute settings-note">An admin adds and removes witnesses.</p>}
      {mayImport && witnesses.length > 0 && (
        <div className="by-file">
          <p className="mute">
            The witness answers with a note: the same checkpoint with its line under it. Bring it back here.
          </p>
          <div className="signing-actions">
            <ChooseFiles
              label="Import a cosigned checkpoint"
              accept=".note,.txt"
              loading={take.isPending}
              take={([file]) => file !== undefined && imported(new TextDecoder().decode(file.bytes))}
            />
          </div>
        </div>
      )}
      {take.isError && <ErrorPanel error={take.error} />}
      {dialog === 'add' && <AddWitness known={witnesses} close={() => setDialog(undefined)} />}
      {dialog !== undefined && dialog !== 'add' && (
        <RemoveWitness witness={dialog} known={witnesses} close={() => setDialog(undefined)} />
      )}
    </Section>
  );
}

/** The newest checkpoint, with the proof that it continues what this witness signed last. */
function SaveQuestion({ witness: { name } }: { witness: Witness }) {
  const ask = useCall('witnessRequest');
  return (
    <span className="stamp-now">
      <Button
        size="compact-sm"
        variant="default"
        leftSection={<IconDownload size={14} aria-hidden />}
        loading={ask.isPending}
        aria-label={`Save a checkpoint for ${name}`}
        onClick={() =>
          ask.mutate(
            { input: { witness: name } },
            {
              onSuccess: ({ size, request }) =>
                saveBlob(new Blob([request], { type: 'text/plain' }), witnessFile(name, size, 'ask')),
            },
          )
        }
      >
        Save a checkpoint
      </Button>
      {ask.isError && <ErrorPanel error={ask.error} />}
    </span>
  );
}

type Change = { known: readonly Witness[]; close: () => void };

function useWitnesses(close: () => void) {
  const client = useQueryClient();
  const change = useCall('changeWitnesses');
  const save = (vkeys: string[], title: string) =>
    change.mutate(
      { input: { vkeys } },
      {
        onSuccess: async () => {
          notifications.show({ title, message: 'Recorded.' });
          close();
          await invalidate(client, 'witnesses');
        },
      },
    );
  return { change, save };
}

function AddWitness({ known, close }: Change) {
  const { change, save } = useWitnesses(close);
  const [text, setText] = useState('');
  const [tried, setTried] = useState(false);
  const vkeys = known.map(({ vkey }) => vkey);
  const vkey = text.trim();
  const fault = vkeyFault(vkey, vkeys);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (fault === undefined) save([...vkeys, vkey], 'The witness is added');
  };
  return (
    <Modal opened onClose={close} title="Add a witness" size={600}>
      <form onSubmit={submit} className="stack" noValidate>
        <p className="modal-lead">
          The witness makes a key once, and gives you the one line that it prints: in another TrailMix under
          Settings &gt; Witnesses, or with{' '}
          <code className="mono">trailmix witness key --name example.org/audit --out audit.witness</code>.
        </p>
        <TextInput
          label="Its line"
          data-autofocus
          spellCheck={false}
          autoComplete="off"
          maxLength={4096}
          value={text}
          onChange={event => setText(event.currentTarget.value)}
          error={tried && fault}
        />
        {change.isError && <ErrorPanel error={change.error} />}
        <div className="modal-actions">
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" loading={change.isPending}>
            Add it
          </Button>
        </div>
      </form>
    </Modal>
  );
}

function RemoveWitness({ witness, known, close }: Change & { witness: Witness }) {
  const { change, save } = useWitnesses(close);
  return (
    <Modal opened onClose={close} title={`Remove the witness ${witness.name}?`} size={460}>
      <p>
        Its cosignatures are no longer taken. Those that were recorded stay, and packs go on carrying them.
      </p>
      {change.isError && <ErrorPanel error={change.error} />}
      <div className="modal-actions">
        <Button variant="default" onClick={close} data-autofocus>
          Cancel
        </Button>
        <Button
          color="red"
          loading={change.isPending}
          onClick={() =>
            save(
              known.map(({ vkey }) => vkey).filter(vkey => vkey !== witness.vkey),
              'The witness is removed',
            )
          }
        >
          Remove
        </Button>
      </div>
    </Modal>
  );
}
