import { AiforgeError } from '../../errors.js';
import type { Tensor } from '../../tensor/tensor.js';
import { nativeDistributed, type NativeReducer } from '../native.js';
import type { SharedState } from './sharedState.js';

// After this many passes, and before at each power of two.
const interval = 64;

const isPowerOfTwo = (count: number): boolean => (count & (count - 1)) === 0;

/**
 * Looks from time to time, since a walk of the module costs as much as a small step, whether the parameters that learn are still those
 * whose gradients the reducer averages: the gradients of others would stay each rank's own, and the weights of ranks would part.
 */
export class ParameterWatch {
  readonly #known: Map<string, [parameter: Tensor, learned: boolean]>;
  #passes = 0;

  constructor(
    private readonly state: SharedState,
    private readonly reducer: NativeReducer,
  ) {
    this.#known = new Map(state.parameters.map(([name, parameter]) => [name, [parameter, parameter.requiresGrad]]));
  }

  /** To be called before each averaged forward pass. Throws INVALID_ARGUMENT. */
  beforePass(): void {
    ++this.#passes;
    if (this.#passes % interval === 0 || isPowerOfTwo(this.#passes)) this.#look();
  }

  #look(): void {
    for (const [name, parameter] of this.state.parameters) {
      if (!parameter.requiresGrad) continue;
      const [known, learned] = this.#known.get(name) ?? [];
      if (known === undefined) throw left(name, 'was added');
      if (known !== parameter) throw left(name, 'was replaced');
      if (!learned) throw left(name, 'began to learn');
    }
    const lost = nativeDistributed.lostParameter(this.reducer);
    if (lost !== null) throw left(lost, 'was converted to another dtype or device');
  }
}

function left(name: string, what: string): AiforgeError {
  return new AiforgeError(
    'INVALID_ARGUMENT',
    `DistributedDataParallel: the parameter '${name}' ${what} after the module was wrapped, so that its gradient would stay each ` +
      "rank's own: change the module first, or wrap it again on all ranks.",
  );
}
