import { anything } from '../../kinds.js';
import { signature } from '../../signature.js';
import { deviceKind, dtypeKind } from '../kinds.js';
import { tensor, type TensorOptions } from '../creation.js';
import type { TypedArray } from '../dtype.js';
import { Tensor, type NestedArray } from '../tensor.js';

type AsTensorOptions = Pick<TensorOptions, 'dtype' | 'device'>;

const asTensorTakes = signature<AsTensorOptions>({ data: anything }, { dtype: dtypeKind, device: deviceKind });

/**
 * Data as a tensor: a Tensor itself, in another dtype or on another device if the options say so, or `tensor(data)`;
 * `torch.as_tensor`. `fromTypedArray` shares memory where that is possible.
 *
 * @example
 * import { asTensor, ones } from 'aiforge';
 * const x = ones(2);
 * asTensor(x) === x; // true
 * asTensor([1, 2], { dtype: 'float64' }).dtype; // 'float64'
 */
export function asTensor(data: Tensor | NestedArray | TypedArray, options: AsTensorOptions = {}): Tensor {
  asTensorTakes.check('asTensor', arguments);
  if (!Tensor.isTensor(data)) return tensor(data, options);
  const { dtype = data.dtype, device = data.device } = options;
  const moved = device === data.device ? data : data.to(device);
  return dtype === data.dtype ? moved : moved.to(dtype);
}
