// The entries whose name is not the name of a public function by the mechanical rule: what is called instead, and why.
import * as aiforge from '../../dist/lib/index.js';
import { isTuple } from './values.mjs';

const { ops, nn } = aiforge;
const functional = nn.functional;

const seeded = 'op_db calls the Tensor method of the name, after a seed';
const reflected = "Python's operator with a tensor on the right: the function of the operator, arguments exchanged";
const internal = 'an operator without a public name: ops.aten';
const property = "a property of Python's Tensor";

/** A method that changes its tensor in place and is known by the name without the underscore. */
const inPlace = (name) => ({ why: seeded, call: (x, ...rest) => x[name](...rest) });
const aten = (name) => ({ why: internal, call: (...args) => ops.aten(name)(...args) });
const exchanged = (name) => ({ why: reflected, call: (x, other) => binary(name, other, x) });
const lastTwoExchanged = (name) => ({
  why: 'op_db exchanges the first two arguments',
  call: (x, n, ...rest) => name()(n, x, ...rest),
});

const commutative = new Set(['add', 'mul', 'bitwiseAnd', 'bitwiseOr', 'bitwiseXor']);

function binary(name, left, right) {
  return commutative.has(name) ? aiforge[name](right, left) : aiforge[name](left, right);
}

const timesTransposed = (a, b) => a.matmul(b.mT ?? b.transpose(-2, -1));

