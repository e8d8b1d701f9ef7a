import { z } from 'zod';

type Schema = z.core.$ZodType;

/**
 * The schema at a path of keys, wrappers such as default() and nullable() removed; undefined where the schema names no such
 * key. With the value at hand, a union whose options a field tells apart is that option which the value names, and one with a
 * single mapping among its options is that one for a mapping.
 */
export function schemaAt(schema: Schema, path: readonly PropertyKey[], value?: unknown): Schema | undefined {
  let current: Schema | undefined = chosen(unwrap(schema), value);
  let at = value;
  for (const key of path) {
    const field: Schema | undefined = current && fieldOf(current, key);
    at = typeof at === 'object' && at !== null ? (at as Record<PropertyKey, unknown>)[key] : undefined;
    current = field && chosen(unwrap(field), at);
  }
  return current;
}

function fieldOf(schema: Schema, key: PropertyKey): Schema | undefined {
  if (schema instanceof z.ZodArray) return typeof key === 'number' ? schema.element : undefined;
  if (schema instanceof z.ZodTuple) return typeof key === 'number' ? schema.def.items[key] : undefined;
  if (schema instanceof z.ZodRecord) return isOpen(schema.valueType) ? undefined : schema.valueType;
  if (schema instanceof z.ZodDiscriminatedUnion) {
    return schema.options.map((option) => fieldOf(option, key)).find((field) => field !== undefined);
  }
  if (!(schema instanceof z.ZodObject)) return undefined;
  const shape = schema.shape as Record<PropertyKey, Schema>;
  return Object.hasOwn(shape, key) ? shape[key] : undefined;
}

/** Whether a schema takes whatever comes. */
const isOpen = (schema: Schema): boolean => schema instanceof z.ZodUnknown || schema instanceof z.ZodAny;

function chosen(schema: Schema, value: unknown): Schema {
  if (typeof value !== 'object' || value === null) return schema;
  if (!(schema instanceof z.ZodDiscriminatedUnion)) return soleMapping(schema, value) ?? schema;
  const { discriminator } = schema.def;
  const given = (value as Record<string, unknown>)[discriminator];
  const option = schema.options.find((candidate) => {
    const field = fieldOf(candidate, discriminator);
    return field instanceof z.ZodType && field.safeParse(given).success;
  });
  return option ?? schema;
}

/** Of a union whose other options are no mappings, the option that is one, for a mapping. */
function soleMapping(schema: Schema, value: object): Schema | undefined {
  if (!(schema instanceof z.ZodUnion) || Array.isArray(value)) return undefined;
  const mappings = schema.options.map(unwrap).filter((option) => option instanceof z.ZodObject);
  return mappings.length === 1 ? mappings[0] : undefined;
}

/** The keys of the object schema at a path, or undefined when there is none: a scalar, a list, or what takes any key. */
export function keysAt(schema: Schema, path: readonly PropertyKey[], value?: unknown): string[] | undefined {
  const found = schemaAt(schema, path, value);
  if (found instanceof z.ZodDiscriminatedUnion) {
    return [...new Set(found.options.flatMap((option) => keysAt(option, []) ?? []))];
  }
  return found instanceof z.ZodObject && !takesAnyKey(found) ? Object.keys(found.shape) : undefined;
}

function takesAnyKey({ def }: z.ZodObject): boolean {
  return def.catchall !== undefined && !(def.catchall instanceof z.ZodNever);
}

/** The options of a union at a path that nothing tells apart; undefined for any other field. */
export function optionsAt(schema: Schema, path: readonly PropertyKey[]): z.ZodType[] | undefined {
  const field = schemaAt(schema, path);
  if (!(field instanceof z.ZodUnion) || field instanceof z.ZodDiscriminatedUnion) return undefined;
  return field.options as z.ZodType[];
}

/** Whether the field at a path holds a text, and whether it may be null instead; undefined for any other field. */
export function textAt(schema: Schema, path: readonly PropertyKey[]): { isNullable: boolean } | undefined {
  const field = path.length === 0 ? schema : fieldAt(schema, path);
  if (field === undefined || !isText(unwrap(field))) return undefined;
  return { isNullable: field instanceof z.ZodType && field.safeParse(null).success };
}

function isText(schema: Schema): boolean {
  if (schema instanceof z.ZodLiteral) return [...schema.values].every((value) => typeof value === 'string');
  return schema instanceof z.ZodEnum || schema._zod.def.type === 'string';
}

/** The schema that an object has for the last key of a path, with its wrappers. */
function fieldAt(schema: Schema, path: readonly PropertyKey[], value?: unknown): Schema | undefined {
  const parent = schemaAt(schema, path.slice(0, -1), value);
  const key = path.at(-1);
  return parent !== undefined && key !== undefined ? fieldOf(parent, key) : undefined;
}

/** What `.describe()` says of the field at a path. */
export function descriptionAt(schema: Schema, path: readonly PropertyKey[], value?: unknown): string | undefined {
  const field = fieldAt(schema, path, value);
  return field instanceof z.ZodType ? field.description : undefined;
}

/** Whether the field at a path takes whole numbers alone. */
export function isWholeAt(schema: Schema, path: readonly PropertyKey[], value?: unknown): boolean {
  const field = schemaAt(schema, path, value);
  return field instanceof z.ZodNumber && field.format === 'safeint';
}

function unwrap(schema: Schema): Schema {
  let current = schema;
  for (;;) {
    if (
      current instanceof z.ZodDefault ||
      current instanceof z.ZodPrefault ||
      current instanceof z.ZodNullable ||
      current instanceof z.ZodOptional ||
      current instanceof z.ZodNonOptional ||
      current instanceof z.ZodReadonly ||
      current instanceof z.ZodCatch
    ) {
      current = current.def.innerType;
    } else if (current instanceof z.ZodLazy) current = current.unwrap();
    // What is given goes into it.
    else if (current instanceof z.ZodPipe) current = current.def.in;
    else return current;
  }
}
