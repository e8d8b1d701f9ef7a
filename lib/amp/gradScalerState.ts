import { AiforgeError } from '../errors.js';
import { notNegative, positive, size } from '../kinds.js';
import { show } from '../show.js';

/** What `GradScaler.stateDict` gives, under Python's names; nothing of one that is not enabled. */
export interface GradScalerStateDict {
  scale: number;
  growth_factor: number;
  backoff_factor: number;
  growth_interval: number;
  /** Steps in a row with finite gradients since the scale changed. */
  _growth_tracker: number;
}

const stateKinds = {
  scale: notNegative,
  growth_factor: positive,
  backoff_factor: positive,
  growth_interval: size,
  _growth_tracker: size,
};

/** Throws STATE_DICT_MISMATCH for what is no state of a scaler that was enabled. */
export function checkState(stateDict: object): asserts stateDict is GradScalerStateDict {
  const mismatch = (problem: string): never => {
    throw new AiforgeError('STATE_DICT_MISMATCH', `GradScaler.loadStateDict: ${problem}.`);
  };
  const given = Object.entries(stateDict);
  if (given.length === 0) mismatch('the state is empty: it was saved of a scaler that was not enabled');
  for (const [name, of] of Object.entries(stateKinds)) {
    const value: unknown = Reflect.get(stateDict, name);
    if (!of.accepts(value)) mismatch(`${name} must be ${of.expected}, got ${show(value)}`);
  }
  const unknown = given.find(([name]) => !Object.hasOwn(stateKinds, name));
  if (unknown !== undefined) mismatch(`a GradScaler has no state '${unknown[0]}'`);
}
