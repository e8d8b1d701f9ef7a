import { z } from 'zod';

import { AiforgeError } from '../../errors.js';
import { show } from '../../show.js';
import type { ColumnType } from './columnTypes.js';
import { missingOf } from './typeInference.js';
import type { ColumnLayout } from './tableLayout.js';
import type { MissingValue } from './table.js';

type Schema = z.core.$ZodType;

/** The columns that an object of zod 4 names, with its rules. Throws INVALID_ARGUMENT for what no column can be read as. */
export function columnsOfSchema(schema: z.ZodObject): ColumnLayout[] {
  if (!(schema instanceof z.ZodObject)) throw refusal('', `expected z.object({ … }) of zod 4, got ${show(schema)}`);
  if ((schema.def.checks ?? []).length > 0) {
    throw refusal('', 'a rule for whole rows cannot be checked column by column; give each column its own rules');
  }
  if (schema.def.catchall !== undefined) {
    throw refusal('', 'columns that the schema does not name are not read: take z.object, neither strict nor loose');
  }
  return Object.entries(schema.shape as Record<string, Schema>).map(([name, field]) => columnOf(name, field));
}

function columnOf(name: string, field: Schema): ColumnLayout {
  const { inner, isOptional, missing } = unwrap(name, field);
  const type = typeOf(name, inner);
  return { name, type, missing: missing ?? (isOptional ? missingOf(type) : undefined), check: checkOf(inner) };
}

/** A field without what says that it may be missing. */
function unwrap(name: string, field: Schema): { inner: Schema; isOptional: boolean; missing?: MissingValue } {
  let [inner, isOptional] = [field, false];
  let missing: MissingValue | undefined;
  for (;;) {
    if (inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault) {
      missing ??= inner.def.defaultValue as MissingValue;
      inner = inner.def.innerType;
    } else if (inner instanceof z.ZodOptional || inner instanceof z.ZodNullable) {
      isOptional = true;
      inner = inner.def.innerType;
    } else if (inner instanceof z.ZodReadonly) inner = inner.def.innerType;
    else break;
  }
  if (missing === undefined) return { inner, isOptional };
  const { success } = z.core.safeParse(inner, missing);
  if (!success) throw refusal(name, `its default ${show(missing)} is none of its values`);
  return { inner, isOptional, missing };
}

function typeOf(name: string, field: Schema): ColumnType {
  if (field instanceof z.ZodNumber) {
    const { format } = field;
    if (format === 'int32' || format === 'float32') return format;
    return format === 'safeint' || format === 'uint32' ? 'int64' : 'float64';
  }
  if (field instanceof z.ZodBigInt) return 'int64';
  if (field instanceof z.ZodBoolean) return 'bool';
  if (isText(field)) return 'string';
  const kinds = 'z.number, z.int, z.int32, z.float32, z.bigint, z.boolean, z.string, z.enum or z.literal of texts';
  throw refusal(name, `a column is read as ${kinds}, got z.${field._zod.def.type}`);
}

function isText(field: Schema): boolean {
  if (field instanceof z.ZodLiteral) return [...field.values].every((value) => typeof value === 'string');
  if (field instanceof z.ZodEnum) return field.options.every((value) => typeof value === 'string');
  return field._zod.def.type === 'string';
}

/** What tries a value by a field's rules, in the quickest way that there is. */
function checkOf(field: Schema): ColumnLayout['check'] {
  const hasRules = (field._zod.def.checks ?? []).length > 0 || 'format' in field._zod.def;
  if (!hasRules && (field instanceof z.ZodBoolean || field instanceof z.ZodBigInt || field instanceof z.ZodString))
    return undefined;
  if (!hasRules && field instanceof z.ZodNumber) {
    return (value) => (Number.isFinite(value) ? undefined : 'a finite number, as the schema says');
  }
  return (value) => {
    const result = z.core.safeParse(field, value);
    return result.success ? undefined : `what the schema says: ${result.error.issues[0]!.message}`;
  };
}

const refusal = (name: string, problem: string): AiforgeError =>
  new AiforgeError('INVALID_ARGUMENT', `schema${name === '' ? '' : `: column '${name}'`}: ${problem}.`);
