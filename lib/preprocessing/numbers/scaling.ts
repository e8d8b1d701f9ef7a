import { z } from 'zod';

import { SameFormPreprocessor } from '../tables/sameFormPreprocessor.js';

/** Numbers by which columns are scaled: `offset` is taken away, then the rest divided by `scale`. */
export const scalingSchema = z.strictObject({ offset: z.array(z.number()), scale: z.array(z.number().positive()) });
export type Scaling = z.infer<typeof scalingSchema>;

const EPSILON = Number.EPSILON;

/** A scale that is no more than rounding counts as 1, as in scikit-learn: a column that is constant stays as it is. */
export const usableScale = (scale: number): number => (scale < 10 * EPSILON ? 1 : scale);

/** What has a number for each column. */
export const lengthProblem = (
  learnt: Readonly<Record<string, unknown>>,
  names: readonly string[],
): string | undefined => {
  const wrong = Object.entries(learnt).find(([, values]) => Array.isArray(values) && values.length !== names.length);
  return wrong === undefined
    ? undefined
    : `learnt.${wrong[0]} has ${(wrong[1] as unknown[]).length} items for ${names.length} columns`;
};

/** A preprocessor of numbers that gives as many columns as it takes, under the same names. */
export abstract class ColumnwisePreprocessor<
  Learnt extends Readonly<Record<string, unknown>>,
> extends SameFormPreprocessor<Learnt> {
  protected override namesOut(names: readonly string[]): readonly string[] {
    return names;
  }

  protected override problemOf(learnt: Learnt, names: readonly string[]): string | undefined {
    return lengthProblem(learnt, names);
  }
}
