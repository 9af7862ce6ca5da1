/** A decision as sign, word and colour. `word` replaces the word, e.g. "Approved by 2"; `quiet` shows the sign with the word for readers only. */
import {
  IconAlertTriangle,
  IconCheck,
  IconClockHour4,
  IconHourglassOff,
  IconUser,
  IconX,
} from '@tabler/icons-react';
import { type DecisionLook, lookOf } from './decisions.ts';

const signs = {
  check: IconCheck,
  cross: IconX,
  clock: IconClockHour4,
  hourglass: IconHourglassOff,
  alert: IconAlertTriangle,
  person: IconUser,
} as const;

export function DecisionSign({ look, size = 13 }: { look: DecisionLook; size?: number }) {
  const Sign = signs[look.sign];
  return <Sign size={size} stroke={2.4} aria-hidden />;
}

export function DecisionBadge({
  state,
  word,
  filled,
  quiet,
}: {
  state: string;
  word?: string;
  filled?: boolean;
  quiet?: boolean;
}) {
  const look = lookOf(state);
  if (look === undefined) return null;
  const text = word ?? look.word;
  return (
    <span className={`decision tone-${look.tone}${filled ? ' filled' : ''}`} title={quiet ? text : undefined}>
      <DecisionSign look={look} />
      <span className={quiet ? 'visually-hidden' : undefined}>{text}</span>
    </span>
  );
}
