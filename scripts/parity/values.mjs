// Turns the values of a frame (see encoding.py) into what the public functions of aiforge take.
import * as aiforge from '../../dist/lib/index.js';
import { camelCase } from '../../dist/lib/tensor/calls/schema.js';

const { fromTypedArray, nn, ops, Tensor } = aiforge;

// Samples and results are made and read by operators that are no public functions; the databases have entries for such too.
ops.unsafe();

const arrayOf = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int64: BigInt64Array,
  int32: Int32Array,
  int16: Int16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
  complex32: Uint16Array,
  complex64: Float32Array,
  complex128: Float64Array,
  float8_e4m3fn: Uint8Array,
  float8_e5m2: Uint8Array,
};

/** The elements of a described tensor's storage, whatever its shape. */
export function storageArray({ header, blob }, described) {
  const Type = arrayOf[described.dtype];
  const [start, length] = header.storages[described.storage];
  return new Type(blob, start, Math.floor(length / Type.BYTES_PER_ELEMENT));
}

const tuples = new WeakSet();

/** Whether an array stands for a Python tuple rather than for a list. */
export const isTuple = (value) => tuples.has(value);

/** The tensors of nested arrays, in order. */
export function tensorsIn(value) {
  if (Tensor.isTensor(value)) return [value];
  return Array.isArray(value) ? value.flatMap(tensorsIn) : [];
}

/** What one sample's arguments are made from; tensors that are the same in Python are the same here. */
export class Arguments {
  #frame;
  #tensors = new Map();
  #bases = new Map();
  /** The tensors that gradients are taken for, in the order of the arguments. */
  differentiable = [];

  constructor(frame) {
    this.#frame = frame;
  }

  value(encoded) {
    if (encoded === null || typeof encoded !== 'object') return encoded;
    if (Array.isArray(encoded)) return encoded.map((item) => this.value(item));
    return decoders[encoded.$](encoded, this);
  }

  options(kwargs) {
    return Object.fromEntries(Object.entries(kwargs).map(([key, value]) => [camelCase(key), this.value(value)]));
  }

  tensor(index) {
    const described = this.#frame.header.tensors[index];
    let made = this.#tensors.get(index);
    if (made === undefined) {
      made = this.#make(described);
      // No view: autocast casts those anew at each use.
      if (described.requiresGrad) made = made.detach().requiresGrad_();
      this.#tensors.set(index, made);
    }
    if (described.requiresGrad) this.differentiable.push(made);
    return made;
  }

  #make(described) {
    const { meta, shape, stride, dtype, storage } = described;
    if (meta) return aiforge.emptyStrided(shape, stride, { dtype, device: 'meta' });
    return storage === undefined ? this.#sparse(described) : this.#strided(described);
  }

  #strided(described) {
    const { dtype, shape, stride, offset = 0, conj, neg } = described;
    let made = this.#base(described);
    if (!isWhole(made, shape, stride, offset)) made = made.asStrided(shape, stride, { storageOffset: offset });
    else made = made.view(shape);
    if (dtype.startsWith('complex') && conj) made = made.conj();
    return neg ? ops.aten('_neg_view')(made) : made;
  }

  #base(described) {
    const key = `${described.storage} ${described.dtype}`;
    let base = this.#bases.get(key);
    if (base === undefined) {
      base = fromTypedArray(storageArray(this.#frame, described), { dtype: described.dtype });
      this.#bases.set(key, base);
    }
    return base;
  }

  #sparse({ layout, parts, shape, dtype }) {
    const [first, second, third] = parts.map((part) => this.value(part));
    if (layout === 'sparse_coo') return aiforge.sparseCooTensor(first, second, shape, { dtype });
    return aiforge.sparseCompressedTensor(first, second, third, shape, { layout, dtype });
  }
}

function isWhole(base, shape, stride, offset) {
  const expected = [];
  let step = 1;
  for (const size of shape.toReversed()) {
    expected.unshift(step);
    step *= Math.max(size, 1);
  }
  const count = shape.reduce((a, b) => a * b, 1);
  return offset === 0 && count === base.numel() && stride.every((item, i) => item === expected[i]);
}

const real = (value) => (typeof value === 'string' ? { nan: NaN, inf: Infinity, '-inf': -Infinity }[value] : value);
const byName = ({ name }) => name;

const decoders = {
  tensor: ({ index }, args) => args.tensor(index),
  int: ({ value }) => BigInt(value),
  float: ({ value }) => real(value),
  complex: ({ re, im }) => ({ re: real(re), im: real(im) }),
  dict: ({ items }, args) => args.options(items),
  tuple: ({ items }, args) => {
    const tuple = items.map((item) => args.value(item));
    tuples.add(tuple);
    return tuple;
  },
  slice: ({ parts }, args) => aiforge.slice(...parts.map((part) => args.value(part))),
  ellipsis: () => '...',
  dtype: byName,
  layout: byName,
  memory_format: byName,
  device: byName,
  object: ({ type, fields }, args) => objects[type](args.options(fields)),
};

// Python objects that samples hold, as what stands for them here.
const objects = {
  PairwiseDistance:
    ({ norm, eps, keepdim }) =>
    (a, b) =>
      nn.functional.pairwiseDistance(a, b, { p: norm, eps, keepdim }),
  LinearCrossEntropyOptions: (fields) => fields,
};
