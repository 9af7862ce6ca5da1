/** A finished pack gets its time-stamps: from the authorities at once, or by file across an air gap. What was signed stays as it is. */
import { Button, Modal } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { ExportJob } from '../../../core/api/views.ts';
import { useMay } from '../../api/me.ts';
import { invalidate, useAsk, useCall } from '../../api/queries.ts';
import { ErrorPanel } from '../../ui/States.tsx';
import { Time } from '../../ui/Time.tsx';
import { ChooseFiles, saveBytes } from '../settings/signing/files.tsx';
import { type Chosen, pairOf } from '../settings/signing/signing_view.ts';

export const overWords = { pack: 'The whole pack', signature: 'Its signature' } as const;

export function StampDialog({ job, name, close }: { job: ExportJob; name: string; close: () => void }) {
  const client = useQueryClient();
  const mayRead = useMay('timestampAuthorities');
  const authorities = useAsk('timestampAuthorities', {}, { enabled: mayRead });
  const now = useCall('packTimestampNow');
  const ask = useCall('packTimestampRequest');
  const take = useCall('packTimestampImport');
  const [wrong, setWrong] = useState<string>();
  const params = { id: job.id };
  const renewed = { onSettled: () => invalidate(client, 'exportJobs', 'timestampAuthorities') };
  const imported = (files: Chosen[]) => {
    const pair = pairOf(files);
    setWrong(typeof pair === 'string' ? pair : undefined);
    take.reset();
    if (typeof pair !== 'string') take.mutate({ params, input: pair }, renewed);
  };
  const stamps = job.stamps ?? [];
  const named = (authorities.data?.urls.length ?? 0) > 0;
  const failed = now.error ?? ask.error ?? take.error;
  return (
    <Modal opened onClose={close} title={`Stamp ${name}`} size={600}>
      <div className="stack">
        <p className="modal-lead">
          A time-stamping authority signs the pack’s hash together with its own time. The pack then shows by
          when it existed, whatever this computer’s clock said. It can be done at any time.
        </p>
        {stamps.length > 0 && (
          <div className="callout tone-allow" role="status">
            <strong>Stamped. Save the pack again: a copy that was saved before has no stamp.</strong>
            <ul className="verify-facts">
              {stamps.map(({ over, time, authority }) => (
                <li key={over}>
                  {overWords[over]}, there by <Time at={time} />, says {authority}
                </li>
              ))}
            </ul>
          </div>
        )}
        {named ? (
          <div>
            <Button loading={now.isPending} onClick={() => now.mutate({ params }, renewed)}>
              Ask the authorities now
            </Button>
          </div>
        ) : (
          mayRead && (
            <p className="mute">
              No authority is named that could be asked from here (
              <Link to="/settings" search={{ tab: 'signing' }}>
                Settings &gt; Signing and time
              </Link>
              ). By file it needs none:
            </p>
          )
        )}
        <div className="stamp-file">
          <h3>By file</h3>
          <p className="mute">
            Save a request, carry it to an authority, bring the reply (.tsr) back together with its request
            (.tsq). If the collector is restarted meanwhile, bring the pack back first.
          </p>
          <div className="signing-actions">
            {(['pack', 'signature'] as const).map(over => (
              <Button
                key={over}
                variant="default"
                leftSection={<IconDownload size={14} aria-hidden />}
                loading={ask.isPending && ask.variables.input.over === over}
                onClick={() =>
                  ask.mutate(
                    { params, input: { over } },
                    {
                      onSuccess: ({ request }) =>
                        saveBytes(
                          request,
                          `${name.replace(/\.zip$/i, '')}${over === 'pack' ? '' : '-signature'}.tsq`,
                          'application/timestamp-query',
                        ),
                    },
                  )
                }
              >
                {over === 'pack' ? 'Save a request' : 'Save one for the signature'}
              </Button>
            ))}
            <ChooseFiles
              label="Import a reply"
              accept=".tsr,.tsq"
              multiple
              loading={take.isPending}
              take={imported}
            />
          </div>
        </div>
        {wrong !== undefined && (
          <p className="callout tone-ask" role="alert">
            {wrong}
          </p>
        )}
        {failed !== null && <ErrorPanel error={failed} />}
        <div className="modal-actions">
          <Button variant="default" onClick={close}>
            Done
          </Button>
        </div>
      </div>
    </Modal>
  );
}
