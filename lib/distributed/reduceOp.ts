import { alternatives, kind, type Kind } from '../kinds.js';

const names = ['sum', 'avg', 'product', 'min', 'max', 'band', 'bor', 'bxor'] as const;

/** NCCL's sum of tensors that are multiplied by a factor before it. */
export interface PremulSum {
  premulSum: number;
}

/**
 * How a collective joins the ranks' values. `band`, `bor` and `bxor`, for whole numbers, are Gloo's alone, `{ premulSum: factor }` is
 * NCCL's. `INVALID_ARGUMENT` says so where the backend does not have it.
 */
export type ReduceOp = (typeof names)[number] | PremulSum;

function isPremulSum(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Object.keys(value).join() !== 'premulSum') return false;
  return Number.isFinite((value as PremulSum).premulSum);
}

export const reduceOpKind: Kind<ReduceOp> = kind(
  alternatives([...names.map((name) => `'${name}'`), '{ premulSum: a number }']),
  (value) => (names as readonly unknown[]).includes(value) || isPremulSum(value),
);

/** As the addon takes it: a name, or the factor of `premulSum`. */
export function nativeOp(op: ReduceOp): string | number {
  return typeof op === 'string' ? op : op.premulSum;
}
