import { AiforgeError } from '../errors.js';
import type { Handle, Handles } from '../native.js';
import { handlesOf, type Tensor } from '../tensor/tensor.js';

/** What an optimizer remembers of one parameter, under PyTorch's names. */
export type ParameterState = Record<string, Tensor>;

/**
 * The parameters of a group that one call of each operator updates: they have gradients, one device, one dtype and the
 * same history. Handles never change, so they are read once and not at every step.
 */
export class Bucket {
  readonly parameters: readonly Tensor[];
  readonly handles: Handles;
  /** The gradients of this step. */
  readonly gradients: Handles;
  /** How many steps these parameters have taken, where the optimizer counts them. */
  steps = 0;
  readonly #indices: readonly number[];
  readonly #states: readonly ParameterState[];
  readonly #stateHandles = new Map<string, Handles>();

  constructor(group: readonly Tensor[], indices: readonly number[], states: ReadonlyMap<Tensor, ParameterState>) {
    this.#indices = indices;
    this.parameters = indices.map((i) => group[i]!);
    this.handles = handlesOf(this.parameters);
    this.gradients = new Float64Array(indices.length);
    this.#states = this.parameters.map((parameter) => states.get(parameter) ?? {});
  }

  takeGradients(ofGroup: readonly (Handle | null)[]): void {
    for (let i = 0; i < this.#indices.length; ++i) this.gradients[i] = ofGroup[this.#indices[i]!]!;
  }

  has(name: string): boolean {
    return this.#states.every((state) => state[name] !== undefined);
  }

  /** The handles of the state `name` of every parameter. */
  state(name: string): Handles {
    let handles = this.#stateHandles.get(name);
    if (handles === undefined) {
      handles = handlesOf(this.#states.map((state) => state[name] ?? missing(name)));
      this.#stateHandles.set(name, handles);
    }
    return handles;
  }
}

function missing(name: string): never {
  throw new AiforgeError(
    'STATE_DICT_MISMATCH',
    `A parameter has no state '${name}': an option that needs it was switched on after the first step, or the loaded state lacks it.`,
  );
}
