// The operators that are called most: they have quick paths for their optional arguments too, and their shapes are told.
const elementwise = 'any; the result has the shape of the input.';
const broadcasting = 'any that broadcast with each other; the result has the shape they broadcast to.';
const reduction = 'any; the dimensions `dim` (default: all) are gone from the result, or have size 1 with `keepdim`.';
const along = 'any; the result has the shape of the input.';

const groups = [
  [
    elementwise,
    'abs neg exp exp2 expm1 log log2 log10 log1p sqrt rsqrt square reciprocal sin cos tan tanh sigmoid relu sign floor ceil round trunc erf isnan isinf isfinite logical_not clamp clamp_min clamp_max nan_to_num zeros_like ones_like empty_like rand_like randn_like full_like gelu silu dropout clone contiguous detach masked_fill',
  ],
  [
    broadcasting,
    'add sub mul div pow maximum minimum fmod remainder floor_divide eq ne lt le gt ge logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor atan2 where lerp isclose',
  ],
  [reduction, 'sum mean prod amax amin all any argmax argmin std var logsumexp norm nansum count_nonzero'],
  [reduction, 'max min median mode'],
  [along, 'softmax log_softmax cumsum cumprod flip roll sort argsort tril triu'],
  ['[n, m] and [m, p]; the result is [n, p].', 'mm'],
  ['[b, n, m] and [b, m, p]; the result is [b, n, p].', 'bmm'],
  ['[…, n, m] and […, m, p] with leading dimensions that broadcast, or vectors; the result is […, n, p].', 'matmul'],
  ['[n, m] and [m]; the result is [n].', 'mv'],
  ['[n] and [n]; the result has no dimension.', 'dot'],
  ['mat1 [n, m], mat2 [m, p], input broadcast to [n, p]; the result is [n, p].', 'addmm'],
  ['[n] and [m]; the result is [n, m].', 'outer'],
  ['input [N, C, L], weight [O, C / groups, k]; the result is [N, O, L′].', 'conv1d'],
  ['input [N, C, H, W], weight [O, C / groups, kH, kW]; the result is [N, O, H′, W′].', 'conv2d'],
  ['input [N, C, D, H, W], weight [O, C / groups, kD, kH, kW]; the result is [N, O, D′, H′, W′].', 'conv3d'],
  ['[…, *normalizedShape]; the result has the shape of the input.', 'layer_norm'],
  ['any; `dim0` and `dim1` change places.', 'transpose swapaxes'],
  ['at most two dimensions, which change places.', 't'],
  ['any; as many elements as the input, where one size may be -1.', 'view reshape'],
  ['any; dimension i of the result is dimension `dims[i]` of the input.', 'permute'],
  ['equal but for dimension `dim`, where the result has the sum of the sizes.', 'cat'],
  ['equal; the result has a new dimension `dim` of the number of tensors.', 'stack'],
  ['any; the result has a new dimension of size 1 at `dim`.', 'unsqueeze'],
  ['any; dimensions of size 1 (all, or those of `dim`) are gone from the result.', 'squeeze'],
  ['any; the dimensions from `startDim` to `endDim` become one.', 'flatten'],
  ['any; sizes of 1 become those of `size`, where -1 keeps a size.', 'expand'],
  ['any; each dimension is repeated as often as `repeats` says.', 'repeat'],
  ['any; dimension `dim` has the length of `index` in the result.', 'index_select'],
  ['`index` has as many dimensions as the input; the result has the shape of `index`.', 'gather'],
  ['any; dimension `dim` is gone from the result.', 'select'],
  ['any; dimension `dim` has `length` elements in the result.', 'narrow'],
  ['any; each part has `splitSize` elements along `dim`, the last may have fewer.', 'split'],
  ['any; at most `chunks` parts along `dim`.', 'chunk'],
  ['any; dimension `dim` has size `k` in both results.', 'topk'],
];

const shapes = new Map(groups.flatMap(([text, names]) => names.split(' ').map((name) => [name, text])));

/** What is known of an operator's shapes, as a sentence. */
export const shapesOf = (base) => shapes.get(base) ?? shapes.get(base.replace(/_$/, ''));

export const isCommon = (base) => shapes.has(base) || shapes.has(base.replace(/_$/, ''));
