// Random calls as plain JSON, so that each can be written down before it is made, repeated and shrunk.
//
// A value is { k: kind, … }: tensor (dtype, shape, fill, data, form, grad, seed), same (of: the n-th tensor of the call),
// tensors (a list of tensors and nulls), num, big, bool, str, null, undef, complex, list, gen, hostile (by name).
import { formNames } from './tensors.mjs';
import { hostileNames } from './hostile.mjs';

/** The kinds of schema types, in the addon's order (native/calls/values.h). */
const kinds = 'Tensor Int Float Bool Scalar String ScalarType Layout MemoryFormat Device Generator Unsupported'.split(
  ' ',
);

const floats = ['float32', 'float64', 'float16', 'bfloat16'];
const wholes = ['int64', 'int32', 'int16', 'int8', 'uint8', 'uint16', 'uint32', 'uint64'];
const complexes = ['complex32', 'complex64', 'complex128'];
const odd = ['bool', 'float8_e4m3fn', 'float8_e5m2', 'float8_e4m3fnuz', 'float8_e5m2fnuz', 'qint8', 'quint8', 'qint32'];
const dtypes = [...floats, ...wholes, ...complexes, ...odd];
const layouts = ['strided', 'sparse_coo', 'sparse_csr', 'sparse_csc', 'sparse_bsr', 'sparse_bsc', 'jagged'];
const formats = ['contiguous_format', 'preserve_format', 'channels_last', 'channels_last_3d'];
const words = [
  'mean',
  'sum',
  'none',
  'ij',
  'xy',
  'reflect',
  'constant',
  'replicate',
  'circular',
  'linear',
  'lower',
  'higher',
];
const moreWords = [
  'midpoint',
  'nearest',
  'trunc',
  'floor',
  'ortho',
  'forward',
  'backward',
  'fro',
  'nuc',
  'tanh',
  'L',
  'R',
];
const reductions = [
  'amax',
  'amin',
  'prod',
  'max',
  'min',
  'i,i->',
  'ij,jk->ik',
  'reduced',
  'complete',
  'gelu',
  'relu',
  'gesvd',
];
const goodWords = [...words, ...moreWords, ...reductions];
const fills = ['zeros', 'ones', 'nan', 'inf', 'huge', 'positive', 'probability'];

const num = (v) => ({ k: 'num', v: Number.isFinite(v) && !Object.is(v, -0) ? v : Object.is(v, -0) ? '-0' : String(v) });
const big = (v) => ({ k: 'big', v: String(v) });

function baseDType(random) {
  return random.weighted([
    [55, 'float32'],
    [12, random.pick(floats)],
    [15, random.pick(wholes)],
    [8, random.pick(complexes)],
    [10, random.pick(odd)],
  ]);
}

/** What the tensors of one call have in common, so that calls fit more often than chance would have it. */
function plan(random) {
  const rank = random.weighted([
    [2, 0],
    [5, 1],
    [8, 2],
    [6, 3],
    [5, 4],
    [2, 5],
  ]);
  const square = random.chance(0.4) ? random.int(1, 4) : 0;
  const shape = random.list(rank, () => square || random.int(random.chance(0.06) ? 0 : 1, 5));
  return { shape, dtype: baseDType(random), grad: random.chance(0.4) };
}

function shapeNear(random, { shape }) {
  return random.weighted([
    [12, shape],
    [1, shape.map((size) => (random.chance(0.5) ? 1 : size))],
    [1, shape.slice(1)],
    [1, shape.slice(0, 1)],
    [1, random.list(random.int(0, 4), () => random.int(0, 4))],
  ]);
}

const numbersOf = (dtype) => floats.includes(dtype) || complexes.includes(dtype);

function validTensor(random, name, common) {
  const shape = shapeNear(random, common);
  const seed = random.int(1, 2 ** 31);
  if (/ind(ex|ices)|target|offset|idx|lengths|batch_sizes|bucket/.test(name) && random.chance(0.85)) {
    const high = Math.max(0, random.pick([...common.shape, 2]) - 1);
    return { k: 'tensor', dtype: random.pick(['int64', 'int64', 'int32']), shape, fill: 'ints', low: 0, high, seed };
  }
  if (/mask|condition/.test(name) && random.chance(0.8)) return { k: 'tensor', dtype: 'bool', shape, seed };
  const dtype = random.chance(0.9) ? common.dtype : baseDType(random);
  const result = { k: 'tensor', dtype, shape, seed };
  if (random.chance(0.25)) result.fill = random.pick(['positive', 'probability', 'ones', 'zeros']);
  if (random.chance(0.2)) result.form = random.pick(['transposed', 'sliced', 'expanded']);
  if (common.grad && numbersOf(dtype) && random.chance(0.7)) result.grad = true;
  return result;
}

