/** One event, from its sentence to its proof. Tabs that would be empty are not there. */
import { ActionIcon } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { useEffect } from 'react';
import type { RecordView, SpanColumns } from '../../../core/api/views.ts';
import { useAsk } from '../../api/queries.ts';
import { CopyButton, Hash } from '../../ui/Copy.tsx';
import { DecisionBadge } from '../../ui/Decision.tsx';
import { JsonView } from '../../ui/Json.tsx';
import { KeyValue } from '../../ui/KeyValue.tsx';
import { formatCost, formatCount } from '../../ui/numbers.ts';
import { Section } from '../../ui/Page.tsx';
import { ErrorPanel, Waiting } from '../../ui/States.tsx';
import { type Tab, TabBar } from '../../ui/TabBar.tsx';
import { Duration, Time } from '../../ui/Time.tsx';
import { EraseBody } from '../evidence/EraseBody.tsx';
import { buildEventSummary, type EventContext, type EventSummary } from './event_summary.ts';
import { PolicyTab } from './PolicyTab.tsx';
import { ProofBrief, ProofTab } from './ProofTab.tsx';
import { Risk } from './traces_columns.tsx';
import { ValueView } from './ValueView.tsx';

type Members = { readonly [member: string]: unknown };

export function Inspector({
  seq,
  context,
  tab,
  onTab,
  close,
  onShown,
}: {
  seq: number;
  context: EventContext;
  tab: string;
  onTab: (tab: string) => void;
  close: () => void;
  /** The event has come, and its tabs are there. Give the same function each time. */
  onShown: () => void;
}) {
  const event = useAsk('event', { params: { seq } }, { fresh: 600_000 });
  const isShown = event.data !== undefined;
  useEffect(() => {
    if (isShown) onShown();
  }, [isShown, onShown]);
  if (event.isError) return <ErrorPanel error={event.error} retry={() => void event.refetch()} />;
  if (event.data === undefined) return <Waiting label={`Loading event #${formatCount(seq)}`} />;
  const record = event.data;
  const summary = buildEventSummary(record as Members, context);
  return (
    <>
      <div className="inspector-head">
        <div className="row">
          <span className="span-kind" data-kind={context.kind} />
          <h2 title={summary.title}>{summary.title}</h2>
          <span className="grow" />
          <DecisionBadge state={context.decision} />
          <ActionIcon
            variant="subtle"
            color="gray"
            size={24}
            aria-label="Close the event, show the run"
            onClick={close}
          >
            <IconX size={15} />
          </ActionIcon>
        </div>
        <div className="mute inspector-sub">
          {summary.what} · <span className="nowrap">#{formatCount(record.seq)}</span> ·{' '}
          <Time at={record.ts} short precision="milli" />
        </div>
      </div>
      <TabBar
        label="Event"
        value={tab}
        onChange={onTab}
        tabs={tabsOf(record, summary, context, () => onTab('proof'))}
      />
    </>
  );
}

