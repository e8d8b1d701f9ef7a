import { nearest } from '../nearest.js';
import { show } from '../show.js';
import { checkOptionNames } from '../signature.js';
import { Tensor } from '../tensor/tensor.js';
import { scheduledOptions, type OptimizerSignature } from './optimizerSignature.js';
import { reject } from './options.js';

type Values = Readonly<Record<string, unknown>>;

/** A group of parameters, with its options beside them. */
interface Group {
  readonly params: readonly Tensor[];
  readonly paramNames?: readonly string[];
}

/** Checks of the groups of one optimizer, whose options may be written into them between steps. */
export class GroupChecks {
  readonly #optimizer: string;
  readonly #defaults: readonly string[];
  readonly #known: readonly string[];
  readonly #signature: OptimizerSignature | null;
  readonly #seen = new Map<object, readonly unknown[]>();

  /** The names of the options that the optimizer has; null as a signature is one of a user's own. */
  constructor(optimizer: string, defaults: readonly string[], signature: OptimizerSignature | null) {
    this.#optimizer = optimizer;
    this.#defaults = defaults;
    this.#known = [...defaults, ...Object.keys(scheduledOptions)];
    this.#signature = signature;
  }

  /** Throws for options of wrong kinds, and for names that are nearly one; others, such as a name, are their owner's. */
  checkOptions(options: object): void {
    const name = `a group of parameters of ${this.#optimizer}`;
    const known = this.#known;
    const own = Object.entries(options).filter(([key]) => known.includes(key) || nearest(key, known) !== undefined);
    if (this.#signature !== null) this.#signature.group.checkOptions(name, Object.fromEntries(own));
    else checkOptionNames(name, Object.fromEntries(own), known);
  }

  checkTensors(params: readonly unknown[]): void {
    if (!Array.isArray(params)) reject(`${this.#optimizer}: params must be a list, got ${show(params)}.`);
    for (const item of params) {
      if (Tensor.isTensor(item)) continue;
      reject(`${this.#optimizer} takes parameters, which are Tensors, got ${show(item)}.`);
    }
  }

  /** To be called at each step: names and kinds must stay those that `addParamGroup` takes. */
  checkChanges(groups: readonly Group[]): void {
    for (const group of groups) {
      const before = this.#seen.get(group);
      if (before !== undefined && isSame(group as unknown as Values, before)) continue;
      const { params, paramNames: _names, ...options } = group;
      this.checkTensors(params);
      this.checkOptions(options);
      const missing = this.#defaults.find((name) => (options as Values)[name] === undefined);
      if (missing !== undefined) reject(`${this.#optimizer}: a group of parameters has no ${missing} any more.`);
      this.#seen.set(group, Object.values(group));
    }
  }
}

// `for … in` makes no list of the names, and goes through them in the order in which they were set.
function isSame(group: Values, before: readonly unknown[]): boolean {
  let i = 0;
  for (const name in group) if (group[name] !== before[i++]) return false;
  return i === before.length;
}
