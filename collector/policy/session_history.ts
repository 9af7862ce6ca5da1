/** Earlier calls of one session, read from its records: what session_state.ts rebuilds a session from. */

import { runId } from '../../core/proof/record.ts';
import type { Ledger } from '../ports.ts';
import { sha256 } from '../sha256.ts';
import type { RecordedCall, SessionHistory } from './session_state.ts';

/** Events of a session that are looked at for turns, newest first. */
const MOST_EVENTS = 20_000;

export const sessionHistory =
  (ledger: Pick<Ledger, 'read'>): SessionHistory =>
  async (appId, sessionId, limit) => {
    const run = runId(sha256, appId, sessionId);
    const [calls, turns] = await Promise.all([
      ledger.read.query<RecordedCall>('sessions.calls', { run, limit }),
      ledger.read.query<{ turns: number }>('sessions.turns', { run, limit: MOST_EVENTS }),
    ]);
    return { calls, turns: turns[0]?.turns ?? 0 };
  };
