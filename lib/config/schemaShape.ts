import { z } from 'zod';

type Schema = z.core.$ZodType;

/** The schema at a path of keys, wrappers such as default() and nullable() removed; undefined where the schema names no such key. */
export function schemaAt(schema: Schema, path: readonly PropertyKey[]): Schema | undefined {
  let current: Schema | undefined = unwrap(schema);
  for (const key of path) {
    if (current instanceof z.ZodObject) {
      const shape = current.shape as Record<PropertyKey, Schema>;
      const field = Object.hasOwn(shape, key) ? shape[key] : undefined;
      current = field && unwrap(field);
    } else return undefined;
  }
  return current;
}

/** The keys of the object schema at a path, or undefined when there is none: a scalar, a list, or a record that takes any key. */
export function keysAt(schema: Schema, path: readonly PropertyKey[]): string[] | undefined {
  const found = schemaAt(schema, path);
  return found instanceof z.ZodObject ? Object.keys(found.shape) : undefined;
}

/** What `.describe()` says of the field at a path. */
export function descriptionAt(schema: Schema, path: readonly PropertyKey[]): string | undefined {
  const parent = schemaAt(schema, path.slice(0, -1));
  const key = path.at(-1);
  if (!(parent instanceof z.ZodObject) || key === undefined || !Object.hasOwn(parent.shape, key)) return undefined;
  const field: unknown = parent.shape[key as string];
  return field instanceof z.ZodType ? field.description : undefined;
}

function unwrap(schema: Schema): Schema {
  let current = schema;
  while (
    current instanceof z.ZodDefault ||
    current instanceof z.ZodPrefault ||
    current instanceof z.ZodNullable ||
    current instanceof z.ZodOptional
  ) {
    current = current.def.innerType;
  }
  return current;
}