function weirdTensor(random, common) {
  const result = validTensor(random, '', common);
  result.form = random.pick([...formNames, 'plain', 'plain', 'plain']);
  if (random.chance(0.5)) result.fill = random.pick(fills);
  if (random.chance(0.3)) Object.assign(result, { fill: 'ints', low: -100, high: 100 });
  if (random.chance(0.3)) result.dtype = random.pick(dtypes);
  if (random.chance(0.3)) result.shape = random.list(random.int(0, 6), () => random.pick([0, 1, 2, 3, 7]));
  if (random.chance(0.3)) result.grad = true;
  return random.chance(0.1) ? { k: 'same', of: random.int(0, 2) } : result;
}

function validInt(random, name, { shape }) {
  if (/dim|axis/.test(name)) return num(random.int(-shape.length, Math.max(0, shape.length - 1)));
  if (/dtype/.test(name)) return num(random.int(0, 15));
  if (/reduction|mode/.test(name)) return num(random.int(0, 2));
  if (/^(n|k|size|num|steps|end|input_size|batch)/.test(name)) return num(random.int(0, 5));
  return num(random.int(random.chance(0.2) ? -3 : 0, 4));
}

function validInts(random, name, { shape }, size) {
  if (/^dims?$|axes/.test(name)) {
    const axes = random.shuffled(shape.map((_, i) => i));
    return random.chance(0.5) ? axes : axes.slice(0, random.int(0, axes.length));
  }
  if (/size|shape|stride/.test(name) && random.chance(0.6)) return shape;
  if (/pad$/.test(name)) return random.list(2 * random.int(1, 3), () => random.int(0, 2));
  return random.list(size > 0 && random.chance(0.8) ? size : random.int(1, 4), () => random.int(0, 4));
}

function validSingle(random, kind, name, common) {
  switch (kind) {
    case 'Tensor':
      return validTensor(random, name, common);
    case 'Int':
      return validInt(random, name, common);
    case 'Float':
      return num(random.pick([0, 0.5, 1, 2, 0.1, 1e-5, -1]));
    case 'Bool':
      return { k: 'bool', v: random.chance(0.5) };
    case 'Scalar':
      return random.weighted([
        [8, num(random.pick([0, 1, 2, 0.5, -1, 3]))],
        [1, { k: 'bool', v: true }],
        [1, { k: 'complex', re: 1, im: -1 }],
      ]);
    case 'String':
      return { k: 'str', v: random.pick(goodWords) };
    case 'ScalarType':
      return { k: 'str', v: random.chance(0.6) ? common.dtype : random.pick(dtypes) };
    case 'Layout':
      return { k: 'str', v: random.chance(0.8) ? 'strided' : random.pick(layouts) };
    case 'MemoryFormat':
      return { k: 'str', v: random.pick(formats) };
    case 'Device':
      return { k: 'str', v: random.chance(0.8) ? 'cpu' : 'meta' };
    case 'Generator':
      return random.chance(0.5) ? { k: 'null' } : { k: 'gen' };
    default:
      return { k: 'undef' };
  }
}

/** A value of the argument's kind that an operator may well take. */
function validValue(random, argument, common) {
  const kind = kinds[argument.kind];
  const { name, isList, isOptional, hasDefault, listSize, isOut } = argument;
  if (hasDefault && random.chance(0.5)) return { k: 'undef' };
  if (isOptional && random.chance(0.5)) return { k: 'null' };
  if (isOut && random.chance(0.5)) {
    const form = random.chance(0.3) ? { form: 'viewed', shape: [1] } : { shape: [0] };
    return { k: 'tensor', dtype: common.dtype, ...form };
  }
  if (!isList) return validSingle(random, kind, name, common);
  if (kind === 'Tensor') {
    const nullable = argument.type.includes('?[');
    const item = () => (nullable && random.chance(0.3) ? { k: 'null' } : validTensor(random, name, common));
    return { k: 'tensors', v: random.list(random.int(1, 4), item) };
  }
  if (kind === 'Int') return { k: 'list', v: validInts(random, name, common, listSize).map(num) };
  const length = listSize || random.int(1, 4);
  return { k: 'list', v: random.list(length, () => validSingle(random, kind, name, common)) };
}

function hugeInt(random) {
  return random.weighted([
    [2, num(random.pick([-1, -2, -100, 100, 1000, 65_536]))],
    [2, num(random.pick([2 ** 31, 2 ** 31 - 1, -(2 ** 31), 2 ** 32, 2 ** 40, 2 ** 53 - 1, -(2 ** 53) + 1, 2 ** 53]))],
    [2, big(random.pick([2n ** 63n - 1n, -(2n ** 63n), 2n ** 62n, 2n ** 63n, 2n ** 64n, -(2n ** 63n) + 1n]))],
  ]);
}

function oddNumber(random) {
  return random.chance(0.5)
    ? num(random.pick([NaN, Infinity, -Infinity, -0, 1e308, -1e308, 5e-324, 1.5, 1e-300]))
    : hugeInt(random);
}

