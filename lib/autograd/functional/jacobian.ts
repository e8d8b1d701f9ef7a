import { anything, boolean, func, oneOf } from '../../kinds.js';
import { show } from '../../show.js';
import { signature } from '../../signature.js';
import { stack, zerosLike } from '../../tensor/generated/functions.js';
import type { Tensor } from '../../tensor/tensor.js';
import {
  checkRecorded,
  freshInputs,
  invalid,
  refuseIndependent,
  tensorList,
  unlisted,
  type TensorList,
  type TensorOrTensors,
} from './inputs.js';
import { gradientsOf, standardBasis } from '../gradients.js';
import { gradientAndValueOf } from '../transforms/gradTransform.js';
import { jvpOf } from '../transforms/jvpTransform.js';
import { enableGrad } from '../modes.js';
import type { FunctionOf, ProductOptions } from './products.js';
import { vmap } from '../transforms/vmap.js';

export interface JacobianOptions extends ProductOptions {
  /** Computes all rows at once by `vmap`. Default: false. */
  vectorize?: boolean;
  /** `'forward-mode'` computes columns, in one pass, and needs `vectorize`. Default: `'reverse-mode'`. */
  strategy?: 'reverse-mode' | 'forward-mode';
}

const jacobianTakes = signature<JacobianOptions>(
  { fn: func(), inputs: anything },
  { createGraph: boolean, strict: boolean, vectorize: boolean, strategy: oneOf('reverse-mode', 'forward-mode') },
);

export interface HessianOptions extends ProductOptions {
  /** Computes all rows at once by `vmap`. Default: false. */
  vectorize?: boolean;
  /** How the outer Jacobian is computed; `'forward-mode'` needs `vectorize`. Default: `'reverse-mode'`. */
  outerJacobianStrategy?: 'reverse-mode' | 'forward-mode';
}

const hessianTakes = signature<HessianOptions>(
  { fn: func(), inputs: anything },
  {
    createGraph: boolean,
    strict: boolean,
    vectorize: boolean,
    outerJacobianStrategy: oneOf('reverse-mode', 'forward-mode'),
  },
);

type Function = (...inputs: Tensor[]) => unknown;

const sizesOf = (output: Tensor, input: Tensor): number[] => [...output.shape, ...input.shape];
const numels = (tensors: readonly Tensor[]): number[] => tensors.map((tensor) => tensor.numel());

/** For each output, for each input, a tensor of the output's sizes and the input's: arrays only where these were. */
function nested(blocks: readonly Tensor[][], outputs: TensorList, inputs: TensorList, createGraph: boolean): unknown {
  const rows = blocks.map((row) => unlisted(createGraph ? row : row.map((block) => block.detach()), inputs.isList));
  return unlisted(rows, outputs.isList);
}

/** One backward pass for all rows, mapped over the unit vectors of the outputs. */
function rowsAtOnce(outputs: readonly Tensor[], inputs: readonly Tensor[], createGraph: boolean): Tensor[][] {
  const rows = vmap((...seeds: Tensor[]) =>
    gradientsOf(outputs, inputs, seeds, { createGraph, retainGraph: true }).map(
      (gradient, i) => gradient ?? zerosLike(inputs[i]!),
    ),
  )(...standardBasis(outputs));
  const sizes = numels(outputs);
  const byInput = rows.map((all) => all.split(sizes, 0));
  return outputs.map((output, j) => byInput.map((parts, i) => parts[j]!.view(sizesOf(output, inputs[i]!))));
}

interface RowOptions {
  createGraph: boolean;
  strict: boolean;
}

/** One backward pass for each element of an output. */
function rowsOneByOne(
  output: Tensor,
  index: number,
  inputs: readonly Tensor[],
  { createGraph, strict }: RowOptions,
): Tensor[] {
  const name = 'autograd.functional.jacobian';
  const flat = output.reshape([-1]);
  const rows = Array.from({ length: output.numel() }, (_, j) => {
    const gradients = gradientsOf([flat.select(0, j)], inputs, undefined, { createGraph, retainGraph: true });
    return gradients.map((gradient, i) => {
      if (gradient === null && strict) refuseIndependent(name, `output ${index} does not depend on input ${i}`);
      if (gradient !== null && strict && createGraph && !gradient.requiresGrad) {
        refuseIndependent(name, `with createGraph the Jacobian does not depend on input ${i}`);
      }
      return gradient ?? zerosLike(inputs[i]!);
    });
  });
  return inputs.map((input, i) =>
    rows.length === 0
      ? input.newZeros(sizesOf(output, input))
      : stack(rows.map((row) => row[i]!)).view(sizesOf(output, input)),
  );
}

/** One forward pass for all columns, mapped over the unit vectors of the inputs. */
function columnsAtOnce(fn: Function, inputs: TensorList): unknown {
  const name = 'autograd.functional.jacobian';
  const positions = inputs.tensors.map((_, i) => i);
  let isList = false;
  const columns = vmap((...tangents: Tensor[]) => {
    const { tangents: slopes } = jvpOf(name, fn, inputs.tensors, positions, tangents, {});
    const made = tensorList(name, 'what the function returns', slopes);
    isList = made.isList;
    return [...made.tensors];
  })(...standardBasis(inputs.tensors));
  const sizes = numels(inputs.tensors);
  const blocks = columns.map((all) =>
    all.split(sizes, 0).map((part, i) => {
      const last = part.movedim(0, -1);
      return last.reshape([...last.shape.slice(0, -1), ...inputs.tensors[i]!.shape]);
    }),
  );
  return nested(blocks, { isList, tensors: columns }, inputs, true);
}

