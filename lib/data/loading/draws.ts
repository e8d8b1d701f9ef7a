import { Buffer } from 'node:buffer';
import { AiforgeError } from '../../errors.js';
import { getRngState, scope, setRngState, tensor, type Generator, type Tensor } from '../../tensor/index.js';
import { generatorKind } from '../../tensor/kinds.js';
import type { BatchOrder } from '../samplers.js';

/** The state of a loader's generator, or of the default one, as text. */
export const drawsOf = (generator: Generator | undefined): string =>
  scope(() => drawsIn(generator?.getState() ?? getRngState()));

/** A generator's state as text. */
export const drawsIn = (state: Tensor): string => Buffer.from(state.toTypedArray() as Uint8Array).toString('base64');

/** Throws STATE_DICT_MISMATCH for what is no state of a generator. */
export function restoreDraws(generator: Generator | undefined, draws: string): void {
  try {
    scope(() => {
      const state = tensor(new Uint8Array(Buffer.from(draws, 'base64')));
      if (generator === undefined) setRngState(state);
      else generator.setState(state);
    });
  } catch (cause) {
    throw new AiforgeError('STATE_DICT_MISMATCH', 'DataLoader.loadStateDict: what it says of a generator is no state of one; give what stateDict() gave.', { cause }); // prettier-ignore
  }
}

/**
 * Runs a body that draws again what was drawn from a state on. The default generator then is as it was before, for others draw from
 * it too; the loader's own is left where the body leaves it.
 */
export function redrawn<Result>(generator: Generator | undefined, draws: string, body: () => Result): Result {
  const now = generator === undefined ? drawsOf(generator) : undefined;
  restoreDraws(generator, draws);
  try {
    return body();
  } finally {
    if (now !== undefined) restoreDraws(generator, now);
  }
}

/** The generators that a sampler, and those that it stands on, have as their `generator`; `own` is the loader's. */
export function samplerGenerators(order: BatchOrder | null, own: Generator | undefined): Generator[] {
  const found = new Set<Generator>();
  const seen = new Set<unknown>();
  for (let each: unknown = order; typeof each === 'object' && each !== null && !seen.has(each);) {
    seen.add(each);
    const { generator, sampler } = each as { generator?: unknown; sampler?: unknown };
    if (generatorKind.accepts(generator) && generator !== own) found.add(generator as Generator);
    each = sampler;
  }
  return [...found];
}
