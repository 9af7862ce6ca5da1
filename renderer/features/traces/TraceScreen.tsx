/** One run: header, minimap, tree beside waterfall, inspector. Selection, tab, search and window are in the URL. */
import { Button, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconChevronDown, IconChevronUp, IconFileExport, IconSearch, IconX } from '@tabler/icons-react';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { OutputOf } from '../../../core/api/operations.ts';
import { call } from '../../api/client.ts';
import { useAsk, useStatus } from '../../api/queries.ts';
import { useKeys } from '../../shell/shortcuts.ts';
import { DecisionBadge } from '../../ui/Decision.tsx';
import { showFailure } from '../../ui/failure_toast.ts';
import { countOf, formatCost } from '../../ui/numbers.ts';
import { Chip, PageHeader } from '../../ui/Page.tsx';
import { EmptyState, ErrorPanel, Waiting } from '../../ui/States.tsx';
import { Duration } from '../../ui/Time.tsx';
import { buildLengths } from './bars.ts';
import { contextOf, Inspector } from './Inspector.tsx';
import { Minimap } from './Minimap.tsx';
import { RunPanel } from './RunPanel.tsx';
import { buildDecisionCounts, runTitle } from './run_summary.ts';
import { SpanTreeGrid } from './SpanTree.tsx';
import { ancestorsOf, buildSpanTree, findSpans, keepParents, visibleRows } from './span_tree.ts';
import { wholeOf, zoomWindow } from './timeline.ts';
import type { TraceSearch } from './trace_search.ts';
import { useWindow } from './useWindow.ts';
import './trace.css';

export function TraceScreen() {
  const { run } = useParams({ from: '/traces/$run' });
  const trace = useAsk('trace', { params: { id: run } }, { fresh: 2_000 });
  useFollow(trace.data?.trace.last_seq, () => void trace.refetch());
  const crumbs = [{ label: 'Traces', to: '/traces' }];
  if (trace.error?.code === 'not_found') {
    return (
      <>
        <PageHeader title="Run" crumbs={crumbs} />
        <EmptyState title="No such run">
          <p>This ledger has no run with the id {run}. It may stand in another data folder.</p>
        </EmptyState>
      </>
    );
  }
  if (trace.data === undefined) {
    return (
      <>
        <PageHeader title="Run" crumbs={crumbs} />
        {trace.isError ? (
          <ErrorPanel error={trace.error} retry={() => void trace.refetch()} />
        ) : (
          <Waiting label="Loading the run" />
        )}
      </>
    );
  }
  return <Run key={run} reply={trace.data} />;
}

/** While the run still grows, it is fetched again when the ledger's head has moved. */
function useFollow(lastSeq: number | undefined, refetch: () => void): void {
  const ledger = useStatus().data?.ledger;
  const stamp = `${ledger?.head_seq}/${ledger?.waiting_approvals}`;
  const seen = useRef(stamp);
  useEffect(() => {
    if (seen.current === stamp) return;
    const first = seen.current.startsWith('undefined');
    seen.current = stamp;
    if (!first && lastSeq !== undefined) refetch();
  }, [stamp, lastSeq, refetch]);
}

