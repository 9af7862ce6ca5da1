/** Stamped checkpoints, with how exactly each says when; and the way by file, across an air gap. */
import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconDownload } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useMay } from '../../../api/me.ts';
import { invalidate, useAsk, useCall } from '../../../api/queries.ts';
import { countOf, formatCount } from '../../../ui/numbers.ts';
import { Section } from '../../../ui/Page.tsx';
import { ErrorPanel, Waiting } from '../../../ui/States.tsx';
import { Time } from '../../../ui/Time.tsx';
import { ChooseFiles, saveBytes } from './files.tsx';
import { buildAnchors, type Chosen, pairOf, sinceLastStamp } from './signing_view.ts';

export function AnchorSection() {
  const anchors = useAsk('timestampAnchors', {}, { every: 10_000 });
  const mayAsk = useMay('timestampRequest');
  if (anchors.isError) return <ErrorPanel error={anchors.error} retry={() => void anchors.refetch()} />;
  if (anchors.data === undefined) return <Waiting label="Reading the stamps" />;
  const rows = buildAnchors(anchors.data);
  return (
    <Section
      title="How exactly it is known when"
      lead="A stamped checkpoint shows that every record under it was there by the authority’s time. Between two stamps only the clock of this computer says when: the closer they are, the less is left to it."
    >
      <p role="status">{sinceLastStamp(anchors.data)}</p>
      {rows.length > 0 && (
        <div className="table-scroll">
          <table className="table">
            <thead>
              <tr>
                <th scope="col">Records</th>
                <th scope="col">There by</th>
                <th scope="col">Stamp before it</th>
                <th scope="col">Left to this clock</th>
                <th scope="col">Says</th>
                <th scope="col">Record</th>
              </tr>
            </thead>
            <tbody>
              {rows.map(row => (
                <tr key={row.seq}>
                  <td className="nowrap">{row.records}</td>
                  <td className="nowrap">
                    <Time at={row.by} short />
                  </td>
                  <td className="nowrap">
                    {row.after === undefined ? (
                      <span className="mute">none</span>
                    ) : (
                      <Time at={row.after} short />
                    )}
                  </td>
                  <td className="nowrap">{row.within}</td>
                  <td>{row.authority}</td>
                  <td className="nowrap">
                    <Link to="/events/$seq" params={{ seq: String(row.seq) }}>
                      #{formatCount(row.seq)}
                    </Link>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {anchors.data.total > rows.length && (
        <p className="mute settings-note">
          The newest {rows.length} of {countOf(anchors.data.total, 'stamp')}.
        </p>
      )}
      {mayAsk && <ByFile />}
    </Section>
  );
}

/** A request out, a reply in. Both are small files; nothing goes over a network from here. */
function ByFile() {
  const client = useQueryClient();
  const ask = useCall('timestampRequest');
  const take = useCall('timestampImport');
  const [wrong, setWrong] = useState<string>();
  const imported = (files: Chosen[]) => {
    const pair = pairOf(files);
    setWrong(typeof pair === 'string' ? pair : undefined);
    take.reset();
    if (typeof pair === 'string') return;
    take.mutate(
      { input: pair },
      {
        onSuccess: ({ size, authority }) => {
          notifications.show({
            title: 'The stamp is recorded',
            message: `${countOf(size, 'record')}, dated by ${authority}. Later packs carry it.`,
          });
          void invalidate(client, 'timestampAnchors', 'timestampAuthorities');
        },
      },
    );
  };
  return (
    <div className="by-file">
      <h3>By file</h3>
      <p className="mute">
        Where this computer may not ask: save a request over the newest checkpoint, carry it to an authority,
        and bring the reply back. Keep the request: the reply is held against it.
      </p>
      <div className="signing-actions">
        <Button
          variant="default"
          leftSection={<IconDownload size={14} aria-hidden />}
          loading={ask.isPending}
          onClick={() =>
            ask.mutate(
              {},
              {
                onSuccess: ({ size, request }) =>
                  saveBytes(request, `checkpoint-${size}.tsq`, 'application/timestamp-query'),
              },
            )
          }
        >
          Save a request (.tsq)
        </Button>
        <ChooseFiles
          label="Import a reply (.tsr with its .tsq)"
          accept=".tsr,.tsq"
          multiple
          loading={take.isPending}
          take={imported}
        />
      </div>
      {wrong !== undefined && (
        <p className="callout tone-ask" role="alert">
          {wrong}
        </p>
      )}
      {ask.isError && <ErrorPanel error={ask.error} />}
      {take.isError && <ErrorPanel error={take.error} />}
    </div>
  );
}