function jacobianOf(fn: Function, inputs: TensorOrTensors, options: JacobianOptions): unknown {
  const { createGraph = false, strict = false, vectorize = false, strategy = 'reverse-mode' } = options;
  const name = 'autograd.functional.jacobian';
  const given = tensorList(name, 'inputs', inputs);
  if (strategy === 'forward-mode') {
    if (createGraph || strict) {
      throw invalid(`${name}: strategy 'forward-mode' takes neither createGraph nor strict; use 'reverse-mode'.`);
    }
    if (!vectorize) throw invalid(`${name}: strategy 'forward-mode' needs vectorize: true.`);
    return columnsAtOnce(fn, given);
  }
  if (strategy !== 'reverse-mode') {
    throw invalid(`${name}: expected the strategy 'reverse-mode' or 'forward-mode', got ${show(strategy)}.`);
  }
  if (vectorize && strict) throw invalid(`${name}: vectorize and strict cannot be used together.`);
  return enableGrad(() => {
    const fresh = freshInputs(given.tensors, createGraph, true);
    const outputs = tensorList(name, 'what the function returns', fn(...fresh));
    checkRecorded(name, 'output', outputs.tensors, strict);
    const blocks = vectorize
      ? rowsAtOnce(outputs.tensors, fresh, createGraph)
      : outputs.tensors.map((output, i) => rowsOneByOne(output, i, fresh, { createGraph, strict }));
    return nested(blocks, outputs, given, createGraph);
  });
}

/** A Jacobian for one tensor, or arrays of them: by output, then by input, where these are arrays. */
export type JacobianOf<Inputs, Output> = Output extends Tensor
  ? Inputs extends Tensor
    ? Tensor
    : Tensor[]
  : Inputs extends Tensor
    ? Tensor[]
    : Tensor[][];

/**
 * The Jacobian of `fn`: for an output of the shape `[...out]` and an input of `[...in]` a tensor of `[...out, ...in]`.
 * As `torch.autograd.functional.jacobian`.
 *
 * @throws AiforgeError INVALID_ARGUMENT in strict mode, where an output does not depend on an input.
 * @example
 * import { autograd, tensor } from 'aiforge';
 * autograd.functional.jacobian((x) => x.mul(x), tensor([1.5, 2])).tolist(); // [[3, 0], [0, 4]]
 */
export function jacobian<Inputs extends TensorOrTensors, Output extends TensorOrTensors>(
  fn: FunctionOf<Inputs, Output>,
  inputs: Inputs,
  options: JacobianOptions = {},
): JacobianOf<Inputs, Output> {
  jacobianTakes.check('jacobian', arguments);
  return jacobianOf(fn as Function, inputs, options) as JacobianOf<Inputs, Output>;
}

/**
 * The Hessian of `fn`, which has one element: for inputs of the shapes `[...a]` and `[...b]` a tensor of `[...a, ...b]`.
 * As `torch.autograd.functional.hessian`.
 *
 * @throws AiforgeError INVALID_ARGUMENT when `fn` gives more than one element.
 * @example
 * import { autograd, tensor } from 'aiforge';
 * autograd.functional.hessian((x) => x.pow(3).sum(), tensor([1, 2.5])).tolist(); // [[6, 0], [0, 15]]
 */
export function hessian<Inputs extends TensorOrTensors>(
  fn: FunctionOf<Inputs, Tensor>,
  inputs: Inputs,
  options: HessianOptions = {},
): Inputs extends Tensor ? Tensor : Tensor[][] {
  hessianTakes.check('hessian', arguments);
  const { createGraph, strict = false, vectorize, outerJacobianStrategy = 'reverse-mode' } = options;
  const name = 'autograd.functional.hessian';
  const { isList, tensors } = tensorList(name, 'inputs', inputs);
  const single = (...given: Tensor[]): Tensor => {
    const output = tensorList(name, 'what the function returns', (fn as Function)(...given));
    checkRecorded(name, 'output', output.tensors, strict);
    if (output.isList) throw invalid(`${name}: the function must return a single Tensor, not an array.`);
    const value = output.tensors[0]!;
    if (value.numel() === 1) return value.squeeze();
    throw invalid(`${name}: the function must return a single element, got the size [${value.shape.join(', ')}].`);
  };
  const gradient = (...given: Tensor[]): Tensor[] => {
    if (outerJacobianStrategy === 'forward-mode') {
      return gradientAndValueOf(name, single, given, { argnums: given.map((_, i) => i) }).gradients as Tensor[];
    }
    const inner = jacobianOf(single, given, { createGraph: true }) as Tensor[];
    checkRecorded(name, 'the Jacobian by input', inner, strict);
    return inner;
  };
  const blocks = jacobianOf(gradient, tensors, {
    createGraph: createGraph ?? false,
    strict,
    vectorize: vectorize ?? false,
    strategy: outerJacobianStrategy,
  }) as Tensor[][];
  return unlisted(
    blocks.map((row) => unlisted(row, isList)),
    isList,
  ) as Inputs extends Tensor ? Tensor : Tensor[][];
}
