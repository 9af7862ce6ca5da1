/**
 * The state of the collector's clock, as far as it can be known from here: what the operating system says sets it, how far it was
 * off by the last time-stamping authority, and its jumps. A step back is recorded by the writer (`clock.stepped`); a jump forward
 * beside the monotonic clock is recorded here as `clock.jumped` (a computer that slept looks the same).
 * KNOWN GAP: outside Linux with systemd the source is not known.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { OutputOf } from '../../core/api/operations.ts';
import type { RecordView } from '../../core/api/views.ts';
import { tsMicros } from '../../core/event/time.ts';
import { LEDGER_APP } from '../../core/proof/record.ts';
import { systemClock } from '../clock.ts';
import type { Clock, Ledger } from '../ports.ts';
import type { ClockOffset } from './anchors.ts';

type State = OutputOf<'clockState'>;
type Jump = State['jumps'][number];

export type ClockWatch = {
  state(offset: ClockOffset | undefined): Promise<State>;
  /** Compares the clocks now, and records a jump since the last look. By itself once a minute, with the host's clock. */
  look(): Promise<void>;
  close(): void;
};

const LOOK_MS = 60_000;
/** A difference between the two clocks that is no drift. */
const JUMP_MS = 2_000;

const run = promisify(execFile);

/** What systemd says; `{source: ''}` where there is none. */
async function systemClockSource(): Promise<Pick<State, 'source' | 'synchronised'>> {
  if (process.platform !== 'linux') return { source: '' };
  try {
    const { stdout } = await run('timedatectl', ['show', '-p', 'NTP', '-p', 'NTPSynchronized'], {
      timeout: 2_000,
    });
    const said = new Map(stdout.split('\n').map(line => line.split('=') as [string, string]));
    const synchronised = said.get('NTPSynchronized');
    return {
      source: said.get('NTP') === 'yes' ? 'network time (NTP), by the operating system' : '',
      ...(synchronised === undefined ? {} : { synchronised: synchronised === 'yes' }),
    };
  } catch {
    return { source: '' };
  }
}

function jumpOf(record: RecordView): Jump {
  const { seq, received_at: at, event_type: type } = record;
  if (type === 'clock.jumped') {
    const ms = (record.clock_jump as { ms?: unknown } | undefined)?.ms;
    return { seq, at, kind: 'forward', ...(typeof ms === 'number' ? { ms } : {}) };
  }
  const raw = record.clock;
  const behind = typeof raw === 'string' ? { ms: Math.round((tsMicros(at) - tsMicros(raw)) / 1000) } : {};
  return { seq, at, kind: 'back', ...behind };
}

export function watchClock({
  ledger,
  clock,
  monotonic = () => performance.now(),
  onError,
}: {
  ledger: Ledger;
  clock: Clock;
  /** Milliseconds that nobody sets. */
  monotonic?: () => number;
  onError: (error: unknown) => void;
}): ClockWatch {
  const difference = (): number => clock.now() - monotonic();
  let before = difference();
  const look = async (): Promise<void> => {
    const now = difference();
    const last = before;
    const ms = Math.round(now - last);
    before = now;
    if (ms < JUMP_MS) return;
    try {
      await ledger.write.run('record', {
        appId: LEDGER_APP,
        eventType: 'clock.jumped',
        members: { name: 'The clock jumped forward', clock_jump: { ms } },
      });
    } catch (error) {
      // The next look sees it again.
      before = last;
      throw error;
    }
  };
  // A clock that is not the host's has nothing to do with the monotonic one.
  const timer = clock === systemClock ? setInterval(() => void look().catch(onError), LOOK_MS) : undefined;
  timer?.unref();
  return {
    async state(offset) {
      const rows = await ledger.read.query<{ seq: number; total: number }>('evidence.clock', {
        tenant: ledger.tenantId,
      });
      const records = await Promise.all(rows.map(({ seq }) => ledger.read.record(seq)));
      return {
        now: new Date(clock.now()).toISOString(),
        ...(await systemClockSource()),
        ...(offset === undefined ? {} : { offset }),
        jumps: records.filter(record => record !== undefined).map(jumpOf),
        jumps_total: rows[0]?.total ?? 0,
      };
    },
    look,
    close: () => clearInterval(timer),
  };
}
