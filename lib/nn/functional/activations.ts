import { emptyLike, zerosLike } from '../../tensor/generated/functions.js';
import type { DType } from '../../tensor/dtype.js';
import type { Tensor } from '../../tensor/tensor.js';
import { invalid } from '../../tensor/composites/named.js';
import { named, type Rest } from './arguments.js';
import { aten } from './aten.js';

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
  operator: string,
  defaults: { [P in keyof Required<T>]: T[P] | undefined },
): Activation<T, K> {
  const [plain, inPlace] = [aten(operator), aten(`${operator}_`)];
  return (input, ...rest) => {
    const { inplace, ...settings } = named<T & InplaceOptions>(name, rest, { ...defaults, inplace: false } as never);
    return (inplace === true ? inPlace : plain)(input, ...Object.values(settings));
  };
}

/** `max(0, x)` above, `alpha * (exp(x) - 1)` below zero; see `torch.nn.functional.elu`. `alpha`: 1. */
export const elu = activation<{ alpha?: number }, ['alpha']>('elu', 'elu', { alpha: 1 });
/** `elu` with a continuous derivative; see `torch.nn.functional.celu`. `alpha`: 1. */
export const celu = activation<{ alpha?: number }, ['alpha']>('celu', 'celu', { alpha: 1 });
/** `elu` scaled so that networks normalise themselves; see `torch.nn.functional.selu`. */
export const selu = activation<object, []>('selu', 'selu', {});
/** See `torch.nn.functional.leaky_relu`. `negativeSlope`: 0.01. */
export const leakyRelu = activation<{ negativeSlope?: number }, ['negativeSlope']>('leakyRelu', 'leaky_relu', {
  negativeSlope: 0.01,
});
export interface HardtanhOptions {
  /** Default: -1. */
  minVal?: number;
  /** Default: 1. */
  maxVal?: number;
}

const clampBetween = activation<HardtanhOptions, ['minVal', 'maxVal']>('hardtanh', 'hardtanh', {
  minVal: -1,
  maxVal: 1,
});

/** `x` between `minVal` and `maxVal`; see `torch.nn.functional.hardtanh`. */
export const hardtanh: typeof clampBetween = (input, ...rest) => {
  const defaults = { minVal: -1, maxVal: 1, inplace: false };
  const { minVal, maxVal } = named<HardtanhOptions & InplaceOptions>('hardtanh', rest, defaults);
  if (minVal > maxVal) throw invalid('hardtanh', `minVal ${minVal} is greater than maxVal ${maxVal}`);
  return clampBetween(input, ...rest);
};
/** `x` between 0 and 6; see `torch.nn.functional.relu6`. */
export const relu6 = activation<object, []>('relu6', 'relu6', {});
/** See `torch.nn.functional.hardsigmoid`. */
export const hardsigmoid = activation<object, []>('hardsigmoid', 'hardsigmoid', {});
/** See `torch.nn.functional.hardswish`. */
export const hardswish = activation<object, []>('hardswish', 'hardswish', {});
/** `x * sigmoid(x)`; see `torch.nn.functional.silu`. */
export const silu = activation<object, []>('silu', 'silu', {});
/** `x * tanh(softplus(x))`; see `torch.nn.functional.mish`. */
export const mish = activation<object, []>('mish', 'mish', {});

export interface RReluOptions {
  /** Default: 1 / 8. */
  lower?: number;
  /** Default: 1 / 3. */
  upper?: number;
  /** Whether slopes are drawn; otherwise the mean of the two is taken. Default: false. */
  training?: boolean;
}

/** `leakyRelu` with random slopes; see `torch.nn.functional.rrelu`. */
export const rrelu = activation<RReluOptions, ['lower', 'upper', 'training']>('rrelu', 'rrelu', {
  lower: 1 / 8,
  upper: 1 / 3,
  training: false,
});

export interface ThresholdOptions {
  threshold: number;
  /** What stands for elements that are not above the threshold. */
  value: number;
}

/** Elements above `threshold`, `value` for the others; see `torch.nn.functional.threshold`. */
export const threshold = activation<ThresholdOptions, ['threshold', 'value']>('threshold', 'threshold', {
  threshold: undefined,
  value: undefined,
});

/** `log(sigmoid(x))`; see `torch.nn.functional.logsigmoid`. */
export const logsigmoid = aten('log_sigmoid') as (input: Tensor) => Tensor;

/** `x / (1 + |x|)`; see `torch.nn.functional.softsign`. */
export function softsign(input: Tensor): Tensor {
  return input.div(input.abs().add(1));
}

/** `x - tanh(x)`; see `torch.nn.functional.tanhshrink`. */
export function tanhshrink(input: Tensor): Tensor {
  return input.sub(input.tanh());
}

export interface SoftmaxOptions {
  /** Default, as in Python: 0 for 0, 1 and 3 dimensions, else 1. */
  dim?: number | null;
  /** The dtype to compute in. Default: the input's. */
  dtype?: DType | null;
}

function normalized(name: string, apply: (input: Tensor, dim: number, dtype: DType | null) => Tensor) {
  return (input: Tensor, ...rest: Rest<SoftmaxOptions, ['dim', 'dtype']>): Tensor => {
    const { dim, dtype } = named<SoftmaxOptions>(name, rest, { dim: null, dtype: null });
    return apply(input, dim ?? ([0, 1, 3].includes(input.dim()) ? 0 : 1), dtype);
  };
}

const softmaxInt = aten('softmax.int');
const logSoftmaxInt = aten('log_softmax.int');

/** Exponentials along `dim`, as shares of their sum; see `torch.nn.functional.softmax`. */
export const softmax = normalized('softmax', softmaxInt);
/** The softmax of `-input`; see `torch.nn.functional.softmin`. */
export const softmin = normalized('softmin', (input, dim, dtype) => softmaxInt(input.neg(), dim, dtype));
/** The logarithm of the softmax; see `torch.nn.functional.log_softmax`. */
export const logSoftmax = normalized('logSoftmax', logSoftmaxInt);

export interface GumbelSoftmaxOptions {
  /** The temperature. Default: 1. */
  tau?: number;
  /** Whether the samples are one-hot, with the gradient of the soft ones. Default: false. */
  hard?: boolean;
  /** Default: -1. */
  dim?: number;
}

/** Samples of the Gumbel-Softmax distribution; see `torch.nn.functional.gumbel_softmax`. */
export function gumbelSoftmax(logits: Tensor, ...rest: Rest<GumbelSoftmaxOptions, ['tau', 'hard', 'dim']>): Tensor {
  const { tau, hard, dim } = named<GumbelSoftmaxOptions>('gumbelSoftmax', rest, { tau: 1, hard: false, dim: -1 });
  const gumbels = emptyLike(logits, { memoryFormat: 'contiguous_format' }).exponential_().log().neg();
  const soft = softmax(logits.add(gumbels).div(tau), dim);
  if (!hard) return soft;
  const index = aten<[Tensor, Tensor]>('max.dim')(soft, dim, true)[1];
  const oneHot = zerosLike(logits, { memoryFormat: 'contiguous_format' }).scatter_(dim, index, 1);
  return oneHot.sub(soft.detach()).add(soft);
}