function tabsOf(
  record: RecordView,
  summary: EventSummary,
  context: EventContext,
  openProof: () => void,
): Tab[] {
  const members = record as Members;
  const tools = members.tools_invoked;
  const evals = members.evals;
  const tabs: (Tab | false)[] = [
    {
      id: 'summary',
      label: 'Summary',
      body: () => <SummaryTab record={record} summary={summary} context={context} openProof={openProof} />,
    },
    (members.input !== undefined || members.plan !== undefined || members.retrieval !== undefined) && {
      id: 'input',
      label: 'Input',
      body: () => (
        <>
          {members.input !== undefined && (
            <Section title="What went in" level={3}>
              <ValueView value={members.input} what="input" />
            </Section>
          )}
          {members.context !== undefined && (
            <Section title="Context" level={3}>
              <ValueView value={members.context} what="context" />
            </Section>
          )}
          {members.plan !== undefined && (
            <Section title="Plan" level={3}>
              <ValueView value={members.plan} what="plan" />
            </Section>
          )}
          {members.retrieval !== undefined && (
            <Section title="What it looked up" level={3}>
              <ValueView value={members.retrieval} what="retrieval" />
            </Section>
          )}
        </>
      ),
    },
    members.output !== undefined && {
      id: 'output',
      label: 'Output',
      body: () => (
        <Section title="What came out" level={3}>
          <ValueView value={members.output} what="output" />
        </Section>
      ),
    },
    tools !== undefined && { id: 'tools', label: 'Tools', body: () => <ToolsTab tools={tools} /> },
    members.model !== undefined && {
      id: 'model',
      label: 'Model',
      body: () => <ModelTab model={members.model} context={context} />,
    },
    {
      id: 'policy',
      label: 'Policy',
      body: () => <PolicyTab record={record} state={context.decision} />,
    },
    evals !== undefined && { id: 'evals', label: 'Evals', body: () => <EvalsTab evals={evals} /> },
    {
      id: 'raw',
      label: 'Raw',
      body: () => (
        <Section
          title="The record as it stands in the ledger"
          level={3}
          actions={<EraseBody record={record} />}
        >
          <JsonView value={record} what="record" />
        </Section>
      ),
    },
    { id: 'proof', label: 'Proof', body: () => <ProofTab record={record} /> },
  ];
  return tabs.filter(tab => tab !== false);
}

function SummaryTab({
  record,
  summary,
  context,
  openProof,
}: {
  record: RecordView;
  summary: EventSummary;
  context: EventContext;
  openProof: () => void;
}) {
  const members = record as Members;
  const source = (members.source ?? {}) as Members;
  const labels = members.labels;
  return (
    <>
      <Section title="What happened" level={3}>
        {summary.sentences.map(sentence => (
          <p key={sentence} className="sentence">
            {sentence}
          </p>
        ))}
      </Section>
      {summary.reasons.length > 0 && (
        <Section
          title={
            context.decision === 'denied' || context.decision === 'failed'
              ? 'Why it was denied'
              : 'Why the policy answered so'
          }
          level={3}
        >
          <ul className="reasons">
            {summary.reasons.map(reason => (
              <li key={reason}>{reason}</li>
            ))}
          </ul>
        </Section>
      )}
      {summary.cautions.map(caution => (
        <div key={caution} className="callout tone-ask">
          {caution}
        </div>
      ))}
      <Section title="Can this be trusted?" level={3}>
        <ProofBrief record={record} open={openProof} />
      </Section>
      <Section title="Facts" level={3}>
        <KeyValue
          rows={[
            { name: 'Began', value: <Time at={record.ts} precision="milli" /> },
            context.durationUs > 0 && { name: 'Took', value: <Duration us={context.durationUs} /> },
            { name: 'Recorded', value: <Time at={record.received_at} precision="milli" /> },
            typeof members.risk === 'string' && { name: 'Risk', value: <Risk risk={members.risk} /> },
            typeof members.actor_id === 'string' && {
              name:
                members.actor_type === 'user'
                  ? 'Person'
                  : members.actor_type === 'service'
                    ? 'Service'
                    : 'Agent',
              value: members.actor_id,
            },
            context.tokens > 0 && { name: 'Tokens', value: formatCount(context.tokens) },
            context.cost > 0 && { name: 'Cost', value: formatCost(context.cost) },
            members.source !== undefined && { name: 'Came by', value: sourceWords(source) },
            typeof members.event_id === 'string' && {
              name: 'Event id',
              value: (
                <span className="mono wrap">
                  {members.event_id} <CopyButton text={members.event_id} what="event id" size={18} />
                </span>
              ),
            },
            { name: 'Type', value: <span className="mono">{record.event_type}</span> },
            { name: 'Hash', value: <Hash value={record.hash_self} /> },
          ]}
        />
      </Section>
      {labels !== undefined && (
        <Section title="Labels" level={3}>
          <ValueView value={labels} what="labels" />
        </Section>
      )}
    </>
  );
}

