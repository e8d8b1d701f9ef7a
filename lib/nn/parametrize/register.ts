import { boolean, func, optional, string } from '../../kinds.js';
import { signature } from '../../signature.js';
import { noGrad } from '../../autograd/modes.js';
import { isThenable } from '../../tensor/context/context.js';
import { scope } from '../../tensor/memory/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { Module } from '../module.js';
import { stateDictName } from '../members/moduleNames.js';
import { refuse } from '../modules/containers.js';
import { ModuleDict } from '../modules/moduleDict.js';
import { Parameter } from '../parameter.js';
import { findMember, registry, setMember } from '../members/registry.js';
import { checkSame, ParametrizationList, registerTensor, type Parametrization } from './list.js';
import { moduleKind } from '../moduleKinds.js';

/** A module with parametrizations, by the names of their tensors in state dicts. */
export type Parametrized<M extends Module = Module> = M & {
  parametrizations: ModuleDict<Record<string, ParametrizationList>>;
};

export interface ParametrizationOptions {
  /** Skips the checks that dtype and shape stay as they are. Default: false. */
  unsafe?: boolean;
}

const cachedTakes = signature({ body: func() });
const isParametrizedTakes = signature({ module: moduleKind, tensorName: optional(string) });
const moduleTakes = signature({ module: moduleKind });
const transferTakes = signature({ from: moduleKind, to: moduleKind, tensorName: optional(string) });

let caching = 0;
let cache = new Map<ParametrizationList, Tensor>();

/**
 * Runs `body` with every parametrized tensor computed once only, however often it is used. As
 * `torch.nn.utils.parametrize.cached`.
 *
 * @example
 * import { nn, ones } from 'aiforge';
 * const layer = nn.utils.parametrizations.weightNorm(new nn.Linear(2, 2));
 * nn.utils.parametrize.cached(() => layer.weight === layer.weight); // true
 */
export function cached<T>(body: () => T): T {
  cachedTakes.check('cached', arguments);
  ++caching;
  let pending = false;
  try {
    const result = body();
    pending = isThenable(result);
    return pending ? (Promise.resolve(result).finally(endCaching) as T) : result;
  } finally {
    if (!pending) endCaching();
  }
}

function endCaching(): void {
  --caching;
  if (caching === 0) cache = new Map();
}

function compute(list: ParametrizationList): Tensor {
  if (caching === 0) return list.forward();
  const known = cache.get(list);
  if (known !== undefined && !known.isDisposed) return known;
  const tensor = list.forward();
  cache.set(list, tensor);
  return tensor;
}

function listOf(module: Module, property: string): ParametrizationList {
  return (module as Parametrized).parametrizations.at(stateDictName(property));
}

// A property of the module itself: a copied module has it too, and taking it away leaves the copy's where it is.
function accessor(property: string): PropertyDescriptor {
  return {
    configurable: true,
    enumerable: false,
    get(this: Module) {
      return compute(listOf(this, property));
    },
    set(this: Module, value: Tensor) {
      listOf(this, property).rightInverse(value);
    },
  };
}

type AnyModuleClass = abstract new () => Module;

const classes = new WeakMap<AnyModuleClass, AnyModuleClass>();

/** The class of parametrized modules of a class; it differs in its name only. */
function parametrizedClass(base: AnyModuleClass): AnyModuleClass {
  const known = classes.get(base);
  if (known !== undefined) return known;
  abstract class Parametrized extends base {}
  Object.defineProperty(Parametrized, 'name', { value: `Parametrized${base.name}`, configurable: true });
  classes.set(base, Parametrized);
  return Parametrized;
}

/**
 * Whether a module has parametrizations, of a tensor where one is named. As `torch.nn.utils.parametrize.is_parametrized`.
 *
 * @example
 * import { nn } from 'aiforge';
 * const layer = nn.utils.parametrizations.weightNorm(new nn.Linear(2, 2));
 * nn.utils.parametrize.isParametrized(layer); // true
 * nn.utils.parametrize.isParametrized(layer, 'bias'); // false
 */
