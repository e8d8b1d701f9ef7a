import { native } from '../../native.js';
import { zerosLike } from '../../tensor/generated/functions.js';
import { scope } from '../../tensor/memory/scope.js';
import { handleOf, Tensor } from '../../tensor/tensor.js';
import { dualLevel, makeDual, unpackDual } from '../forwardMode.js';
import { gradientsOf } from '../gradients.js';
import { isComplex, isDifferentiable, setColumn, setRow, valuesOf, zeroMatrix, type Matrix } from './matrix.js';
import type { Checked } from './numericalJacobian.js';

/** What was wrong with a gradient beside its value. */
export interface Flaws {
  size: boolean;
  dtype: boolean;
}

export interface Backward {
  /** One for each input that requires a gradient. */
  readonly jacobians: Matrix[];
  readonly flaws: Flaws;
}

/** Puts the gradients of one backward pass into a column of each Jacobian. */
export function collect(
  jacobians: readonly Matrix[],
  column: number,
  gradients: readonly (Tensor | null)[],
  inputs: readonly Tensor[],
  flaws: Flaws,
): void {
  gradients.forEach((gradient, i) => {
    if (gradient === null) return;
    const input = inputs[i]!;
    if (gradient.numel() !== input.numel() || gradient.shape.join() !== input.shape.join()) {
      flaws.size = true;
      return;
    }
    if (gradient.dtype !== input.dtype) flaws.dtype = true;
    setColumn(jacobians[i]!, column, valuesOf(gradient));
  });
}

/** The Jacobians of an output, or of its imaginary part, by every input: one backward pass for each element. */
export function backwardJacobians(output: Tensor, inputs: readonly Tensor[], isImaginary: boolean): Backward {
  const numel = output.numel();
  const jacobians = inputs.map((input) => zeroMatrix(input.numel(), numel, isComplex(input)));
  const flaws = { size: false, dtype: false };
  scope(() => {
    const seed = output.detach().newZeros(output.shape);
    const handle = handleOf(seed);
    const [re, im] = isImaginary ? [0, 1] : [1, 0];
    for (let column = 0; column < numel; ++column) {
      native.writeElement(handle, column, re, im);
      scope(() =>
        collect(jacobians, column, gradientsOf([output], inputs, [seed], { retainGraph: true }), inputs, flaws),
      );
      native.writeElement(handle, column, 0, 0);
    }
  });
  return { jacobians, flaws };
}

export interface Forward {
  /** One for each differentiable output. */
  readonly jacobians: Matrix[];
  readonly hasDtypeMismatch: boolean;
}

/** Reads the tangents of the outputs, zeros where there are none; whether one is complex and its output is not, or so. */
export function readTangents(outputs: readonly Tensor[], read: (tangent: Tensor, output: number) => void): boolean {
  let mismatch = false;
  outputs.filter(isDifferentiable).forEach((output, k) => {
    const { primal, tangent } = unpackDual(output);
    if (tangent === null) return;
    if (isComplex(primal) !== isComplex(tangent)) mismatch = true;
    read(tangent, k);
  });
  return mismatch;
}

/** The inputs as dual tensors without slope, and the tangent of one of them, to be written to. */
export function dualInputs(inputs: readonly unknown[], target: Tensor): { duals: unknown[]; tangent: Tensor } {
  let tangent: Tensor | null = null;
  const duals = inputs.map((input) => {
    if (!isTracked(input)) return input;
    const dual = makeDual(input.detach(), zerosLike(input.detach()));
    if (input === target) ({ tangent } = unpackDual(dual));
    return dual;
  });
  return { duals, tangent: tangent! };
}

/** Whether an argument is one that the check differentiates by. */
export const isTracked = (input: unknown): input is Tensor => Tensor.isTensor(input) && input.requiresGrad;

/** The Jacobians of all outputs by an input, or by its imaginary part: one forward pass for each element. */
export function forwardJacobians(
  fn: Checked,
  inputs: readonly unknown[],
  input: Tensor,
  outputs: readonly Tensor[],
  isImaginary: boolean,
): Forward {
  const rows = input.numel();
  const jacobians = outputs.filter(isDifferentiable).map((o) => zeroMatrix(rows, o.numel(), isComplex(o)));
  let hasDtypeMismatch = false;
  scope(() =>
    dualLevel(() => {
      const { duals, tangent } = dualInputs(inputs, input);
      const handle = handleOf(tangent);
      const [re, im] = isImaginary ? [0, 1] : [1, 0];
      for (let row = 0; row < rows; ++row) {
        native.writeElement(handle, row, re, im);
        scope(() => {
          const mismatch = readTangents(fn(duals), (slope, k) => setRow(jacobians[k]!, row, valuesOf(slope)));
          hasDtypeMismatch ||= mismatch;
        });
        native.writeElement(handle, row, 0, 0);
      }
    }),
  );
  return { jacobians, hasDtypeMismatch };
}
