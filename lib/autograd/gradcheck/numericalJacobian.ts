import { AiforgeError } from '../../errors.js';
import { native } from '../../native.js';
import { scope } from '../../tensor/memory/scope.js';
import { handleOf, type Tensor } from '../../tensor/tensor.js';
import { isComplex, isDifferentiable, setRow, valuesOf, zeroMatrix, type Matrix, type Values } from './matrix.js';

/** The function that is checked, with its outputs as a list. */
export type Checked = (inputs: readonly unknown[]) => Tensor[];

/** How an output changes with the real part of an input, and with its imaginary part where it has one. */
export interface Differences {
  readonly byReal: Matrix;
  readonly byImaginary: Matrix | null;
}

interface Evaluated {
  readonly values: Values;
  readonly shape: string;
  readonly dtype: string;
}

/** The differentiable outputs, read at once, so that their memory can go. */
function evaluate(fn: Checked, inputs: readonly unknown[]): Evaluated[] {
  const read: Evaluated[] = [];
  scope(() => {
    for (const output of fn(inputs)) {
      const { dtype } = output;
      if (isDifferentiable(output)) read.push({ values: valuesOf(output), shape: output.shape.join(', '), dtype });
    }
  });
  return read;
}

function refuseChange(what: string, before: string, after: string, eps: number): never {
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `gradcheck: the function must return outputs with the same ${what} when inputs are perturbed by ${eps}, ` +
      `but got ${before} and ${after}.`,
  );
}

function difference(a: Evaluated, b: Evaluated, eps: number): Values {
  if (a.shape !== b.shape) refuseChange('shape', `[${a.shape}]`, `[${b.shape}]`, eps);
  if (a.dtype !== b.dtype) refuseChange('dtype', a.dtype, b.dtype, eps);
  const slope = (before: ArrayLike<number>, after: ArrayLike<number>): Float64Array =>
    Float64Array.from(before, (value, i) => (after[i]! - value) / (2 * eps));
  return {
    re: slope(a.values.re, b.values.re),
    im: a.values.im === null || b.values.im === null ? null : slope(a.values.im, b.values.im),
  };
}

/** The central difference of each output along a step: `move(-1)`, `move(1)` and `move(0)` set the input. */
export function centralDifference(
  fn: Checked,
  inputs: readonly unknown[],
  eps: number,
  move: (direction: number) => void,
): Values[] {
  try {
    move(-1);
    const before = evaluate(fn, inputs);
    move(1);
    const after = evaluate(fn, inputs);
    if (before.length !== after.length) refuseChange('number', String(before.length), String(after.length), eps);
    return before.map((output, i) => difference(output, after[i]!, eps));
  } finally {
    move(0);
  }
}

/** The Jacobian by an input, of every differentiable output, from differences of the function's values. */
export function numericalJacobian(
  fn: Checked,
  inputs: readonly unknown[],
  input: Tensor,
  outputs: readonly Tensor[],
  eps: number,
): Differences[] {
  const { re, im } = valuesOf(input);
  const handle = handleOf(input);
  const results = outputs.filter(isDifferentiable).map((output): Differences => {
    const zero = (): Matrix => zeroMatrix(re.length, output.numel(), isComplex(output));
    return { byReal: zero(), byImaginary: im === null ? null : zero() };
  });
  for (let i = 0; i < re.length; ++i) {
    const [x, y] = [re[i]!, im?.[i] ?? 0];
    const byReal = centralDifference(fn, inputs, eps, (d) => native.writeElement(handle, i, x + d * eps, y));
    byReal.forEach((values, k) => setRow(results[k]!.byReal, i, values));
    if (im === null) continue;
    const byImaginary = centralDifference(fn, inputs, eps, (d) => native.writeElement(handle, i, x, y + d * eps));
    byImaginary.forEach((values, k) => setRow(results[k]!.byImaginary!, i, values));
  }
  return results;
}
