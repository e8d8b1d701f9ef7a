import { pow, viewAsReal } from '../tensor/generated/functions.js';
import type { Tensor } from '../tensor/tensor.js';
import type { AdamOptions } from './adam.js';
import type { Bucket } from './bucket.js';
import { minus, over, times, valueOf, withoutDimensions, type Scalar } from './scalars.js';

/**
 * Adam's step recorded for `backward`, a parameter at a time: the corrections are tensors then, and round as tensors do.
 * What the graph keeps is copied before a later step changes it.
 */
export function updateRecorded(group: AdamOptions, bucket: Bucket): void {
  bucket.addStep();
  bucket.parameters.forEach((parameter, i) => {
    updateOne(group, parameter, (name) => bucket.tensor(name, i));
  });
}

function updateOne(group: AdamOptions, parameter: Tensor, state: (name: string) => Tensor): void {
  const { betas, eps, weightDecay, amsgrad, maximize, decoupledWeightDecay } = group;
  const [lr, beta1, beta2] = [withoutDimensions(group.lr), withoutDimensions(betas[0]), withoutDimensions(betas[1])];
  const real = (tensor: Tensor): Tensor => (parameter.dtype.startsWith('complex') ? viewAsReal(tensor) : tensor);
  let gradient = maximize ? parameter.grad!.neg() : parameter.grad!;
  if (weightDecay !== 0) {
    if (decoupledWeightDecay) parameter.mul_(minus(1, times(lr, weightDecay)) as number);
    else gradient = gradient.add(parameter, { alpha: weightDecay });
  }
  gradient = real(gradient);
  const [average, square] = [real(state('exp_avg')), real(state('exp_avg_sq'))];
  average.lerp_(gradient, minus(1, beta1) as number);
  addSquare(square, gradient, beta2);

  const step = state('step');
  const stepSize = over(lr, minus(1, powerOf(beta1, step))) as Tensor;
  const correction2 = minus(1, powerOf(beta2, step)) as Tensor;
  const negative = stepSize.neg();
  let squares = square;
  if (amsgrad) {
    squares = real(state('max_exp_avg_sq'));
    squares.copy_(squares.clone().maximum(square));
  }
  const denominator = squares
    .sqrt()
    .div(correction2.sqrt().mul(negative))
    .add_(over(eps, negative) as Tensor);
  real(parameter).addcdiv_(average.clone(), denominator);
}

function addSquare(square: Tensor, gradient: Tensor, beta2: Scalar): void {
  if (typeof beta2 !== 'number' && beta2.requiresGrad) square.lerp_(gradient.square(), minus(1, beta2) as Tensor);
  else square.mul_(beta2 as number).addcmul_(gradient, gradient, { value: valueOf(minus(1, beta2)) });
}

function powerOf(beta: Scalar, step: Tensor): Tensor {
  // A number to the power of a tensor is the tensor's operator; a tensor that is recorded keeps the step that it had.
  return typeof beta === 'number' ? pow(beta, step) : beta.pow(beta.requiresGrad ? step.clone() : step);
}
