/** Every operation's handler: the type `Handlers` makes a missing one an error. */
import type { Handlers } from './handler.ts';
import { approvalHandlers } from './handlers/approvals.ts';
import { certificateHandlers } from './handlers/certificates.ts';
import { evidenceHandlers } from './handlers/evidence.ts';
import { gateHandlers } from './handlers/gate.ts';
import { hostHandlers } from './handlers/host.ts';
import { otlpHandlers } from './handlers/otlp.ts';
import { overviewHandlers } from './handlers/overview.ts';
import { peopleHandlers } from './handlers/people.ts';
import { policyHandlers } from './handlers/policies.ts';
import { readingHandlers } from './handlers/reading.ts';
import { recordHandlers } from './handlers/record.ts';
import { tenantHandlers } from './handlers/tenants.ts';
import { UnkeyedQuota } from './otlp/quota.ts';
import type { Host } from './services.ts';

export function handlersOf(host: Pick<Host, 'clock'>): { handlers: Handlers; cancelJobs: () => void } {
  const { cancelAll, ...evidence } = evidenceHandlers();
  const handlers: Handlers = {
    ...hostHandlers,
    ...recordHandlers,
    ...otlpHandlers(new UnkeyedQuota(host.clock)),
    ...gateHandlers,
    ...approvalHandlers,
    ...readingHandlers,
    ...overviewHandlers,
    ...peopleHandlers,
    ...policyHandlers,
    ...tenantHandlers,
    ...evidence,
    ...certificateHandlers,
  };
  return { handlers, cancelJobs: cancelAll };
}