function oddString(random) {
  const texts = ['', '\0', 'nonsense', '💥', '\ud800', 'cuda:0', 'cpu:99999999999999', 'float32', 'cpu', 'meta'];
  return random.chance(0.1) ? { k: 'str', v: 'x', times: 100_000 } : { k: 'str', v: random.pick(texts) };
}

/** A value of the right kind that no reasonable caller gives. */
function weirdValue(random, argument, common) {
  const kind = kinds[argument.kind];
  if (argument.isList && kind === 'Tensor') {
    const item = () => (random.chance(0.2) ? { k: 'null' } : weirdTensor(random, common));
    return { k: 'tensors', v: random.list(random.int(0, 5), item) };
  }
  const single = () => {
    if (kind === 'Tensor') return weirdTensor(random, common);
    if (kind === 'Int') return hugeInt(random);
    if (kind === 'Float' || kind === 'Scalar') return oddNumber(random);
    if (kind === 'Bool') return random.pick([num(1), { k: 'str', v: 'true' }, { k: 'null' }]);
    if (kind === 'Generator') return random.pick([{ k: 'gen' }, num(99), num(-1), num(NaN)]);
    return oddString(random);
  };
  if (!argument.isList) return single();
  const list = random.list(random.pick([0, 1, 1, 2, 3, 4, 8, 100]), single);
  return {
    k: 'list',
    v: random.chance(0.5) ? list : list.map((item) => (random.chance(0.6) ? num(random.int(0, 3)) : item)),
  };
}

/** A value of any kind at all. */
function anyValue(random, common) {
  return random.weighted([
    [3, weirdTensor(random, common)],
    [2, { k: 'tensors', v: random.list(random.int(0, 3), () => weirdTensor(random, common)) }],
    [2, oddNumber(random)],
    [1, num(random.int(-2, 5))],
    [1, oddString(random)],
    [1, { k: 'bool', v: random.chance(0.5) }],
    [1, { k: random.pick(['null', 'undef']) }],
    [
      2,
      {
        k: 'list',
        v: random.list(random.int(0, 4), () => random.pick([num(1), oddNumber(random), oddString(random)])),
      },
    ],
    [1, { k: 'complex', re: 1, im: NaN }],
    [5, { k: 'hostile', v: random.pick(hostileNames) }],
  ]);
}

/** Another dtype for all tensors of one, other contents and forms: near a call that is known to be taken. */
function varied(random, args) {
  const dtype = random.chance(0.35) ? random.pick(dtypes) : undefined;
  const grad = random.chance(0.4);
  const visit = (value) => {
    if (value?.k === 'tensors' || value?.k === 'list') return { ...value, v: value.v.map(visit) };
    if (value?.k !== 'tensor') return value;
    const result = { ...value, seed: random.int(1, 2 ** 31) };
    if (value.dtype === 'float32' && dtype !== undefined) result.dtype = dtype;
    if (grad && numbersOf(result.dtype) && random.chance(0.7)) result.grad = true;
    if (value.form === undefined && random.chance(0.15))
      result.form = random.pick(['transposed', 'sliced', 'expanded']);
    return result;
  };
  return args.map(visit);
}

/** The arguments for one call of an operator, out of its schema and the known calls. */
export function describeArguments(random, schema, known) {
  const common = plan(random);
  const mood = random.weighted([
    [6, 'valid'],
    [4, 'near'],
    [2, 'absurd'],
  ]);
  const start =
    known.length > 0 && random.chance(0.75)
      ? varied(random, random.pick(known))
      : schema.arguments.map((argument) => validValue(random, argument, common));
  const first = start.find((value) => value?.k === 'tensor');
  if (first !== undefined) Object.assign(common, { shape: first.shape, dtype: first.dtype });
  const args = schema.arguments.map((argument, i) => start[i] ?? validValue(random, argument, common));
  if (mood === 'near' && args.length > 0) {
    for (let i = random.int(1, 2); i > 0; --i) {
      const at = random.int(0, args.length - 1);
      args[at] = weirdValue(random, schema.arguments[at], common);
    }
  } else if (mood === 'absurd') {
    schema.arguments.forEach((argument, i) => {
      if (random.chance(0.4)) args[i] = weirdValue(random, argument, common);
      else if (random.chance(0.3)) args[i] = anyValue(random, common);
    });
    if (random.chance(0.1)) args.push(anyValue(random, common));
    if (random.chance(0.1)) args.pop();
  }
  return args;
}

/** Arguments for what has no schema; a method's first one is what it is called on. */
export function describeAnything(random, via) {
  const common = plan(random);
  const tame = random.chance(0.5);
  const args = random.list(random.int(0, 5), () =>
    tame && random.chance(0.6)
      ? validSingle(random, random.pick(kinds.slice(0, 6)), '', common)
      : anyValue(random, common),
  );
  return via === 'member' && random.chance(0.9) ? [weirdTensor(random, common), ...args] : args;
}
