import { native } from '../../native.js';
import { enterContext, runInContext } from '../../tensor/context/context.js';
import { handleOf, wrapHandle, type Tensor } from '../../tensor/tensor.js';

/** The states of the default generators of some devices, which can be gone back to. */
export class RngState {
  readonly #states: ReadonlyMap<string, Tensor>;

  /** Of the CPU and of the devices of these tensors, as they are now. */
  constructor(tensors: readonly Tensor[]) {
    this.#states = statesOf(new Set(['cpu', ...tensors.map((tensor) => tensor.device)]));
  }

  /** Runs `body` with these states; afterwards the generators go on where they were. */
  run<T>(body: () => T): T {
    const before = statesOf(this.#states.keys());
    try {
      restore(this.#states);
      return body();
    } finally {
      restore(before);
      for (const state of before.values()) state.dispose();
    }
  }
}

function statesOf(devices: Iterable<string>): Map<string, Tensor> {
  return runInContext({ holder: null }, () => {
    enterContext();
    return new Map(Array.from(devices, (device) => [device, wrapHandle(native.generatorState(device))]));
  });
}

function restore(states: ReadonlyMap<string, Tensor>): void {
  for (const [device, state] of states) native.setGeneratorState(device, handleOf(state));
}
