import { AiforgeError } from '../../errors.js';
import { wrapper } from '../../nn/members/registry.js';
import type { TrainableModule } from './options.js';

type Given<M, Name extends string> =
  M extends Readonly<Record<Name, (...args: infer Args) => unknown>> ? Args : never[];
type Returned<M, Name extends string> =
  M extends Readonly<Record<Name, (...args: never[]) => infer Result>> ? Result : never;

/** What is asked of a wrapped module as of itself: names and state dicts have no prefix. */
export abstract class WrappedModule<M extends TrainableModule> {
  /** @internal */
  readonly [wrapper] = true;

  constructor(readonly module: M) {}

  parameters(...args: Given<M, 'parameters'>): Returned<M, 'parameters'> {
    return this.#ask('parameters', args);
  }

  namedParameters(...args: Given<M, 'namedParameters'>): Returned<M, 'namedParameters'> {
    return this.#ask('namedParameters', args);
  }

  /** The module's own: keys have no `module.` before them, as those of Python's wrapper have. */
  stateDict(...args: Given<M, 'stateDict'>): Returned<M, 'stateDict'> {
    return this.#ask('stateDict', args);
  }

  /** Takes the module's own keys; every rank must load the same. */
  loadStateDict(...args: Given<M, 'loadStateDict'>): Returned<M, 'loadStateDict'> {
    return this.#ask('loadStateDict', args);
  }

  zeroGrad(...args: Given<M, 'zeroGrad'>): Returned<M, 'zeroGrad'> {
    return this.#ask('zeroGrad', args);
  }

  /** Puts the module into training mode; returns this object. */
  train(...args: Given<M, 'train'>): this {
    this.#ask('train', args);
    return this;
  }

  /** Puts the module into evaluation mode; returns this object. */
  eval(...args: Given<M, 'eval'>): this {
    this.#ask('eval', args);
    return this;
  }

  #ask<Result>(name: string, args: readonly unknown[]): Result {
    const method = (this.module as unknown as Record<string, unknown>)[name];
    if (typeof method === 'function') return Reflect.apply(method, this.module, args) as Result;
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `DistributedDataParallel.${name}: the module ${this.module.constructor.name} has no method ${name}(); nn.Module has.`,
    );
  }
}
