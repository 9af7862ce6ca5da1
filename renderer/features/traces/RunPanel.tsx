/** The inspector while no event is chosen: the run in sentences, its facts, and where to look first. */
import type { SpanColumns, TraceSummary } from '../../../core/api/views.ts';
import { CopyButton } from '../../ui/Copy.tsx';
import { DecisionBadge } from '../../ui/Decision.tsx';
import { KeyValue } from '../../ui/KeyValue.tsx';
import { formatCost, formatCount } from '../../ui/numbers.ts';
import { Section } from '../../ui/Page.tsx';
import { Duration, Time } from '../../ui/Time.tsx';
import { labelOf } from './event_summary.ts';
import { buildNotable } from './notable.ts';
import { buildRunCautions, buildRunSentences, runTitle } from './run_summary.ts';
import { Risk } from './traces_columns.tsx';

export function RunPanel({
  trace,
  spans,
  onChoose,
}: {
  trace: TraceSummary;
  spans: SpanColumns;
  onChoose: (i: number) => void;
}) {
  const notable = buildNotable(spans);
  return (
    <>
      <div className="inspector-head">
        <h2 title={runTitle(trace)}>{runTitle(trace)}</h2>
        <div className="mute inspector-sub">the whole run · choose an event to look into it</div>
      </div>
      <div className="inspector-body">
        <Section title="What happened" level={3}>
          {buildRunSentences(trace).map(sentence => (
            <p key={sentence} className="sentence">
              {sentence}
            </p>
          ))}
        </Section>
        {buildRunCautions(trace).map(caution => (
          <div key={caution} className="callout tone-ask">
            {caution}
          </div>
        ))}
        {notable.rows.length > 0 && (
          <Section title="Where to look first" level={3}>
            <ul className="notable">
              {notable.rows.map(row => (
                <li key={row.index}>
                  <button type="button" onClick={() => onChoose(row.index)}>
                    <span className="span-kind" data-kind={spans.kind[row.index]} />
                    <span className="span-label">
                      {labelOf(spans.event_type[row.index]!, spans.name[row.index]!)}
                    </span>
                    <span className="grow" />
                    {row.why === 'error' ? (
                      <span className="span-error">error</span>
                    ) : (
                      <DecisionBadge state={row.why} />
                    )}
                  </button>
                </li>
              ))}
            </ul>
            {notable.more > 0 && <p className="mute">and {formatCount(notable.more)} more</p>}
          </Section>
        )}
        <Section title="Facts" level={3}>
          <KeyValue
            rows={[
              { name: 'Began', value: <Time at={trace.first_ts} /> },
              { name: 'Last event', value: <Time at={trace.last_ts} /> },
              { name: 'Took', value: <Duration us={trace.duration_us} /> },
              {
                name: 'Events',
                value: `${formatCount(trace.events)}, #${formatCount(trace.first_seq)} to #${formatCount(trace.last_seq)}`,
              },
              trace.risk !== undefined && { name: 'Highest risk', value: <Risk risk={trace.risk} /> },
              trace.tokens > 0 && { name: 'Tokens', value: formatCount(trace.tokens) },
              trace.cost > 0 && { name: 'Cost', value: formatCost(trace.cost) },
              { name: 'App', value: trace.app_id },
              {
                name: 'Session',
                value: (
                  <span className="mono wrap">
                    {trace.session_id} <CopyButton text={trace.session_id} what="session id" size={18} />
                  </span>
                ),
              },
            ]}
          />
        </Section>
      </div>
    </>
  );
}
