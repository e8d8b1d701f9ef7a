import { inspect } from 'node:util';

import { AiforgeError } from '../errors.js';
import { isDevice, isDType, type Device, type DType, type MemoryFormat } from './dtype.js';

export interface ToOptions {
  /** Default: the tensor's own. */
  dtype?: DType | null;
  /** Default: the tensor's own. */
  device?: Device | null;
  /** Default: false. */
  nonBlocking?: boolean;
  /** Copies even when nothing changes. Default: false. */
  copy?: boolean;
  /** Default: the tensor's own. */
  memoryFormat?: MemoryFormat | null;
}

interface Placed {
  dtype: DType;
  device: Device;
}

function refuse(value: unknown): never {
  throw new AiforgeError('INVALID_ARGUMENT', `to: expected a dtype, a device or a Tensor, got ${inspect(value)}.`);
}

const isOptions = (value: unknown): value is ToOptions =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;

const isFlag = (value: unknown): value is boolean | undefined => value === undefined || typeof value === 'boolean';

/** What `to` makes of its arguments: `(dtype, …)`, `(device, dtype, …)`, `(other, …)` or options alone, as in Python. */
export function readTarget(own: Placed, isTensor: (value: unknown) => value is Placed, given: readonly unknown[]) {
  const last = given.at(-1);
  const options = isOptions(last) ? last : {};
  const args = isOptions(last) ? given.slice(0, -1) : [...given];
  let { dtype, device } = options;
  const first = args.shift();
  if (isTensor(first)) ({ dtype, device } = first);
  else if (isDType(first)) dtype = first;
  else if (isDevice(first)) device = first;
  else if (first != null) refuse(first);
  if (!isDType(first) && !isTensor(first) && (args[0] === null || isDType(args[0]))) dtype = args.shift() as DType;
  if (dtype != null && !isDType(dtype)) refuse(dtype);
  if (device != null && !isDevice(device)) refuse(device);
  const [nonBlocking = options.nonBlocking, copy = options.copy, ...more] = args;
  if (!isFlag(nonBlocking) || !isFlag(copy) || more.length > 0) refuse(args);
  return {
    dtype: dtype ?? own.dtype,
    device: device ?? own.device,
    rest: [nonBlocking ?? false, copy ?? false, options.memoryFormat ?? null],
  };
}