function Run({ reply }: { reply: OutputOf<'trace'> }) {
  const { trace, spans } = reply;
  const search = useSearch({ from: '/traces/$run' });
  const navigate = useNavigate({ from: '/traces/$run' });
  const tree = useMemo(() => buildSpanTree(spans), [spans]);
  const lengths = useMemo(() => buildLengths(spans, tree), [spans, tree]);
  const whole = useMemo(() => wholeOf(trace.duration_us), [trace.duration_us]);
  const [folded, setFolded] = useState<ReadonlySet<number>>(new Set());
  const inspector = useRef<HTMLElement>(null);

  const change = useCallback(
    (next: { [K in keyof TraceSearch]?: TraceSearch[K] | undefined }) =>
      void navigate({
        search: held =>
          Object.fromEntries(
            Object.entries({ ...held, ...next }).filter(([, value]) => value !== undefined),
          ) as TraceSearch,
        replace: true,
      }),
    [navigate],
  );
  const held =
    search.from !== undefined && search.to !== undefined ? { from: search.from, to: search.to } : undefined;
  const [shown, setShown] = useWindow(whole, held, next => change({ from: next?.from, to: next?.to }));

  const find = search.q ?? '';
  const matches = useMatches(reply, tree, find);
  const kept = useMemo(
    () => (matches === undefined || matches.length === 0 ? undefined : keepParents(tree, matches)),
    [tree, matches],
  );
  const rows = useMemo(() => visibleRows(tree, folded, kept), [tree, folded, kept]);
  const chosen = useMemo(
    () => (search.seq === undefined ? -1 : spans.seq.indexOf(search.seq)),
    [spans, search.seq],
  );

  /** Enter came before the event had: its tab gets the focus then, if the reader is still in the tree. */
  const entering = useRef(false);
  const choose = (i: number) => {
    entering.current = false;
    const hiding = ancestorsOf(tree, i).filter(above => folded.has(above));
    if (hiding.length > 0) setFolded(new Set([...folded].filter(one => !hiding.includes(one))));
    change({ seq: spans.seq[i] });
  };
  const fold = (i: number, shut: boolean) => {
    const next = new Set(folded);
    if (shut) next.add(i);
    else next.delete(i);
    setFolded(next);
  };
  const step = (by: 1 | -1) => {
    if (matches === undefined || matches.length === 0) return;
    const place = chosen < 0 ? -1 : tree.place[chosen]!;
    const next =
      by === 1
        ? (matches.find(i => tree.place[i]! > place) ?? matches[0])
        : (matches.findLast(i => tree.place[i]! < place) ?? matches.at(-1));
    if (next !== undefined) choose(next);
  };
  const middle = (shown.from + shown.to) / 2;
  useKeys({
    n: () => step(1),
    N: () => step(-1),
    '+': () => setShown(zoomWindow(shown, whole, 0.6, middle)),
    '=': () => setShown(zoomWindow(shown, whole, 0.6, middle)),
    '-': () => setShown(zoomWindow(shown, whole, 1 / 0.6, middle)),
    '0': () => setShown(whole),
    Escape: () => change({ seq: undefined }),
  });

  const focusInspector = useCallback(() => {
    const tab = inspector.current?.querySelector<HTMLElement>('[role="tab"][data-active]');
    entering.current = !tab;
    tab?.focus();
  }, []);
  const onShown = useCallback(() => {
    if (entering.current && document.activeElement?.role === 'treegrid') focusInspector();
    entering.current = false;
  }, [focusInspector]);
  return (
    <>
      <RunHeader reply={reply} />
      <Minimap spans={spans} lengths={lengths} tree={tree} whole={whole} window={shown} onWindow={setShown} />
      <div className="trace">
        <div className="trace-left">
          <FindBox
            value={find}
            onChange={q => change({ q: q === '' ? undefined : q })}
            step={step}
            found={find === '' ? undefined : matches?.length}
            searching={find !== '' && matches === undefined}
          />
          <SpanTreeGrid
            spans={spans}
            lengths={lengths}
            tree={tree}
            rows={rows}
            folded={folded}
            kept={kept}
            find={find}
            chosen={chosen}
            onChoose={choose}
            onFold={fold}
            onEnter={focusInspector}
            whole={whole}
            window={shown}
            onWindow={setShown}
            caption={countOf(spans.seq.length, 'event')}
          />
        </div>
        <aside className="inspector" ref={inspector} aria-label="Inspector">
          {chosen >= 0 ? (
            <Inspector
              key={spans.seq[chosen]}
              seq={spans.seq[chosen]!}
              context={contextOf(spans, lengths, chosen)}
              tab={search.tab ?? 'summary'}
              onTab={tab => change({ tab: tab === 'summary' ? undefined : tab })}
              close={() => change({ seq: undefined })}
              onShown={onShown}
            />
          ) : search.seq !== undefined ? (
            <EmptyState title="Not in this run">
              <p>Event #{search.seq} does not belong to this run.</p>
            </EmptyState>
          ) : (
            <RunPanel trace={trace} spans={spans} onChoose={choose} />
          )}
        </aside>
      </div>
    </>
  );
}

