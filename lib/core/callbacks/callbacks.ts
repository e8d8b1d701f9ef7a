import { AiforgeError } from '../../errors.js';
import { kind } from '../../kinds.js';
import { nearest } from '../../nearest.js';
import { show } from '../../show.js';
import { frozenCopy } from '../copies.js';
import { isMentioned, methodsOf } from '../members.js';
import { awaited, called } from '../plugins/calls.js';
import type { Callback } from './callback.js';
import { events, type EventName } from './events.js';
import { ourEvent } from './foreignHooks.js';

export const callbacksKind = kind<readonly Callback[]>('an array of callbacks', Array.isArray);

const methods: readonly string[] = [...events, 'stateDict', 'loadStateDict'];

type Given<Name extends EventName> = Parameters<NonNullable<Callback[Name]>>[0];

/** What to do in place of returning a promise from a method that cannot be waited for. */
const inOtherEvents = 'await in an event that is waited for, such as onBatchEnd';
const beforehand = 'await in an event that is waited for, such as onEpochEnd, and give here what came of it';
const afterwards = 'keep the state that is given, and await in onRunStart what is to be made of it';

/**
 * What listens to a run, called in the order given; each is waited for before the next. What they are given is theirs to read:
 * it is a copy that cannot be written into.
 */
export class Callbacks {
  readonly #all: readonly Callback[];
  readonly #heard: ReadonlySet<EventName>;

  /** Throws INVALID_ARGUMENT for what is no callback, and for a method that no event calls. */
  constructor(callbacks: readonly Callback[]) {
    callbacks.forEach(check);
    this.#all = [...callbacks];
    this.#heard = new Set(events.filter((name) => callbacks.some((callback) => callback[name] != null)));
  }

  /** Whether anybody listens to an event: what is told often is made only then. */
  hears(name: EventName): boolean {
    return this.#heard.has(name);
  }

  /** Tells an event, to be awaited; `make` gives what is told of it. */
  tell<Name extends EventName>(name: Name, make: () => Given<Name>): Promise<void> | undefined {
    // Most events of most batches: a promise for each would cost more than the rest of the loop.
    return this.hears(name) ? this.#tellAll(name, make) : undefined;
  }

  async #tellAll<Name extends EventName>(name: Name, make: () => Given<Name>): Promise<void> {
    const event = shielded(make());
    for (const [i, callback] of this.#all.entries()) {
      await awaited(`callbacks[${i}].${name}`, () => callback[name]?.(event as never));
    }
  }

  /** Tells an event of the middle of a pass, whose listeners cannot be waited for. */
  tellNow<Name extends EventName>(name: Name, make: () => Given<Name>): void {
    if (!this.hears(name)) return;
    const event = shielded(make());
    for (const [i, callback] of this.#all.entries()) {
      called(`callbacks[${i}].${name}`, () => callback[name]?.(event as never), inOtherEvents);
    }
  }

  /** The states of those that have some, by their names. */
  save(): Record<string, unknown> {
    const states: Record<string, unknown> = {};
    for (const [i, callback] of this.#all.entries()) {
      if (callback.stateDict === undefined) continue;
      const name = nameOf(callback);
      if (Object.hasOwn(states, name)) throw refusal(`callbacks[${i}] has the name '${name}' of another one, and both have a state: give each a name of its own`); // prettier-ignore
      states[name] = called(`callbacks[${i}].stateDict`, () => callback.stateDict!(), beforehand);
    }
    return states;
  }

  /** Gives each what it had saved; gives the names of states that nobody takes. */
  restore(states: Record<string, unknown>): string[] {
    const left = new Set(Object.keys(states));
    for (const [i, callback] of this.#all.entries()) {
      const name = nameOf(callback);
      if (callback.loadStateDict === undefined || !left.delete(name)) continue;
      called(`callbacks[${i}].loadStateDict`, () => callback.loadStateDict!(states[name] as never), afterwards);
    }
    return [...left];
  }
}

/** Counters and texts are copied; a getter stays one, and what is no plain data is the thing itself. */
function shielded<T extends object>(event: T): T {
  for (const [name, member] of Object.entries(Object.getOwnPropertyDescriptors(event))) {
    if ('value' in member) (event as Record<string, unknown>)[name] = frozenCopy(member.value as unknown);
  }
  return Object.freeze(event);
}

function nameOf(callback: Callback): string {
  return callback.name ?? callback.constructor.name;
}

function check(callback: unknown, i: number): void {
  const where = `callbacks[${i}]`;
  const expected = `an object with any of ${events.join(', ')}`;
  if (typeof callback === 'function') {
    const remedy = /^class\b/.test(String(callback)) ? `; make one: new ${callback.name}()` : '';
    throw refusal(`${where} must be ${expected}, got ${show(callback)}${remedy}`);
  }
  if (typeof callback !== 'object' || callback === null) {
    throw refusal(`${where} must be ${expected}, got ${show(callback)}`);
  }
  // A helper of the callback's own may have any name.
  for (const name of methodsOf(callback)) if (!isMentioned(callback, name)) checkName(where, name);
  for (const name of methods) {
    const hook = (callback as Record<string, unknown>)[name];
    if (hook !== undefined && hook !== null && typeof hook !== 'function') {
      throw refusal(`${where}.${name} must be a function, got ${show(hook)}`);
    }
  }
  const isDeaf = !events.some((name) => name in callback);
  if (isDeaf && ['stateDict', 'loadStateDict'].some((name) => name in callback)) {
    throw refusal(`${where} has a state and listens to nothing: give it an event too, any of ${events.join(', ')}`);
  }
  if (isDeaf) throw refusal(`${where} must be ${expected}, got ${show(callback)}`);
}

function checkName(where: string, name: string): void {
  if (methods.includes(name)) return;
  const own = ourEvent(name) ?? nearest(name, methods);
  if (own === undefined && !/^on(_|[A-Z])/.test(name)) return;
  const advice = own === undefined ? '' : ` Did you mean '${own}'?`;
  throw refusal(`${where} has '${name}', which no event calls.${advice} Known are ${methods.join(', ')}`);
}

function refusal(problem: string): AiforgeError {
  return new AiforgeError('INVALID_ARGUMENT', `${problem}.`);
}
