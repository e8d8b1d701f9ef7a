import { didYouMean } from '../nearest.js';
import { AiforgeError } from '../errors.js';
import type { Callback } from './callback.js';
import { settled } from './settled.js';

type EventName = keyof Callback;

const known = ['onRunStart', 'onStepEnd', 'onEpochEnd', 'onRunEnd'] as const satisfies readonly EventName[];

/** What listens to a run, called in the order given; each is waited for before the next. */
export class Callbacks {
  readonly #all: readonly Callback[];

  /** Throws CONFIG_INVALID for a callback whose method no event calls. */
  constructor(callbacks: readonly Callback[]) {
    callbacks.forEach(check);
    this.#all = callbacks;
  }

  onRunStart(...args: Parameters<NonNullable<Callback['onRunStart']>>): Promise<void> {
    return this.#tell('onRunStart', (callback) => callback.onRunStart?.(...args));
  }

  onStepEnd(...args: Parameters<NonNullable<Callback['onStepEnd']>>): Promise<void> {
    return this.#tell('onStepEnd', (callback) => callback.onStepEnd?.(...args));
  }

  onEpochEnd(...args: Parameters<NonNullable<Callback['onEpochEnd']>>): Promise<void> {
    return this.#tell('onEpochEnd', (callback) => callback.onEpochEnd?.(...args));
  }

  onRunEnd(...args: Parameters<NonNullable<Callback['onRunEnd']>>): Promise<void> {
    return this.#tell('onRunEnd', (callback) => callback.onRunEnd?.(...args));
  }

  async #tell(event: EventName, call: (callback: Callback) => void | Promise<void>): Promise<void> {
    for (const callback of this.#all) {
      const given = call(callback);
      if (given !== undefined) await settled(`A callback's ${event}`, given);
    }
  }
}

function check(callback: Callback): void {
  for (const name of methodsOf(callback)) {
    if (!/^on[A-Z]/.test(name) || (known as readonly string[]).includes(name)) continue;
    throw new AiforgeError(
      'CONFIG_INVALID',
      `A callback has '${name}', which no event calls.${didYouMean(name, known)} Known are ${known.join(', ')}.`,
    );
  }
}

/** The names of an object's methods, its own and those of its classes. */
function methodsOf(object: object): string[] {
  const names: string[] = [];
  for (
    let at: object | null = object;
    at !== null && at !== Object.prototype;
    at = Object.getPrototypeOf(at) as object | null
  ) {
    names.push(...Object.getOwnPropertyNames(at));
  }
  return names;
}
