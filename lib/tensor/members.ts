import { AiforgeError } from '../errors.js';
import { boolean, func, kind, optional, orNull } from '../kinds.js';
import { nothing, signature } from '../signature.js';
import { native } from '../native.js';
import { norm, unique, uniqueConsecutive, type NormOptions, type UniqueOptions, type UniqueResult } from './composites/reductions.js'; // prettier-ignore
import { nonzero, type NonzeroOptions } from './composites/nonzero.js';
import { lu, type LuOptions } from './composites/products.js';
import { enterContext } from './context/context.js';
import { tensor, tensorTakes, type TensorOptions } from './creation.js';
import { isDevice, type DType, type Device, type MemoryFormat, type TypedArray } from './dtype.js';
import { dtypeKind, memoryFormatKind } from './dtypeKinds.js';
import * as f from './generated/functions.js';
import { tensorKind } from './kinds.js';
import { requireListRoom } from './conversion/nesting.js';
import { aten } from './calls/aten.js';
import { handleOf, Tensor, type NestedArray } from './tensor.js';
import { refuseAssignments } from '../refusedAssignment.js';

interface ConversionOptions {
  /** Default: the tensor's own. */
  memoryFormat?: MemoryFormat | null;
}

// Python's short names of dtypes, and those that `type()` gives tensors of them.
const conversions = {
  float: 'float32',
  double: 'float64',
  half: 'float16',
  bfloat16: 'bfloat16',
  int: 'int32',
  long: 'int64',
  short: 'int16',
  char: 'int8',
  byte: 'uint8',
  bool: 'bool',
  cfloat: 'complex64',
  cdouble: 'complex128',
} as const satisfies Record<string, DType>;

const conversionTakes = signature<ConversionOptions>({}, { memoryFormat: orNull(memoryFormatKind) });

type Conversions = { [name in keyof typeof conversions]: (options?: ConversionOptions) => Tensor };

type Element = number | bigint | boolean;

/** Members that Python's `torch.Tensor` has beside the operators. */
export interface TensorMembers extends Conversions {
  /** The tensor with its dimensions in reverse order. */
  readonly T: Tensor;
  /** The tensor with its last two dimensions swapped. */
  readonly mT: Tensor;
  /** The conjugate transpose of a matrix. */
  readonly H: Tensor;
  /** The conjugate transpose of each matrix in the last two dimensions. */
  readonly mH: Tensor;
  /** A view of the real parts; the tensor itself when it is not complex. */
  real: Tensor;
  /** A view of the imaginary parts of a complex tensor. */
  imag: Tensor;
  /** Bytes of all elements. */
  readonly nbytes: number;
  /** Bytes of one element. */
  readonly itemsize: number;
  readonly isCpu: boolean;
  readonly isCuda: boolean;
  readonly isMeta: boolean;
  /** Whether the layout is `'sparse_coo'`. */
  readonly isSparse: boolean;
  /** Whether the layout is `'sparse_csr'`. */
  readonly isSparseCsr: boolean;
  readonly isQuantized: boolean;
  readonly isNested: boolean;

