import { AiforgeError } from '../../errors.js';
import { boolean, orNull } from '../../kinds.js';
import { show } from '../../show.js';
import { isOptions, signature } from '../../signature.js';
import { isDevice, isDType, type Device, type DType, type MemoryFormat } from '../dtype.js';
import { deviceKind, dtypeKind, memoryFormatKind } from '../dtypeKinds.js';

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
  throw new AiforgeError('INVALID_ARGUMENT', `to: expected a dtype, a device or a Tensor, got ${show(value)}.`);
}

const toTakes = signature<ToOptions>(
  {},
  {
    dtype: orNull(dtypeKind),
    device: orNull(deviceKind),
    nonBlocking: boolean,
    copy: boolean,
    memoryFormat: orNull(memoryFormatKind),
  },
);

const isFlag = (value: unknown): value is boolean | undefined => value === undefined || typeof value === 'boolean';

/** What `to` makes of its arguments: `(dtype, …)`, `(device, dtype, …)`, `(other, …)` or options alone, as in Python. */
export function readTarget(own: Placed, isTensor: (value: unknown) => value is Placed, given: readonly unknown[]) {
  const last = given.at(-1);
  const hasOptions = isOptions(last);
  if (hasOptions) toTakes.checkOptions('to', last);
  const options: ToOptions = hasOptions ? last : {};
  const args = hasOptions ? given.slice(0, -1) : [...given];
  let { dtype, device } = options;
  const first = args.shift();
  if (isTensor(first)) ({ dtype, device } = first);
  else if (isDType(first)) dtype = first;
  else if (isDevice(first)) device = first;
  else if (first != null) refuse(first);
  if (!isDType(first) && !isTensor(first) && (args[0] === null || isDType(args[0]))) dtype = args.shift() as DType;
  const [nonBlocking = options.nonBlocking, copy = options.copy, ...more] = args;
  if (!isFlag(nonBlocking) || !isFlag(copy) || more.length > 0) refuse(args);
  return {
    dtype: dtype ?? own.dtype,
    device: device ?? own.device,
    rest: [nonBlocking ?? false, copy ?? false, options.memoryFormat ?? null],
  };
}
