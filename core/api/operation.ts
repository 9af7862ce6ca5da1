/** The form of a row of the operation table, and the schemas that many rows share. */
import Type from 'typebox';
import type { ErrorCode } from './errors.ts';
import type { Phase, Scope } from './views.ts';

export type Caller = `key:${Scope}` | 'person' | 'local' | 'anyone' | 'unkeyed_otlp';
export type Body = 'json' | 'events' | 'raw' | 'otlp' | 'none';

export type Shape = {
  method: 'GET' | 'POST' | 'DELETE';
  path: string;
  summary: string;
  callers: readonly Caller[];
  errors: readonly ErrorCode[];
  /** `events`: strict I-JSON read by core/event; `raw`: a stream; default json for POST with input. */
  body?: Body;
  /** Path and query members come as text; integers are coerced. */
  params?: Type.TObject;
  query?: Type.TObject;
  input?: Type.TSchema;
  output: Type.TSchema;
  status?: number;
  phases?: readonly Phase[];
  /** Body limit in bytes after decompression; default 1 MiB. */
  limit?: number;
  /** The answer is not JSON. */
  media?: string;
};

export const op = <const T extends Shape>(shape: T): T => shape;
export const Str = Type.String({ maxLength: 1024 });
export const Int = Type.Integer({ minimum: 0 });
export const Opt = Type.Optional;
export const Page = { cursor: Opt(Str), limit: Opt(Type.Integer({ minimum: 1, maximum: 1000 })) };
export const listOf = <T extends Type.TSchema>(item: T) =>
  Type.Object({ items: Type.Array(item), total: Int, next: Opt(Str) });
export const any = ['setup', 'locked', 'open', 'refused'] as const;
export const MiB = 1024 * 1024;
export const page = ['person', 'local'] as const;
