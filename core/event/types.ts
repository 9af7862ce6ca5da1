/**
 * Event types: their form, the default, and the prefixes that only the collector records, with what each means.
 * docs/spec/event-types.json is generated from this table. Format: docs/spec/event.md.
 */

/** `[a-z][a-z0-9_.-]{0,63}` */
export const EVENT_TYPE = /^[a-z][a-z0-9_.-]{0,63}$/;
/** event_type of a producer's event that names none. */
export const DEFAULT_EVENT_TYPE = 'span';

/** Types that producers use and that mean something to every reader. Others are theirs to choose. */
export const PRODUCER_TYPES = {
  span: 'One step of a run: a call, a tool, a turn. The default.',
  'stream.end': 'Closes a stream: its own stream.n is the last number of that stream.',
  gap: 'A producer dropped events: input {stream, from, to} says which numbers, both ends included.',
} as const;

/** Prefixes that only the collector records; the verifier requires source.auth `self` or `person` on them. */
export const RESERVED_PREFIXES = {
  'policy.': 'A policy version was saved, activated or retired.',
  'approval.': 'A person was asked to approve a call, and answered, or did not in time.',
  'key.': 'An API key, event key or checkpoint key was made, rotated or revoked.',
  'ledger.': 'The ledger was opened, restored from a backup or closed.',
  'erasure.': 'The body of a record was erased; the record names its seq.',
  'export.': 'An evidence pack was exported.',
  'checkpoint.': 'A checkpoint was signed, or held elsewhere.',
  'decision.': 'A policy was asked about a call and answered, or failed and so denied.',
  'intent.': 'A granted call was about to run: its approval is used up.',
  'outcome.': 'What came of a granted call.',
  'person.': 'A person was invited, enrolled, changed or reset, left, signed in or tried to, delegated.',
  'clock.': 'The clock stepped back; times are clamped until it has caught up.',
  'replay.': 'A session was decided or executed again.',
  'reveal.': 'A sealed value was shown to a person for a stated purpose.',
  'restore.': 'The ledger continues from a backup.',
  'import.': 'A foreign log was imported.',
  'witness.': 'A witness cosigned a checkpoint.',
  'timestamp.': 'A time-stamp over a checkpoint was requested or imported.',
  'retention.': 'A retention class or a legal hold was set or lifted.',
} as const;

/** The words before the dots: a look-up instead of a walk. */
const RESERVED: ReadonlySet<string> = new Set(
  Object.keys(RESERVED_PREFIXES).map(prefix => prefix.slice(0, -1)),
);

/** Whether only the collector may record this type: it starts with a reserved prefix, the dot included. */
export function isReservedType(eventType: string): boolean {
  const dot = eventType.indexOf('.');
  return dot > 0 && RESERVED.has(eventType.slice(0, dot));
}

/** The published list (docs/spec/event-types.json). */
export function eventTypesDocument(): unknown {
  const rows = (table: Readonly<Record<string, string>>, name: string) =>
    Object.entries(table).map(([key, meaning]) => ({ [name]: key, meaning }));
  return {
    default: DEFAULT_EVENT_TYPE,
    pattern: EVENT_TYPE.source,
    producer: rows(PRODUCER_TYPES, 'type'),
    reserved: rows(RESERVED_PREFIXES, 'prefix'),
  };
}
