/** The button that loads the sample runs, says what came of it, and shows why if it was refused. Not there for who may not. */
import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconDownload } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useMay } from '../../api/me.ts';
import { invalidate, useCall } from '../../api/queries.ts';
import { countOf } from '../../ui/numbers.ts';
import { ErrorPanel } from '../../ui/States.tsx';

export function LoadSamples({ onLoaded, primary }: { onLoaded?: () => void; primary?: boolean }) {
  const client = useQueryClient();
  const load = useCall('loadSamples');
  if (!useMay('loadSamples')) return null;
  return (
    <>
      <Button
        variant={primary ? 'filled' : 'default'}
        leftSection={<IconDownload size={15} aria-hidden />}
        loading={load.isPending}
        onClick={() =>
          load.mutate(
            {},
            {
              onSuccess: answer => {
                notifications.show({
                  title: answer.already ? 'The sample runs are here already' : 'Sample runs loaded',
                  message: answer.already
                    ? 'Nothing was recorded twice.'
                    : `${countOf(answer.runs, 'run')} with ${countOf(answer.events, 'event')}, marked as samples.`,
                });
                void invalidate(client, 'overview', 'traces', 'approvals', 'status', 'events');
                onLoaded?.();
              },
            },
          )
        }
      >
        Load sample runs
      </Button>
      {load.isError && <ErrorPanel error={load.error} />}
    </>
  );
}
