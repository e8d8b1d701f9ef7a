import { native, type Handle } from '../../native.js';
import { enterContext } from '../../tensor/context/context.js';
import { Generator } from '../../tensor/generator.js';
import { complex, rand, zerosLike } from '../../tensor/generated/functions.js';
import { scope } from '../../tensor/memory/scope.js';
import { handleOf, wrapHandle, type Tensor } from '../../tensor/tensor.js';
import { backwardJacobians, collect, dualInputs, forwardJacobians, readTangents } from './analyticalJacobian.js';
import { dualLevel } from '../forwardMode.js';
import { gradientsOf } from '../gradients.js';
import { failed, mismatch, rounds, type Part, type Run } from './run.js';
import { checkFlaws, checkReentrant, numericalJacobians, partOf, realDType } from './slow.js';
import {
  allClose,
  formatMatrix,
  isComplex,
  isDifferentiable,
  maxDistance,
  valuesOf,
  zeroMatrix,
  type Matrix,
  type Values,
} from './matrix.js';
import { centralDifference } from './numericalJacobian.js';

const dataOp = native.registerOperators(['data']);

/** A tensor over the same memory whose changes autograd does not see. */
function dataOf(tensor: Tensor): Tensor {
  enterContext();
  return wrapHandle(native.call(dataOp, handleOf(tensor)) as Handle);
}

/** A random direction of length 1. */
function direction(like: Tensor, generator: Generator): Tensor {
  const vector = rand([like.numel()], { generator }).to(realDType(like.dtype));
  return vector.div(vector.norm()).reshape(like.shape);
}

/** How the outputs change along a direction in an input's real part, or in its imaginary part. */
function directionalDifference(run: Run, input: Tensor, along: Tensor, isImaginary: boolean): Values[] {
  const { eps } = run.settings;
  const data = dataOf(input);
  const before = data.clone();
  const scaled = along.mul(eps);
  const step = isImaginary ? complex(zerosLike(scaled), scaled) : scaled;
  return centralDifference(run.fn, run.inputs, eps, (d) => {
    scope(() => data.copy_(d === 0 ? before : before.add(step, { alpha: d })));
  });
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, value, i) => sum + value * b[i]!, 0);

const number = (re: number, im: number | null): Matrix => ({
  rows: 1,
  columns: 1,
  re: Float64Array.of(re),
  im: im === null ? null : Float64Array.of(im),
});

const row = ({ re, im }: Values): Matrix => ({
  rows: 1,
  columns: re.length,
  re: Float64Array.from(re),
  im: im === null ? null : Float64Array.from(im),
});

interface Direction {
  readonly real: Tensor;
  /** For a complex input. */
  readonly imaginary: Tensor | null;
}

const sumOf = ({ real, imaginary }: Direction): number =>
  Number(real.sum().item()) + (imaginary === null ? 0 : Number(imaginary.sum().item()));

/** Both Jacobians whole, for the message of a mismatch that was found along a direction only. */
function wholeJacobians(
  numerical: Matrix,
  analytical: Matrix,
  dtypes: [Tensor['dtype'], Tensor['dtype']],
  run: Run,
): string {
  const { rtol, atol } = run.settings;
  const advice = allClose(analytical, numerical, rtol, atol)
    ? 'Element by element they are close enough: fastMode: false would have passed.\n'
    : '';
  return (
    '\nThese quantities were computed in fast mode, along random directions. The whole Jacobians are:\n\n' +
    `Numerical:\n ${formatMatrix(numerical, dtypes[0])}\nAnalytical:\n${formatMatrix(analytical, dtypes[1])}\n\n` +
    `The max per-element difference (slow mode) is: ${maxDistance(analytical, numerical)}.\n${advice}`
  );
}

/** The gradients of an output, or of its imaginary part, weighted by a direction: one backward pass. */
function weightedGradients(run: Run, output: Tensor, weights: Tensor, part: Part): Matrix[] {
  const { tracked, settings } = run;
  const once = (): Matrix[] => {
    const gradients = tracked.map((input) => zeroMatrix(input.numel(), 1, isComplex(input)));
    const flaws = { size: false, dtype: false };
    const seed = part === 'imaginary' ? complex(zerosLike(weights), weights) : weights.to(output.dtype);
    scope(() => collect(gradients, 0, gradientsOf([output], tracked, [seed], { retainGraph: true }), tracked, flaws));
    checkFlaws(flaws, settings.checkGradDtypes);
    return gradients;
  };
  const first = once();
  checkReentrant(first, once(), settings.nondetTol);
  return first;
}

