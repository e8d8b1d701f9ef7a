// What the most used operators do, a sentence each: the first thing that an editor shows of them.

const text = `
abs: The absolute value of each element.
add: \`x + alpha * other\`, element by element.
addmm: \`beta * x + alpha * (mat1 @ mat2)\`.
all: Whether all elements, or all along \`dim\`, are true.
allclose: Whether all elements are equal but for \`atol + rtol * |other|\`.
amax: The greatest elements along \`dim\`, without their places.
amin: The least elements along \`dim\`, without their places.
any: Whether some element, or some along \`dim\`, is true.
arange: The numbers from \`start\` up to, but without, \`end\`, by \`step\`.
argmax: The place of the greatest element, or of the greatest along \`dim\`.
argmin: The place of the least element, or of the least along \`dim\`.
argsort: The places of the elements in ascending order along \`dim\`.
baddbmm: \`beta * x + alpha * (batch1 @ batch2)\`, matrix by matrix.
bernoulli: Zeros and ones, each one with the probability that the element gives.
bmm: The products of two batches of matrices.
cat: Tensors joined along a dimension that they have.
ceil: The least whole number that is no less than each element.
chunk: The tensor in \`chunks\` parts along \`dim\`, as views.
clamp: Each element, but no less than \`min\` and no greater than \`max\`.
clone: A copy of the tensor, which gradients flow through.
contiguous: The tensor in the order of its memory format; itself when it is so already.
cos: The cosine of each element.
cumprod: The products of the elements up to each place along \`dim\`.
cumsum: The sums of the elements up to each place along \`dim\`.
detach: The tensor apart from the graph: a view that gradients do not flow through.
diag: The diagonal of a matrix, or the matrix with the given diagonal.
div: \`x / other\`, element by element; \`roundingMode\` makes the quotients whole.
dot: The sum of the products of two vectors' elements.
empty: A tensor of a shape with elements that are not set.
emptyLike: A tensor like another one with elements that are not set.
eq: Where the elements are equal.
equal: Whether two tensors have one shape and equal elements.
erf: The error function of each element.
exp: e to the power of each element.
expand: A view in which dimensions of size 1 are repeated.
eye: The identity matrix.
fill: The tensor with one value in every place.
flatten: The tensor with the dimensions from \`startDim\` to \`endDim\` made one.
flip: The tensor with its elements in reverse order along \`dims\`.
floor: The greatest whole number that is no greater than each element.
full: A tensor of a shape with one value in every place.
gather: Along \`dim\`, the elements that \`index\` names.
ge: Where \`x >= other\`.
gt: Where \`x > other\`.
indexSelect: The slices along \`dim\` that \`index\` names.
isfinite: Where the elements are finite.
isinf: Where the elements are infinite.
isnan: Where the elements are NaN.
le: Where \`x <= other\`.
lerp: \`x + weight * (end - x)\`, element by element.
linspace: \`steps\` numbers from \`start\` to \`end\` at equal distances.
log: The natural logarithm of each element.
log1p: The natural logarithm of 1 plus each element.
logSoftmax: The logarithm of the softmax along \`dim\`.
logicalAnd: Where both elements are true.
logicalNot: Where the element is false.
logicalOr: Where one element or both are true.
logsumexp: The logarithm of the sum of the exponentials along \`dim\`.
lt: Where \`x < other\`.
maskedFill: The tensor with \`value\` where \`mask\` is true.
maskedSelect: The elements where \`mask\` is true, in one dimension.
matmul: The product of matrices, of batches of them, or of vectors.
max: The greatest element; along \`dim\`, the greatest elements and their places; or the greater elements of two tensors.
maximum: The greater of the elements of two tensors.
mean: The mean of all elements, or of those along \`dim\`.
median: The median of all elements; along \`dim\`, the medians and their places.
min: The least element; along \`dim\`, the least elements and their places; or the lesser elements of two tensors.
minimum: The lesser of the elements of two tensors.
mm: The product of two matrices.
movedim: The tensor with dimensions moved to other places, as a view.
mul: \`x * other\`, element by element.
multinomial: Indices drawn with the probabilities that the elements are in proportion to.
mv: The product of a matrix and a vector.
narrow: A view of \`length\` elements from \`start\` on along \`dim\`.
ne: Where the elements differ.
neg: \`-x\`, element by element.
normal: Numbers drawn from normal distributions.
oneHot: A dimension more that has a one at the place which the element names, else zeros.
ones: A tensor of ones.
onesLike: A tensor of ones like another one.
outer: The products of each element of one vector with each of another.
permute: The tensor with its dimensions in another order, as a view.
pow: \`x\` to the power of \`exponent\`, element by element.
prod: The product of all elements, or of those along \`dim\`.
rand: Numbers drawn uniformly from 0 to 1.
randint: Whole numbers drawn uniformly from \`low\` up to, but without, \`high\`.
randn: Numbers drawn from the normal distribution of mean 0 and deviation 1.
randperm: The whole numbers below \`n\` in a random order.
reciprocal: \`1 / x\`, element by element.
relu: \`max(x, 0)\`, element by element.
repeat: The tensor as often as \`repeats\` says along each dimension, as a copy.
repeatInterleave: Each element \`repeats\` times, one after the other.
reshape: The elements in another shape: a view where that is possible, else a copy.
roll: The elements moved on by \`shifts\` along \`dims\`; those beyond the end come first.
round: Each element rounded to the nearest whole number, or to \`decimals\`; halves to even.
rsqrt: \`1 / sqrt(x)\`, element by element.
scatter: The tensor with the elements of \`src\` at the places along \`dim\` that \`index\` names.
scatterAdd: The tensor with the elements of \`src\` added at the places along \`dim\` that \`index\` names.
select: A view of the slice at \`index\` along \`dim\`, without that dimension.
sigmoid: \`1 / (1 + exp(-x))\`, element by element.
sign: -1, 0 or 1 by the sign of each element.
sin: The sine of each element.
softmax: The exponentials along \`dim\` as shares of their sum.
sort: The elements in ascending order along \`dim\`, and their places.
split: The tensor in parts of \`splitSize\` along \`dim\`, as views.
sqrt: The square root of each element.
square: The square of each element.
squeeze: The tensor without its dimensions of size 1, as a view.
stack: Tensors of one shape joined along a new dimension.
std: The standard deviation of all elements, or of those along \`dim\`.
sub: \`x - alpha * other\`, element by element.
sum: The sum of all elements, or of those along \`dim\`.
t: The matrix transposed, as a view.
tanh: The hyperbolic tangent of each element.
tile: The tensor repeated as often as \`dims\` says along each dimension.
topk: The \`k\` greatest elements along \`dim\`, and their places.
transpose: The tensor with two dimensions swapped, as a view.
tril: The lower triangle of a matrix, zeros elsewhere.
triu: The upper triangle of a matrix, zeros elsewhere.
unbind: The slices along \`dim\`, as views without that dimension.
unsqueeze: The tensor with a dimension of size 1 more at \`dim\`, as a view.
var: The variance of all elements, or of those along \`dim\`.
view: The same elements in another shape, without a copy.
where: The elements of one tensor where the condition is true, of another where it is not.
zeros: A tensor of zeros.
zerosLike: A tensor of zeros like another one.
`;

const summaries = new Map(
  text
    .trim()
    .split('\n')
    .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
);

/** What a function or method does, or undefined; one that ends in `_` does it in place. */
export function summaryOf(name) {
  const own = summaries.get(name);
  if (own !== undefined || !name.endsWith('_')) return own;
  const base = summaries.get(name.slice(0, -1));
  return base === undefined ? undefined : `In place: ${base[0].toLowerCase()}${base.slice(1)}`;
}

/** The names that have a summary. */
export const summarized = [...summaries.keys()];
