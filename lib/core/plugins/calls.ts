import { isPromise, notAwaited } from '../../promised.js';
import { AiforgeError } from '../../errors.js';
import { show } from '../../show.js';
import { settled } from '../settled.js';
import { isError } from '../../realms.js';
import { insteadOfCall } from './foreignMethods.js';

const inPlugins = 'await in Dataset.loadData or in fit, and use here what came of it';

/**
 * What a plugin's code gives. An error that it throws passes as it is; whatever else it throws says nothing of where, and
 * becomes the cause of a PLUGIN_INVALID that does, as a promise does.
 *
 * @param what The code, as an error calls it: `trainingStep`.
 * @param instead What to do where it returns a promise. Default: what plugins of models and data can do.
 */
export function called<T>(what: string, call: () => T, instead = inPlugins): T {
  let result: T;
  try {
    result = call();
  } catch (thrown) {
    throw thrownBy(what, thrown);
  }
  if (!isPromise(result)) return result;
  throw awaitedIn(what, result, instead);
}

/** The same for what is called for every sample: it needs no function of the sample's own. */
export function calledFor<Item, T>(
  what: (index: number) => string,
  call: (item: Item) => T,
  item: Item,
  index: number,
): T {
  let result: T;
  try {
    result = call(item);
  } catch (thrown) {
    throw thrownBy(what(index), thrown);
  }
  if (!isPromise(result)) return result;
  throw awaitedIn(what(index), result, inPlugins);
}

function awaitedIn(name: string, promise: PromiseLike<unknown>, instead: string): AiforgeError {
  const problem = `${name} returned a promise, but must be synchronous: ${instead}.`;
  return notAwaited('PLUGIN_INVALID', problem, promise);
}

/** The same for code that may be asynchronous. */
export async function awaited<T>(what: string, call: () => T | Promise<T>): Promise<T> {
  try {
    const given = call();
    return isPromise(given) ? await settled(what, given) : given;
  } catch (thrown) {
    throw thrownBy(what, thrown);
  }
}

/** The error for what was thrown: itself, if it is one that says what to do. */
export function thrownBy(what: string, thrown: unknown): Error {
  if (isError(thrown)) return foreignCall(what, thrown) ?? thrown;
  return new AiforgeError(
    'PLUGIN_INVALID',
    `${what} threw ${show(thrown)}, which is no error: throw new Error('…'), which says what is wrong and where.`,
    { cause: thrown },
  );
}

/** The error of a step that calls what models of other frameworks have. */
function foreignCall(what: string, cause: Error): AiforgeError | undefined {
  const called =
    cause.name === 'TypeError' && what.endsWith('Step')
      ? /^this\.(\w+) is not a function/.exec(cause.message)?.[1]
      : undefined;
  const instead = called === undefined ? undefined : insteadOfCall(called);
  if (instead === undefined) return undefined;
  return new AiforgeError('PLUGIN_INVALID', `${what} calls this.${called}(), which is no method; write ${instead}.`, {
    cause,
  });
}
