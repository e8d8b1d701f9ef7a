import { AiforgeError } from '../errors.js';
import { nearest } from '../nearest.js';
import { show } from '../show.js';
import type { Callback } from './callback.js';
import { ourEvent } from './foreignHooks.js';
import { frozenCopy } from './copies.js';
import { isMentioned, methodsOf } from './members.js';
import { awaited } from './plugins/calls.js';

type EventName = keyof Callback;

const known: readonly EventName[] = ['onRunStart', 'onStepEnd', 'onEpochEnd', 'onRunEnd'];

type Given<Name extends EventName> = Parameters<NonNullable<Callback[Name]>>[0];

/**
 * What listens to a run, called in the order given; each is waited for before the next. What they are given is theirs to read:
 * it is a copy that cannot be written into.
 */
export class Callbacks {
  readonly #all: readonly Callback[];

  /** Throws INVALID_ARGUMENT for what is no callback, and for a method that no event calls. */
  constructor(callbacks: readonly Callback[]) {
    callbacks.forEach(check);
    this.#all = [...callbacks];
  }

  onRunStart(run: Given<'onRunStart'>): Promise<void> {
    return this.#tell('onRunStart', run);
  }

  async onStepEnd(step: Given<'onStepEnd'>): Promise<void> {
    // Made for this event, and told at every batch: it need not be copied.
    if (this.#all.length > 0) await this.#call('onStepEnd', Object.freeze(step));
  }

  onEpochEnd(epoch: Given<'onEpochEnd'>): Promise<void> {
    return this.#tell('onEpochEnd', epoch);
  }

  onRunEnd(result: Given<'onRunEnd'>): Promise<void> {
    return this.#tell('onRunEnd', result);
  }

  async #tell<Name extends EventName>(name: Name, event: Given<Name>): Promise<void> {
    if (this.#all.length > 0) await this.#call(name, frozenCopy(event));
  }

  async #call(name: EventName, event: object): Promise<void> {
    for (const [i, callback] of this.#all.entries()) {
      await awaited(`callbacks[${i}].${name}`, () => callback[name]?.(event as never));
    }
  }
}

function check(callback: unknown, i: number): void {
  const where = `callbacks[${i}]`;
  const expected = `an object with any of ${known.join(', ')}`;
  if (typeof callback === 'function') {
    const remedy = /^class\b/.test(String(callback)) ? `; make one: new ${callback.name}()` : '';
    throw refusal(`${where} must be ${expected}, got ${show(callback)}${remedy}`);
  }
  if (typeof callback !== 'object' || callback === null) {
    throw refusal(`${where} must be ${expected}, got ${show(callback)}`);
  }
  // A helper of the callback's own may have any name.
  for (const name of methodsOf(callback)) if (!isMentioned(callback, name)) checkName(where, name);
  for (const name of known) {
    const hook = (callback as Record<string, unknown>)[name];
    if (hook !== undefined && hook !== null && typeof hook !== 'function') {
      throw refusal(`${where}.${name} must be a function, got ${show(hook)}`);
    }
  }
  if (!known.some((name) => name in callback)) throw refusal(`${where} must be ${expected}, got ${show(callback)}`);
}

function checkName(where: string, name: string): void {
  if ((known as readonly string[]).includes(name)) return;
  const own = ourEvent(name) ?? nearest(name, known);
  if (own === undefined && !/^on(_|[A-Z])/.test(name)) return;
  const advice = own === undefined ? '' : ` Did you mean '${own}'?`;
  throw refusal(`${where} has '${name}', which no event calls.${advice} Known are ${known.join(', ')}`);
}

function refusal(problem: string): AiforgeError {
  return new AiforgeError('INVALID_ARGUMENT', `${problem}.`);
}
