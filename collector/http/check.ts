/**
 * Holds a request's path, query and body to the schema of its operation. Rules: unknown members are refused by
 * name; path and query come as text and integers among them are read as such; every fault is named by JSON Pointer.
 */
import Type from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { type ErrorCode, type Problem, TrailmixError } from '../../core/api/errors.ts';
import { type OperationName, operations } from '../../core/api/operations.ts';

type Row = {
  params?: Type.TObject;
  query?: Type.TObject;
  input?: Type.TSchema;
};
export type Checked = { params: unknown; query: unknown; input: unknown };
type Check = Validator<Record<never, never>, Type.TSchema>;

const MOST_PROBLEMS = 20;

const validators = new Map<Type.TSchema, Check>();
const validator = (schema: Type.TSchema): Check => {
  let made = validators.get(schema);
  if (made === undefined) {
    made = Compile(schema);
    validators.set(schema, made);
  }
  return made;
};

const codes: Partial<Record<string, ErrorCode>> = {
  required: 'field_missing',
  additionalProperties: 'field_unknown',
  boolean: 'field_unknown',
};

/** Faults of a value against a schema, each once, at most twenty. */
export function problems(schema: Type.TSchema, value: unknown, at = ''): Problem[] {
  const check = validator(schema);
  if (check.Check(value)) return [];
  const found: Problem[] = [];
  const seen = new Set<string>();
  for (const error of check.Errors(value)) {
    const detail = error as { keyword: string; instancePath: string; message: string; params: object };
    const missing = (detail.params as { requiredProperties?: string[] }).requiredProperties;
    const unknown = (detail.params as { additionalProperties?: string[] }).additionalProperties;
    const wheres = (missing ?? unknown)?.map(name => `${detail.instancePath}/${name}`) ?? [
      detail.instancePath,
    ];
    for (const where of wheres) {
      if (seen.has(where) || found.length >= MOST_PROBLEMS) continue;
      seen.add(where);
      found.push({ code: codes[detail.keyword] ?? 'field_type', where: at + where, message: detail.message });
    }
  }
  return found;
}

const isInteger = (schema: Type.TSchema): boolean =>
  (schema as { type?: string }).type === 'integer' || (schema as { type?: string }).type === 'number';

/** Text members as the schema's types. A text that is no number stays text, and the check refuses it. */
function coerce(schema: Type.TObject, values: Record<string, unknown>): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    const member = schema.properties[name];
    out[name] =
      member !== undefined && isInteger(member) && typeof value === 'string' && /^-?\d{1,16}$/.test(value)
        ? Number(value)
        : value;
  }
  return out;
}

const none = Type.Object({}, { additionalProperties: false });
const strict = new Map<Type.TObject, Type.TObject>();
const closed = (schema: Type.TObject): Type.TObject => {
  let made = strict.get(schema);
  if (made === undefined) {
    made = Type.Object(schema.properties, { additionalProperties: false });
    strict.set(schema, made);
  }
  return made;
};

/** What a handler gets. Throws input_invalid with every fault; `where` names the first. */
export function checkRequest(
  name: OperationName,
  params: Record<string, unknown>,
  query: Record<string, unknown>,
  input: unknown,
): Checked {
  const row = operations[name] as Row;
  const errors: Problem[] = [];
  const readParams = row.params === undefined ? params : coerce(row.params, params);
  if (row.params !== undefined) errors.push(...problems(closed(row.params), readParams, 'path:'));
  const readQuery = row.query === undefined ? query : coerce(row.query, query);
  errors.push(...problems(row.query === undefined ? none : closed(row.query), readQuery, 'query:'));
  if (row.input !== undefined) errors.push(...problems(row.input, input));
  if (errors.length > 0) {
    const first = errors[0]!;
    throw new TrailmixError('input_invalid', {
      where: first.where,
      message: `${first.where === '' ? 'The body' : first.where}: ${first.message}`,
      errors,
    });
  }
  return { params: readParams, query: readQuery, input };
}
