import { anything, boolean, func, optional } from '../../kinds.js';
import { signature } from '../../signature.js';
import { enableGrad, isGradEnabled } from '../modes.js';
import {
  checkRecorded,
  finished,
  freshInputs,
  invalid,
  tensorList,
  unlisted,
  vectorFor,
  withZeros,
  type TensorList,
  type TensorOrTensors,
} from './inputs.js';
import { gradientsOf } from '../gradients.js';
import { zerosLike } from '../../tensor/generated/functions.js';
import type { Tensor } from '../../tensor/tensor.js';

export interface ProductOptions {
  /** Records the computation, so that the results can be differentiated. Default: false. */
  createGraph?: boolean;
  /** Refuses an input that the output does not depend on, instead of giving zeros. Default: false. */
  strict?: boolean;
}

const productTakes = signature<ProductOptions>(
  { fn: func(), inputs: anything, v: optional(anything) },
  { createGraph: boolean, strict: boolean },
);

/** The results have the form of what they belong to: one tensor, or an array. */
export type Like<T> = T extends Tensor ? Tensor : Tensor[];

/** A function of the tensors of `Inputs`. */
export type FunctionOf<Inputs extends TensorOrTensors, Output> = (
  ...inputs: Inputs extends readonly Tensor[] ? Tensor[] : [Tensor]
) => Output;

interface Prepared {
  readonly name: string;
  readonly fn: (...inputs: Tensor[]) => unknown;
  readonly inputs: TensorList;
  readonly createGraph: boolean;
  readonly strict: boolean;
}

function prepare(
  name: string,
  fn: (...inputs: Tensor[]) => unknown,
  inputs: TensorOrTensors,
  { createGraph = false, strict = false }: ProductOptions,
): Prepared {
  const { isList, tensors } = tensorList(name, 'inputs', inputs);
  return { name, fn, inputs: { isList, tensors: freshInputs(tensors, createGraph, true) }, createGraph, strict };
}

function outputsOf({ name, fn, inputs, strict }: Prepared): TensorList {
  const outputs = tensorList(name, 'what the function returns', fn(...inputs.tensors));
  checkRecorded(name, 'output', outputs.tensors, strict);
  return outputs;
}

/** The one element that a function with a Hessian returns. */
function scalarOf(prepared: Prepared): TensorList {
  const outputs = outputsOf(prepared);
  if (outputs.isList) throw invalid(`${prepared.name}: the function must return a single Tensor, not an array.`);
  if (outputs.tensors[0]!.numel() !== 1) {
    throw invalid(
      `${prepared.name}: the function must return a single element, got the size [${outputs.tensors[0]!.shape.join(', ')}].`,
    );
  }
  return outputs;
}

/** Runs the last step recorded where a graph is wanted, else as the caller has it. */
const lastStep = <T>(createGraph: boolean, body: () => T): T =>
  createGraph || isGradEnabled() ? enableGrad(body) : body();

function results(prepared: Prepared, outputs: TensorList, product: readonly Tensor[], like: TensorList): unknown[] {
  const { createGraph } = prepared;
  return [
    unlisted(finished(outputs.tensors, createGraph), outputs.isList),
    unlisted(finished(product, createGraph), like.isList),
  ];
}

/**
 * The output of `fn` and the product of `v` with its Jacobian. As `torch.autograd.functional.vjp`.
 *
 * @param v The vector, of the sizes of the output; null for 1, where the output has one element.
 * @example
 * import { autograd, ones, tensor } from 'aiforge';
 * const [output, product] = autograd.functional.vjp((x) => x.mul(x), tensor([1.5, 2]), ones([2]));
 * product.tolist(); // [3, 4]
 */
export function vjp<Inputs extends TensorOrTensors, Output extends TensorOrTensors>(
  fn: FunctionOf<Inputs, Output>,
  inputs: Inputs,
  v: TensorOrTensors | null = null,
  options: ProductOptions = {},
): [Like<Output>, Like<Inputs>] {
  productTakes.check('vjp', arguments);
  const name = 'autograd.functional.vjp';
  const [prepared, outputs, vector] = enableGrad(() => {
    const ready = prepare(name, fn as Prepared['fn'], inputs, options);
    const made = outputsOf(ready);
    return [ready, made, vectorFor(name, v, made, 'the output', ready.createGraph)] as const;
  });
  const { createGraph, inputs: given } = prepared;
  const product = lastStep(createGraph, () =>
    withZeros(
      name,
      gradientsOf(outputs.tensors, given.tensors, vector, { createGraph }),
      given.tensors,
      'jacobian',
      prepared,
    ),
  );
  return results(prepared, outputs, product, given) as [Like<Output>, Like<Inputs>];
}

const leafZeros = (tensors: readonly Tensor[]): Tensor[] => tensors.map((t) => zerosLike(t.detach()).requiresGrad_());

/**
 * The output of `fn` and the product of its Jacobian with `v`, by differentiating the gradient; `func.jvp` needs one pass
 * only. As `torch.autograd.functional.jvp`.
 *
 * @param v The vector, of the sizes of the inputs; null for 1, where the input has one element.
 * @example
 * import { autograd, tensor } from 'aiforge';
 * const [output, product] = autograd.functional.jvp((x) => x.mul(x), tensor([1.5, 2]), tensor([1, 0.5]));
 * product.tolist(); // [3, 2]
 */
