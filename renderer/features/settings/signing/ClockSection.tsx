/** What the clock of this computer is worth: who sets it, how far it was off, when it jumped. */
import { Link } from '@tanstack/react-router';
import { useAsk } from '../../../api/queries.ts';
import { KeyValue } from '../../../ui/KeyValue.tsx';
import { formatCount } from '../../../ui/numbers.ts';
import { Section } from '../../../ui/Page.tsx';
import { ErrorPanel } from '../../../ui/States.tsx';
import { Time } from '../../../ui/Time.tsx';
import { jumpWords, offsetWords, sourceWords } from './signing_view.ts';

export function ClockSection() {
  const clock = useAsk('clockState', {}, { every: 30_000 });
  if (clock.isError) return <ErrorPanel error={clock.error} />;
  if (clock.data === undefined) return null;
  const { data } = clock;
  const { offset, jumps, jumps_total: total } = data;
  return (
    <Section
      title="The clock of this computer"
      lead="Every record carries its time of receipt by this clock. It never runs backwards in the ledger; each jump is recorded."
    >
      <KeyValue
        wide
        rows={[
          { name: 'Now', value: <Time at={data.now} /> },
          { name: 'Set by', value: sourceWords(data) },
          {
            name: 'Off by',
            value: (
              <>
                {offsetWords(data)}
                {offset !== undefined && (
                  <>
                    ; by {offset.by}, <Time at={offset.at} short />
                  </>
                )}
              </>
            ),
          },
          {
            name: 'Jumps',
            value:
              total === 0 ? (
                'none recorded'
              ) : (
                <ul className="signing-files">
                  {jumps.slice(0, 5).map(jump => (
                    <li key={jump.seq}>
                      <Link to="/events/$seq" params={{ seq: String(jump.seq) }}>
                        #{formatCount(jump.seq)}
                      </Link>{' '}
                      <Time at={jump.at} short />: {jumpWords(jump)}
                    </li>
                  ))}
                  {total > 5 && <li className="mute">and {formatCount(total - 5)} before</li>}
                </ul>
              ),
          },
        ]}
      />
    </Section>
  );
}
