/**
 * `npm run bench [-- --million] [-- --quick]`: what the collector does beside what it cannot do without, in one run on one
 * machine. Prints, writes build/bench.json; `--record` writes docs/performance.json and the tables of docs/performance.md.
 * Ratios are what to compare; absolutes belong to the machine named beside them.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildAppTree } from '../../resources/build/app-tree.ts';
import { measureApprovals } from './approvals.ts';
import { BenchCollector } from './collector.ts';
import { measureDecision } from './decision.ts';
import { appId } from './events.ts';
import { type ExportFigures, measureExport } from './export.ts';
import { measureImpact } from './impact.ts';
import { type Ingest, measureGrowth, measureIngest } from './ingest.ts';
import { measurePolicy } from './policy.ts';
import { measureSteps } from './steps.ts';
import { measureVerification } from './verification.ts';

const root = join(import.meta.dirname, '../..');
const flags = new Set(process.argv.slice(2));
const quick = flags.has('--quick');
const say = (line: string) => console.error(line);
const round = (value: number, digits = 0) => Number(value.toFixed(digits));
const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

buildAppTree();
const machine = {
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: availableParallelism(),
  memory_gib: round(totalmem() / 2 ** 30),
  node: process.version,
  platform: `${process.platform}-${process.arch}`,
  load_at_start: round(loadavg()[0]!, 2),
};

say('steps of one event, one thread ...');
const steps = measureSteps(quick ? 2_000 : 10_000);

say('start and idle memory ...');
const collector = await BenchCollector.start();
await sleep(quick ? 2_000 : 10_000);
const start = { ready_ms: round(collector.readyMs), idle_mib: round(collector.memoryMiB() ?? 0) };
const key = collector.createKey(appId);

say('durable ingest over HTTP, client included ...');
await measureIngest(collector, key, 500, 10_000, 4, 'warm');
const shapes: [batch: number, events: number, inFlight: number][] = quick
  ? [
      [1, 300, 16],
      [50, 5_000, 8],
      [500, 15_000, 4],
    ]
  : [
      [1, 2_000, 16],
      [50, 20_000, 8],
      [500, 50_000, 4],
    ];
const ingest: Ingest[] = [];
for (const [batch, events, inFlight] of shapes) {
  const runs: Ingest[] = [];
  for (let i = 0; i < (quick ? 1 : 3); i++)
    runs.push(await measureIngest(collector, key, batch, events, inFlight, `b${batch}-${i}`));
  ingest.push(runs.toSorted((a, b) => a.perSecond - b.perSecond)[Math.floor(runs.length / 2)]!);
}
const batch500 = ingest.at(-1)!;

say('recorded decision beside round trip and durable commit ...');
const decisions = [];
for (let i = 0; i < (quick ? 1 : 3); i++)
  decisions.push(await measureDecision(collector, key, quick ? 100 : 400));
const decision = decisions.toSorted((a, b) => a.ratio - b.ratio)[Math.floor(decisions.length / 2)]!;
await collector.stop();

say('verification of a pack beside raw hashing and signature checks ...');
const verifications = [];
for (let i = 0; i < (quick ? 1 : 3); i++)
  verifications.push(await measureVerification(quick ? 3_000 : 20_000));
const verification = { ...verifications[0]!, ratio: median(verifications.map(each => each.ratio)) };

say('10,000 waiting approvals, 500 long polls ...');
const approvals = quick ? await measureApprovals(1_000, 100) : await measureApprovals();

say('export of a pack beside reading, hashing and deflating the same rows ...');
const exported = await measureExport(quick ? 3_000 : 20_000);
const exportedMillion = flags.has('--million') ? await measureExport(1_000_000) : undefined;

say('policies: the library, diagnostics, an endless one beside ingest ...');
const policy = await measurePolicy(quick);

say('impact beside raw reading and evaluation ...');
const impacts = [await measureImpact(quick ? 5_000 : 200_000)];
if (flags.has('--million')) impacts.push(await measureImpact(1_000_000));

let growth: { size: number; perSecond: number }[] = [];
let million: { ready_ms: number; events: number; rss_mib: number } | undefined;
if (flags.has('--million')) {
  say('growing to 1,000,000 events ...');
  const grown = await BenchCollector.start();
  growth = await measureGrowth(grown, grown.createKey(appId), [10_000, 100_000, 300_000, 1_000_000]);
  await grown.stop(true);
  const again = await BenchCollector.start({ folder: grown.folder });
  million = { ready_ms: round(again.readyMs), events: 1_000_000, rss_mib: round(again.memoryMiB() ?? 0) };
  await again.stop();
}

const result = {
  at: new Date().toISOString(),
  machine,
  limit: {
    us_per_event: Object.fromEntries(Object.entries(steps.us).map(([name, us]) => [name, round(us, 2)])),
    per_second: round(steps.limitPerSecond),
  },
  ingest: ingest.map(each => ({
    ...each,
    perSecond: round(each.perSecond),
    p50Ms: round(each.p50Ms, 1),
    p99Ms: round(each.p99Ms, 1),
  })),
  ratios: {
    ingest_500_of_limit: round(batch500.perSecond / steps.limitPerSecond, 2),
    decision_of_roundtrip_plus_commit: round(decision.ratio, 2),
    decision_of_roundtrip_plus_bare_row: round(decision.ratioBare, 2),
    decision_in_turns: round(decision.inTurns.ratio, 2),
    verification_of_raw: verification.ratio,
    impact_of_raw: impacts.at(-1)!.ratio,
    appends_beside_impact: impacts.at(-1)!.appendsRatio,
    ingest_beside_endless_policy: policy.endless.ratio,
  },
  decision: {
    median_us: round(decision.decisionUs),
    round_trip_us: round(decision.roundTripUs),
    commit_us: round(decision.commitUs),
    in_turns: {
      median_us: round(decision.inTurns.decisionUs),
      round_trip_us: round(decision.inTurns.roundTripUs),
      commit_us: round(decision.inTurns.commitUs),
    },
  },
  verification,
  export: exported,
  ...(exportedMillion === undefined ? {} : { export_million: exportedMillion }),
  policy,
  impact: impacts,
  approvals: Object.fromEntries(
    Object.entries(approvals).map(([name, value]) => [name, value === undefined ? null : round(value, 1)]),
  ) as Record<keyof typeof approvals, number | null>,
  start,
  ...(growth.length > 0
    ? { growth: growth.map(each => ({ ...each, perSecond: round(each.perSecond) })) }
    : {}),
  ...(million ? { million } : {}),
};
mkdirSync(join(root, 'build'), { recursive: true });
writeFileSync(join(root, 'build/bench.json'), `${JSON.stringify(result, null, 2)}\n`);
console.log(JSON.stringify(result, null, 2));

const exportRows = (each: ExportFigures): [string, string][] => {
  const of = `export of ${each.events.toLocaleString('en')} events`;
  return [
    [
      `${of}: seconds; its raw steps; memory over rest`,
      `${each.exportSeconds} s; ${each.rawSeconds} s; ${each.peakGrowthMiB} MiB`,
    ],
    [`${of}: CPU of the collector by that of the raw steps`, String(each.cpuOfRaw)],
    [
      'meanwhile: a recorded event, and a look at the health, median and slowest',
      `${each.appendP50Ms}, ${each.appendMaxMs} ms; ${each.healthP50Ms}, ${each.healthMaxMs} ms`,
    ],
    [
      '`trailmix verify` of that pack: time; memory at its highest; the same of the single file',
      `${each.verifySeconds} s; ${each.verifyPeakMiB} MiB; ${each.singleSeconds} s; ${each.singlePeakMiB} MiB`,
    ],
  ];
};

const table = (): string => {
  const rows: [string, string, string][] = [
    [
      'durable ingest at batch 500, of the limit',
      String(result.ratios.ingest_500_of_limit),
      'at least 0.6, aim 0.85',
    ],
    [
      'recorded decision, of round trip + durable commit, the three taken in turns',
      String(result.ratios.decision_in_turns),
      'at most 1.5',
    ],
    [
      'the same, each in a loop of its own',
      String(result.ratios.decision_of_roundtrip_plus_commit),
      'for comparison',
    ],
    [
      'in loops, with the commit of one bare row',
      String(result.ratios.decision_of_roundtrip_plus_bare_row),
      'for comparison',
    ],
    [
      'verification, of raw hashing + signature checks',
      String(result.ratios.verification_of_raw),
      'at least 0.6, aim 0.8',
    ],
    ...[exported, ...(exportedMillion === undefined ? [] : [exportedMillion])].map(
      each =>
        [
          `export of ${each.events.toLocaleString('en')} events, raw reading + hashing + deflate on one thread by it`,
          String(each.ratio),
          'a million in about 60 s',
        ] as [string, string, string],
    ),
    ...[exported, ...(exportedMillion === undefined ? [] : [exportedMillion])].map(
      each =>
        [
          `\`trailmix verify\` of ${each.events.toLocaleString('en')} events, raw hashing + signature checks over the cores by it (in CPU time: ${each.verifyCpuRatio})`,
          String(each.verifyRatio),
          'at least 0.6',
        ] as [string, string, string],
    ),
    ...result.impact.flatMap(each => {
      const of = each.decisions.toLocaleString('en');
      return [
        [
          `impact over ${of} decisions, raw reading + evaluation over the cores by it (in CPU time: ${each.cpuRatio})`,
          String(each.ratio),
          'at least 0.7',
        ],
        [
          `decisions recorded while it runs, of those without (${of})`,
          String(each.appendsRatio),
          'at least 0.9',
        ],
      ] as [string, string, string][];
    }),
    [
      'ingest beside an endless policy, of ingest without, batch 50',
      String(result.policy.endless.ratio),
      'unmoved',
    ],
  ];
  const absolutes: [string, string][] = [
    ...result.ingest.map(
      each =>
        [
          `events per second, batch ${each.batch}, ${each.inFlight} in flight`,
          each.perSecond.toLocaleString('en'),
        ] as [string, string],
    ),
    ['limit, events per second', result.limit.per_second.toLocaleString('en')],
    ['recorded decision, median', `${result.decision.median_us} us`],
    [
      `page of the queue with ${result.approvals.waiting?.toLocaleString('en')} waiting approvals (empty: ${result.approvals.emptyPageMs} ms)`,
      `${result.approvals.fullPageMs} ms`,
    ],
    [
      `the same in a browser, from another screen (empty: ${result.approvals.openEmptyMs} ms); from its address (empty: ${result.approvals.freshEmptyMs} ms)`,
      `${result.approvals.openFullMs} ms; ${result.approvals.freshFullMs} ms`,
    ],
    [
      `${result.approvals.polls} long polls: memory; CPU of one core (at rest ${result.approvals.restCpuPercent}%); answer heard`,
      `${result.approvals.pollsMiB} MiB; ${result.approvals.pollsCpuPercent}%; ${result.approvals.wakeMs} ms`,
    ],
    ...exportRows(exported),
    ...(exportedMillion === undefined ? [] : exportRows(exportedMillion)),
    ...result.impact.map(
      each =>
        [
          `impact over ${each.decisions.toLocaleString('en')} decisions; raw reading, raw evaluation of one`,
          `${each.impactSeconds} s; ${each.readUs} us, ${each.evaluateUs} us`,
        ] as [string, string],
    ),
    ...result.policy.library.map(
      each =>
        [
          `evaluation of ${each.policy} alone, in the worker: median, p99`,
          `${each.p50Us} us, ${each.p99Us} us`,
        ] as [string, string],
    ),
    [
      `diagnostics of ${result.policy.diagnostics.lines} lines: median, p95; lint without tests, with them`,
      `${result.policy.diagnostics.checkP50Ms} ms, ${result.policy.diagnostics.checkP95Ms} ms; ${result.policy.diagnostics.quickLintMs} ms, ${result.policy.diagnostics.lintMs} ms`,
    ],
    [
      `an endless policy beside ingest: ${result.policy.endless.denied} calls denied, median; what it answers at once, median`,
      `${result.policy.endless.deniedP50Ms} ms; ${result.policy.endless.othersP50Ms} ms`,
    ],
    ['ready after start', `${start.ready_ms} ms`],
    ['resident memory, idle', `${start.idle_mib} MiB`],
    ...(million ? ([['ready with 1,000,000 events', `${million.ready_ms} ms`]] as [string, string][]) : []),
    ...growth.map(
      each =>
        [
          `events per second at ${each.size.toLocaleString('en')} events, batch 500`,
          round(each.perSecond).toLocaleString('en'),
        ] as [string, string],
    ),
  ];
  return [
    `Measured ${result.at} on ${machine.cores} cores (${machine.cpu}), ${machine.memory_gib} GiB, Node ${machine.node}, load average ${machine.load_at_start} at start.`,
    '',
    '| ratio | measured | wanted |',
    '|---|---|---|',
    ...rows.map(row => `| ${row.join(' | ')} |`),
    '',
    '| figure | here |',
    '|---|---|',
    ...absolutes.map(row => `| ${row.join(' | ')} |`),
    '',
    `Steps of one event on one thread, in us: ${Object.entries(result.limit.us_per_event)
      .map(([name, us]) => `${name} ${us}`)
      .join(', ')}.`,
  ].join('\n');
};

if (flags.has('--record')) {
  writeFileSync(join(root, 'docs/performance.json'), `${JSON.stringify(result, null, 2)}\n`);
  const page = join(root, 'docs/performance.md');
  const text = readFileSync(page, 'utf8');
  writeFileSync(
    page,
    text.replace(
      /(<!-- measured -->\n)[\s\S]*(\n<!-- \/measured -->)/,
      (_all, open, close) => open + table() + close,
    ),
  );
}
process.exit(0);
