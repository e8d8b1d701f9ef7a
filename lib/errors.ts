/** Every error code that aiforge raises, with what it means. The documentation and the types are checked against it. */
export const errorCodes = {
  INVALID_ARGUMENT: 'An argument has the wrong kind, value or shape.',
  OPERATOR_FAILED: 'LibTorch refused an operator; the message carries its reason and the arguments.',
  UNKNOWN_OPERATOR: 'No operator of that name and overload exists in the linked LibTorch.',
  TENSOR_DISPOSED: 'A tensor was used after `dispose()` or after its scope had ended.',
  OUT_OF_MEMORY: 'LibTorch could not allocate memory.',
  ADDON_NOT_LOADED: 'The native addon is missing or does not fit this machine or this LibTorch.',
  CONFIG_INVALID: 'A configuration file, value or override is not valid.',
  FILE_NOT_FOUND: 'A file that was asked for does not exist.',
  FILE_INVALID: 'A file is truncated or is not of the format it should be.',
  PLUGIN_NOT_FOUND: 'No plugin of that name was found in any of the places searched.',
  PLUGIN_INVALID: 'A plugin was found but does not have the required shape.',
  STATE_DICT_MISMATCH: 'A state dict has missing, unexpected or differently shaped entries.',
  DISTRIBUTED_FAILED: 'A process group, store or collective failed.',
  LAUNCH_FAILED: 'A launched process failed or could not be started.',
  GRADCHECK_FAILED: 'The gradients of a function are not those that differences of its values give.',
  TRAINING_FAILED: 'A training run cannot go on.',
} as const;

export type ErrorCode = keyof typeof errorCodes;

export interface ErrorDetails {
  /** The operator that failed, such as `aten::add.Tensor`. */
  op?: string;
  /** One line an argument: its name, kind, dtype and shape. */
  args?: string[];
  cause?: unknown;
}

/** The one error class of aiforge: `code` says what kind of failure it is, the message what to do. */
export class AiforgeError extends Error {
  readonly code: ErrorCode;
  readonly op: string | undefined;
  readonly args: readonly string[];

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'AiforgeError';
    this.code = code;
    this.op = details.op;
    this.args = details.args ?? [];
  }
}

/** Thrown when a tensor is used after it was disposed, by hand or by the scope that made it. */
export class TensorDisposedError extends AiforgeError {
  constructor(message: string, details: ErrorDetails = {}) {
    super('TENSOR_DISPOSED', message, details);
    this.name = 'TensorDisposedError';
  }
}
