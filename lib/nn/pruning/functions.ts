import { func, iterable, kind, notNegative, number, string, whole } from '../../kinds.js';
import { signature } from '../../signature.js';
import { noGrad } from '../../autograd/modes.js';
import { cat, onesLike } from '../../tensor/generated/functions.js';
import { scope } from '../../tensor/memory/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import { findMember } from '../members/registry.js';
import type { Module } from '../module.js';
import { refuse } from '../modules/containers.js';
import {
  methodOf,
  pruningMethods,
  PruningContainer,
  pruneOptions,
  type BasePruningMethod,
  type PruneOptions,
} from './method.js';
import {
  CustomFromMask,
  Identity,
  L1Unstructured,
  LnStructured,
  RandomStructured,
  RandomUnstructured,
  normOrder,
  type NormOrder,
} from './methods.js';
import { moduleKind } from '../moduleKinds.js';
import { isMap } from '../../realms.js';
import { tensorKind } from '../../tensor/kinds.js';

const parameterTakes = signature({ module: moduleKind, name: string });
const amountTakes = signature({ module: moduleKind, name: string, amount: notNegative });
const channelsTakes = signature({ module: moduleKind, name: string, amount: notNegative, dim: whole });
const maskTakes = signature({ module: moduleKind, name: string, mask: tensorKind });
const moduleTakes = signature({ module: moduleKind });

/**
 * Gives a parameter a mask of ones. As `torch.nn.utils.prune.identity`.
 *
 * @throws AiforgeError INVALID_ARGUMENT when the module has no such parameter.
 * @example
 * import { nn } from 'aiforge';
 * const layer = nn.utils.prune.identity(new nn.Linear(2, 3), 'weight');
 * layer.weightMask.tolist(); // [[1, 1], [1, 1], [1, 1]]
 */
export function identity<M extends Module>(module: M, name: string): M {
  parameterTakes.check('identity', arguments);
  Identity.apply(module, name, []);
  return module;
}

/**
 * Sets elements of a parameter to zero, chosen by chance: `amount` of them, or a fraction when it is no whole number. As
 * `torch.nn.utils.prune.random_unstructured`.
 *
 * @example
 * import { nn } from 'aiforge';
 * const { prune } = nn.utils;
 * const layer = prune.randomUnstructured(new nn.Linear(2, 3), 'weight', 2);
 * layer.weight.countNonzero().item(); // 4
 * Object.keys(layer.stateDict()); // ['bias', 'weight_orig', 'weight_mask']
 */
export function randomUnstructured<M extends Module>(module: M, name: string, amount: number): M {
  amountTakes.check('randomUnstructured', arguments);
  RandomUnstructured.apply(module, name, [amount]);
  return module;
}

const l1Takes = signature({ module: moduleKind, name: string, amount: notNegative }, pruneOptions);

/**
 * Sets the elements of the smallest absolute values to zero: `amount` of them, or a fraction when it is no whole number.
 * As `torch.nn.utils.prune.l1_unstructured`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * const layer = new nn.Linear(3, 1);
 * layer.loadStateDict({ weight: tensor([[3, -1, 2]]), bias: tensor([0]) });
 * nn.utils.prune.l1Unstructured(layer, 'weight', 1).weight.tolist(); // [[3, 0, 2]]
 */
export function l1Unstructured<M extends Module>(
  module: M,
  name: string,
  amount: number,
  options: PruneOptions = {},
): M {
  l1Takes.check('l1Unstructured', arguments);
  L1Unstructured.apply(module, name, [amount], options);
  return module;
}

/**
 * Sets whole channels along `dim` to zero, chosen by chance: `amount` of them, or a fraction when it is no whole number.
 * As `torch.nn.utils.prune.random_structured`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for a parameter of fewer than two dimensions, and for a `dim` or an `amount` that
 *   it has not.
 * @example
 * import { nn } from 'aiforge';
 * const layer = nn.utils.prune.randomStructured(new nn.Linear(4, 3), 'weight', 2, 1);
 * layer.weight.countNonzero().item(); // 6
 */
export function randomStructured<M extends Module>(module: M, name: string, amount: number, dim: number): M {
  channelsTakes.check('randomStructured', arguments);
  RandomStructured.apply(module, name, [amount, dim]);
  return module;
}

const lnTakes = signature(
  { module: moduleKind, name: string, amount: notNegative, n: normOrder, dim: whole },
  pruneOptions,
);

/**
 * Sets the channels along `dim` to zero whose norm of order `n` is the smallest: `amount` of them, or a fraction when it
 * is no whole number. As `torch.nn.utils.prune.ln_structured`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for a parameter of fewer than two dimensions, and for a `dim` or an `amount` that
 *   it has not.
 * @example
 * import { nn, tensor } from 'aiforge';
 * const layer = new nn.Linear(2, 2, { bias: false });
 * layer.loadStateDict({ weight: tensor([[3, -4], [1, 2]]) });
 * nn.utils.prune.lnStructured(layer, 'weight', 1, 2, 0).weight.tolist(); // [[3, -4], [0, 0]]
 */
