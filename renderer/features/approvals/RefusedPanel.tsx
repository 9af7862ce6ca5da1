/** A refusal of an answer, in words for who answers, with the way on. */
import { Button } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import type { Failure } from '../../api/problem.ts';
import { ErrorPanel } from '../../ui/States.tsx';
import { refusalOf } from './refusals.ts';

export function RefusedPanel({ failure, again }: { failure: Failure; again?: () => void }) {
  const words = refusalOf(failure.code);
  if (words === undefined) return <ErrorPanel error={failure} {...(again ? { retry: again } : {})} />;
  return (
    <div className="error-panel" role="alert">
      <IconAlertTriangle size={18} aria-hidden />
      <div>
        <strong>{words.title}</strong>
        {failure.code === 'challenge_failed' && <p>{failure.message}.</p>}
        {failure.code === 'review_too_short' && failure.retryAfter !== undefined && (
          <p>Possible in {failure.retryAfter} s.</p>
        )}
        <p className="mute">{words.todo}</p>
        <p className="error-code mono">{failure.code}</p>
        {words.again && again !== undefined && (
          <Button size="compact-sm" variant="default" onClick={again}>
            Open it again
          </Button>
        )}
      </div>
    </div>
  );
}
