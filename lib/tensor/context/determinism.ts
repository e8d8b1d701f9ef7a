import { native } from '../../native.js';
import { boolean } from '../../kinds.js';
import { nothing, signature } from '../../signature.js';

export interface DeterminismOptions {
  /** Warns of operators that cannot, in place of an error. Default: false. */
  warnOnly?: boolean;
}

const determinismTakes = signature<DeterminismOptions>({ mode: boolean }, { warnOnly: boolean });

/**
 * Has operators of the whole process compute the same from the same inputs each time: they take another algorithm where they have
 * one, and throw where they have none. Memory that is not initialised gets NaN, so `empty` is slower. As
 * `torch.use_deterministic_algorithms`.
 *
 * Options: {@link DeterminismOptions}.
 *
 * @example
 * import { areDeterministicAlgorithmsEnabled, useDeterministicAlgorithms } from 'aiforge';
 * useDeterministicAlgorithms(true);
 * areDeterministicAlgorithmsEnabled(); // true
 * useDeterministicAlgorithms(false);
 */
export function useDeterministicAlgorithms(mode: boolean, options: DeterminismOptions = {}): void {
  determinismTakes.check('useDeterministicAlgorithms', arguments);
  native.setDeterministic(mode, options.warnOnly ?? false);
}

/** Whether `useDeterministicAlgorithms` is in force. */
export function areDeterministicAlgorithmsEnabled(): boolean {
  nothing.check('areDeterministicAlgorithmsEnabled', arguments);
  return native.isDeterministic();
}

/** Whether operators that cannot compute deterministically only warn. */
export function isDeterministicAlgorithmsWarnOnlyEnabled(): boolean {
  nothing.check('isDeterministicAlgorithmsWarnOnlyEnabled', arguments);
  return native.isDeterministicWarnOnly();
}