export function lnStructured<M extends Module>(
  module: M,
  name: string,
  amount: number,
  n: NormOrder,
  dim: number,
  options: PruneOptions = {},
): M {
  lnTakes.check('lnStructured', arguments);
  LnStructured.apply(module, name, [amount, n, dim], options);
  return module;
}

/**
 * Prunes a parameter by a mask. As `torch.nn.utils.prune.custom_from_mask`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for a mask of another shape.
 * @example
 * import { nn, tensor } from 'aiforge';
 * const layer = new nn.Linear(3, 1, { bias: false });
 * layer.loadStateDict({ weight: tensor([[3, -1, 2]]) });
 * nn.utils.prune.customFromMask(layer, 'weight', tensor([[0, 1, 1]])).weight.tolist(); // [[0, -1, 2]]
 */
export function customFromMask<M extends Module>(module: M, name: string, mask: Tensor): M {
  maskTakes.check('customFromMask', arguments);
  CustomFromMask.apply(module, name, [mask]);
  return module;
}

export interface GlobalPruneOptions {
  /** How many elements of all parameters, or which fraction of them. */
  amount: number;
  /** What says which elements matter, by module and name. Default: the parameters themselves. */
  importanceScores?: ReadonlyMap<Module, Readonly<Record<string, Tensor>>>;
}

const globalTakes = signature<GlobalPruneOptions>(
  { parameters: iterable('an array of [module, name]'), pruningMethod: func() },
  {
    amount: number,
    importanceScores: kind<ReadonlyMap<Module, Readonly<Record<string, Tensor>>>>('a Map of modules', isMap),
  },
  ['amount'],
);

/**
 * Prunes several parameters as if they were one. As `torch.nn.utils.prune.global_unstructured`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * const { prune } = nn.utils;
 * const [a, b] = [new nn.Linear(4, 4), new nn.Linear(4, 2)];
 * prune.globalUnstructured([[a, 'weight'], [b, 'weight']], prune.L1Unstructured, { amount: 6 });
 * a.weight.countNonzero().add(b.weight.countNonzero()).item(); // 18
 */
export function globalUnstructured(
  parameters: Iterable<readonly [module: Module, name: string]>,
  pruningMethod: new (amount: number) => BasePruningMethod,
  options: GlobalPruneOptions,
): void {
  globalTakes.check('globalUnstructured', arguments);
  const { amount, importanceScores = new Map<Module, Readonly<Record<string, Tensor>>>() } = options;
  const method = new pruningMethod(amount);
  method.tensorName = '*';
  if (method.pruningType !== 'unstructured') refuse('globalUnstructured: expected an unstructured pruning method.');
  const places = Array.from(parameters, ([module, name]) => {
    const property = module[findMember](name)?.property ?? name;
    const tensor = Reflect.get(module, property) as Tensor;
    const mask = Reflect.get(module, `${property}Mask`) as Tensor | undefined;
    return { module, property, tensor, mask, scores: importanceScores.get(module)?.[name] ?? tensor };
  });
  scope(() => {
    const all = noGrad(() => {
      const scores = cat(places.map((place) => place.scores.view(-1)));
      const before = cat(places.map(({ mask, tensor }) => (mask ?? onesLike(tensor)).view(-1)));
      return new PruningContainer(method).computeMask(scores, before);
    });
    let at = 0;
    for (const { module, property, tensor } of places) {
      const size = tensor.numel();
      customFromMask(module, property, all.at(`${at}:${at + size}`).viewAs(tensor));
      at += size;
    }
  });
}

/**
 * Makes a pruned parameter an ordinary one, with its zeros. As `torch.nn.utils.prune.remove`.
 *
 * @throws AiforgeError INVALID_ARGUMENT when the parameter is not pruned.
 * @example
 * import { nn } from 'aiforge';
 * const { prune } = nn.utils;
 * const layer = prune.remove(prune.l1Unstructured(new nn.Linear(2, 3), 'weight', 2), 'weight');
 * layer.weight.countNonzero().item(); // 4
 * Object.keys(layer.stateDict()); // ['bias', 'weight']
 */
export function remove<M extends Module>(module: M, name: string): M {
  parameterTakes.check('remove', arguments);
  const property = module[findMember](name)?.property ?? name;
  const method = methodOf(module, property) ?? refuse(`${module.constructor.name} has no pruned parameter '${name}'.`);
  method.remove(module);
  return module;
}

/**
 * Whether a module or one below it has a pruned parameter. As `torch.nn.utils.prune.is_pruned`.
 *
 * @example
 * import { nn } from 'aiforge';
 * const model = new nn.Sequential(new nn.Linear(2, 3), new nn.ReLU());
 * nn.utils.prune.isPruned(model); // false
 * nn.utils.prune.l1Unstructured(model.at(0), 'weight', 2);
 * nn.utils.prune.isPruned(model); // true
 */
export function isPruned(module: Module): boolean {
  moduleTakes.check('isPruned', arguments);
  for (const each of module.modules()) for (const method of pruningMethods(each)) return method !== null;
  return false;
}
