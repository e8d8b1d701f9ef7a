import { brand } from '../brand.js';
import { boolean, optional } from '../kinds.js';
import { signature } from '../signature.js';
import { native, type Handle } from '../native.js';
import { enterContext } from '../tensor/context/context.js';
import { tensorKind } from '../tensor/kinds.js';
import { keep } from '../tensor/memory/scope.js';
import { handleOf, Tensor, tensorKey } from '../tensor/tensor.js';
import { nextAge } from './members/age.js';

const detach = native.registerOperators(['detach']);

const parameterTakes = signature({ data: tensorKind, requiresGrad: optional(boolean) });

/** @internal A new handle of the same data. */
export function aliasOf(data: Tensor): Handle {
  enterContext();
  return native.call(detach, handleOf(data)) as Handle;
}

/**
 * A tensor that a module learns: assigned to a property of a `Module`, it is one of its parameters. It shares the memory
 * of `data` and outlives every `scope`. As `torch.nn.Parameter`.
 *
 * @example
 * import { nn, zeros } from 'aiforge';
 * new nn.Parameter(zeros([3])).requiresGrad; // true
 */
export class Parameter extends Tensor {
  // A plain Tensor is of another type: assigned to a property of a module it would be no parameter.
  declare private readonly isParameter: true;
  readonly #madeAt = nextAge();

  /** @internal */
  static madeAt(parameter: Parameter): number {
    return #madeAt in parameter ? parameter.#madeAt : 0; // another copy of the library's is older than any of this one's
  }

  constructor(data: Tensor, requiresGrad = true) {
    parameterTakes.check(new.target.name, arguments);
    super(tensorKey, aliasOf(data));
    keep(this);
    if (requiresGrad) this.requiresGrad = true;
  }

  /** @internal A parameter of the same kind with other data. */
  copyWith(data: Tensor): Parameter {
    return new Parameter(data, this.requiresGrad);
  }

  override toString(): string {
    return `Parameter containing:\n${super.toString()}`;
  }
}

brand(Parameter, 'Parameter');
