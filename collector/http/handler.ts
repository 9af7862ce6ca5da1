/** The shape of handlers: one per operation, held complete by the type `Handlers`. */
import type { FastifyRequest } from 'fastify';
import type {
  InputOf,
  OperationName,
  Operations,
  OutputOf,
  ParamsOf,
  QueryOf,
} from '../../core/api/operations.ts';
import type { Principal } from '../ports.ts';
import type { Raw } from './answer.ts';
import type { Host, OpenServices } from './services.ts';

export type Context = {
  host: Host;
  principal: Principal;
  request: FastifyRequest;
  /** Aborted when the caller goes away or the collector shuts down. */
  signal: AbortSignal;
  /** The tenant's, where the ledger is open. */
  open?: OpenServices;
};
/** The ledger is open: every operation without a `phases` column. */
export type OpenContext = Context & { open: OpenServices };

export type Args<N extends OperationName> = {
  params: ParamsOf<N>;
  query: QueryOf<N>;
  input: InputOf<N>;
  /** The body without its coding, for `otlp`; else empty. */
  bytes: Uint8Array;
  /** The body as a stream, for `raw`. */
  stream: AsyncIterable<Uint8Array>;
};

type Answer<N extends OperationName> = Operations[N] extends { media: string } | { body: 'otlp' }
  ? Raw
  : N extends 'exportEvidence'
    ? OutputOf<N> | Raw
    : OutputOf<N>;

export type Handler<N extends OperationName> = (
  context: Operations[N] extends { phases: readonly string[] } ? Context : OpenContext,
  args: Args<N>,
) => Promise<Answer<N>>;

export type Handlers = { [N in OperationName]: Handler<N> };
