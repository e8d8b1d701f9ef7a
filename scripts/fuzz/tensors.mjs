// Makes tensors of every kind out of their descriptions, with the addon alone.
import { Random } from './random.mjs';

const numbers = new Map();

/** Calls an operator by its name; returns the addon's result. */
export function callOperator(native, name, ...args) {
  if (!numbers.has(name)) numbers.set(name, native.registerOperators([name]));
  return native.call(numbers.get(name), ...args);
}

const isWhole = (dtype) => /^u?int/.test(dtype) || dtype === 'bool';

/** What one element is; `fill` says from which family it comes. */
function element({ fill, low = -3, high = 3, dtype }, random) {
  switch (fill) {
    case 'ints':
      return random.int(low, high);
    case 'zeros':
      return 0;
    case 'ones':
      return 1;
    case 'nan':
      return random.chance(0.5) ? NaN : random.normal();
    case 'inf':
      return random.pick([Infinity, -Infinity, random.normal()]);
    case 'huge':
      return random.pick([1, -1]) * (isWhole(dtype) ? random.pick([2 ** 31, 2 ** 53, 2 ** 62]) : 1e300);
    case 'positive':
      return random.next() + 0.05;
    case 'probability':
      return random.next();
    default:
      return isWhole(dtype) ? random.int(0, 3) : random.normal();
  }
}

function plain(native, description, shape = description.shape) {
  const count = shape.reduce((product, size) => product * size, 1);
  const random = new Random(description.seed ?? 1);
  const values = Float64Array.from({ length: count }, (_, i) =>
    description.fill === 'data' ? (description.data[i] ?? 0) : element(description, random),
  );
  const { dtype } = description;
  if (isWhole(dtype) && dtype !== 'bool') {
    const whole = BigInt64Array.from(values, (v) => BigInt(Number.isFinite(v) ? Math.trunc(v) : 0));
    return convert(native, native.fromTypedArray(whole, 'int64', shape), dtype);
  }
  return convert(native, native.fromTypedArray(values, 'float64', shape), dtype);
}

function convert(native, handle, dtype) {
  return callOperator(native, 'to.dtype', handle, dtype);
}

const strideOf = (shape) => shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));

