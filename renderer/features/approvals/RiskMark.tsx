/** How risky the app says a call is: bars and a word, never colour alone. */
import type { ApprovalView } from '../../../core/api/views.ts';

const levels = { low: 1, medium: 2, high: 3, critical: 4 } as const;
const tones = { low: 'plain', medium: 'plain', high: 'ask', critical: 'deny' } as const;

export function RiskMark({ risk, long }: { risk: ApprovalView['risk']; long?: boolean }) {
  return (
    <span className={`risk-mark tone-${tones[risk]}`}>
      <span className="risk-bars" aria-hidden>
        {[1, 2, 3, 4].map(level => (
          <i key={level} data-on={level <= levels[risk] || undefined} />
        ))}
      </span>
      {risk}
      {long ? ' risk' : <span className="visually-hidden"> risk</span>}
    </span>
  );
}