/** Matches by name at once, and by content as soon as the collector has searched. Undefined while that is on its way. */
function useMatches(
  reply: OutputOf<'trace'>,
  tree: ReturnType<typeof buildSpanTree>,
  find: string,
): number[] | undefined {
  const { spans, trace } = reply;
  const [settled] = useDebouncedValue(find, 250);
  const local = useMemo(() => findSpans(tree, spans, find), [tree, spans, find]);
  const remote = useAsk(
    'trace',
    { params: { id: trace.run_id }, query: { q: settled } },
    { enabled: settled.trim() !== '', fresh: 10_000 },
  );
  return useMemo(() => {
    if (find.trim() === '') return undefined;
    const seqs = settled === find ? remote.data?.matches : undefined;
    if (seqs === undefined) return local.length > 0 || remote.isError ? local : undefined;
    const bySeq = new Map(spans.seq.map((seq, i) => [seq, i]));
    const all = new Set(local);
    for (const seq of seqs) {
      const i = bySeq.get(seq);
      if (i !== undefined) all.add(i);
    }
    return [...all].sort((a, b) => tree.place[a]! - tree.place[b]!);
  }, [find, settled, remote.data, remote.isError, local, spans, tree]);
}

function RunHeader({ reply }: { reply: OutputOf<'trace'> }) {
  const { trace } = reply;
  const counts = buildDecisionCounts(trace);
  return (
    <PageHeader
      title={runTitle(trace)}
      crumbs={[{ label: 'Traces', to: '/traces' }, { label: trace.app_id }]}
      aside={
        <>
          <Chip mono title={`Session ${trace.session_id}`}>
            {trace.session_id.length > 18 ? `${trace.session_id.slice(0, 16)}…` : trace.session_id}
          </Chip>
          <Chip>
            <b>
              <Duration us={trace.duration_us} />
            </b>
          </Chip>
          {trace.cost > 0 && <Chip>{formatCost(trace.cost)}</Chip>}
          {counts.length > 0 && (
            <Chip>
              {counts.map(part => (
                <DecisionBadge key={part.state} state={part.state} word={part.word} />
              ))}
            </Chip>
          )}
          {trace.sample && <Chip title="Comes with the app; times and costs are made up">sample</Chip>}
          {trace.unverified && <Chip title="Sent without an API key">unverified</Chip>}
        </>
      }
      actions={<ExportButton reply={reply} />}
    />
  );
}

/** Evidence is scoped by when events were recorded: asks the first and the last event for that. */
function ExportButton({ reply }: { reply: OutputOf<'trace'> }) {
  const navigate = useNavigate();
  const [busy, setBusy] = useState(false);
  const go = async () => {
    setBusy(true);
    try {
      const { trace } = reply;
      const [first, last] = await Promise.all([
        call('event', { params: { seq: trace.first_seq } }),
        call('event', { params: { seq: trace.last_seq } }),
      ]);
      await navigate({
        to: '/evidence',
        search: { app: trace.app_id, from: first.received_at, to: last.received_at },
      });
    } catch (error) {
      showFailure(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button leftSection={<IconFileExport size={15} />} loading={busy} onClick={() => void go()}>
      Export evidence
    </Button>
  );
}

function FindBox({
  value,
  onChange,
  step,
  found,
  searching,
}: {
  value: string;
  onChange: (q: string) => void;
  step: (by: 1 | -1) => void;
  found: number | undefined;
  searching: boolean;
}) {
  const input = useRef<HTMLInputElement>(null);
  useKeys({ '/': () => input.current?.focus() });
  let note: ReactNode = null;
  if (searching) note = 'searching…';
  else if (found !== undefined) note = found === 0 ? 'no match' : countOf(found, 'match', 'matches');
  return (
    <search className="find-row">
      <TextInput
        ref={input}
        className="grow"
        size="xs"
        variant="unstyled"
        aria-label="Search inside this run"
        placeholder="Search inside this run"
        leftSection={<IconSearch size={14} aria-hidden />}
        value={value}
        onChange={event => onChange(event.currentTarget.value)}
        onKeyDown={event => {
          if (event.key === 'Enter') step(event.shiftKey ? -1 : 1);
          if (event.key === 'Escape') {
            if (value === '') input.current?.blur();
            else onChange('');
          }
        }}
        spellCheck={false}
      />
      <span className="mute" role="status">
        {note}
      </span>
      {found !== undefined && found > 0 && (
        <>
          <button
            type="button"
            className="icon-button"
            aria-label="Previous match (Shift n)"
            onClick={() => step(-1)}
          >
            <IconChevronUp size={14} />
          </button>
          <button type="button" className="icon-button" aria-label="Next match (n)" onClick={() => step(1)}>
            <IconChevronDown size={14} />
          </button>
        </>
      )}
      {value !== '' && (
        <button
          type="button"
          className="icon-button"
          aria-label="Clear the search"
          onClick={() => onChange('')}
        >
          <IconX size={14} />
        </button>
      )}
      {value === '' && <kbd>/</kbd>}
    </search>
  );
}
