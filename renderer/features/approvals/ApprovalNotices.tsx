/**
 * Says that something new waits, on every screen: one notice at a time that is renewed, and a count in the title of the window.
 * Rules: only to who can answer; a number, never an action, an argument or a name.
 */
import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useNavigate, useRouterState } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { mayDo } from '../../api/may.ts';
import { useMe } from '../../api/me.ts';
import { useAsk, useStatus } from '../../api/queries.ts';
import { setTitleCount } from '../../ui/title.ts';
import { waitingInWords } from './approval_view.ts';

const NOTICE = 'approvals-waiting';

export function ApprovalNotices() {
  const me = useMe().data;
  const waiting = useStatus().data?.ledger?.waiting_approvals;
  const answers = mayDo(me, 'answerApproval');
  const mine = useAsk(
    'approvals',
    { query: { for: 'me', limit: 1 } },
    { enabled: answers && (waiting ?? 0) > 0, every: 5_000, keep: true },
  );
  const count =
    me === undefined || waiting === undefined ? undefined : !answers || waiting === 0 ? 0 : mine.data?.total;
  const here = useRouterState({ select: state => state.location.pathname.startsWith('/approvals') });
  const navigate = useNavigate();
  const seen = useRef<number | undefined>(undefined);

  useEffect(() => {
    if (count === undefined) return;
    setTitleCount(count);
    const before = seen.current;
    seen.current = count;
    if (count === 0 || here) {
      notifications.hide(NOTICE);
      return;
    }
    // What waited when the page was opened stands in the rail; only what comes is said.
    if (before === undefined || count <= before) return;
    const notice = {
      id: NOTICE,
      title: waitingInWords(count),
      message: (
        <Button
          size="compact-xs"
          variant="light"
          onClick={() => {
            notifications.hide(NOTICE);
            void navigate({ to: '/approvals' });
          }}
        >
          Go to Approvals
        </Button>
      ),
      autoClose: 12_000,
    };
    notifications.hide(NOTICE);
    notifications.show(notice);
  }, [count, here, navigate]);
  useEffect(() => () => setTitleCount(0), []);
  return null;
}
