/**
 * One request, start to end: doors, phase, credential, callers, body, schema, handler, answer. Every operation goes
 * through here, so no handler can forget a check. Whatever is thrown becomes a row of the error table.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { TrailmixError } from '../../core/api/errors.ts';
import { type OperationName, operations } from '../../core/api/operations.ts';
import type { Phase } from '../../core/api/views.ts';
import { parseIJson } from '../../core/event/ijson.ts';
import { type Address, admit, authenticate, checkChange, checkDoors, checkInstallation } from './access.ts';
import { type AnswerProof, nonceOf, Raw, sendJson, sendProblem, sendRaw } from './answer.ts';
import { bodyStream, type Intake, readBody, requireMedia } from './body.ts';
import { checkRequest } from './check.ts';
import type { Context, Handlers } from './handler.ts';
import { OTLP_MEDIA, sendOtlpError } from './otlp/answer.ts';
import type { Host } from './services.ts';

type Row = {
  method: string;
  path: string;
  body?: 'json' | 'events' | 'raw' | 'otlp' | 'none';
  input?: unknown;
  status?: number;
  phases?: readonly Phase[];
  limit?: number;
};

const MiB = 1024 * 1024;
/** A refused body up to this size is read to its end, so that the connection can go on; beyond, it is closed. */
const DRAINED = 32 * MiB;
const nothing = new Uint8Array();

export type Doors = {
  address: Address;
  hosts: ReadonlySet<string>;
  isLocal: (request: FastifyRequest) => boolean;
};

const phaseError = (host: Host): TrailmixError => {
  switch (host.phase()) {
    case 'setup':
      return new TrailmixError('setup_needed');
    case 'locked':
      return new TrailmixError('vault_locked');
    default:
      return host.refusal() ?? new TrailmixError('ledger_refused');
  }
};

/** Any throw as a row of the table; what nobody foresaw is logged, and where it is of no table answered without its text. */
export function asTrailmixError(host: Pick<Host, 'log'>, error: unknown, what: string): TrailmixError {
  if (error instanceof TrailmixError) {
    if (error.code === 'internal') host.log.error({ what, err: error }, 'unforeseen error');
    return error;
  }
  const code = (error as { code?: unknown } | null)?.code;
  if (code === 'ENOSPC') return new TrailmixError('disk_full');
  host.log.error({ what, err: error }, 'unforeseen error');
  return new TrailmixError('internal');
}

/** Made for those who wait alone: an aborted controller costs more than a short request. */
function goneSignal(reply: FastifyReply): AbortSignal {
  const leaving = new AbortController();
  if (reply.raw.closed || reply.raw.destroyed) leaving.abort();
  else reply.raw.once('close', () => leaving.abort());
  return leaving.signal;
}

export class Dispatcher {
  readonly #host: Host;
  readonly #handlers: Handlers;
  readonly #intake: Intake;
  readonly #doors: () => Doors;
  readonly #closing: AbortSignal;

  constructor(host: Host, handlers: Handlers, intake: Intake, doors: () => Doors, closing: AbortSignal) {
    this.#host = host;
    this.#handlers = handlers;
    this.#intake = intake;
    this.#doors = doors;
    this.#closing = closing;
  }

  async serve(name: OperationName, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const row: Row = operations[name];
    let place: ReturnType<Intake['enter']> | undefined;
    const known: { proof?: AnswerProof } = {};
    try {
      place = this.#intake.enter();
      const answer = await this.#run(name, row, request, place.grow, () => goneSignal(reply), known);
      if (answer instanceof Raw) return sendRaw(reply, answer);
      return sendJson(request, reply, row.status ?? 200, answer, known.proof);
    } catch (thrown) {
      const error = asTrailmixError(this.#host, thrown, name);
      this.#closeIfLong(request, reply);
      if (row.body === 'otlp') return sendOtlpError(request, reply, error);
      return sendProblem(request, reply, error, known.proof);
    } finally {
      place?.leave();
    }
  }

  async #run(
    name: OperationName,
    row: Row,
    request: FastifyRequest,
    grow: (bytes: number) => void,
    gone: () => AbortSignal,
    known: { proof?: AnswerProof },
  ): Promise<unknown> {
    const host = this.#host;
    const doors = this.#doors();
    const local = doors.isLocal(request);
    checkDoors(request.raw, { local, address: doors.address, hosts: doors.hosts });
    if (!(row.phases ?? ['open']).includes(host.phase())) {
      if (name === 'setup') throw new TrailmixError('setup_done');
      if (name === 'unlock' && host.phase() === 'open') {
        throw new TrailmixError('setup_done', { message: 'The vault is open already' });
      }
      throw phaseError(host);
    }
    const home = host.open();
    const { principal, mac, tenantId } = await authenticate(request.raw, name, {
      local,
      sessions: host.sessions,
      ...(home === undefined ? {} : { findKey: token => host.tenants.findKey(token) }),
      person: () => host.person(),
      unkeyedAllowed: () => home?.settings.read().otlp_unkeyed ?? false,
    });
    const open = home === undefined ? undefined : await host.tenants.of(tenantId);
    admit(name, principal, (open?.people.enrolled() ?? 0) > 0);
    checkInstallation(name, tenantId);
    checkChange(request.raw, principal, local);
    const nonce = nonceOf(request);

    const kind = row.body ?? (row.input === undefined ? 'none' : 'json');
    let input: unknown;
    let bytes: Uint8Array = nothing;
    let wire: Uint8Array = nothing;
    if (kind === 'json' || kind === 'events') {
      requireMedia(request.raw, ['application/json']);
      ({ wire, bytes } = await readBody(request.raw, row.limit ?? MiB, grow));
      if (mac !== undefined && nonce !== undefined) known.proof = { mac: mac(), nonce, requestBody: wire };
      input = parseIJson(bytes, kind === 'events' ? { batch: true } : {});
    } else if (kind === 'otlp') {
      requireMedia(request.raw, OTLP_MEDIA);
      ({ wire, bytes } = await readBody(request.raw, row.limit ?? MiB, grow));
    }
    if (mac !== undefined && nonce !== undefined) known.proof = { mac: mac(), nonce, requestBody: wire };

    const checked = checkRequest(
      name,
      request.params as Record<string, unknown>,
      request.query as Record<string, unknown>,
      input,
    );
    const closing = this.#closing;
    const context = {
      host,
      principal,
      request,
      get signal() {
        return AbortSignal.any([gone(), closing]);
      },
      ...(open === undefined ? {} : { open }),
    };
    // The table's types make this call sound per name; TypeScript cannot follow a union of names.
    const handler = this.#handlers[name] as unknown as (context: Context, args: unknown) => Promise<unknown>;
    return handler(context, {
      ...checked,
      bytes,
      stream: kind === 'raw' ? bodyStream(request.raw) : empty(),
    });
  }

  #closeIfLong(request: FastifyRequest, reply: FastifyReply): void {
    if (request.raw.complete) return;
    const declared = request.headers['content-length'];
    if (
      declared === undefined
        ? request.headers['transfer-encoding'] === undefined
        : Number(declared) <= DRAINED
    )
      return;
    reply.header('connection', 'close');
  }
}

async function* empty(): AsyncGenerator<Uint8Array> {}