function checkBackward(run: Run, along: readonly Direction[], generator: Generator): void {
  const { tracked, outputs, differentiable, settings } = run;
  const places = outputs.filter(isDifferentiable);
  const slopes = tracked.map((input, j) => {
    const { real, imaginary } = along[j]!;
    return {
      byReal: directionalDifference(run, input, real, false),
      byImaginary: imaginary === null ? null : directionalDifference(run, input, imaginary, true),
    };
  });
  const weights = differentiable.map((output) => direction(output, generator));
  for (const { index, part } of rounds(differentiable)) {
    const output = differentiable[index]!;
    const v = valuesOf(weights[index]!).re;
    const gradients = weightedGradients(run, output, weights[index]!, part);
    for (const [j, input] of tracked.entries()) {
      const k = places.indexOf(output);
      const side = (values: Values): ArrayLike<number> => (part === 'real' ? values.re : values.im!);
      const { byReal, byImaginary } = slopes[j]!;
      const numerical = number(dot(v, side(byReal[k]!)), byImaginary === null ? null : dot(v, side(byImaginary[k]!)));
      const { re, im } = gradients[j]!;
      const { real, imaginary } = along[j]!;
      const analytical = number(dot(re, valuesOf(real).re), im === null ? null : dot(im, valuesOf(imaginary!).re));
      const atol = settings.atol * sumOf(along[j]!) * Number(weights[index]!.sum().item());
      if (allClose(analytical, numerical, settings.rtol, atol)) continue;
      const dtypes: [Tensor['dtype'], Tensor['dtype']] = [
        isComplex(input) ? input.dtype : realDType(output.dtype),
        input.dtype,
      ];
      const whole = [
        partOf(numericalJacobians(run)[j]![k]!, part),
        backwardJacobians(output, tracked, part === 'imaginary').jacobians[j]!,
      ] as const;
      throw failed(
        mismatch({
          output: index,
          input: j,
          numerical: formatMatrix(numerical, dtypes[0]),
          analytical: formatMatrix(analytical, dtypes[1]),
          part: isComplex(output) ? part : null,
          isForward: false,
        }) + wholeJacobians(...whole, dtypes, run),
      );
    }
  }
}

/** The tangents of the outputs along a direction: one forward pass. */
function pushForward(run: Run, input: Tensor, along: Tensor, isImaginary: boolean): Matrix[] {
  const { fn, inputs, outputs, settings } = run;
  const rows = outputs.filter(isDifferentiable).map((output) => zeroMatrix(1, output.numel(), isComplex(output)));
  scope(() =>
    dualLevel(() => {
      const { duals, tangent } = dualInputs(inputs, input);
      dataOf(tangent).copy_(isImaginary ? complex(zerosLike(along), along) : along);
      const hasMismatch = readTangents(fn(duals), (slope, k) => {
        rows[k] = row(valuesOf(slope));
      });
      if (hasMismatch && settings.checkGradDtypes) throw failed('Forward AD gradient has dtype mismatch.');
    }),
  );
  return rows;
}

function checkForward(run: Run, along: readonly Direction[]): void {
  const { tracked, outputs, differentiable, settings } = run;
  for (const { index: j, part } of rounds(tracked)) {
    const input = tracked[j]!;
    const isImaginary = part === 'imaginary';
    const vector = isImaginary ? along[j]!.imaginary! : along[j]!.real;
    const numerical = directionalDifference(run, input, vector, isImaginary).map(row);
    const analytical = pushForward(run, input, vector, isImaginary);
    const atol = settings.atol * Number(vector.sum().item());
    for (const [k, output] of outputs.filter(isDifferentiable).entries()) {
      if (!output.requiresGrad || allClose(analytical[k]!, numerical[k]!, settings.rtol, atol)) continue;
      const differences = numericalJacobians(run)[j]![k]!;
      const whole = [
        isImaginary ? differences.byImaginary! : differences.byReal,
        forwardJacobians(run.fn, run.inputs, input, outputs, isImaginary).jacobians[k]!,
      ] as const;
      throw failed(
        mismatch({
          output: differentiable.indexOf(output),
          input: j,
          numerical: formatMatrix(numerical[k]!, output.dtype),
          analytical: formatMatrix(analytical[k]!, output.dtype),
          part: isComplex(input) ? part : null,
          isForward: true,
        }) + wholeJacobians(...whole, [output.dtype, output.dtype], run),
      );
    }
  }
}

/** Where no output has a gradient, the function must not change with its inputs. */
function checkConstant(run: Run, along: readonly Direction[]): void {
  for (const [j, input] of run.tracked.entries()) {
    for (const { re, im } of directionalDifference(run, input, along[j]!.real, false)) {
      if ([...Array.from(re), ...Array.from(im ?? [])].every((value) => Math.abs(value) <= run.settings.nondetTol))
        continue;
      throw failed('Numerical gradient for function expected to be zero');
    }
  }
}

/** Compares the Jacobians along one random direction of the inputs and one of the outputs. */
export function checkFast(run: Run): void {
  // A generator of its own leaves the user's alone, and makes the check the same every time.
  const generator = new Generator();
  const along = run.tracked.map((input): Direction => ({
    real: direction(input, generator),
    imaginary: isComplex(input) ? direction(input, generator) : null,
  }));
  if (run.differentiable.length === 0) {
    checkConstant(run, along);
    return;
  }
  if (run.settings.checkBackwardAd) checkBackward(run, along, generator);
  if (run.settings.checkForwardAd) checkForward(run, along);
}
