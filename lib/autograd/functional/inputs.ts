import { AiforgeError } from '../../errors.js';
import { show } from '../../show.js';
import { zerosLike } from '../../tensor/generated/functions.js';
import { Tensor } from '../../tensor/tensor.js';

/** One tensor, or several in an array; results have the same form. */
export type TensorOrTensors = Tensor | readonly Tensor[];

export interface TensorList {
  readonly isList: boolean;
  readonly tensors: readonly Tensor[];
}

export function invalid(message: string): AiforgeError {
  return new AiforgeError('INVALID_ARGUMENT', message);
}

/** What was given to or returned by a function, which must be a tensor or an array of tensors. */
export function tensorList(name: string, what: string, given: unknown): TensorList {
  const isList = Array.isArray(given);
  const tensors: readonly unknown[] = isList ? given : [given];
  for (const [i, tensor] of tensors.entries()) {
    if (Tensor.isTensor(tensor)) continue;
    const found = show(tensor);
    const where = isList ? `the value at index ${i} is ${found}` : `got ${found}`;
    throw invalid(`${name}: ${what} must be a Tensor or an array of Tensors, but ${where}.`);
  }
  return { isList, tensors: tensors as readonly Tensor[] };
}

/** The only item of a list that stands for one tensor. */
export function unlisted<T>(items: readonly T[], isList: boolean): T | readonly T[] {
  return isList ? items : items[0]!;
}

/** New tensors to differentiate by, apart from the same tensors where the function took them from outside. */
export function freshInputs(inputs: readonly Tensor[], createGraph: boolean, needGraph: boolean): Tensor[] {
  return inputs.map((input) => {
    if (createGraph && input.requiresGrad) return input.layout === 'strided' ? input.viewAs(input) : input.clone();
    return input.detach().requiresGrad_(needGraph);
  });
}

/** Results without their history, unless it was asked for. */
export function finished(tensors: readonly Tensor[], createGraph: boolean): readonly Tensor[] {
  return createGraph ? tensors : tensors.map((tensor) => tensor.detach());
}

/** The vector of a product, of the sizes of `others`. */
export function vectorFor(
  name: string,
  v: TensorOrTensors | null,
  others: TensorList,
  what: string,
  createGraph: boolean,
): Tensor[] | undefined {
  if (v === null) {
    if (others.tensors.length === 1 && others.tensors[0]!.numel() === 1) return undefined;
    throw invalid(`${name}: v can be left out only where ${what} is a single Tensor with a single element.`);
  }
  const vector = freshInputs(tensorList(name, 'v', v).tensors, createGraph, false);
  if (vector.length !== others.tensors.length) {
    throw invalid(`${name}: v must have ${others.tensors.length} Tensors, as ${what} has, got ${vector.length}.`);
  }
  for (const [i, tensor] of vector.entries()) {
    const [expected, shape] = [others.tensors[i]!.shape.join(', '), tensor.shape.join(', ')];
    if (shape !== expected) throw invalid(`${name}: v[${i}] must have the size [${expected}], got [${shape}].`);
  }
  return vector;
}

/** Where in a computation a gradient was found missing, which decides what a strict check says. */
export type Stage = 'jacobian' | 'back_trick' | 'hessian' | 'double_back_trick';

const independent: Record<Stage, (i: number) => string> = {
  jacobian: (i) => `the output of the function does not depend on input ${i}`,
  back_trick: (i) => `the gradient by the inputs does not depend on entry ${i} of the grad outputs`,
  hessian: (i) => `the Jacobian of the function does not depend on input ${i}`,
  double_back_trick: (i) => `the Hessian of the function does not depend on entry ${i} of the grad Jacobian`,
};

export function refuseIndependent(name: string, what: string): never {
  throw invalid(`${name}: ${what}, which strict: true does not allow.`);
}

/** Zeros for missing gradients; in strict mode these are errors. */
export function withZeros(
  name: string,
  gradients: readonly (Tensor | null)[],
  references: readonly Tensor[],
  stage: Stage,
  { strict, createGraph }: { strict: boolean; createGraph: boolean },
): Tensor[] {
  return gradients.map((gradient, i) => {
    if (gradient === null) {
      if (strict) refuseIndependent(name, independent[stage](i));
      return zerosLike(references[i]!);
    }
    if (strict && createGraph && !gradient.requiresGrad) {
      const derivative = stage === 'jacobian' || stage === 'back_trick' ? 'Jacobian' : 'Hessian';
      refuseIndependent(name, `with createGraph the ${derivative} does not depend on input ${i}`);
    }
    return gradient;
  });
}

/** In strict mode every tensor must take part in the graph. */
export function checkRecorded(name: string, what: string, tensors: readonly (Tensor | null)[], strict: boolean): void {
  if (!strict) return;
  for (const [i, tensor] of tensors.entries()) {
    if (tensor === null) refuseIndependent(name, `the output of the function does not depend on input ${i}`);
    if (!tensor.requiresGrad) refuseIndependent(name, `${what} ${i} does not depend on the inputs`);
  }
}
