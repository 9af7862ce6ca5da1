/**
 * The status bar's sentences, made of GET /api/status and who is signed in. Pure.
 * Rule: it never claims more than the collector has verified, and a fault outranks everything.
 */
import type { SessionView, StatusView } from '../../core/api/views.ts';
import { formatCount } from '../ui/numbers.ts';
import { formatAgo, formatTime } from '../ui/times.ts';
import { fourEyesOf } from './person_words.ts';

export type StatusTone = 'ok' | 'warn' | 'bad' | 'plain';
export type StatusItem = {
  id: string;
  side: 'left' | 'right';
  tone: StatusTone;
  /** Before the figure, the figure itself (strong), after it. */
  label: string;
  figure?: string;
  after?: string;
  /** The detail behind the item: a title and sentences in plain words. */
  title: string;
  lines: string[];
  facts: { name: string; value: string; copy?: boolean }[];
};

export type StatusInput = {
  status: StatusView | undefined;
  reachable: boolean;
  now: number;
  zone: string;
  /** Who is signed in, once that is known. */
  me?: SessionView | undefined;
};

export function buildStatusItems({ status, reachable, now, zone, me }: StatusInput): StatusItem[] {
  if (!reachable || status === undefined) return [away];
  const items: StatusItem[] = [];
  const { ledger } = status;
  if (ledger !== undefined) {
    items.push(verified(ledger, now, zone), checkpoint(ledger, now, zone), exported(ledger, now, zone));
  }
  if (status.custody !== undefined)
    items.push(status.key_missing === undefined ? custody(status.custody) : keyMissing(status.key_missing));
  if (status.data?.disk_low) items.push(disk(status.data));
  if (status.policy !== undefined && !status.policy.ready) items.push(policyMissing);
  if (me !== undefined) items.push(people(me));
  items.push(address(status));
  if (ledger !== undefined) items.push(rate(ledger));
  items.push(network(status));
  return items;
}

type LedgerView = NonNullable<StatusView['ledger']>;
const seqOf = (seq: number): string => `#${formatCount(seq)}`;

const away: StatusItem = {
  id: 'ledger',
  side: 'left',
  tone: 'bad',
  label: 'Collector not reachable',
  title: 'The collector does not answer',
  lines: [
    'What this page shows may be old, and nothing that it shows can be checked now.',
    'Start it with: trailmix start. This page tries again every two seconds.',
  ],
  facts: [],
};

function verified(ledger: LedgerView, now: number, zone: string): StatusItem {
  const { head_seq: head, verified_to: to, fault, verified_at: at } = ledger;
  const facts = [
    { name: 'Newest record', value: head < 0 ? 'none yet' : seqOf(head) },
    { name: 'Verified to', value: to < 0 ? 'not yet' : seqOf(to) },
    ...(at === undefined ? [] : [{ name: 'Last pass', value: formatTime(at, zone) }]),
    { name: 'Ledger', value: ledger.ledger_id, copy: true },
  ];
  const base = { id: 'ledger', side: 'left' as const, facts };
  if (fault !== undefined) {
    return {
      ...base,
      tone: 'bad',
      label: 'Record',
      figure: seqOf(fault.seq),
      after: 'does not verify',
      title: `Record ${seqOf(fault.seq)} does not verify`,
      lines: [
        fault.message,
        'Something changed the database outside the app. Records before it are intact; do not rely on those from here on.',
        'Keep a copy of the data folder, then run: trailmix verify --ledger',
      ],
      facts: [...facts, { name: 'Finding', value: fault.code }],
    };
  }
  if (head < 0) {
    return {
      ...base,
      tone: 'plain',
      label: 'Ledger is empty',
      title: 'Nothing is recorded yet',
      lines: ['The first event starts the chain.'],
    };
  }
  if (to < 0) {
    return {
      ...base,
      tone: 'warn',
      label: 'Not verified yet',
      title: 'The first check has not finished',
      lines: [
        'The collector checks every record behind your work. Until it is through, nothing here counts as verified.',
      ],
    };
  }
  const behind = head - to;
  return {
    ...base,
    tone: 'ok',
    label: 'Verified to',
    figure: seqOf(to),
    ...(behind > 0 ? { after: `of ${seqOf(head)}` } : {}),
    title: behind > 0 ? `Verified up to record ${seqOf(to)}` : 'Every record is verified',
    lines: [
      `Hash, chain and signature of every record up to ${seqOf(to)} were recomputed on this computer${
        at === undefined ? '' : `, ${formatAgo(at, now)}`
      }.`,
      ...(behind > 0
        ? [
            `${formatCount(behind)} newer ${behind === 1 ? 'record waits' : 'records wait'} for the next pass.`,
          ]
        : []),
      'Whoever holds the signing key could rewrite what came after the last checkpoint that someone else has.',
    ],
  };
}

function checkpoint(ledger: LedgerView, now: number, zone: string): StatusItem {
  const last = ledger.last_checkpoint;
  const lead =
    'A checkpoint is one signed line that stands for every record before it. Its time is this computer’s own clock, not a time authority.';
  if (last === undefined) {
    return {
      id: 'checkpoint',
      side: 'left',
      tone: 'plain',
      label: 'No checkpoint yet',
      title: 'No checkpoint yet',
      lines: [lead, 'The first is made within ten seconds of the first event.'],
      facts: [],
    };
  }
  return {
    id: 'checkpoint',
    side: 'left',
    tone: 'plain',
    label: 'Checkpoint',
    figure: seqOf(last.size - 1),
    after: formatAgo(last.at, now),
    title: `Checkpoint over ${formatCount(last.size)} records`,
    lines: [lead],
    facts: [
      { name: 'Made', value: formatTime(last.at, zone) },
      { name: 'Clock', value: 'this computer' },
      { name: 'Root', value: last.root, copy: true },
    ],
  };
}

