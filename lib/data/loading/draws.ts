import { Buffer } from 'node:buffer';
import { getRngState, scope, setRngState, tensor, type Generator, type Tensor } from '../../tensor/index.js';

/** The state of a loader's generator, or of the default one, as text. */
export const drawsOf = (generator: Generator | undefined): string =>
  scope(() => drawsIn(generator?.getState() ?? getRngState()));

/** A generator's state as text. */
export const drawsIn = (state: Tensor): string => Buffer.from(state.toTypedArray() as Uint8Array).toString('base64');

export function restoreDraws(generator: Generator | undefined, draws: string): void {
  scope(() => {
    const state = tensor(new Uint8Array(Buffer.from(draws, 'base64')));
    if (generator === undefined) setRngState(state);
    else generator.setState(state);
  });
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
