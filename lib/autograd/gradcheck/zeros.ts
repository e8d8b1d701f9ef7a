import { native } from '../../native.js';
import { isError } from '../../realms.js';
import { enterContext } from '../../tensor/context/context.js';
import { randnLike, stack, zerosLike } from '../../tensor/generated/functions.js';
import { scope } from '../../tensor/memory/scope.js';
import { handleOf, wrapHandle, type Tensor } from '../../tensor/tensor.js';
import { isTracked } from './analyticalJacobian.js';
import { dualLevel, makeDual, unpackDual } from '../forwardMode.js';
import { gradientsOf } from '../gradients.js';
import { failed, type Run } from './run.js';
import { isDifferentiable, valuesOf } from './matrix.js';
import { vmap } from '../transforms/vmap.js';

const zerosFor = (outputs: readonly Tensor[]): Tensor[] =>
  outputs.map((output) => output.detach().newZeros(output.shape));

function isZero(tensor: Tensor): boolean {
  const { re, im } = valuesOf(tensor);
  return [...Array.from(re), ...Array.from(im ?? [])].every((value) => value === 0);
}

/** Zeros given to backward must come out as zeros. */
export function checkScaledByGradOutput({ differentiable, tracked }: Run): void {
  scope(() => {
    const gradients = gradientsOf(differentiable, tracked, zerosFor(differentiable), { retainGraph: true });
    for (const [i, gradient] of gradients.entries()) {
      if (gradient === null) continue;
      const input = tracked[i]!;
      if (!isZero(gradient)) throw failed('backward not multiplied by grad_output');
      if (gradient.dtype !== input.dtype) throw failed('grad is incorrect type');
      if (gradient.shape.join() !== input.shape.join()) throw failed('grad is incorrect size');
    }
  });
}

/** The tensor, whose gradient comes to what made it as none at all. */
function withUndefinedGrad(tensor: Tensor): Tensor {
  enterContext();
  return wrapHandle(native.undefinedGrad(handleOf(tensor)));
}

function checkUndefined(outputs: readonly Tensor[], tracked: readonly Tensor[]): void {
  let gradients: (Tensor | null)[];
  try {
    gradients = gradientsOf(outputs, tracked, zerosFor(outputs));
  } catch (cause) {
    throw failed('Expected backward function to handle undefined output grads.', cause);
  }
  if (gradients.every((gradient) => gradient === null || isZero(gradient))) return;
  throw failed('Expected all input grads to be undefined or zero when all output grads are undefined or zero.');
}

/** A backward function must treat gradients that are missing as zeros: all of them, and each alone. */
export function checkUndefinedGradients({ fn, inputs, tracked, differentiable }: Run): void {
  const count = differentiable.length;
  const missing = count > 1 ? [null, ...differentiable.keys()] : [null];
  for (const index of missing) {
    scope(() => {
      const outputs = fn(inputs).filter((output) => output.requiresGrad);
      checkUndefined(
        outputs.map((output, i) => (index === null || i === index ? withUndefinedGrad(output) : output)),
        tracked,
      );
    });
  }
}

function tangentsOf(outputs: readonly Tensor[]): (Tensor | null)[] {
  return outputs.filter(isDifferentiable).map((output) => unpackDual(output).tangent);
}

function close(a: Tensor, b: Tensor): boolean {
  return a.allclose(b);
}

/** An input without a tangent must give what one with a tangent of zeros gives. */
export function checkUndefinedTangents({ fn, inputs, tracked }: Run): void {
  for (const target of tracked) {
    scope(() =>
      dualLevel(() => {
        const others = inputs.map((input) => {
          if (!isTracked(input)) return input;
          return makeDual(input.detach(), input === target ? zerosLike(input.detach()) : randnLike(input.detach()));
        });
        const withZeros = tangentsOf(fn(others));
        const at = inputs.indexOf(target);
        const without = tangentsOf(fn(others.map((input, i) => (i === at ? target.detach() : input))));
        withZeros.forEach((tangent, k) => {
          const other = without[k]!;
          if (tangent === null || other === null || close(tangent, other)) return;
          throw failed(
            `Mismatch in tangent values for output with index ${k} when input ${tracked.indexOf(target)} has an ` +
              `undefined tangent value. Got:\n${String(tangent)}\nbut expected:\n${String(other)}`,
          );
        });
      }),
    );
  }
}

/** Backward must be one that `vmap` can run for several gradients at once. */
export function checkBatched({ differentiable, tracked }: Run): void {
  for (const [index, output] of differentiable.entries()) {
    const vjp = (seed: Tensor): Tensor[] =>
      gradientsOf([output], tracked, [seed], { retainGraph: true }).map(
        (gradient, i) => gradient ?? zerosLike(tracked[i]!.detach()),
      );
    scope(() => {
      const seeds = [randnLike(output.detach()), randnLike(output.detach())];
      const single = seeds.map(vjp);
      let batched: Tensor[];
      try {
        batched = vmap(vjp)(stack(seeds));
      } catch (cause) {
        const reason = isError(cause) ? cause.message : String(cause);
        throw failed(`While computing batched gradients, got: ${reason}`, cause);
      }
      for (const [i, result] of batched.entries()) {
        const expected = stack(single.map((gradients) => gradients[i]!));
        if (close(result, expected)) continue;
        throw failed(
          `For output ${index} and input ${i}: batched gradients differ.\n\nGot:\n${String(result)}\n\n` +
            `Expected:\n${String(expected)}`,
        );
      }
    });
  }
}