const vias: Record<string, string> = {
  api: 'HTTP',
  otlp: 'OpenTelemetry',
  sdk: 'the SDK',
  cli: 'the command line',
  page: 'this app',
  collector: 'the collector itself',
  sample: 'the samples of the app',
};

function sourceWords(source: Members): string {
  const via = vias[String(source.via)] ?? String(source.via ?? 'unknown');
  if (source.auth === 'key') return `${via}, with API key ${String(source.key ?? '')}`;
  if (source.auth === 'none') return `${via}, without a key`;
  if (source.auth === 'person') return `${via}, signed in`;
  return via;
}

function ToolsTab({ tools }: { tools: unknown }) {
  if (!Array.isArray(tools)) return <ValueView value={tools} what="tools" />;
  return tools.map((tool: Members, i) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: recorded tools do not move
    <Section key={i} title={String(tool.name ?? `Tool ${i + 1}`)} level={3}>
      {typeof tool.latency_ms === 'number' && (
        <p className="mute">
          Took <Duration us={tool.latency_ms * 1000} />
        </p>
      )}
      {tool.args !== undefined && <ValueView value={tool.args} what="arguments" />}
      {tool.result !== undefined && (
        <div className="tool-result">
          <h4>Result</h4>
          <ValueView value={tool.result} what="result" />
        </div>
      )}
    </Section>
  ));
}

function ModelTab({ model, context }: { model: unknown; context: EventContext }) {
  const members = (typeof model === 'object' && model !== null ? model : {}) as Members;
  if (members.$blob !== undefined) return <ValueView value={model} what="model" />;
  const { name, provider, version, cost, params, ...rest } = members;
  return (
    <>
      <Section title="Model" level={3}>
        <KeyValue
          rows={[
            name !== undefined && { name: 'Name', value: <span className="mono">{String(name)}</span> },
            provider !== undefined && { name: 'Provider', value: String(provider) },
            version !== undefined && {
              name: 'Version',
              value: <span className="mono">{String(version)}</span>,
            },
            context.tokens > 0 && { name: 'Tokens', value: formatCount(context.tokens) },
            typeof cost === 'number' && {
              name: 'Cost',
              value: `${formatCost(cost) || '$0'}, as the program said`,
            },
          ]}
        />
      </Section>
      {params !== undefined && (
        <Section title="Parameters" level={3}>
          <ValueView value={params} what="parameters" />
        </Section>
      )}
      {Object.keys(rest).length > 0 && (
        <Section title="More" level={3}>
          <JsonView value={rest} what="other members" />
        </Section>
      )}
    </>
  );
}

function EvalsTab({ evals }: { evals: unknown }) {
  if (!Array.isArray(evals)) return <ValueView value={evals} what="evals" />;
  return (
    <Section title="Scores that the program attached" level={3}>
      <table className="table">
        <thead>
          <tr>
            <th>Eval</th>
            <th className="num">Score</th>
            <th className="num">Threshold</th>
          </tr>
        </thead>
        <tbody>
          {evals.map((item: Members, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: recorded evals do not move
            <tr key={i}>
              <td>
                {String(item.name)}
                {item.details !== undefined && <ValueView value={item.details} what="details" />}
              </td>
              <td className="num">{String(item.score)}</td>
              <td className="num">{item.threshold === undefined ? '' : String(item.threshold)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="mute">
        Whether a score should lie above or below its threshold is for the one who set it to say.
      </p>
    </Section>
  );
}

/** What the tree knows about a span, for the inspector. */
export function contextOf(spans: SpanColumns, lengths: ArrayLike<number>, i: number): EventContext {
  return {
    kind: spans.kind[i] ?? 'other',
    durationUs: lengths[i] ?? 0,
    tokens: spans.tokens[i] ?? 0,
    cost: spans.cost[i] ?? 0,
    decision: spans.decision[i] ?? '',
  };
}
