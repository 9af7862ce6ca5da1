/** `/events/:seq`: where an event is looked up by number. Goes on to its run, or shows the event alone. */

import { sha256 } from '@noble/hashes/sha2.js';
import { Navigate, useParams } from '@tanstack/react-router';
import { LEDGER_APP, runId } from '../../../core/proof/record.ts';
import { useAsk } from '../../api/queries.ts';
import { JsonView } from '../../ui/Json.tsx';
import { formatCount } from '../../ui/numbers.ts';
import { PageBody, PageHeader } from '../../ui/Page.tsx';
import { EmptyState, ErrorPanel, Waiting } from '../../ui/States.tsx';

export function EventScreen() {
  const { seq } = useParams({ from: '/events/$seq' });
  const number = Number(seq);
  const valid = Number.isSafeInteger(number) && number >= 0;
  const event = useAsk('event', { params: { seq: valid ? number : 0 } }, { enabled: valid });
  const title = valid ? `Event #${formatCount(number)}` : 'Event';
  const crumbs = [{ label: 'Traces', to: '/traces' }];
  if (!valid || event.error?.code === 'not_found') {
    return (
      <>
        <PageHeader title={title} crumbs={crumbs} />
        <EmptyState
          title={valid ? `No event has the number #${formatCount(number)}` : 'This is not an event number'}
        >
          <p>Events are numbered from #0 in the order they were recorded. The status bar shows the newest.</p>
        </EmptyState>
      </>
    );
  }
  if (event.isError) return <ErrorPanel error={event.error} retry={() => void event.refetch()} />;
  if (event.data === undefined) return <Waiting label="Looking up the event" />;
  const session = (event.data as Record<string, unknown>).session_id;
  if (typeof session === 'string' && event.data.app_id !== LEDGER_APP) {
    return (
      <Navigate
        to="/traces/$run"
        params={{ run: runId(sha256, event.data.app_id, session) }}
        search={{ seq: number }}
        replace
      />
    );
  }
  return (
    <>
      <PageHeader title={`${title}: ${event.data.event_type}`} crumbs={crumbs} />
      <PageBody>
        <p className="mute">This event belongs to the ledger itself, not to a run.</p>
        <JsonView value={event.data} what="event" />
      </PageBody>
    </>
  );
}
