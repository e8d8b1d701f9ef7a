import { string, whole, orNull, type Kinds } from '../../kinds.js';
import { signature } from '../../signature.js';
import { native, type Handle } from '../../native.js';
import { enterContext } from '../../tensor/context/context.js';
import { handleOf, wrapHandle, type Tensor } from '../../tensor/tensor.js';
import { Module } from '../module.js';
import { stateDictName } from '../members/moduleNames.js';
import { registerParametrization, type Parametrized } from '../parametrize/register.js';
import { moduleKind } from '../moduleKinds.js';

const { call } = native;
const weightNormId = native.registerOperators(['_weight_norm', 'norm_except_dim']);
const normExceptDimId = weightNormId + 1;

/** `v` scaled along a dimension to the lengths `g`. */
export function normalized(v: Tensor, g: Tensor, dim: number): Tensor {
  enterContext();
  return wrapHandle(call(weightNormId, handleOf(v), handleOf(g), dim) as Handle);
}

/** The lengths of a tensor's parts along a dimension. */
export function normExceptDim(tensor: Tensor, dim: number): Tensor {
  enterContext();
  return wrapHandle(call(normExceptDimId, handleOf(tensor), 2, dim) as Handle);
}

export interface WeightNormOptions {
  /** The tensor. Default: `'weight'`. */
  name?: string;
  /** The dimension whose parts have a length each; null for one length of the whole. Default: 0. */
  dim?: number | null;
}

export const weightNormOptions: Kinds<WeightNormOptions> = { name: string, dim: orNull(whole) };

class _WeightNorm extends Module {
  readonly dim: number;

  constructor(dim: number | null) {
    super();
    this.dim = dim ?? -1;
  }

  override forward(g: Tensor, v: Tensor): Tensor {
    return normalized(v, g, this.dim);
  }

  rightInverse(weight: Tensor): [g: Tensor, v: Tensor] {
    return [normExceptDim(weight, this.dim), weight];
  }
}

const takes = signature({ module: moduleKind }, weightNormOptions);

/**
 * Has a weight learnt as length and direction: `weight = g * v / ‖v‖`, with `g` in `original0` and `v` in `original1`. As
 * `torch.nn.utils.parametrizations.weight_norm`; state dicts of the older `nn.utils.weightNorm` are read too.
 *
 * @example
 * import { nn } from 'aiforge';
 * const layer = nn.utils.parametrizations.weightNorm(new nn.Linear(20, 40));
 * layer.parametrizations.at('weight').originals().map((x) => x.shape); // [[40, 1], [40, 20]]
 */
export function weightNorm<M extends Module>(module: M, options: WeightNormOptions = {}): Parametrized<M> {
  takes.check('weightNorm', arguments);
  const { name = 'weight', dim = 0 } = options;
  const parametrized = registerParametrization(module, name, new _WeightNorm(dim), { unsafe: true });
  const key = stateDictName(name);
  module.registerLoadStateDictPreHook((_, state, prefix) => {
    const old = [`${prefix}${key}_g`, `${prefix}${key}_v`];
    if (!old.every((each) => state.has(each))) return;
    for (const [i, each] of old.entries()) {
      state.set(`${prefix}parametrizations.${key}.original${i}`, state.get(each));
      state.delete(each);
    }
  });
  return parametrized;
}
