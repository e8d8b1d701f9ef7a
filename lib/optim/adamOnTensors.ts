import { handleOf, type Tensor } from '../tensor/tensor.js';
import type { AdamOptions } from './adam.js';
import type { Bucket } from './bucket.js';
import * as ops from './operators.js';
import { divideBy_, minus, over, power, times, valueOf, withoutDimensions, type Scalar } from './scalars.js';

// Adam's step where its corrections are tensors, which round as tensors do: nothing is read back.

/**
 * The step a parameter at a time, for graphs or recorded for `backward`. What is recorded is copied before a later step
 * changes it.
 */
export function stepOneByOne(group: AdamOptions, bucket: Bucket): void {
  bucket.addStep();
  bucket.parameters.forEach((_, i) => stepOne(group, bucket, i));
}

function stepOne(group: AdamOptions, bucket: Bucket, i: number): void {
  const { betas, eps, weightDecay, amsgrad, maximize, decoupledWeightDecay, differentiable } = group;
  const [lr, beta1, beta2] = [withoutDimensions(group.lr), withoutDimensions(betas[0]), withoutDimensions(betas[1])];
  const parameter = bucket.parameters[i]!;
  let gradient = maximize ? parameter.grad!.neg() : parameter.grad!;
  if (weightDecay !== 0) {
    if (decoupledWeightDecay) parameter.mul_(minus(1, times(lr, weightDecay)) as number);
    else gradient = gradient.add(parameter, { alpha: weightDecay });
  }
  gradient = bucket.asReal(gradient);
  const [average, square] = [bucket.realTensor('exp_avg', i), bucket.realTensor('exp_avg_sq', i)];
  average.lerp_(gradient, minus(1, likeTensor(beta1, average)) as number);
  addSquare(square, gradient, beta2);

  const step = bucket.tensor('step', i);
  const stepSize = over(lr, minus(1, powerOf(beta1, step))) as Tensor;
  const correction2 = minus(1, powerOf(beta2, step)) as Tensor;
  const negative = stepSize.neg();
  let squares = square;
  if (amsgrad) {
    squares = bucket.realTensor('max_exp_avg_sq', i);
    squares.copy_((differentiable ? squares.clone() : squares).maximum(square));
  }
  const denominator = squares
    .sqrt()
    .div(correction2.sqrt().mul(negative))
    .add_(over(eps, negative) as Tensor);
  bucket.realParameter(i).addcdiv_(differentiable ? average.clone() : average, denominator);
}

/** A weight of `lerp_`, where a tensor must have the dtype and the device of the others. */
export const likeTensor = (scalar: Scalar, { dtype, device }: Tensor): Scalar =>
  typeof scalar === 'number' ? scalar : scalar.to({ dtype, device });

function addSquare(square: Tensor, gradient: Tensor, beta2: Scalar): void {
  if (typeof beta2 !== 'number' && beta2.requiresGrad) square.lerp_(gradient.square(), minus(1, beta2) as Tensor);
  else square.mul_(beta2 as number).addcmul_(gradient, gradient, { value: valueOf(minus(1, beta2)) });
}

function powerOf(beta: Scalar, step: Tensor): Scalar {
  // A tensor that is recorded keeps the step that it had.
  return power(beta, typeof beta !== 'number' && beta.requiresGrad ? step.clone() : step);
}

/** The step on lists, for graphs. */
export function stepOnLists(group: AdamOptions, bucket: Bucket): void {
  const { betas, eps, weightDecay, amsgrad, maximize, decoupledWeightDecay } = group;
  const [lr, beta1, beta2] = [withoutDimensions(group.lr), withoutDimensions(betas[0]), withoutDimensions(betas[1])];
  bucket.addStep();
  if (decoupledWeightDecay && weightDecay !== 0) {
    bucket.scale_(bucket.real(bucket.handles), minus(1, times(lr, weightDecay)), true);
  }
  const { params, gradients } = bucket.prepare(maximize, decoupledWeightDecay ? 0 : weightDecay, true);
  const averages = bucket.realState('exp_avg');
  let squares = bucket.realState('exp_avg_sq');
  ops.lerp_(averages, gradients, valueOf(minus(1, beta1)));
  bucket.scale_(squares, beta2, true);
  if (typeof beta2 === 'number') ops.addcmul_(squares, gradients, gradients, 1 - beta2);
  else {
    const scaled = ops.multiplyTensor(gradients, handleOf(minus(1, beta2) as Tensor));
    ops.addcmul_(squares, scaled, gradients, 1);
  }

  const steps = bucket.state('step');
  const stepSizes = ops.powers(valueOf(beta1), steps);
  const roots2 = ops.powers(valueOf(beta2), steps);
  ops.subtractScalar_(stepSizes, 1);
  ops.subtractScalar_(roots2, 1);
  ops.negate_(roots2);
  divideBy_(stepSizes, lr);
  ops.reciprocal_(stepSizes);
  ops.sqrt_(roots2);
  if (amsgrad) {
    const greatest = bucket.realState('max_exp_avg_sq');
    ops.maximum_(greatest, squares);
    squares = greatest;
  }
  const denominators = ops.sqrt(squares);
  ops.divideList_(denominators, roots2);
  ops.addScalar_(denominators, eps);
  ops.divideList_(denominators, stepSizes);
  ops.addcdiv_(params, averages, denominators, 1);
}
