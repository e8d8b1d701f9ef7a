import { brand } from './brand.js';
import { shownFrames, takeStack } from './stack.js';

/** Every error code that aiforge raises, with what it means. The documentation and the types are checked against it. */
export const errorCodes = {
  INVALID_ARGUMENT: 'An argument has the wrong kind, value or shape.',
  OPERATOR_FAILED: 'LibTorch refused an operator; the message carries its reason and the arguments.',
  UNKNOWN_OPERATOR: 'No operator of that name and overload exists in the linked LibTorch.',
  OPERATOR_UNSAFE: 'An operator that is no public function was asked for without `ops.unsafe()`.',
  TENSOR_DISPOSED: 'A tensor was used after `dispose()` or after its scope had ended.',
  SCOPE_MISUSED: 'A `Scope` object was left open beyond the synchronous code that opened it.',
  TENSOR_LEAK: 'The leak detector found tensors that outlive the code that made them.',
  SHARED_TENSOR_INVALID: 'A token of a shared or transferred tensor is forged, was received already, or was released.',
  OUT_OF_MEMORY: 'LibTorch could not allocate memory.',
  DEVICE_UNAVAILABLE: 'A CUDA device was asked for that cannot be used here: other build, no driver, no such GPU.',
  PLATFORM_UNSUPPORTED: 'There is no LibTorch for this operating system or C library.',
  LIBTORCH_NOT_FOUND: 'LibTorch is not installed, or what `LIBTORCH` names is none that aiforge works with.',
  ADDON_NOT_LOADED: 'The native addon is missing or does not fit this machine or this LibTorch.',
  CONFIG_INVALID: 'A configuration file, value or override is not valid.',
  FILE_NOT_FOUND: 'A file that was asked for does not exist or cannot be opened.',
  FILE_INVALID: 'A file is truncated or is not of the format it should be.',
  MISSING_DEPENDENCY: 'A package that only this needs is not installed, or is of another version.',
  LOADER_FAILED: 'A worker of a DataLoader failed, ended, or gave nothing in time.',
  FILE_NOT_WRITABLE: 'A file cannot be written: its path, its permissions or its disk are in the way.',
  PLUGIN_NOT_FOUND: 'No plugin of that name was found in any of the places searched.',
  PLUGIN_INVALID: 'A plugin was found but does not have the required shape.',
  STATE_DICT_MISMATCH: 'A state dict has missing, unexpected or differently shaped entries.',
  DISTRIBUTED_FAILED: 'A process group, store or collective failed.',
  LAUNCH_FAILED: 'A launched process failed or could not be started.',
  GRADCHECK_FAILED: 'The gradients of a function are not those that differences of its values give.',
  TRAINING_FAILED: 'A training run cannot go on.',
  RUN_INTERRUPTED: 'A run was stopped on request before there was anything to save.',
} as const;

export type ErrorCode = keyof typeof errorCodes;

export interface ErrorDetails {
  /** The operator that failed, such as `aten::add.Tensor`. */
  op?: string;
  /** One line an argument: its name, kind, dtype and shape. */
  args?: string[];
  cause?: unknown;
}

/**
 * The one error class of aiforge: `code` says what kind of failure it is, the message what to do. Its stack begins at the
 * line that called the library; `AIFORGE_STACK=full` in the environment shows the library's own frames as well.
 *
 * @example
 * import { AiforgeError, ones } from 'aiforge';
 * try {
 *   ones([2, 3]).matmul(ones([2, 3]));
 * } catch (error) {
 *   if (error instanceof AiforgeError) console.log(error.code, error.op, error.args);
 * }
 */
export class AiforgeError extends Error {
  readonly code: ErrorCode;
  /** The operator that failed, such as `aten::add.Tensor`, or the collective, such as `allReduce`. */
  readonly op: string | undefined;
  /** One line an argument of the operator: `self: float32[2, 3]`. */
  readonly args: readonly string[];

  constructor(code: ErrorCode, message: string, details?: ErrorDetails | null) {
    super(message, details?.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'AiforgeError';
    this.code = code;
    this.op = details?.op;
    this.args = details?.args ?? [];
    showStack(this, takeStack(new.target));
  }
}

/** Gives an error a stack that is put into words when it is first read: most errors are caught and never shown. */
function showStack(error: Error, taken: { stack?: unknown }): void {
  const define = (descriptor: PropertyDescriptor) =>
    Object.defineProperty(error, 'stack', { configurable: true, enumerable: false, ...descriptor });
  const settle = (value: unknown) => {
    define({ value, writable: true });
    return value;
  };
  define({
    get: () => {
      const { stack } = taken;
      // `Error.prepareStackTrace` may have made something else of it.
      if (typeof stack !== 'string') return settle(stack);
      return settle([`${error.name}: ${error.message}`, ...shownFrames(stack)].join('\n'));
    },
    set: settle,
  });
}

/** An error of a call that has returned meanwhile, as if the call had thrown it: `taken` is the call's stack. */
export function errorOfCall(error: AiforgeError, op: string, taken: { stack?: unknown }): AiforgeError {
  const told = new AiforgeError(error.code, error.message, { op, args: [...error.args], cause: error.cause });
  showStack(told, taken);
  return told;
}

/** Thrown when a tensor is used after it was disposed, by hand or by the scope that made it. */
export class TensorDisposedError extends AiforgeError {
  constructor(message: string, details?: ErrorDetails | null) {
    super('TENSOR_DISPOSED', message, details);
    this.name = 'TensorDisposedError';
  }
}

brand(AiforgeError, 'AiforgeError');
brand(TensorDisposedError, 'TensorDisposedError');
