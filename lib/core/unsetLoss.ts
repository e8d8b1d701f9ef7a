import { AiforgeError } from '../errors.js';
import { Module } from '../nn/index.js';

/** The loss of a model that nobody has given one. */
export class UnsetLoss extends Module {
  forward(): never {
    throw new AiforgeError(
      'PLUGIN_INVALID',
      'lossFn is not set. A run gives it, as training.lossFnName names it, to its own model alone: give an inner model, or one in a ' +
        'test, a loss yourself, such as inner.lossFn = new nn.CrossEntropyLoss().',
    );
  }
}
