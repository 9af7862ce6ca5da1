/** After too many wrong passphrases a name is locked for a while: how long still, and the words for it. */
import { useState } from 'react';
import type { Failure } from '../api/problem.ts';
import { useNow } from '../ui/Time.tsx';

/** Where a refusal does not say how long. */
const LOCK_SECONDS = 30;

/** `left`: whole seconds that the lock still lasts, 0 where there is none. */
export function useSignInLock(): { left: number; note: (failure: Failure) => void } {
  const [until, setUntil] = useState(0);
  const left = Math.max(0, Math.ceil((until - useNow(500)) / 1_000));
  const note = ({ code, retryAfter = LOCK_SECONDS }: Failure) => {
    if (code === 'sign_in_locked') setUntil(Date.now() + retryAfter * 1_000);
  };
  return { left, note };
}

/** `meanwhile` is said while the lock lasts. Give the last failure; of another kind nothing is shown. */
export function LockedCallout({
  failure,
  left,
  meanwhile,
}: {
  failure: Failure | undefined;
  left: number;
  meanwhile: string;
}) {
  return (
    <div role="status">
      {failure?.code === 'sign_in_locked' && (
        <div className="callout tone-deny">
          <strong>Too many wrong attempts</strong>
          <p>{left > 0 ? meanwhile : 'You can try again now.'}</p>
        </div>
      )}
    </div>
  );
}
