import { logSigmoid } from '../../tensor/generated/nn.js';
import type { Tensor } from '../../tensor/tensor.js';
import { invalid } from '../../tensor/composites/named.js';
import * as operators from '../operators.js';
import { named, type Rest } from './arguments.js';
import { number } from '../../kinds.js';
import { signature } from '../../signature.js';
import { tensorKind } from '../../tensor/kinds.js';

const inputTakes = signature({ input: tensorKind });

export interface InplaceOptions {
  /** Whether the input itself is changed. Default: false. */
  inplace?: boolean;
}

type Activation<T extends object, K extends readonly string[]> = (
  input: Tensor,
  ...rest: Rest<T & InplaceOptions, [...K, 'inplace']>
) => Tensor;

/** A function of one tensor, its parameters in Python's order, that can work in place. */
function activation<T extends object, K extends readonly string[]>(
  name: string,
  operator: (input: Tensor, ...settings: never[]) => Tensor,
  defaults: { [P in keyof Required<T>]: T[P] | undefined },
): Activation<T, K> {
  return (input, ...rest) => {
    const given = named<T & InplaceOptions>(name, rest, { ...defaults, inplace: false } as never);
    return operator(input, ...(Object.values(given) as never[]));
  };
}

type InPlace<T extends object, K extends readonly string[]> = (input: Tensor, ...rest: Rest<T, K>) => Tensor;

/** The form of an activation that always changes its input. */
function inPlace<T extends object, K extends readonly string[]>(
  name: string,
  operator: (input: Tensor, ...settings: never[]) => Tensor,
  defaults: { [P in keyof Required<T>]: T[P] | undefined },
): InPlace<T, K> {
  return (input, ...rest) => operator(input, ...([...Object.values(named<T>(name, rest, defaults)), true] as never[]));
}

export interface AlphaOptions {
  /** What the function tends to far below zero, negated. Default: 1. */
  alpha?: number;
}

/**
 * `x` above zero, `alpha * (exp(x) - 1)` below; see `torch.nn.functional.elu`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.elu(tensor([-1, 2], { dtype: 'float32' })); // tensor([-0.6321,  2.0000])
 */
export const elu = activation<AlphaOptions, ['alpha']>('elu', operators.elu, { alpha: 1 });

/**
 * `elu` in place; see `torch.nn.functional.elu_`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * const x = tensor([0, 2], { dtype: 'float32' });
 * nn.functional.elu_(x) === x; // true
 */
export const elu_ = inPlace<AlphaOptions, ['alpha']>('elu_', operators.elu, { alpha: 1 });

/**
 * `elu` with a derivative without a jump, `max(0, x) + min(0, alpha * (exp(x / alpha) - 1))`; see
 * `torch.nn.functional.celu`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.celu(tensor([-1, 2], { dtype: 'float32' }), 0.5); // tensor([-0.4323,  2.0000])
 */
export const celu = activation<AlphaOptions, ['alpha']>('celu', operators.celu, { alpha: 1 });

/**
 * `celu` in place; see `torch.nn.functional.celu_`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * const x = tensor([0, 2], { dtype: 'float32' });
 * nn.functional.celu_(x) === x; // true
 */
export const celu_ = inPlace<AlphaOptions, ['alpha']>('celu_', operators.celu, { alpha: 1 });

/**
 * `elu` with alpha 1.6733, scaled by 1.0507, so that networks normalise themselves; see `torch.nn.functional.selu`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.selu(tensor([-1, 1], { dtype: 'float32' })); // tensor([-1.1113,  1.0507])
 */
export const selu = activation<object, []>('selu', operators.selu, {});

/**
 * `selu` in place; see `torch.nn.functional.selu_`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * const x = tensor([0, 2], { dtype: 'float32' });
 * nn.functional.selu_(x) === x; // true
 */
export const selu_ = inPlace<object, []>('selu_', operators.selu, {});

export interface NegativeSlopeOptions {
  /** The factor below zero. Default: 0.01. */
  negativeSlope?: number;
}

/**
 * `x` above zero, `negativeSlope * x` below; see `torch.nn.functional.leaky_relu`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.leakyRelu(tensor([-1, 2], { dtype: 'float32' }), 0.25); // tensor([-0.2500,  2.0000])
 */
export const leakyRelu = activation<NegativeSlopeOptions, ['negativeSlope']>('leakyRelu', operators.leakyRelu, {
  negativeSlope: 0.01,
});

/**
 * `leakyRelu` in place; see `torch.nn.functional.leaky_relu_`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * const x = tensor([-1, 2], { dtype: 'float32' });
 * nn.functional.leakyRelu_(x) === x; // true
 */
export const leakyRelu_ = inPlace<NegativeSlopeOptions, ['negativeSlope']>('leakyRelu_', operators.leakyRelu, {
  negativeSlope: 0.01,
});

export interface HardtanhOptions {
  /** Default: -1. */
  minVal?: number;
  /** Default: 1. */
  maxVal?: number;
}

const boundsTake = signature({ minVal: number, maxVal: number });

function clampBetween(input: Tensor, minVal: number, maxVal: number, inplace: boolean): Tensor {
  boundsTake.check('hardtanh', [minVal, maxVal]);
  if (minVal > maxVal) throw invalid('hardtanh', `minVal ${minVal} is greater than maxVal ${maxVal}`);
  return operators.hardtanh(input, minVal, maxVal, inplace);
}

