/**
 * The write calls of 100 real runs of an airline agent (tau-bench-airline.jsonl), in order, each with what the agent had looked
 * up by then, and whether the task's own list of actions has it. Not a test itself.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';

export const DATA = fileURLToPath(
  new URL('../../../../shared/data/tau-bench-airline.jsonl', import.meta.url),
);
export const hasData = existsSync(DATA);

const WRITES = new Set([
  'book_reservation',
  'cancel_reservation',
  'send_certificate',
  'update_reservation_baggages',
  'update_reservation_flights',
  'update_reservation_passengers',
]);

type Json = Record<string, unknown>;
type Message = {
  role: string;
  content: string | null;
  tool_call_id?: string;
  tool_calls?: { id: string; function: { name: string; arguments: string } }[] | null;
};
type Run = {
  task_id: number;
  trial: number;
  reward: number;
  info: { task: { actions: { name: string; kwargs: Json }[] } };
  traj: Message[];
};

export type GatedCall = {
  session: string;
  name: string;
  args: Json;
  context: Json;
  /** The run reached the task's goal. */
  runPassed: boolean;
  /** The task's own list of actions has this call, argument by argument. */
  right: boolean;
};

export const airlineFiles = (): { path: string; text: string }[] =>
  readdirSync(import.meta.dirname)
    .filter(name => name.endsWith('.rego'))
    .sort()
    .map(path => ({ path, text: readFileSync(join(import.meta.dirname, path), 'utf8') }));

const parsed = (text: string | null): Json | undefined => {
  try {
    const value: unknown = JSON.parse(text ?? '');
    return typeof value === 'object' && value !== null ? (value as Json) : undefined;
  } catch {
    return undefined;
  }
};

function callsOf(run: Run): GatedCall[] {
  const names = new Map<string, string>();
  const reservations = new Map<string, Json>();
  let last: Json | undefined;
  let user: Json | undefined;
  const found: GatedCall[] = [];
  for (const message of run.traj) {
    for (const { id, function: called } of message.tool_calls ?? []) {
      names.set(id, called.name);
      if (!WRITES.has(called.name)) continue;
      const args = JSON.parse(called.arguments) as Json;
      const own = typeof args.reservation_id === 'string' ? reservations.get(args.reservation_id) : last;
      found.push({
        session: `tau-${run.task_id}-${run.trial}`,
        name: called.name,
        args,
        context: {
          ...(own === undefined ? {} : { reservation: own }),
          ...(user === undefined ? {} : { user: { membership: user.membership } }),
        },
        runPassed: run.reward === 1,
        right: run.info.task.actions.some(
          ({ name, kwargs }) => name === called.name && isDeepStrictEqual(kwargs, args),
        ),
      });
    }
    if (message.role !== 'tool') continue;
    const value = parsed(message.content);
    if (typeof value?.reservation_id === 'string') {
      const { cabin, insurance, created_at, total_baggages, passengers, flights } = value;
      last = { cabin, insurance, created_at, total_baggages, passengers, flights };
      reservations.set(value.reservation_id, last);
    } else if (names.get(message.tool_call_id ?? '') === 'get_user_details' && value !== undefined)
      user = value;
  }
  return found;
}

export const gatedCalls = (): GatedCall[] =>
  readFileSync(DATA, 'utf8')
    .trimEnd()
    .split('\n')
    .flatMap(line => callsOf(JSON.parse(line) as Run));
