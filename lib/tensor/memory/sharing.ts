import { AiforgeError } from '../../errors.js';
import { show } from '../../show.js';
import { native } from '../../native.js';
import { enterContext } from '../context/context.js';
import { handleOf, wrapHandle, type Tensor } from '../tensor.js';

/** A token that stands for a tensor in a message to another thread: a plain object, which `postMessage` can copy. */
export interface SharedTensor {
  readonly aiforgeTensor: string;
}

const idPattern = /^[0-9a-f]{32}$/;

function idIn(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const id: unknown = (value as Partial<SharedTensor>).aiforgeTensor;
  return typeof id === 'string' && idPattern.test(id) ? id : undefined;
}

function idOf(token: SharedTensor, caller: string): string {
  const id = idIn(token);
  if (id !== undefined) return id;
  throw new AiforgeError(
    'SHARED_TENSOR_INVALID',
    `${caller}: expected a token of share() or transfer(), got ${show(token)}.`,
  );
}

/** Whether a value has the form of a token; the tensor may have been received already. */
export function isSharedTensor(value: unknown): value is SharedTensor {
  return idIn(value) !== undefined;
}

/**
 * A token for `postMessage` or `workerData` with which other threads get this tensor's own memory: what one writes, all
 * read. Any number of threads may receive it, until `releaseShared` or the end of this thread. A leaf that requires
 * gradients arrives as one, with a gradient of its own in each thread. As `torch.multiprocessing` shares CPU tensors.
 *
 * Nothing orders the accesses of several threads: wait for messages, or expect to read what is half written. Above all,
 * do not change a tensor of indices while another thread indexes with it. Shared memory can no longer be resized.
 *
 * @throws AiforgeError INVALID_ARGUMENT for a tensor with a history (send `detach()`), a sparse one, and one over a
 * typed array's memory (send `clone()`).
 * @example
 * import { fromShared, share, zeros } from 'aiforge';
 * const weights = zeros([2]);
 * const token = structuredClone(share(weights)); // as worker.postMessage(share(weights)) does
 * fromShared(token).add_(1); // in the worker
 * weights.tolist(); // [1, 1]
 */
export function share(tensor: Tensor): SharedTensor {
  return Object.freeze({ aiforgeTensor: native.share(handleOf(tensor), false) });
}

/**
 * Moves a tensor into a token for `postMessage` or `workerData`: here it is disposed, and exactly one `fromShared` gets
 * it. The token outlives this thread, so that a worker may send its result and end; one that nobody receives holds its
 * memory until `releaseShared`.
 *
 * @throws AiforgeError INVALID_ARGUMENT as `share` does; the tensor is not disposed then.
 * @example
 * import { fromShared, ones, transfer } from 'aiforge';
 * const batch = ones([2]);
 * const token = transfer(batch);
 * batch.isDisposed; // true
 * fromShared(token).tolist(); // [1, 1]
 */
export function transfer(tensor: Tensor): SharedTensor {
  return Object.freeze({ aiforgeTensor: native.share(handleOf(tensor), true) });
}

/**
 * The tensor of a token that another thread (or this one) made, over the same memory.
 *
 * @throws AiforgeError SHARED_TENSOR_INVALID for what is no token, a transferred tensor that was received already, and a
 * token that was released or whose thread has ended.
 */
export function fromShared(token: SharedTensor): Tensor {
  const id = idOf(token, 'fromShared');
  enterContext();
  return wrapHandle(native.receive(id));
}

/** Lets go of what a token holds: it can be received no more. Whether it held something. */
export function releaseShared(token: SharedTensor): boolean {
  return native.releaseShared(idOf(token, 'releaseShared'));
}
