import type { DType } from '../../tensor/dtype.js';
import type { Tensor } from '../../tensor/tensor.js';
import { backwardJacobians, forwardJacobians } from './analyticalJacobian.js';
import { failed, mismatch, rounds, type Part, type Run } from './run.js';
import { allClose, formatMatrix, isComplex, isDifferentiable, maxDistance, type Matrix } from './matrix.js';
import { numericalJacobian, type Differences } from './numericalJacobian.js';

/** By input, then by differentiable output. */
export type Numerical = readonly Differences[][];

export const realDType = (dtype: DType): DType =>
  dtype.replace('complex128', 'float64').replace('complex64', 'float32') as DType;

export function numericalJacobians({ fn, inputs, tracked, outputs, settings }: Run): Numerical {
  return tracked.map((input) => numericalJacobian(fn, inputs, input, outputs, settings.eps));
}

/** The differences of a part of an output, as backward gradients are: complex for a complex input. */
export function partOf({ byReal, byImaginary }: Differences, part: Part): Matrix {
  const side = (matrix: Matrix): Float64Array => (part === 'real' ? matrix.re : matrix.im!);
  return { ...byReal, re: side(byReal), im: byImaginary === null ? null : side(byImaginary) };
}

/** The backward Jacobians of an output, computed twice, since each pass must give the same. */
export function reentrantJacobians(run: Run, output: Tensor, part: Part): Matrix[] {
  const { tracked, settings } = run;
  const isImaginary = part === 'imaginary';
  const { jacobians, flaws } = backwardJacobians(output, tracked, isImaginary);
  const again = backwardJacobians(output, tracked, isImaginary).jacobians;
  checkFlaws(flaws, settings.checkGradDtypes);
  checkReentrant(jacobians, again, settings.nondetTol);
  return jacobians;
}

export function checkFlaws({ size, dtype }: { size: boolean; dtype: boolean }, checkGradDtypes: boolean): void {
  if (dtype && checkGradDtypes) throw failed('Gradient has dtype mismatch');
  if (size) throw failed('Analytical gradient has incorrect size');
}

export function checkReentrant(first: readonly Matrix[], second: readonly Matrix[], nondetTol: number): void {
  if (first.every((jacobian, i) => !(maxDistance(jacobian, second[i]!) > nondetTol))) return;
  throw failed(
    'Backward is not reentrant, i.e., running backward with same input and grad_output multiple times gives different ' +
      'values, although analytical gradient matches numerical gradient. ' +
      `The tolerance for nondeterminism was ${nondetTol}. Give nondetTol where an operator is not deterministic.`,
  );
}

function checkBackward(run: Run, numerical: Numerical): void {
  const { tracked, outputs, differentiable, settings } = run;
  const places = outputs.filter(isDifferentiable);
  for (const { index, part } of rounds(differentiable)) {
    const output = differentiable[index]!;
    const analytical = reentrantJacobians(run, output, part);
    for (const [j, input] of tracked.entries()) {
      const expected = partOf(numerical[j]![places.indexOf(output)]!, part);
      if (allClose(analytical[j]!, expected, settings.rtol, settings.atol)) continue;
      throw failed(
        mismatch({
          output: index,
          input: j,
          numerical: formatMatrix(expected, isComplex(input) ? input.dtype : realDType(output.dtype)),
          analytical: formatMatrix(analytical[j]!, input.dtype),
          part: isComplex(output) ? part : null,
          isForward: false,
        }),
      );
    }
  }
}

function checkForward(run: Run, numerical: Numerical): void {
  const { fn, inputs, tracked, outputs, settings } = run;
  const places = outputs.filter(isDifferentiable);
  for (const { index: j, part } of rounds(tracked)) {
    const input = tracked[j]!;
    const { jacobians, hasDtypeMismatch } = forwardJacobians(fn, inputs, input, outputs, part === 'imaginary');
    if (hasDtypeMismatch && settings.checkGradDtypes) throw failed('Forward AD gradient has dtype mismatch.');
    for (const [k, output] of places.entries()) {
      if (!output.requiresGrad) continue;
      const differences = numerical[j]![k]!;
      const expected = part === 'real' ? differences.byReal : differences.byImaginary!;
      if (allClose(jacobians[k]!, expected, settings.rtol, settings.atol)) continue;
      throw failed(
        mismatch({
          output: run.differentiable.indexOf(output),
          input: j,
          numerical: formatMatrix(expected, output.dtype),
          analytical: formatMatrix(jacobians[k]!, output.dtype),
          part: isComplex(input) ? part : null,
          isForward: true,
        }),
      );
    }
  }
}

const isZero = (values: Float64Array | null): boolean => values?.every((value) => value === 0) ?? true;

/** Where no output has a gradient, the function must not change with its inputs. */
function checkConstant(numerical: Numerical): void {
  for (const { byReal, byImaginary } of numerical.flat()) {
    if ([byReal.re, byReal.im, byImaginary?.re ?? null, byImaginary?.im ?? null].every(isZero)) continue;
    throw failed('Numerical gradient for function expected to be zero');
  }
}

/** Compares every element of the Jacobians. */
export function checkSlowly(run: Run): void {
  const numerical = numericalJacobians(run);
  if (run.differentiable.length === 0) {
    checkConstant(numerical);
    return;
  }
  if (run.settings.checkBackwardAd) checkBackward(run, numerical);
  if (run.settings.checkForwardAd) checkForward(run, numerical);
}
