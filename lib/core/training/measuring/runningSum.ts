import { full, keep, Tensor } from '../../../tensor/index.js';

/** A number, or a tensor of one element that is on a GPU and was not read yet. */
export type Measured = number | Tensor;

/** What a tensor of one element measures: a number at once, unless a GPU may still be computing it. */
export function measured(tensor: Tensor): Measured {
  return tensor.device === 'cpu' ? Number(tensor.item()) : tensor.detach();
}

/** A sum of weighted values, kept where they are: a GPU goes on until the sum is read. */
export class RunningSum {
  #number: number;
  #onDevice: Tensor | undefined;

  constructor(start = 0) {
    this.#number = start;
  }

  add(value: Measured, weight: number): void {
    if (!Tensor.isTensor(value)) {
      this.#number += value * weight;
      return;
    }
    this.#onDevice ??= keep(full([], this.#number, { dtype: 'float64', device: value.device }));
    this.#onDevice.add_(value.reshape([]).to('float64').mul(weight));
  }

  /** The sum; waits for the GPU that has it. */
  get value(): number {
    return this.#onDevice === undefined ? this.#number : this.#onDevice.item<number>();
  }
}
