import { AiforgeError } from '../../errors.js';
import { didYouMean } from '../../nearest.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { TrainableModule } from './options.js';

/** What all ranks share of a module: its parameters and buffers but those that are ignored. */
export class SharedState {
  readonly #ignored: ReadonlySet<string>;

  constructor(
    private readonly module: TrainableModule,
    ignoredParameters: readonly string[] = [],
  ) {
    this.#ignored = new Set(ignoredParameters);
    if (ignoredParameters.length === 0) return;
    const names = [...module.namedParameters(), ...(module.namedBuffers?.() ?? [])].map(([name]) => name);
    for (const name of ignoredParameters) {
      if (names.includes(name)) continue;
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        `DistributedDataParallel: ignoredParameters names '${name}', but the module has no parameter and no buffer of that name.` +
          didYouMean(name, names),
      );
    }
  }

  get parameters(): [string, Tensor][] {
    return [...this.module.namedParameters()].filter(([name]) => !this.#ignored.has(name));
  }

  get buffers(): Tensor[] {
    if (this.#ignored.size === 0 || this.module.namedBuffers === undefined) return [...this.module.buffers()];
    return [...this.module.namedBuffers()].flatMap(([name, buffer]) => (this.#ignored.has(name) ? [] : [buffer]));
  }
}