  /** The number of elements: the same as `numel()`. */
  nelement(): number;
  /** The number of dimensions: the same as `dim()`. */
  ndimension(): number;
  /** How many elements lie in the memory before the first of this tensor. */
  storageOffset(): number;
  /** The address of the first element; only good for comparing. */
  dataPtr(): bigint;
  /** This tensor on the CPU; itself when it is there. */
  cpu(options?: ConversionOptions): Tensor;
  /** This tensor on a CUDA device. Default: `'cuda'`. */
  cuda(
    device?: 'cuda' | `cuda:${number}` | number | null,
    options?: ConversionOptions & { nonBlocking?: boolean },
  ): Tensor;
  /** PyTorch's name of the tensor's type, such as `torch.FloatTensor`; or the tensor as another dtype. */
  type(): string;
  type(dtype: DType): Tensor;
  /** A new tensor with this one's dtype and device, unless the options say otherwise; see `tensor()`. */
  newTensor(data: NestedArray | TypedArray, options?: TensorOptions): Tensor;
  /** Replaces each element by what `body` makes of it; slow, on the CPU only. */
  apply_(body: (value: Element) => Element): this;
  /** Replaces each element by what `body` makes of it and `other`'s; slow, on the CPU only. */
  map_(other: Tensor, body: (value: Element, other: Element) => Element): this;
  /** Replaces each element by what `body` makes of it and those of `x` and `y`; slow, on the CPU only. */
  map2_(x: Tensor, y: Tensor, body: (value: Element, x: Element, y: Element) => Element): this;
  /** The same as `toSparse()`. */
  toSparseCoo(): Tensor;
  /** See the function `norm`. */
  norm(options?: NormOptions): Tensor;
  norm(
    p?: NormOptions['p'] | NormOptions,
    dim?: NormOptions['dim'] | NormOptions,
    keepdim?: boolean | NormOptions,
    options?: NormOptions,
  ): Tensor;
  /** See the function `unique`. */
  unique<const Options extends UniqueOptions & { sorted?: boolean } = object>(options?: Options): UniqueResult<Options>;
  /** See the function `uniqueConsecutive`. */
  uniqueConsecutive<const Options extends UniqueOptions = object>(options?: Options): UniqueResult<Options>;
  /** See the function `lu`. */
  lu(options?: LuOptions): Tensor[];
  lu(pivot?: boolean, getInfos?: boolean | Omit<LuOptions, 'pivot'>): Tensor[];
  /** See the function `nonzero`. */
  nonzero(options: NonzeroOptions & { asTuple: true }): Tensor[];
  nonzero(options?: NonzeroOptions & { asTuple?: false }): Tensor;
}

const typeNames: Partial<Record<DType, string>> = {
  float32: 'Float',
  float64: 'Double',
  float16: 'Half',
  bfloat16: 'BFloat16',
  int64: 'Long',
  int32: 'Int',
  int16: 'Short',
  int8: 'Char',
  uint8: 'Byte',
  bool: 'Bool',
  complex32: 'ComplexHalf',
  complex64: 'ComplexFloat',
  complex128: 'ComplexDouble',
};

function typeName(of: Tensor): string {
  const device = of.isCuda ? 'torch.cuda.' : of.isSparse ? 'torch.sparse.' : 'torch.';
  return `${device}${typeNames[of.dtype] ?? of.dtype}Tensor`;
}

/** Writes what `body` makes of the elements, taken in order, into the tensor. */
function rewrite(target: Tensor, name: string, body: (value: Element, i: number) => Element): void {
  if (target.device !== 'cpu') {
    throw new AiforgeError('INVALID_ARGUMENT', `${name}: the tensor must be on the CPU, not on ${target.device}.`);
  }
  requireListRoom(name, target, 2);
  const values = target.detach().flatten().tolist<Element[]>();
  const made = tensor(values.map(body), { dtype: target.dtype });
  target.copy_(made.view(target.shape));
}

/** The elements of `other` beside those of `target`, in order. */
const elementsFor = (target: Tensor, other: Tensor): Element[] =>
  other.detach().expand(target.shape).flatten().tolist<Element[]>();

const isCudaDevice = (value: unknown): boolean =>
  typeof value === 'number' ? isDevice(`cuda:${value}`) : isDevice(value) && /^cuda\b/.test(value);

const cudaDevice = (device: Device | number | null | undefined): Device =>
  typeof device === 'number' ? `cuda:${device}` : (device ?? 'cuda');

const cudaTakes = signature<ConversionOptions & { nonBlocking?: boolean }>(
  {
    device: optional(orNull(kind("a CUDA device, such as 0 or 'cuda:0'", isCudaDevice))),
  },
  { nonBlocking: boolean, memoryFormat: orNull(memoryFormatKind) },
);
const typeTakes = signature({ dtype: optional(dtypeKind) });
const applyTakes = signature({ body: func() });
const mapTakes = signature({ other: tensorKind, body: func() });
const map2Takes = signature({ x: tensorKind, y: tensorKind, body: func() });

