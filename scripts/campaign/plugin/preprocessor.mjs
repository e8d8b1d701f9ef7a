// Subtracts the mean of the training split, and tells the campaign of each call.
import { BasePreprocessor, stack, tensor } from 'aiforge';

const reach = (point) => globalThis.campaign?.reach(`Preprocessor.${point}`);

export class Preprocessor extends BasePreprocessor {
  #mean = tensor([0, 0, 0, 0]);

  fit(items) {
    reach('fit');
    this.#mean = stack(Array.from(items, ({ x }) => x)).mean(0);
  }

  transform({ x, ...rest }) {
    reach('transform');
    return { x: x.sub(this.#mean), ...rest };
  }

  inverseTransform({ x, ...rest }) {
    return { x: x.add(this.#mean), ...rest };
  }

  state() {
    reach('state');
    return this.#mean.tolist();
  }

  restore(state) {
    reach('restore');
    this.#mean = tensor(state);
  }
}
