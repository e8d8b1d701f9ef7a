import { brand } from '../brand.js';
import { AiforgeError } from '../errors.js';
import { boolean, listOf, size, type Kinds } from '../kinds.js';
import { signature } from '../signature.js';
import { noGrad } from '../autograd/modes.js';
import type { Device, DType } from '../tensor/dtype.js';
import { empty } from '../tensor/generated/functions.js';
import { deviceKind, dtypeKind } from '../tensor/kinds.js';
import { scope } from '../tensor/memory/scope.js';
import { Tensor } from '../tensor/tensor.js';
import { Buffer, bufferOptions, type BufferOptions } from './buffer.js';
import { Parameter } from './parameter.js';

export interface UninitializedOptions {
  /** Default: `'cpu'`. */
  device?: Device;
  /** Default: `'float32'`. */
  dtype?: DType;
}

const uninitializedOptions: Kinds<UninitializedOptions> = { device: deviceKind, dtype: dtypeKind };

interface UninitializedParameterOptions extends UninitializedOptions {
  /** Default: true. */
  requiresGrad?: boolean;
}

const parameterTakes = signature<UninitializedParameterOptions>({}, { requiresGrad: boolean, ...uninitializedOptions });
const bufferTakes = signature<UninitializedOptions & BufferOptions>({}, { ...uninitializedOptions, ...bufferOptions });
const materializeTakes = signature({ shape: listOf(size) }, uninitializedOptions);

/** A tensor whose shape is not known yet. */
export type UninitializedTensor = UninitializedParameter | UninitializedBuffer;

const data = ({ device = 'cpu', dtype = 'float32' }: UninitializedOptions): Tensor => empty([0], { device, dtype });

function give(
  tensor: UninitializedTensor,
  shape: readonly number[],
  { device = tensor.device, dtype = tensor.dtype }: UninitializedOptions,
  become: object,
): void {
  scope(() => noGrad(() => tensor.setData(empty(shape, { device, dtype }))));
  Object.setPrototypeOf(tensor, become);
}

/**
 * A parameter whose shape is not known until `materialize` gives it one; until then it can be moved and converted only.
 * As `torch.nn.UninitializedParameter`.
 *
 * @example
 * import { nn } from 'aiforge';
 * const weight = new nn.UninitializedParameter();
 * weight.materialize([2, 3]);
 * weight.shape; // [2, 3]
 */
export class UninitializedParameter extends Parameter {
  constructor(options: UninitializedParameterOptions = {}) {
    parameterTakes.check(new.target.name, arguments);
    const { requiresGrad = true, ...factory } = options;
    super(
      scope(() => data(factory)),
      requiresGrad,
    );
  }

  /** Makes it an ordinary Parameter of a shape, on its device and of its dtype unless others are given. */
  materialize(shape: readonly number[], options: UninitializedOptions = {}): void {
    materializeTakes.check('materialize', arguments);
    give(this, shape, options, Parameter.prototype);
  }

  /** @internal */
  copyUninitialized(): UninitializedParameter {
    const { requiresGrad, device, dtype } = this;
    return new UninitializedParameter({ requiresGrad, device, dtype });
  }
}

brand(UninitializedParameter, 'UninitializedParameter');

/**
 * A buffer whose shape is not known until `materialize` gives it one; until then it can be moved and converted only. As
 * `torch.nn.UninitializedBuffer`.
 *
 * @example
 * import { nn } from 'aiforge';
 * const mean = new nn.UninitializedBuffer({ dtype: 'float64' });
 * mean.materialize([3]);
 * mean.shape; // [3]
 * mean instanceof nn.UninitializedBuffer; // false
 */
export class UninitializedBuffer extends Buffer {
  constructor(options: UninitializedOptions & BufferOptions = {}) {
    bufferTakes.check(new.target.name, arguments);
    const { persistent = true, ...factory } = options;
    super(
      scope(() => data(factory)),
      { persistent },
    );
  }

  /** Makes it an ordinary Buffer of a shape, on its device and of its dtype unless others are given. */
  materialize(shape: readonly number[], options: UninitializedOptions = {}): void {
    materializeTakes.check('materialize', arguments);
    give(this, shape, options, Buffer.prototype);
  }

  /** @internal */
  copyUninitialized(): UninitializedBuffer {
    const { persistent, device, dtype } = this;
    return new UninitializedBuffer({ persistent, device, dtype });
  }
}

brand(UninitializedBuffer, 'UninitializedBuffer');

export const isUninitialized = (value: unknown): value is UninitializedTensor =>
  value instanceof UninitializedParameter || value instanceof UninitializedBuffer;

/** Gives a parameter or buffer its shape, where it has none yet; one that is not there is left out. */
export function materialize(tensor: Tensor | null, shape: readonly number[]): void {
  if (isUninitialized(tensor)) tensor.materialize(shape);
}

const allowed = new Set([
  'constructor',
  'device',
  'dim',
  'dispose',
  'dtype',
  'grad',
  'gradFn',
  'isDisposed',
  'isLeaf',
  'requiresGrad',
  'requiresGrad_',
  'setData',
  'to',
]);

function refuse(type: string, member: string): never {
  throw new AiforgeError(
    'INVALID_ARGUMENT',
    `${member}: the ${type} has no shape and no values yet. A lazy module's get theirs by the first call of forward, or by loading a state dict into it.`,
  );
}

for (const type of [UninitializedParameter, UninitializedBuffer]) {
  const own = type.prototype;
  Object.defineProperty(own, 'toString', { value: () => `<${type.name}>`, configurable: true, writable: true });
  for (const [name, member] of Object.entries(Object.getOwnPropertyDescriptors(Tensor.prototype))) {
    if (allowed.has(name) || Object.hasOwn(own, name)) continue;
    const stop = (): never => refuse(type.name, name);
    Object.defineProperty(own, name, member.get === undefined ? { value: stop } : { get: stop, configurable: true });
  }
}