/**
 * `x` between `minVal` and `maxVal`; see `torch.nn.functional.hardtanh`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.hardtanh(tensor([-3, 0.5, 3])); // tensor([-1.0000,  0.5000,  1.0000])
 */
export const hardtanh = activation<HardtanhOptions, ['minVal', 'maxVal']>('hardtanh', clampBetween, {
  minVal: -1,
  maxVal: 1,
});

/**
 * `hardtanh` in place; see `torch.nn.functional.hardtanh_`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.hardtanh_(tensor([-3, 0.5, 3]), 0, 2); // tensor([0.0000, 0.5000, 2.0000])
 */
export const hardtanh_ = inPlace<HardtanhOptions, ['minVal', 'maxVal']>('hardtanh_', clampBetween, {
  minVal: -1,
  maxVal: 1,
});

/**
 * `x` between 0 and 6; see `torch.nn.functional.relu6`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.relu6(tensor([-3, 8], { dtype: 'float32' })); // tensor([0., 6.])
 */
export const relu6 = activation<object, []>('relu6', operators.relu6, {});

/**
 * `x / 6 + 1 / 2` between 0 and 1; see `torch.nn.functional.hardsigmoid`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.hardsigmoid(tensor([-4, 0], { dtype: 'float32' })); // tensor([0.0000, 0.5000])
 */
export const hardsigmoid = activation<object, []>('hardsigmoid', operators.hardsigmoid, {});

/**
 * `x * hardsigmoid(x)`; see `torch.nn.functional.hardswish`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.hardswish(tensor([-4, 3], { dtype: 'float32' })); // tensor([-0., 3.])
 */
export const hardswish = activation<object, []>('hardswish', operators.hardswish, {});

/**
 * `x * sigmoid(x)`; see `torch.nn.functional.silu`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.silu(tensor([0, 1], { dtype: 'float32' })); // tensor([0.0000, 0.7311])
 */
export const silu = activation<object, []>('silu', operators.silu, {});

/**
 * `x * tanh(softplus(x))`; see `torch.nn.functional.mish`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.mish(tensor([0, 1], { dtype: 'float32' })); // tensor([0.0000, 0.8651])
 */
export const mish = activation<object, []>('mish', operators.mish, {});

export interface RReluOptions {
  /** The least slope. Default: 1 / 8. */
  lower?: number;
  /** The greatest slope. Default: 1 / 3. */
  upper?: number;
  /** Whether slopes are drawn; otherwise the mean of the two is taken. Default: false. */
  training?: boolean;
}

type RReluOrder = ['lower', 'upper', 'training'];
const rreluDefaults = { lower: 1 / 8, upper: 1 / 3, training: false };

/**
 * `leakyRelu` with slopes drawn between `lower` and `upper`; see `torch.nn.functional.rrelu`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.rrelu(tensor([-1, 2], { dtype: 'float32' }), 0.25, 0.75); // tensor([-0.5000,  2.0000])
 */
export const rrelu = activation<RReluOptions, RReluOrder>('rrelu', operators.rrelu, rreluDefaults);

/**
 * `rrelu` in place; see `torch.nn.functional.rrelu_`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.rrelu_(tensor([-1, 2], { dtype: 'float32' }), 0.25, 0.75); // tensor([-0.5000,  2.0000])
 */
export const rrelu_ = inPlace<RReluOptions, RReluOrder>('rrelu_', operators.rrelu, rreluDefaults);

export interface ThresholdOptions {
  threshold: number;
  /** What stands for elements that are not above the threshold. */
  value: number;
}

type ThresholdOrder = ['threshold', 'value'];
const thresholdDefaults = { threshold: undefined, value: undefined };

/**
 * Elements above `threshold`, `value` for the others; see `torch.nn.functional.threshold`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.threshold(tensor([1, 3], { dtype: 'float32' }), 2, -1); // tensor([-1.,  3.])
 */
export const threshold = activation<ThresholdOptions, ThresholdOrder>(
  'threshold',
  operators.threshold,
  thresholdDefaults,
);

/**
 * `threshold` in place; see `torch.nn.functional.threshold_`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.threshold_(tensor([1, 3], { dtype: 'float32' }), 2, -1); // tensor([-1.,  3.])
 */
export const threshold_ = inPlace<ThresholdOptions, ThresholdOrder>(
  'threshold_',
  operators.threshold,
  thresholdDefaults,
);

/**
 * `log(sigmoid(x))`; see `torch.nn.functional.logsigmoid`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.logsigmoid(tensor([0, 1], { dtype: 'float32' })); // tensor([-0.6931, -0.3133])
 */
export function logsigmoid(input: Tensor): Tensor {
  inputTakes.check('logsigmoid', arguments);
  return logSigmoid(input);
}

/**
 * `x / (1 + |x|)`; see `torch.nn.functional.softsign`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.softsign(tensor([0, 1], { dtype: 'float32' })); // tensor([0.0000, 0.5000])
 */
export function softsign(input: Tensor): Tensor {
  inputTakes.check('softsign', arguments);
  return input.div(input.abs().add(1));
}

/**
 * `x - tanh(x)`; see `torch.nn.functional.tanhshrink`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.tanhshrink(tensor([0, 1], { dtype: 'float32' })); // tensor([0.0000, 0.2384])
 */
export function tanhshrink(input: Tensor): Tensor {
  inputTakes.check('tanhshrink', arguments);
  return input.sub(input.tanh());
}
