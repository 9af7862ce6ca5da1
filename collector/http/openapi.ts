/** The operation table as OpenAPI 3.1: derived, never written by hand. */
import { type ErrorCode, errorTable } from '../../core/api/errors.ts';
import { type Caller, operations } from '../../core/api/operations.ts';

type Members = { readonly properties: object; readonly required?: readonly string[] };
type Row = {
  method: string;
  path: string;
  summary: string;
  callers: readonly Caller[];
  errors: readonly ErrorCode[];
  body?: string;
  params?: Members;
  query?: Members;
  input?: object;
  output: object;
  status?: number;
  media?: string;
};

const problemSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code', 'next', 'retry'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string', enum: Object.keys(errorTable) },
    next: { type: 'string' },
    retry: { type: 'string', enum: ['never', 'later', 'after_fix'] },
    where: { type: 'string', description: 'JSON Pointer into the request, or a header' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['code', 'where', 'message'],
        properties: { code: { type: 'string' }, where: { type: 'string' }, message: { type: 'string' } },
      },
    },
  },
};

/** Errors that any operation may answer, beside its own. */
const always: readonly ErrorCode[] = [
  'host_forbidden',
  'origin_forbidden',
  'fetch_site_forbidden',
  'busy',
  'internal',
];

const plain = (schema: object): object => JSON.parse(JSON.stringify(schema)) as object;

function parameters(row: Row): object[] {
  const listed = (where: 'path' | 'query', schema: Members | undefined): object[] =>
    Object.entries(schema?.properties ?? {}).map(([name, member]) => ({
      name,
      in: where,
      required: where === 'path' || (schema?.required ?? []).includes(name),
      schema: plain(member as object),
    }));
  return [...listed('path', row.params), ...listed('query', row.query)];
}

function requestBody(row: Row): object | undefined {
  if (row.body === 'otlp') {
    const schema = {
      description: 'ExportTraceServiceRequest or ExportLogsServiceRequest of opentelemetry-proto',
    };
    return {
      required: true,
      content: { 'application/json': { schema }, 'application/x-protobuf': { schema } },
    };
  }
  if (row.body === 'raw') {
    return { required: true, content: { '*/*': { schema: { type: 'string', format: 'binary' } } } };
  }
  if (row.input === undefined) return undefined;
  return { required: true, content: { 'application/json': { schema: plain(row.input) } } };
}

function responses(row: Row): Record<string, object> {
  const out: Record<string, object> = {
    [String(row.status ?? 200)]: {
      description: 'Done',
      content: {
        [row.media ?? 'application/json']: { schema: row.media === undefined ? plain(row.output) : {} },
      },
    },
  };
  const byStatus = new Map<number, ErrorCode[]>();
  const byRole: ErrorCode[] = row.callers.includes('person') ? ['role_missing', 'sign_in_needed'] : [];
  for (const code of new Set([...row.errors, ...byRole, ...always])) {
    const { status } = errorTable[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  for (const [status, codes] of [...byStatus].sort(([a], [b]) => a - b)) {
    if (status === 200) continue;
    out[String(status)] = {
      description: codes.map(code => `${code}: ${errorTable[code].title}`).join('; '),
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    };
  }
  return out;
}

function security(row: Row): object[] {
  if (row.callers.includes('anyone')) return [];
  const out: object[] = [];
  if (row.callers.some(caller => caller.startsWith('key:'))) out.push({ apiKey: [] });
  if (row.callers.includes('person')) out.push({ session: [] });
  if (row.callers.includes('unkeyed_otlp')) out.push({});
  return out;
}

/** One document for one version and address of the collector. */
export function openApiDocument(version: string, url: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const [name, entry] of Object.entries(operations)) {
    const row = entry as unknown as Row;
    const path = row.path.replaceAll(/:([a-z0-9_]+)/g, '{$1}');
    const body = requestBody(row);
    paths[path] ??= {};
    paths[path][row.method.toLowerCase()] = {
      operationId: name,
      summary: row.summary,
      'x-callers': row.callers,
      parameters: parameters(row),
      ...(body === undefined ? {} : { requestBody: body }),
      responses: responses(row),
      security: security(row),
    };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Audit TrailMix collector',
      version,
      license: { name: 'MIT', identifier: 'MIT' },
      description: 'Generated from core/api/operations.ts. Errors are RFC 9457 problem documents.',
    },
    servers: [{ url }],
    paths,
    components: {
      schemas: { Problem: problemSchema },
      securitySchemes: {
        apiKey: { type: 'http', scheme: 'bearer', description: 'tm1.<id>.<auth>' },
        session: { type: 'http', scheme: 'bearer', description: 'a signed-in page: tms1.<token>' },
      },
    },
  };
}