export function isParametrized(module: Module, tensorName?: string): module is Parametrized {
  isParametrizedTakes.check('isParametrized', arguments);
  const { parametrizations } = module as Module & { parametrizations?: unknown };
  if (!(parametrizations instanceof ModuleDict)) return false;
  return tensorName === undefined ? parametrizations.length > 0 : parametrizations.has(stateDictName(tensorName));
}

/**
 * The class that a module has without its parametrizations. As
 * `torch.nn.utils.parametrize.type_before_parametrizations`.
 *
 * @example
 * import { nn } from 'aiforge';
 * const layer = nn.utils.parametrizations.weightNorm(new nn.Linear(2, 2));
 * layer.constructor.name; // 'ParametrizedLinear'
 * nn.utils.parametrize.typeBeforeParametrizations(layer).name; // 'Linear'
 */
export function typeBeforeParametrizations(module: Module): abstract new (...args: never[]) => Module {
  moduleTakes.check('typeBeforeParametrizations', arguments);
  const type = module.constructor as AnyModuleClass;
  return isParametrized(module) ? (Object.getPrototypeOf(type) as AnyModuleClass) : type;
}

function append(module: Module, property: string, parametrization: Parametrization, unsafe: boolean): void {
  const list = listOf(module, property);
  if (!unsafe) {
    scope(() => {
      const before = Reflect.get(module, property) as Tensor;
      const after: unknown = parametrization.forward(before);
      checkSame('A parametrization', before, after);
      const inverse = parametrization.rightInverse?.(after) ?? null;
      if (inverse !== null) checkSame('The rightInverse of a parametrization', before, inverse);
    });
  }
  list.append(parametrization);
  list.unsafe ||= unsafe;
}

const registerTakes = signature<ParametrizationOptions>(
  { module: moduleKind, tensorName: string, parametrization: moduleKind },
  { unsafe: boolean },
);

/**
 * Has a parameter or buffer of a module computed from another tensor, which `layer.parametrizations.at('weight').original`
 * is and which is learnt in its place; further parametrizations of the tensor come after those that it has. Assigning to
 * the tensor assigns the original by `rightInverse`. As `torch.nn.utils.parametrize.register_parametrization`.
 *
 * @throws AiforgeError INVALID_ARGUMENT when the module has no such tensor, or when the parametrization changes its shape
 *   or dtype.
 * @example
 * import { nn } from 'aiforge';
 * class Symmetric extends nn.Module {
 *   forward(x) {
 *     return x.triu().add(x.triu(1).t());
 *   }
 * }
 * const layer = new nn.Linear(3, 3);
 * nn.utils.parametrize.registerParametrization(layer, 'weight', new Symmetric());
 * layer.weight.equal(layer.weight.t()); // true
 * Object.keys(layer.stateDict()); // ['bias', 'parametrizations.weight.original']
 */
export function registerParametrization<M extends Module>(
  module: M,
  tensorName: string,
  parametrization: Parametrization,
  options: ParametrizationOptions = {},
): Parametrized<M> {
  registerTakes.check('registerParametrization', arguments);
  const { unsafe = false } = options;
  parametrization.train(module.training);
  if (isParametrized(module, tensorName)) {
    append(module, tensorName, parametrization, unsafe);
    return module;
  }
  const member = module[findMember](tensorName);
  const isTensor = member?.value instanceof Parameter || (member && module[registry].buffers.has(member.property));
  if (member === undefined || !isTensor) {
    return refuse(`${module.constructor.name} has no parameter or buffer '${tensorName}' to parametrize.`);
  }
  const list = new ParametrizationList([parametrization], member.value as Tensor, { unsafe });
  module[setMember](member.property, undefined);
  if (!isParametrized(module)) {
    const type = parametrizedClass(module.constructor as AnyModuleClass);
    Object.setPrototypeOf(module, type.prototype as object);
    (module as unknown as Parametrized).parametrizations = new ModuleDict<Record<string, ParametrizationList>>();
  }
  Object.defineProperty(module, member.property, accessor(member.property));
  (module as unknown as Parametrized).parametrizations.set(member.name, list);
  return module as Parametrized<M>;
}

