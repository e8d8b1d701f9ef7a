// The floating-point operations of an operator, from the shapes of what it takes and gives. The formulas and their names are
// those of torch.utils.flop_counter: a multiplication with an addition is two operations, and what only moves or maps elements
// counts nothing.
import type { RecordedValue } from '../events.js';

type Shape = readonly number[];
type Values = readonly RecordedValue[];
type Formula = (inputs: Values, outputs: Values) => number;

const product = (sizes: Shape): number => sizes.reduce((a, b) => a * b, 1);

/** The sizes of a tensor; none where there is no tensor. */
const shape = (values: Values, i: number): Shape => {
  const value = values[i];
  return value?.kind === 'tensor' ? value.shape : [];
};
const flag = (values: Values, i: number): boolean => {
  const value = values[i];
  return value?.kind === 'number' && value.value !== 0;
};
const flags = (values: Values, i: number): Shape => {
  const value = values[i];
  return value?.kind === 'numbers' ? value.values : [];
};

const mm = ([m = 0, k = 0]: Shape, [, n = 0]: Shape): number => m * n * 2 * k;
const bmm = ([b = 0, m = 0, k = 0]: Shape, [, , n = 0]: Shape): number => b * m * n * 2 * k;

/** Of each point of the output (of the input, where it is transposed) with the whole filter. */
function convolution(x: Shape, weight: Shape, out: Shape, isTransposed: boolean): number {
  if (weight.length === 0) return 0;
  return product((isTransposed ? x : out).slice(2)) * (x[0] ?? 0) * product(weight) * 2;
}

const swapped = ([a = 0, b = 0, ...rest]: Shape): Shape => [b, a, ...rest];

/** (gradOutput, input, weight, bias sizes, stride, padding, dilation, transposed, output padding, groups, output mask) */
function convolutionBackward(inputs: Values, outputs: Values): number {
  const [grad, x, weight] = [shape(inputs, 0), shape(inputs, 1), shape(inputs, 2)];
  const isTransposed = flag(inputs, 7);
  const [hasInput, hasWeight] = flags(inputs, 10);
  let count = 0;
  if (hasInput) count += convolution(grad, weight, shape(outputs, 0), !isTransposed);
  if (!hasWeight) return count;
  const gradWeight = swapped(shape(outputs, 1));
  const [from, filter] = isTransposed ? [grad, x] : [x, grad];
  return count + convolution(swapped(from), swapped(filter), gradWeight, false);
}

/** Scores of queries and keys, and their sums of values; what a causal mask leaves out is counted. */
function attention([b = 0, heads = 0, length = 0, dim = 0]: Shape, key: Shape, value: Shape): number {
  const [keys = 0, valueDim = 0] = [key[2], value[3]];
  return b * heads * 2 * length * keys * (dim + valueDim);
}

/** The scores once more, then the gradients of scores, values, queries and keys. */
function attentionBackward(query: Shape, key: Shape, value: Shape): number {
  const [b = 0, heads = 0, length = 0, dim = 0] = query;
  const [keys = 0, valueDim = 0] = [key[2], value[3]];
  return b * heads * 2 * length * keys * (3 * dim + 2 * valueDim);
}

const convolutionOf: Formula = (inputs, outputs) =>
  convolution(shape(inputs, 0), shape(inputs, 1), shape(outputs, 0), flag(inputs, 6));
const attentionOf: Formula = (inputs) => attention(shape(inputs, 0), shape(inputs, 1), shape(inputs, 2));
const attentionBackwardOf: Formula = (inputs) =>
  attentionBackward(shape(inputs, 1), shape(inputs, 2), shape(inputs, 3));

/** By the operator's name. That of attention on the CPU is not in PyTorch's list, which counts nothing for it. */
export const formulas: ReadonlyMap<string, Formula> = new Map<string, Formula>([
  ['aten::mm', (inputs) => mm(shape(inputs, 0), shape(inputs, 1))],
  ['aten::addmm', (inputs) => mm(shape(inputs, 1), shape(inputs, 2))],
  ['aten::bmm', (inputs) => bmm(shape(inputs, 0), shape(inputs, 1))],
  ['aten::baddbmm', (inputs) => bmm(shape(inputs, 1), shape(inputs, 2))],
  ['aten::_scaled_mm', (inputs) => mm(shape(inputs, 0), shape(inputs, 1))],
  ['aten::convolution', convolutionOf],
  ['aten::_convolution', convolutionOf],
  ['aten::convolution_overrideable', convolutionOf],
  ['aten::convolution_backward', convolutionBackward],
  ['aten::_scaled_dot_product_efficient_attention', attentionOf],
  ['aten::_scaled_dot_product_flash_attention', attentionOf],
  ['aten::_scaled_dot_product_cudnn_attention', attentionOf],
  ['aten::_scaled_dot_product_flash_attention_for_cpu', attentionOf],
  ['aten::_scaled_dot_product_efficient_attention_backward', attentionBackwardOf],
  ['aten::_scaled_dot_product_flash_attention_backward', attentionBackwardOf],
  ['aten::_scaled_dot_product_cudnn_attention_backward', attentionBackwardOf],
  ['aten::_scaled_dot_product_flash_attention_for_cpu_backward', attentionBackwardOf],
]);
