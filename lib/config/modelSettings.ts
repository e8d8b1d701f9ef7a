import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';

import { AiforgeError } from '../errors.js';
import { showOrigin } from './origin.js';
import { sourceOf, withSourceOf } from './source.js';
import { typedText } from './typedText.js';

/**
 * The settings of a model with what came as text, as an override or an environment variable, read by the plugin's schema: until the
 * plugin is known, they are taken for what they look like. What was changed since they were read stays. Throws CONFIG_INVALID.
 */
export function modelSettings(model: Record<string, unknown>, schema: z.ZodType): Record<string, unknown> {
  const source = sourceOf(model);
  if (source === undefined) return model;
  const read = (value: unknown, path: readonly PropertyKey[]): unknown => {
    const origin = source.originAt(['model', ...path]);
    if (path.length > 0 && origin?.given !== undefined && isDeepStrictEqual(value, origin.given.guess)) {
      return typedText(origin.given.text, { schema, path }, (reason, cause) => {
        const message = `${showOrigin(origin)}: model.${path.join('.')}: ${reason}`;
        return new AiforgeError('CONFIG_INVALID', message, { cause });
      });
    }
    if (Array.isArray(value)) return value.map((entry, index) => read(entry, [...path, index]));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, read(entry, [...path, key])]));
  };
  return withSourceOf(model, read(model, []) as Record<string, unknown>);
}