/** The tensor that a module has again in the place of a parametrized one. */
function restored(module: Parametrized, property: string, leaveParametrized: boolean): Tensor {
  const list = listOf(module, property);
  if (list.isTensor) {
    const { original } = list;
    if (leaveParametrized) scope(() => noGrad(() => original.setData(compute(list))));
    return original;
  }
  if (!leaveParametrized) {
    refuse(`'${property}' is computed from several tensors: leaveParametrized: false cannot say which is to stay.`);
  }
  return scope(() => {
    const tensor = compute(list);
    return tensor.requiresGrad ? new Parameter(tensor) : tensor;
  });
}

const removeTakes = signature<{ leaveParametrized?: boolean }>(
  { module: moduleKind, tensorName: string },
  { leaveParametrized: boolean },
);

/**
 * Makes a parametrized tensor an ordinary one again, with the value that it has, or with `leaveParametrized: false` with
 * the original's. As `torch.nn.utils.parametrize.remove_parametrizations`.
 *
 * @throws AiforgeError INVALID_ARGUMENT when the tensor is not parametrized, and for `leaveParametrized: false` when it is
 *   computed from several tensors.
 * @example
 * import { nn } from 'aiforge';
 * const layer = nn.utils.parametrizations.weightNorm(new nn.Linear(2, 2));
 * nn.utils.parametrize.removeParametrizations(layer, 'weight');
 * Object.keys(layer.stateDict()); // ['bias', 'weight']
 */
export function removeParametrizations<M extends Module>(
  module: M,
  tensorName: string,
  options: { leaveParametrized?: boolean } = {},
): M {
  removeTakes.check('removeParametrizations', arguments);
  const { leaveParametrized = true } = options;
  if (!isParametrized(module, tensorName)) {
    return refuse(`${(module as Module).constructor.name} has no parametrization of '${tensorName}'.`);
  }
  const tensor = restored(module, tensorName, leaveParametrized);
  Reflect.deleteProperty(module, tensorName);
  module.parametrizations.delete(stateDictName(tensorName));
  registerTensor(module, tensorName, tensor);
  if (module.parametrizations.length === 0) {
    Reflect.deleteProperty(module, 'parametrizations');
    const type = Object.getPrototypeOf(module) as object;
    Object.setPrototypeOf(module, Object.getPrototypeOf(type) as object);
  }
  return module;
}

/**
 * Gives a module the parametrizations that another has, of one tensor or of all, and their original tensors. As
 * `torch.nn.utils.parametrize.transfer_parametrizations_and_params`.
 *
 * @example
 * import { nn } from 'aiforge';
 * const from = nn.utils.parametrizations.weightNorm(new nn.Linear(2, 2));
 * const to = nn.utils.parametrize.transferParametrizationsAndParams(from, new nn.Linear(2, 2));
 * nn.utils.parametrize.isParametrized(to, 'weight'); // true
 * to.weight.equal(from.weight); // true
 */
export function transferParametrizationsAndParams<M extends Module>(from: Module, to: M, tensorName?: string): M {
  transferTakes.check('transferParametrizationsAndParams', arguments);
  if (!isParametrized(from)) return to;
  for (const name of tensorName === undefined ? [...from.parametrizations.keys()] : [stateDictName(tensorName)]) {
    const list = from.parametrizations.at(name);
    const property = Object.getOwnPropertyNames(from).find((own) => stateDictName(own) === name)!;
    if (Reflect.get(to, property) === undefined) {
      Reflect.set(to, property, new Parameter(scope(() => compute(list).detach())));
    }
    for (const parametrization of list) registerParametrization(to, property, parametrization);
    const own = listOf(to, property);
    if (list.isTensor) own.original = list.original;
    else list.originals().forEach((tensor, i) => Reflect.set(own, `original${i}`, tensor));
  }
  return to;
}