function exported(ledger: LedgerView, now: number, zone: string): StatusItem {
  const { exported: pack } = ledger;
  const base = { id: 'exported', side: 'left' as const };
  const why =
    'Give an evidence pack to someone, and history up to its checkpoint can no longer be rewritten unseen: their copy would not fit.';
  if (pack === undefined) {
    return {
      ...base,
      tone: 'warn',
      label: 'Nothing exported yet',
      title: 'No evidence pack was exported',
      lines: [why, 'Until then, someone with this computer’s signing key could rewrite all of it unseen.'],
      facts: [],
    };
  }
  const to = seqOf(pack.size - 1);
  return {
    ...base,
    tone: 'plain',
    label: 'Exported to',
    figure: to,
    title: `An evidence pack reaches to ${to}`,
    lines: [
      `The pack that reaches furthest was exported ${formatAgo(pack.at, now)}. Newer records are in no pack.`,
      why,
      'This app does not know whether you gave it away. A pack that never left this computer shows nothing.',
    ],
    facts: [{ name: 'Exported', value: formatTime(pack.at, zone) }],
  };
}

function keyMissing({ file }: NonNullable<StatusView['key_missing']>): StatusItem {
  return {
    id: 'custody',
    side: 'left',
    tone: 'warn',
    label: 'Key file missing',
    title: 'The key file is missing',
    lines: [
      'The vault was opened by the recovery phrase. The next start will ask for it again.',
      'Put the key file back, or move to a passphrase under Settings, Custody and backup.',
    ],
    facts: [{ name: 'Expected at', value: file, copy: true }],
  };
}

function custody(view: NonNullable<StatusView['custody']>): StatusItem {
  return {
    id: 'custody',
    side: 'left',
    tone: view.kind === 'basic_text' ? 'warn' : 'plain',
    label: 'Key',
    figure: view.label,
    title: `Key custody: ${view.label}`,
    lines: [
      ...view.protects.map(line => `Protects against: ${line}`),
      ...view.does_not_protect.map(line => `Does not protect against: ${line}`),
    ],
    facts: [],
  };
}

function disk(data: NonNullable<StatusView['data']>): StatusItem {
  return {
    id: 'disk',
    side: 'left',
    tone: 'warn',
    label: 'Disk almost full',
    title: 'Little disk space is left',
    lines: [
      'When it is full, nothing more is recorded, and callers are told so.',
      'Free some space; recording goes on by itself.',
    ],
    facts: [{ name: 'Data folder', value: data.folder, copy: true }],
  };
}

const policyMissing: StatusItem = {
  id: 'policy',
  side: 'left',
  tone: 'warn',
  label: 'Gate denies everything',
  title: 'No policy can be evaluated',
  lines: [
    'The policy engine is not ready, so every gated call is refused and recorded as failed.',
    'Build the policies with Go installed: npm run prepare',
  ],
  facts: [],
};

function people(me: SessionView): StatusItem {
  const { label, title, lines } = fourEyesOf(me);
  return {
    id: 'people',
    side: 'left',
    tone: 'plain',
    label,
    title,
    lines,
    facts:
      me.person === undefined ? [] : [{ name: 'Signed in', value: `${me.person.name} (${me.person.id})` }],
  };
}

function address(status: StatusView): StatusItem {
  const { address: at } = status;
  return {
    id: 'address',
    side: 'right',
    tone: 'plain',
    label: `${at.host}:${at.port}`,
    title: 'Where programs send to',
    lines: ['SDKs and OpenTelemetry exporters send to this address.'],
    facts: [
      { name: 'Address', value: at.url, copy: true },
      { name: 'Version', value: status.version },
    ],
  };
}

function rate(ledger: LedgerView): StatusItem {
  const n = ledger.events_per_second;
  return {
    id: 'rate',
    side: 'right',
    tone: 'plain',
    label: '',
    figure: n > 0 && n < 10 ? n.toFixed(1) : formatCount(n),
    after: 'events/s',
    title: 'Recording rate',
    lines: ['Events made durable per second, measured over the last seconds.'],
    facts: [],
  };
}

function network(status: StatusView): StatusItem {
  const open = status.address.beyond_loopback;
  return {
    id: 'network',
    side: 'right',
    tone: open ? 'warn' : 'plain',
    label: open ? 'Open to the network' : 'This computer only',
    title: open ? 'Other computers can reach this address' : 'Only this computer can reach it',
    lines: [
      open
        ? 'The collector listens beyond this computer, over TLS. API keys and the sign-in still guard it.'
        : 'The collector listens on the loopback address. Other users of this computer can reach it, so keys and the sign-in still guard it.',
      'This page speaks only with the collector: the browser is told to refuse everything else.',
      ...(status.otlp_unkeyed === undefined
        ? []
        : [
            status.otlp_unkeyed
              ? 'OpenTelemetry without a key is accepted from this computer, into apps of its own, shown as unverified.'
              : 'OpenTelemetry without a key is refused.',
          ]),
    ],
    facts: [],
  };
}