export const table = {
  cauchy: inPlace('cauchy_'),
  exponential: inPlace('exponential_'),
  geometric: inPlace('geometric_'),
  log_normal: inPlace('logNormal_'),
  'normal/in_place': inPlace('normal_'),
  uniform: inPlace('uniform_'),
  resize_: { why: 'op_db works on a clone', call: (x, shape) => x.clone().resize_(shape) },
  resize_as_: { why: 'op_db works on a clone', call: (x, other) => x.clone().resizeAs_(other) },
  zero_: { why: 'op_db works on a clone', call: (x) => x.clone().zero_() },
  item: { why: 'a method', call: (x) => x.item() },
  view: { why: 'a method', call: (x, shape) => x.view(shape) },
  to: { why: 'a method', call: (x, ...rest) => x.to(...rest) },
  unfold: {
    why: 'a method; the function torch.nn.functional.unfold is another',
    call: (x, ...rest) => x.unfold(...rest),
  },
  __getitem__: {
    why: "Python's x[index] is x.at(index, …)",
    call: (x, index) => x.at(...(isTuple(index) ? index : [index])),
  },
  __radd__: exchanged('add'),
  __rmul__: exchanged('mul'),
  __rsub__: { why: reflected, call: (x, other) => aiforge.rsub(x, other) },
  __rdiv__: { why: 'Python computes it as reciprocal() * other', call: (x, other) => x.reciprocal().mul(other) },
  __rpow__: exchanged('pow'),
  __rmod__: exchanged('remainder'),
  __rmatmul__: exchanged('matmul'),
  __rand__: exchanged('bitwiseAnd'),
  __ror__: exchanged('bitwiseOr'),
  __rxor__: exchanged('bitwiseXor'),
  where: {
    why: 'op_db exchanges the first two arguments',
    call: (x, condition, ...rest) => aiforge.where(condition, x, ...rest),
  },
  einsum: { why: 'op_db exchanges the arguments', call: (tensors, equation) => aiforge.einsum(equation, tensors) },
  'normal/number_mean': {
    why: 'op_db exchanges the first two arguments',
    call: (std, mean, ...rest) => aiforge.normal(mean, std, ...rest),
  },
  'nn.functional.embedding': {
    why: 'op_db exchanges the first two arguments',
    call: (weight, index, ...rest) => functional.embedding(index, weight, ...rest),
  },
  'nn.functional.embedding_bag': {
    why: 'op_db exchanges the first two arguments',
    call: (weight, index, ...rest) => functional.embeddingBag(index, weight, ...rest),
  },
  svd_lowrank: {
    why: 'op_db gives the product of two matrices',
    call: (a, b, ...rest) => aiforge.svdLowrank(timesTransposed(a, b), ...rest),
  },
  pca_lowrank: {
    why: 'op_db gives the product of two matrices',
    call: (a, b, ...rest) => aiforge.pcaLowrank(timesTransposed(a, b), ...rest),
  },
  'linalg.pinv/singular': {
    why: 'op_db gives the product of two matrices',
    call: (a, b) => aiforge.linalg.pinv(timesTransposed(a, b)),
  },
  'linalg.lstsq/grad_oriented': {
    why: 'op_db takes the first two results',
    call: (a, b, options) => aiforge.linalg.lstsq(a, b, options).slice(0, 2),
  },
  ...Object.fromEntries(
    [0, 1, 2, 3, 4].map((n) => [`polygamma/polygamma_n_${n}`, lastTwoExchanged(() => aiforge.polygamma)]),
  ),
  'special.polygamma/special_polygamma_n_0': lastTwoExchanged(() => aiforge.special.polygamma),
  T: { why: property, call: (x) => x.T },
  H: { why: property, call: (x) => x.H },
  mT: { why: property, call: (x) => x.mT },
  mH: { why: property, call: (x) => x.mH },
  slice: { why: internal, call: (...args) => ops.aten('slice.Tensor')(...args) },
  _softmax_backward_data: aten('_softmax_backward_data'),
  _native_batch_norm_legit: {
    why: internal,
    call: (...args) =>
      ops.aten(args.length > 6 ? '_native_batch_norm_legit' : '_native_batch_norm_legit.no_stats')(...args),
  },
  'torch.ops.aten._safe_softmax.default': aten('_safe_softmax'),
  'torch.ops.aten._flash_attention_forward': aten('_flash_attention_forward'),
  'torch.ops.aten._efficient_attention_forward': aten('_efficient_attention_forward'),
  'torch._scaled_mm': aten('_scaled_mm'),
  'torch._scaled_mm_v2': aten('_scaled_mm_v2'),
  '_segment_reduce/lengths': {
    why: "Python's name of torch.segment_reduce",
    call: (...args) => aiforge.segmentReduce(...args),
  },
  '_segment_reduce/offsets': {
    why: "Python's name of torch.segment_reduce",
    call: (...args) => aiforge.segmentReduce(...args),
  },
  native_dropout_backward: { why: internal, call: (...args) => ops.aten('native_dropout_backward')(...args) },
  rand_like: { why: "op_db's entry calls randn_like", call: (...args) => aiforge.randnLike(...args) },
  'nn.functional.multi_head_attention_forward': {
    why: 'the weights come in one object rather than in 15 positions',
    call: (query, key, value, _embedDim, numHeads, ...rest) => {
      const [inProjWeight, inProjBias, biasK, biasV, addZeroAttn, dropoutP, outProjWeight, outProjBias, options = {}] =
        rest;
      const { useSeparateProjWeight: _, qProjWeight, kProjWeight, vProjWeight, ...others } = options;
      const weights = { inProjWeight, inProjBias, biasK, biasV, addZeroAttn, outProjWeight, outProjBias };
      const separate = { qProjWeight, kProjWeight, vProjWeight };
      return functional.multiHeadAttentionForward(
        query,
        key,
        value,
        numHeads,
        { ...weights, ...separate },
        { dropoutP, ...others },
      );
    },
  },
  max_pool2d_with_indices_backward: {
    why: 'op_db makes the gradient and the indices itself',
    call: (x, { kernelSize, stride, padding = 0, dilation = 1, ceilMode = false }) => {
      const settings = [kernelSize, stride ?? kernelSize, padding, dilation, ceilMode];
      const [out, indices] = ops.aten('max_pool2d_with_indices')(x, ...settings);
      return ops.aten('max_pool2d_with_indices_backward')(out.detach().mul(0).add(1), x, ...settings, indices);
    },
  },
};
