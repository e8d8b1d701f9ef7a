import { signature } from '../../signature.js';
import { noGrad } from '../../autograd/modes.js';
import { keep, scope } from '../../tensor/memory/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { Module } from '../module.js';
import { addHook, removeHook } from '../hooks/moduleHooks.js';
import { refuse } from '../modules/containers.js';
import { Parameter } from '../parameter.js';
import { findMember, hooksOf, setMember } from '../members/registry.js';
import { normalized, normExceptDim, weightNormOptions, type WeightNormOptions } from './weightNorm.js';
import { moduleKind } from '../moduleKinds.js';
import { optional, string } from '../../kinds.js';

type Update = (module: Module) => void;

// The property that each forward pre-hook computes.
const updates = new WeakMap<Update, string>();

const hookOf = (module: Module, property: string): Update | undefined =>
  [...(hooksOf<Update>(module, 'forwardPre') ?? [])].find((hook) => updates.get(hook) === property);

/** The parameter of that name of a module. */
export function parameterOf(call: string, module: Module, name: string): [property: string, parameter: Parameter] {
  const member = module[findMember](name);
  if (member?.value instanceof Parameter) return [member.property, member.value];
  return refuse(`${call}: ${module.constructor.name} has no parameter '${name}'.`);
}

const takes = signature({ module: moduleKind }, weightNormOptions);

/**
 * Has a weight learnt as length `weightG` and direction `weightV`, from which a hook computes it before every `forward`.
 * As `torch.nn.utils.weight_norm`, which `nn.utils.parametrizations.weightNorm` has replaced.
 *
 * @example
 * import { nn } from 'aiforge';
 * const layer = nn.utils.weightNorm(new nn.Linear(20, 40));
 * Object.keys(layer.stateDict()); // ['bias', 'weight_g', 'weight_v']
 */
export function weightNorm<M extends Module>(module: M, options: WeightNormOptions = {}): M {
  takes.check('weightNorm', arguments);
  const { name = 'weight', dim = 0 } = options;
  if (hookOf(module, name) !== undefined) refuse(`weightNorm: '${name}' has a weight norm already.`);
  const [property, weight] = parameterOf('weightNorm', module, name);
  const compute = (owner: Module): Tensor => {
    const [g, v] = ['G', 'V'].map((suffix) => Reflect.get(owner, property + suffix) as Tensor);
    return normalized(v!, g!, dim ?? -1);
  };
  const update: Update = (owner) => void Reflect.set(owner, property, keep(compute(owner)));
  updates.set(update, property);
  module[setMember](property, undefined);
  scope(() => {
    module.registerParameter(`${property}G`, new Parameter(noGrad(() => normExceptDim(weight, dim ?? -1))));
    module.registerParameter(`${property}V`, new Parameter(weight));
  });
  update(module);
  addHook(module, 'forwardPre', update);
  return module;
}

const removeTakes = signature({ module: moduleKind, name: optional(string) });

/**
 * Takes the weight norm away; the weight is a parameter again. As `torch.nn.utils.remove_weight_norm`.
 *
 * @throws AiforgeError INVALID_ARGUMENT when the weight has no weight norm.
 * @example
 * import { nn } from 'aiforge';
 * const layer = nn.utils.weightNorm(new nn.Linear(20, 40));
 * Object.keys(nn.utils.removeWeightNorm(layer).stateDict()); // ['bias', 'weight']
 */
export function removeWeightNorm<M extends Module>(module: M, name = 'weight'): M {
  removeTakes.check('removeWeightNorm', arguments);
  const hook = hookOf(module, name) ?? refuse(`removeWeightNorm: '${name}' of ${module.constructor.name} has none.`);
  hook(module);
  const weight = Reflect.get(module, name) as Tensor;
  for (const property of [name, `${name}G`, `${name}V`]) module[setMember](property, undefined);
  module.registerParameter(name, new Parameter(weight));
  removeHook(module, 'forwardPre', hook);
  return module;
}
