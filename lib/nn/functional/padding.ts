import * as generated from '../../tensor/generated/nn.js';

/**
 * Widens the last dimensions: `pad` has what is added before and after the last, then for the one before it; a negative
 * number takes elements away. `mode` is `'constant'` (`value`, default 0), `'reflect'`, `'replicate'` or `'circular'`. As
 * `torch.nn.functional.pad`.
 *
 * @example
 * import { nn, tensor } from 'aiforge';
 * nn.functional.pad(tensor([[1, 2, 3]]), [2, 1], { mode: 'reflect' }).tolist(); // [[3, 2, 1, 2, 3, 2]]
 */
export const pad = generated.pad;