/** From the form's name to a tensor of it; each gets the description and makes what it stands on by itself. */
const forms = {
  plain,
  transposed(native, d) {
    if (d.shape.length < 2) return plain(native, d);
    const turned = [...d.shape.slice(0, -2), d.shape.at(-1), d.shape.at(-2)];
    return callOperator(native, 'transpose.int', plain(native, d, turned), -1, -2);
  },
  expanded(native, d) {
    const one = d.shape.map(() => 1);
    return callOperator(native, 'expand', plain(native, d, one), d.shape);
  },
  sliced(native, d) {
    if (d.shape.length === 0) return plain(native, d);
    const wide = d.shape.with(-1, d.shape.at(-1) * 2 + 1);
    return callOperator(native, 'slice.Tensor', plain(native, d, wide), -1, 1, null, 2);
  },
  overlapping(native, d) {
    const count = d.shape.reduce((a, b) => a + b, 1);
    const strides = d.shape.map(() => 1);
    return callOperator(native, 'as_strided', plain(native, d, [count]), d.shape, strides);
  },
  channels_last(native, d) {
    return callOperator(
      native,
      'contiguous',
      plain(native, d),
      d.shape.length === 5 ? 'channels_last_3d' : 'channels_last',
    );
  },
  meta(native, d) {
    return callOperator(native, 'empty_strided', d.shape, strideOf(d.shape), d.dtype, null, 'meta');
  },
  sparse_coo: (native, d) => callOperator(native, 'to_sparse', plain(native, d)),
  uncoalesced(native, d) {
    const rank = d.shape.length;
    const entries = 3;
    const random = new Random(d.seed ?? 1);
    const indices = Float64Array.from({ length: rank * entries }, (_, i) =>
      random.int(0, Math.max(0, d.shape[Math.floor(i / entries)] - 1)),
    );
    const at = convert(native, native.fromTypedArray(indices, 'float64', [rank, entries]), 'int64');
    return callOperator(native, 'sparse_coo_tensor.indices_size', at, plain(native, d, [entries]), d.shape);
  },
  hybrid: (native, d) => callOperator(native, 'to_sparse.sparse_dim', plain(native, d), 1),
  sparse_csr: (native, d) => callOperator(native, 'to_sparse_csr', plain(native, d)),
  sparse_csc: (native, d) => callOperator(native, 'to_sparse_csc', plain(native, d)),
  sparse_bsr: (native, d) => callOperator(native, 'to_sparse_bsr', plain(native, d), [1, 1]),
  sparse_bsc: (native, d) => callOperator(native, 'to_sparse_bsc', plain(native, d), [1, 1]),
  quantized(native, d) {
    const source = plain(native, { ...d, dtype: 'float32' });
    return callOperator(native, 'quantize_per_tensor', source, 0.1, 2, d.dtype.startsWith('q') ? d.dtype : 'quint8');
  },
  per_channel(native, d) {
    const source = plain(native, { ...d, dtype: 'float32' });
    const channels = [d.shape[0] ?? 1];
    const scales = plain(native, { ...d, dtype: 'float64', fill: 'positive' }, channels);
    const zeros = plain(native, { ...d, dtype: 'int64', fill: 'zeros' }, channels);
    return callOperator(native, 'quantize_per_channel', source, scales, zeros, 0, 'qint8');
  },
  conjugate: (native, d) => callOperator(native, 'conj', plain(native, { ...d, dtype: 'complex64' })),
  negative: (native, d) => callOperator(native, '_neg_view', plain(native, d)),
  zerotensor: (native, d) => callOperator(native, '_efficientzerotensor', d.shape, d.dtype),
  mkldnn: (native, d) => callOperator(native, 'to_mkldnn', plain(native, { ...d, dtype: 'float32' })),
  nested(native, d) {
    const parts = [plain(native, d), plain(native, d)];
    return callOperator(native, '_nested_tensor_from_tensor_list', Float64Array.from(parts));
  },
  // Memory that a resize must not move.
  viewed(native, d) {
    const handle = plain(native, d);
    native.viewBytes(handle);
    return handle;
  },
  shared(native, d) {
    const token = native.share(plain(native, d), false);
    const handle = native.receive(token);
    native.releaseShared(token);
    return handle;
  },
  resized(native, d) {
    const handle = plain(native, d);
    callOperator(native, 'resize_', handle, [7, ...d.shape]);
    callOperator(native, 'resize_', handle, d.shape);
    return handle;
  },
  resizedInVain(native, d) {
    const handle = plain(native, d);
    try {
      callOperator(native, 'resize_', handle, [2 ** 50]);
    } catch {
      return handle;
    }
    throw new Error('a resize beyond any memory succeeded');
  },
  // makeTensor has the mode.
  inference: plain,
  // No leaf: an operator made it under autograd.
  derived(native, d) {
    const leaf = plain(native, d);
    native.setRequiresGrad(leaf, true);
    return callOperator(native, 'mul.Scalar', leaf, 1);
  },
  disposed(native, d) {
    const handle = plain(native, d);
    native.dispose(handle);
    return handle;
  },
};

export const formNames = Object.keys(forms);

/** The handle of a described tensor. A form that does not go with the dtype or shape falls back to a plain tensor. */
export function makeTensor({ native, inferenceMode }, description) {
  let handle;
  try {
    const make = forms[description.form] ?? plain;
    handle = make === forms.inference ? inferenceMode(() => plain(native, description)) : make(native, description);
  } catch (error) {
    if (error?.name !== 'AiforgeError') throw error;
    handle = plain(native, description);
  }
  if (description.grad && description.form !== 'disposed') {
    try {
      native.setRequiresGrad(handle, true);
    } catch (error) {
      // Whole numbers have no gradients.
      if (error?.name !== 'AiforgeError') throw error;
    }
  }
  return handle;
}
