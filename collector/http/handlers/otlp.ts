/**
 * OTLP/HTTP: spans and log records become events. With a key they are the key's app's; without, each service gets an
 * app `otlp:<service.name>` that no key can have, under a quota of its own (SURFACE). What cannot be recorded is
 * counted in partial success; what can be is durable before the answer.
 */
import { TrailmixError } from '../../../core/api/errors.ts';
import { type ValidEvent, validateEvent } from '../../../core/event/validate.ts';
import { prepareEvents } from '../../ledger/prepare.ts';
import type { PreparedEvent, Source } from '../../ports.ts';
import { sha256 } from '../../sha256.ts';
import { mediaType } from '../body.ts';
import type { Handlers, OpenContext } from '../handler.ts';
import { logsAnswer, type Rejected, tracesAnswer } from '../otlp/answer.ts';
import { logEvent, type MappingOptions, type OtlpEvent, type OtlpFault, spanEvent } from '../otlp/mapping.ts';
import { readLogs, readSpans } from '../otlp/message.ts';
import type { UnkeyedQuota } from '../otlp/quota.ts';
import { MOST_EVENTS } from './record.ts';

/** Reasons named in a partial success; the rest is only counted. */
const MOST_REASONS = 5;

class Refusals {
  count = 0;
  readonly #reasons = new Set<string>();
  add(reason: string): void {
    this.count++;
    if (this.#reasons.size < MOST_REASONS) this.#reasons.add(reason.slice(0, 300));
  }
  get rejected(): Rejected {
    return { count: this.count, message: [...this.#reasons].join('; ') };
  }
}

/** Indices that a conflict names, or every index where it names none. */
const conflicting = (error: TrailmixError, length: number): Set<number> => {
  const named = (error.errors ?? []).map(({ where }) => Number(/^\/events\/(\d+)/.exec(where)?.[1] ?? -1));
  const found = new Set(named.filter(index => index >= 0 && index < length));
  return found.size > 0 ? found : new Set(Array.from({ length }, (_, index) => index));
};

/** Appends what it can; an event whose id was recorded with other content is refused alone. */
async function append({ open }: OpenContext, events: PreparedEvent[], refusals: Refusals): Promise<void> {
  let rest = events;
  while (rest.length > 0) {
    try {
      await open.ledger.write.append(rest);
      return;
    } catch (error) {
      if (!(error instanceof TrailmixError) || error.code !== 'event_conflict') throw error;
      const bad = conflicting(error, rest.length);
      for (const index of bad) refusals.add(`${rest[index]!.eventId}: recorded before with other content`);
      rest = rest.filter((_, index) => !bad.has(index));
    }
  }
}

async function record(
  context: OpenContext,
  quota: UnkeyedQuota,
  bytes: number,
  mapped: readonly (OtlpEvent | OtlpFault)[],
): Promise<Rejected> {
  const { open, principal, host } = context;
  const refusals = new Refusals();
  const valid: ValidEvent[] = [];
  const unknown: Record<string, number>[] = [];
  // The same id twice in one request would be a conflict with itself.
  const ids = new Set<string>();
  for (const one of mapped) {
    if ('fault' in one) {
      refusals.add(one.fault);
      continue;
    }
    const appId = String(one.event.app_id);
    const result = validateEvent(one.event, { appId });
    if (!result.ok) {
      refusals.add(`${result.errors[0]?.where}: ${result.errors[0]?.message}`);
    } else if (principal.kind === 'unkeyed' && !quota.admits(appId)) {
      refusals.add('too many services send without a key');
    } else if (ids.has(`${appId}\0${result.event.event_id}`)) {
      refusals.add(`${result.event.event_id}: twice in one request`);
    } else {
      ids.add(`${appId}\0${result.event.event_id}`);
      valid.push(result.event);
      unknown.push(one.unknown);
    }
  }
  if (principal.kind === 'unkeyed') quota.take(valid.length, bytes);
  const source: Source =
    principal.kind === 'key'
      ? { via: 'otlp', auth: 'key', key: principal.id }
      : { via: 'otlp', auth: 'none' };
  for (let at = 0; at < valid.length; at += MOST_EVENTS) {
    const prepared = prepareEvents(valid.slice(at, at + MOST_EVENTS), {
      ledgerId: open.ledger.ledgerId,
      tenantId: open.ledger.tenantId,
      source,
      ids: host.ids,
      sha256,
      unknownAttributes: unknown.slice(at, at + MOST_EVENTS),
    });
    await append(context, prepared, refusals);
  }
  return refusals.rejected;
}

const options = ({ principal, host }: OpenContext): MappingOptions => ({
  now: new Date(host.clock.now()).toISOString(),
  ...(principal.kind === 'key' ? { appId: principal.appId } : {}),
});

/** One quota per collector. */
export function otlpHandlers(quota: UnkeyedQuota): Pick<Handlers, 'otlpTraces' | 'otlpLogs'> {
  return {
    async otlpTraces(context, { bytes }) {
      const media = mediaType(context.request.raw);
      const mapping = options(context);
      const mapped = readSpans(bytes, media).map(span => spanEvent(span, mapping));
      return tracesAnswer(media, await record(context, quota, bytes.length, mapped));
    },

    async otlpLogs(context, { bytes }) {
      const media = mediaType(context.request.raw);
      const mapping = options(context);
      const seen = new Map<string, number>();
      const ordinal = (id: string): number => {
        const before = seen.get(id) ?? 0;
        seen.set(id, before + 1);
        return before;
      };
      const mapped = readLogs(bytes, media).map(log => logEvent(log, ordinal, mapping));
      return logsAnswer(media, await record(context, quota, bytes.length, mapped));
    },
  };
}