const methods: Partial<TensorMembers> & ThisType<Tensor> = {
  nelement() {
    if (arguments.length > 0) nothing.check('nelement', arguments);
    return this.numel();
  },
  ndimension() {
    if (arguments.length > 0) nothing.check('ndimension', arguments);
    return this.ndim;
  },
  storageOffset() {
    if (arguments.length > 0) nothing.check('storageOffset', arguments);
    return native.storageOffset(handleOf(this));
  },
  dataPtr() {
    if (arguments.length > 0) nothing.check('dataPtr', arguments);
    return native.dataPtr(handleOf(this));
  },
  cpu(options) {
    if (arguments.length > 0) conversionTakes.check('cpu', arguments);
    return this.to('cpu', options);
  },
  cuda(device, options) {
    cudaTakes.check('cuda', arguments);
    return this.to(cudaDevice(device), options);
  },
  type(dtype?: DType): never {
    typeTakes.check('type', arguments);
    return (dtype === undefined ? typeName(this) : this.to(dtype)) as never;
  },
  newTensor(data, options) {
    tensorTakes.check('newTensor', arguments);
    return tensor(data, { dtype: this.dtype, device: this.device, ...options });
  },
  apply_(body) {
    applyTakes.check('apply_', arguments);
    rewrite(this, 'apply_', (value) => body(value));
    return this;
  },
  map_(other, body) {
    mapTakes.check('map_', arguments);
    const others = elementsFor(this, other);
    rewrite(this, 'map_', (value, i) => body(value, others[i]!));
    return this;
  },
  map2_(x, y, body) {
    map2Takes.check('map2_', arguments);
    const [xs, ys] = [elementsFor(this, x), elementsFor(this, y)];
    rewrite(this, 'map2_', (value, i) => body(value, xs[i]!, ys[i]!));
    return this;
  },
  toSparseCoo() {
    if (arguments.length > 0) nothing.check('toSparseCoo', arguments);
    return this.toSparse();
  },
  norm(this: Tensor, ...args: unknown[]) {
    return norm(this, ...(args as []));
  },
  unique(this: Tensor, ...args: unknown[]) {
    return unique(this, ...(args as [])) as never;
  },
  uniqueConsecutive(this: Tensor, ...args: unknown[]) {
    return uniqueConsecutive(this, ...(args as [])) as never;
  },
  lu(this: Tensor, ...args: unknown[]) {
    return lu(this, ...(args as []));
  },
  nonzero(this: Tensor, ...args: unknown[]) {
    return nonzero(this, ...(args as [])) as never;
  },
};

const [numpyT, mT, matrixH, mH] = [aten('numpy_T'), aten('mT'), aten('matrix_H'), aten('mH')];

const getters: Partial<Record<keyof TensorMembers, (this: Tensor) => unknown>> = {
  T() {
    return numpyT(this);
  },
  mT() {
    return mT(this);
  },
  H() {
    return matrixH(this);
  },
  mH() {
    return mH(this);
  },
  nbytes() {
    return this.numel() * this.elementSize();
  },
  itemsize() {
    return this.elementSize();
  },
  isCpu() {
    return this.device === 'cpu';
  },
  isCuda() {
    return this.device.startsWith('cuda');
  },
  isMeta() {
    return this.device === 'meta';
  },
  isSparse() {
    return this.layout === 'sparse_coo';
  },
  isSparseCsr() {
    return this.layout === 'sparse_csr';
  },
  isQuantized() {
    return this.dtype.includes('qint') || this.dtype.includes('quint');
  },
  isNested() {
    return this.layout === 'jagged';
  },
};

const define = (name: string, descriptor: PropertyDescriptor) =>
  Object.defineProperty(Tensor.prototype, name, { ...descriptor, configurable: true });

for (const [name, value] of Object.entries(methods)) define(name, { value: value as unknown, writable: true });
for (const [name, get] of Object.entries(getters)) define(name, { get });
for (const [name, dtype] of Object.entries(conversions)) {
  const value = function (this: Tensor, options?: ConversionOptions) {
    if (arguments.length > 0) conversionTakes.check(name, arguments);
    return this.to(dtype, options);
  };
  define(name, { value, writable: true });
}
for (const part of ['real', 'imag'] as const) {
  define(part, {
    get(this: Tensor) {
      return f[part](this);
    },
    set(this: Tensor, value: Tensor) {
      enterContext();
      f[part](this).copy_(value);
    },
  });
}

refuseAssignments(Tensor, { requires_grad: 'x.requiresGrad = …', data: 'x.setData(tensor)' });
