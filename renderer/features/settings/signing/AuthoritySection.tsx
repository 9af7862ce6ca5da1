/** The time-stamping authorities that may be asked: in which order, how often, whose roots they lead to, what came of it. */
import { ActionIcon, Button, Select, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconArrowDown, IconArrowUp, IconTrash } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import type { InputOf, OutputOf } from '../../../../core/api/operations.ts';
import { useMay } from '../../../api/me.ts';
import { invalidate, useAsk, useCall } from '../../../api/queries.ts';
import { countOf } from '../../../ui/numbers.ts';
import { Section } from '../../../ui/Page.tsx';
import { ErrorPanel, Waiting } from '../../../ui/States.tsx';
import { Ago } from '../../../ui/Time.tsx';
import { ChooseFiles } from './files.tsx';
import {
  addressFault,
  countCertificates,
  failureWords,
  moved,
  pemText,
  rootsWords,
  scheduleData,
  scheduleWords,
} from './signing_view.ts';

type Authorities = OutputOf<'timestampAuthorities'>;

export function AuthoritySection() {
  const client = useQueryClient();
  const held = useAsk('timestampAuthorities', {}, { every: 10_000 });
  const change = useCall('changeTimestampAuthorities');
  const mayChange = useMay('changeTimestampAuthorities');
  const [done, setDone] = useState('');
  if (held.isError) return <ErrorPanel error={held.error} retry={() => void held.refetch()} />;
  if (held.data === undefined) return <Waiting label="Reading the authorities" />;
  const save = (input: InputOf<'changeTimestampAuthorities'>, says: string) =>
    change.mutateAsync({ input }).then(
      async () => {
        await invalidate(client, 'timestampAuthorities');
        setDone(says);
        return true;
      },
      () => false,
    );
  const { urls, every_hours: hours, roots } = held.data;
  const certificates = countCertificates(roots);
  return (
    <Section
      title="Who dates"
      lead="A time-stamping authority (RFC 3161) signs a hash together with its own time, so that when something was recorded does not hang on the clock of this computer. It sees the hash, nothing else. None is asked unless it is named here."
      actions={urls.length > 0 && <StampNow />}
    >
      {urls.length === 0 ? (
        <p className="mute">
          No authority is named: nothing is sent anywhere. Name one that your organisation or your auditor
          trusts, or carry requests by file, below.
        </p>
      ) : (
        <ol className="authority-list" aria-label="Authorities, in the order in which they are asked">
          {urls.map((url, at) => (
            <Authority
              key={url}
              url={url}
              held={held.data}
              {...(mayChange
                ? {
                    move: (by: -1 | 1) =>
                      void save({ urls: moved(urls, at, by) }, 'The order is changed and recorded.'),
                    remove: () =>
                      void save(
                        { urls: urls.filter(one => one !== url) },
                        'Removed and recorded. Stamps that it gave stay.',
                      ),
                    last: at === urls.length - 1,
                    first: at === 0,
                  }
                : {})}
            />
          ))}
        </ol>
      )}
      {!mayChange && (
        <p className="mute settings-note">
          {scheduleWords(hours, urls.length)} {rootsWords(certificates)} An admin changes these.
        </p>
      )}
      {mayChange && (
        <>
          <AddAuthority
            known={urls}
            busy={change.isPending}
            add={url => save({ urls: [...urls, url] }, 'Added and recorded.')}
          />
          <div className="settings-form">
            <Select
              label="Stamp a checkpoint"
              description={
                urls.length === 0 ? 'Once an authority is named.' : 'If something was recorded since.'
              }
              data={scheduleData(hours)}
              value={String(hours)}
              allowDeselect={false}
              comboboxProps={{ transitionProps: { duration: 0 } }}
              onChange={value =>
                value !== null &&
                value !== String(hours) &&
                void save({ every_hours: Number(value) }, 'The schedule is changed and recorded.')
              }
            />
            <div>
              <p className="signing-field">Root certificates of the authorities</p>
              <p className="mute signing-hint">
                {rootsWords(certificates)}
                {certificates === 0
                  ? ' Get the root from the authority; a verifier wants it too.'
                  : ' The trust files hand them on as tsa-root.pem.'}
              </p>
              <ChooseFiles
                label={certificates === 0 ? 'Choose root certificates' : 'Replace them'}
                accept=".pem,.crt,.cer"
                multiple
                take={files =>
                  void save(
                    { roots: files.map(({ bytes }) => pemText(bytes, 'CERTIFICATE')).join('') },
                    'The roots are changed and recorded.',
                  )
                }
              />
            </div>
          </div>
          <p className="mute" role="status">
            {change.isPending ? 'Recording…' : done}
          </p>
          {change.isError && <ErrorPanel error={change.error} />}
        </>
      )}
    </Section>
  );
}

