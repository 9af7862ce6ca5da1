/** How a person stands, by sign, word and colour. */
import { IconCircleCheck, IconCircleDashed, IconClockHour4, IconLock } from '@tabler/icons-react';
import type { Stand } from './people_view.ts';

const signs = { allow: IconCircleCheck, ask: IconClockHour4, deny: IconLock, plain: IconCircleDashed };

export function StandMark({ stand }: { stand: Stand }) {
  const Sign = signs[stand.tone];
  return (
    <span className={`people-stand tone-${stand.tone}`}>
      <Sign size={14} aria-hidden />
      {stand.word}
    </span>
  );
}
