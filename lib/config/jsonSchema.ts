import { z } from 'zod';

import { ExperimentConfig } from './experimentConfig.js';

type Json = Record<string, unknown>;

const variable = {
  type: 'string',
  pattern: '^\\$\\{env:[A-Za-z_][A-Za-z0-9_]*(:-[^{}]*)?\\}$',
  description: 'An environment variable, read by the setting: ${env:NAME}, or ${env:NAME:-default}',
};

const file = z.string().min(1);
const fileKeys = {
  extends: z
    .union([file, z.array(file)])
    .optional()
    .describe(
      'Configuration files that this one builds on, relative to it: its own settings count before theirs, and of several the last counts',
    ),
  $schema: z.string().optional().describe('The JSON Schema that an editor checks this file by'),
};

/**
 * The JSON Schema, of draft 2020-12, of a configuration file, with descriptions and defaults; `model` by a plugin's schema. A file
 * that extends another need not be complete.
 */
export function experimentJsonSchema(model?: z.ZodType): Json {
  const schema = ExperimentConfig.extend({ ...fileKeys, ...(model !== undefined && { model: described(model) }) });
  // Checks and transforms that are code are not in it.
  const json = z.toJSONSchema(schema, { io: 'input', target: 'draft-2020-12', unrepresentable: 'any' }) as Json;
  const { $schema, required, properties, $defs, ...rest } = json;
  return {
    $schema,
    ...rest,
    properties: fieldsOf(properties as Json),
    if: { not: { required: ['extends'] } },
    then: { required },
    $defs: { ...fieldsOf(($defs ?? {}) as Json), environmentVariable: variable },
  };
}

function described(model: z.ZodType): z.ZodType {
  const named = model.description === undefined ? model.describe('Settings of the model') : model;
  return model.safeParse({}).success ? named.optional() : named;
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const fieldsOf = (fields: Json): Json =>
  Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, withVariables(field)]));

/** A schema that also takes a variable in place of each value within, and of itself where no text can stand. */
function withVariables(given: unknown): unknown {
  if (!isObject(given)) return given;
  const schema = withinSchema(given);
  if (schema.type === 'object' || 'const' in schema || '$ref' in schema || takesText(schema)) return schema;
  const { description, default: fallback, ...rest } = schema;
  return {
    ...(description !== undefined && { description }),
    ...(fallback !== undefined && { default: fallback }),
    anyOf: [rest, { $ref: '#/$defs/environmentVariable' }],
  };
}

function withinSchema(schema: Json): Json {
  const within = { ...schema };
  for (const key of ['anyOf', 'oneOf', 'prefixItems']) {
    const parts = schema[key];
    if (Array.isArray(parts))
      within[key] = parts.map((part) => (key === 'prefixItems' ? withVariables(part) : withinPart(part)));
  }
  if (isObject(schema.properties)) within.properties = fieldsOf(schema.properties);
  if (isObject(schema.items)) within.items = withVariables(schema.items);
  if (isObject(schema.additionalProperties)) within.additionalProperties = withVariables(schema.additionalProperties);
  return within;
}

const withinPart = (part: unknown): unknown => (isObject(part) ? withinSchema(part) : part);

/** Whether a schema takes any text, or takes whatever comes. */
function takesText(schema: Json): boolean {
  const parts = [...((schema.anyOf ?? []) as unknown[]), ...((schema.oneOf ?? []) as unknown[])];
  if (parts.length > 0) return parts.some((part) => isObject(part) && takesText(part));
  if (schema.type === undefined) return schema.enum === undefined && schema.const === undefined;
  return (
    schema.type === 'string' && schema.enum === undefined && schema.pattern === undefined && schema.format === undefined
  );
}