function Authority({
  url,
  held,
  move,
  remove,
  first,
  last,
}: {
  url: string;
  held: Authorities;
  move?: (by: -1 | 1) => void;
  remove?: () => void;
  first?: boolean;
  last?: boolean;
}) {
  const asked = held.asked.find(one => one.url === url);
  return (
    <li>
      <span className="grow">
        <code className="mono wrap">{url}</code>
        <span className="authority-said">
          {asked === undefined ? (
            <span className="mute">not asked since the collector started</span>
          ) : asked.ok ? (
            <span className="tone-allow">
              answered well, <Ago at={asked.at} />
            </span>
          ) : (
            <span className="tone-deny">
              failed, <Ago at={asked.at} />: {failureWords(asked.message ?? '')}
            </span>
          )}
        </span>
      </span>
      {move !== undefined && (
        <>
          <ActionIcon
            variant="subtle"
            color="gray"
            disabled={first === true}
            aria-label={`Ask ${url} earlier`}
            onClick={() => move(-1)}
          >
            <IconArrowUp size={15} />
          </ActionIcon>
          <ActionIcon
            variant="subtle"
            color="gray"
            disabled={last === true}
            aria-label={`Ask ${url} later`}
            onClick={() => move(1)}
          >
            <IconArrowDown size={15} />
          </ActionIcon>
        </>
      )}
      {remove !== undefined && (
        <ActionIcon variant="subtle" color="red" aria-label={`Remove ${url}`} onClick={remove}>
          <IconTrash size={15} />
        </ActionIcon>
      )}
    </li>
  );
}

function AddAuthority({
  known,
  busy,
  add,
}: {
  known: readonly string[];
  busy: boolean;
  add: (url: string) => Promise<boolean>;
}) {
  const [url, setUrl] = useState('');
  const [tried, setTried] = useState(false);
  const fault = addressFault(url.trim(), known);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (fault !== undefined || !(await add(url.trim()))) return;
    setUrl('');
    setTried(false);
  };
  return (
    <form className="signing-add" onSubmit={event => void submit(event)} noValidate>
      <TextInput
        label="Another authority"
        type="url"
        placeholder="https://tsa.example.org/tsr"
        spellCheck={false}
        maxLength={1024}
        value={url}
        onChange={event => setUrl(event.currentTarget.value)}
        error={tried && fault}
      />
      <Button type="submit" variant="default" loading={busy}>
        Add
      </Button>
    </form>
  );
}

function StampNow() {
  const client = useQueryClient();
  const stamp = useCall('timestampNow');
  if (!useMay('timestampNow')) return null;
  return (
    <span className="stamp-now">
      <Button
        size="compact-sm"
        loading={stamp.isPending}
        onClick={() =>
          stamp.mutate(
            {},
            {
              onSuccess: ({ size, authority }) =>
                notifications.show({
                  title: 'The newest checkpoint is stamped',
                  message: `${countOf(size, 'record')}, dated by ${authority}. Later packs carry it.`,
                }),
              onSettled: () => invalidate(client, 'timestampAuthorities', 'timestampAnchors', 'clockState'),
            },
          )
        }
      >
        Stamp a checkpoint now
      </Button>
      {stamp.isError && <ErrorPanel error={stamp.error} />}
    </span>
  );
}
