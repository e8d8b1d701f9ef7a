import { brand } from '../brand.js';
import { boolean, type Kinds } from '../kinds.js';
import { signature } from '../signature.js';
import { tensorKind } from '../tensor/kinds.js';
import { keep } from '../tensor/memory/scope.js';
import { Tensor, tensorKey } from '../tensor/tensor.js';
import { aliasOf } from './parameter.js';

export interface BufferOptions {
  /** Whether the state dict has it. Default: true. */
  persistent?: boolean;
}

export const bufferOptions: Kinds<BufferOptions> = { persistent: boolean };

const bufferTakes = signature({ data: tensorKind }, bufferOptions);

/**
 * A tensor that a module carries but does not learn: assigned to a property of a `Module`, it moves and is saved with it.
 * It shares the memory of `data` and outlives every `scope`. As `torch.nn.Buffer`.
 *
 * @example
 * import { nn, zeros } from 'aiforge';
 * class Counter extends nn.Module {
 *   total = new nn.Buffer(zeros([]));
 *   forward() {
 *     return this.total.add_(1);
 *   }
 * }
 * Object.keys(new Counter().stateDict()); // ['total']
 */
export class Buffer extends Tensor {
  readonly persistent: boolean;

  constructor(data: Tensor, options: BufferOptions = {}) {
    bufferTakes.check(new.target.name, arguments);
    const { persistent = true } = options;
    super(tensorKey, aliasOf(data));
    this.persistent = persistent;
    keep(this);
  }
}

brand(Buffer, 'Buffer');