export function jvp<Inputs extends TensorOrTensors, Output extends TensorOrTensors>(
  fn: FunctionOf<Inputs, Output>,
  inputs: Inputs,
  v: TensorOrTensors | null = null,
  options: ProductOptions = {},
): [Like<Output>, Like<Output>] {
  productTakes.check('jvp', arguments);
  const name = 'autograd.functional.jvp';
  const { prepared, outputs, vector, seeds, gradients } = enableGrad(() => {
    const ready = prepare(name, fn as Prepared['fn'], inputs, options);
    const given = vectorFor(name, v, ready.inputs, 'the input', ready.createGraph);
    const made = outputsOf(ready);
    // The gradient is linear in these, so their values do not matter.
    const zeros = leafZeros(made.tensors);
    const first = gradientsOf(made.tensors, ready.inputs.tensors, zeros, { createGraph: true });
    checkRecorded(name, 'the gradient by input', first, ready.strict);
    return { prepared: ready, outputs: made, vector: given, seeds: zeros, gradients: first };
  });
  const { createGraph } = prepared;
  const product = lastStep(createGraph, () =>
    withZeros(name, gradientsOf(gradients, seeds, vector, { createGraph }), outputs.tensors, 'back_trick', prepared),
  );
  return results(prepared, outputs, product, outputs) as [Like<Output>, Like<Output>];
}

/**
 * The output of `fn`, which has one element, and the product of `v` with its Hessian. As
 * `torch.autograd.functional.vhp`.
 *
 * @example
 * import { autograd, tensor } from 'aiforge';
 * const [output, product] = autograd.functional.vhp((x) => x.pow(3).sum(), tensor([1, 2.5]), tensor([1, 2]));
 * product.tolist(); // [6, 30]
 */
export function vhp<Inputs extends TensorOrTensors>(
  fn: FunctionOf<Inputs, Tensor>,
  inputs: Inputs,
  v: TensorOrTensors | null = null,
  options: ProductOptions = {},
): [Tensor, Like<Inputs>] {
  productTakes.check('vhp', arguments);
  const name = 'autograd.functional.vhp';
  const { prepared, outputs, vector, gradient } = enableGrad(() => {
    const ready = prepare(name, fn as Prepared['fn'], inputs, options);
    const given = vectorFor(name, v, ready.inputs, 'the input', ready.createGraph);
    const made = scalarOf(ready);
    const first = gradientsOf(made.tensors, ready.inputs.tensors, undefined, { createGraph: true });
    checkRecorded(name, 'the Jacobian by input', first, ready.strict);
    return { prepared: ready, outputs: made, vector: given, gradient: first };
  });
  const { createGraph, inputs: given } = prepared;
  const product = lastStep(createGraph, () =>
    withZeros(name, gradientsOf(gradient, given.tensors, vector, { createGraph }), given.tensors, 'hessian', prepared),
  );
  return results(prepared, outputs, product, given) as [Tensor, Like<Inputs>];
}

/**
 * The output of `fn`, which has one element, and the product of its Hessian with `v`. Slower than `vhp`, which gives the
 * same for a Hessian that is symmetric. As `torch.autograd.functional.hvp`.
 *
 * @example
 * import { autograd, tensor } from 'aiforge';
 * const [output, product] = autograd.functional.hvp((x) => x.pow(3).sum(), tensor([1, 2.5]), tensor([1, 2]));
 * product.tolist(); // [6, 30]
 */
export function hvp<Inputs extends TensorOrTensors>(
  fn: FunctionOf<Inputs, Tensor>,
  inputs: Inputs,
  v: TensorOrTensors | null = null,
  options: ProductOptions = {},
): [Tensor, Like<Inputs>] {
  productTakes.check('hvp', arguments);
  const name = 'autograd.functional.hvp';
  const { prepared, outputs, vector, seeds, second } = enableGrad(() => {
    const ready = prepare(name, fn as Prepared['fn'], inputs, options);
    const given = vectorFor(name, v, ready.inputs, 'the input', ready.createGraph);
    const made = scalarOf(ready);
    const first = gradientsOf(made.tensors, ready.inputs.tensors, undefined, { createGraph: true });
    checkRecorded(name, 'the Jacobian by input', first, ready.strict);
    const zeros = leafZeros(ready.inputs.tensors);
    const twice = gradientsOf(first, ready.inputs.tensors, zeros, { createGraph: true });
    checkRecorded(name, 'the Hessian by input', twice, ready.strict);
    return { prepared: ready, outputs: made, vector: given, seeds: zeros, second: twice };
  });
  const { createGraph, inputs: given } = prepared;
  const product = lastStep(createGraph, () =>
    withZeros(name, gradientsOf(second, seeds, vector, { createGraph }), given.tensors, 'double_back_trick', prepared),
  );
  return results(prepared, outputs, product, given) as [Tensor, Like<Inputs>];
}
