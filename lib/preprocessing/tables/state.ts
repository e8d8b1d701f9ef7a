import type { z } from 'zod';

import { AiforgeError } from '../../errors.js';

/** The error for a state that is none of this preprocessor. */
export const damaged = (kind: string, problem: string): AiforgeError =>
  new AiforgeError(
    'FILE_INVALID',
    `This is no state for this ${kind}: ${problem}. Give what its state() gave, or fit anew.`,
  );

/** Data by a schema. Throws FILE_INVALID for what does not fit. */
export function parsed<T>(kind: string, schema: z.ZodType<T>, data: unknown, under = ''): T {
  const result = schema.safeParse(data);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  const place = [under, ...path.map(String)].filter((part) => part !== '').join('.');
  throw damaged(kind, `${place === '' ? '' : `${place}: `}${message}`);
}
