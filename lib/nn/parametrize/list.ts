import { boolean, iterable } from '../../kinds.js';
import { show } from '../../show.js';
import { signature, nothing } from '../../signature.js';
import { noGrad } from '../../autograd/modes.js';
import { scope } from '../../tensor/memory/scope.js';
import { Tensor } from '../../tensor/tensor.js';
import { ModuleList, refuse } from '../modules/containers.js';
import type { Module } from '../module.js';
import { Parameter } from '../parameter.js';
import { tensorKind } from '../../tensor/kinds.js';

/** A module that computes a tensor of a module from others: a parametrization. */
export interface Parametrization extends Module {
  forward(...originals: Tensor[]): Tensor;
  /**
   * From a value of the parametrized tensor what `forward` would make it of; for several tensors an array. Null says that
   * there is no such thing. Without this method, too, the value is taken as it is when the parametrization is registered.
   */
  rightInverse?(value: Tensor): Tensor | readonly Tensor[] | null;
}

const describe = ({ shape, dtype }: Tensor): string => `${dtype}[${shape.join(', ')}]`;

/** Throws unless a value may stand in the place of another. */
export function checkSame(what: string, expected: Tensor, got: unknown): asserts got is Tensor {
  if (!Tensor.isTensor(got)) refuse(`${what}: expected a Tensor, got ${show(got)}.`);
  if (describe(expected) === describe(got)) return;
  refuse(
    `${what}: expected a tensor ${describe(expected)}, as it was before, got ${describe(got)}. Set unsafe: true to allow it.`,
  );
}

export function registerTensor(module: Module, property: string, tensor: Tensor): void {
  if (tensor instanceof Parameter) module.registerParameter(property, tensor);
  else module.registerBuffer(property, tensor);
}

const valueTakes = signature({ value: tensorKind });
const listTakes = signature<{ unsafe?: boolean }>(
  { modules: iterable('an array of modules'), original: tensorKind },
  { unsafe: boolean },
);

/**
 * The parametrizations of one tensor, one after the other, with the tensors that they compute it from: `original`, or
 * `original0`, `original1`, … where the first takes several. As `torch.nn.utils.parametrize.ParametrizationList`.
 *
 * @throws AiforgeError INVALID_ARGUMENT without a parametrization, and when the parametrizations change the tensor's shape
 *   or dtype.
 * @example
 * import { nn } from 'aiforge';
 * const layer = nn.utils.parametrizations.weightNorm(new nn.Linear(2, 3));
 * const list = layer.parametrizations.at('weight');
 * list.originals().length; // 2
 * list.original0.shape; // [3, 1]
 * list.forward().equal(layer.weight); // true
 */
export class ParametrizationList extends ModuleList<Parametrization> {
  /** Whether there is one original tensor, and not an array of them. */
  readonly isTensor: boolean;
  readonly ntensors: number;
  unsafe: boolean;
  declare original: Tensor;

  constructor(modules: Iterable<Parametrization>, original: Tensor, options: { unsafe?: boolean } = {}) {
    listTakes.check(new.target.name, arguments);
    const { unsafe = false } = options;
    super(modules);
    if (this.length === 0) refuse('A ParametrizationList needs one parametrization at least.');
    this.unsafe = unsafe;
    const value = scope(() => noGrad(() => this.invert(original, false)));
    this.isTensor = Tensor.isTensor(value);
    this.ntensors = Tensor.isTensor(value) ? 1 : value.length;
    const before = scope(() => noGrad(() => original.detach()));
    if (Tensor.isTensor(value)) this.setOriginal(original, value);
    else value.forEach((tensor, i) => this.registerOriginal(i, tensor, original));
    if (!unsafe) scope(() => checkSame('A parametrization', before, this.forward()));
  }

  /** What the parametrizations compute. */
  override forward(): Tensor {
    nothing.check('ParametrizationList.forward', arguments);
    let value: Tensor | undefined;
    for (const module of this)
      value = value === undefined ? module.forward(...this.originals()) : module.forward(value);
    return value!;
  }

  /** Changes the original tensors so that the parametrized one becomes `value`. */
  rightInverse(value: Tensor): void {
    valueTakes.check('rightInverse', arguments);
    scope(() =>
      noGrad(() => {
        const found = this.invert(value, true);
        const originals = this.originals();
        const given = Tensor.isTensor(found) ? [found] : found;
        if (Tensor.isTensor(found) !== this.isTensor || given.length !== originals.length) {
          refuse(`rightInverse: expected ${originals.length} tensors, got ${given.length}.`);
        }
        given.forEach((tensor, i) => {
          if (tensor.dtype !== originals[i]!.dtype) {
            refuse(`rightInverse: expected a tensor of ${originals[i]!.dtype}, got ${tensor.dtype}.`);
          }
          originals[i]!.setData(tensor);
        });
      }),
    );
  }

  /** The tensors that the first parametrization takes. */
  originals(): Tensor[] {
    nothing.check('originals', arguments);
    if (this.isTensor) return [this.original];
    return Array.from({ length: this.ntensors }, (_, i) => Reflect.get(this, `original${i}`) as Tensor);
  }

  private invert(value: Tensor, always: boolean): Tensor | readonly Tensor[] {
    let found: Tensor | readonly Tensor[] = value;
    for (const module of [...this].reverse()) {
      const inverse: Tensor | readonly Tensor[] | null = module.rightInverse?.(found as Tensor) ?? null;
      if (inverse !== null) found = inverse;
      else if (always) refuse(`The parametrization ${module.constructor.name} has no rightInverse to assign by.`);
    }
    return found;
  }

  private setOriginal(original: Tensor, value: Tensor): void {
    if (value.dtype !== original.dtype || value.device !== original.device) {
      refuse(
        `A rightInverse that gives one tensor must keep dtype and device: expected ${original.dtype} on ${original.device}, got ${value.dtype} on ${value.device}.`,
      );
    }
    // The same object, so that an optimizer that has it goes on with it.
    noGrad(() => original.setData(value));
    registerTensor(this, 'original', original);
  }

  private registerOriginal(i: number, tensor: Tensor, original: Tensor): void {
    const { requiresGrad } = original;
    const own =
      original instanceof Parameter ? new Parameter(tensor, requiresGrad) : tensor.requiresGrad_(requiresGrad);
    registerTensor(this, `original${i}`, own);
  }
}
