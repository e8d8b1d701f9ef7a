import { ContainerInstance, Token } from 'typedi';

import type { ExperimentConfig } from '../config/experimentConfig.js';
import { AiforgeError } from '../errors.js';
import { func, kind, string } from '../kinds.js';
import { nothing, signature } from '../signature.js';

// typedi is no longer maintained, so no other file imports it. Only its tokens and factories are used.
export type { Token } from 'typedi';

/** Makes a value for a container; it asks the container for what it needs. */
export type Factory<T> = (container: Container) => T;

const nameTakes = signature({ name: string });
const tokenKind = kind('a token of createToken()', (value) => value instanceof Token);
const provideTakes = signature({ token: tokenKind, factory: func() });
const getTakes = signature({ token: tokenKind });

/** A token to provide and get a value by; the name appears in errors. */
export function createToken<T>(name: string): Token<T> {
  nameTakes.check('createToken', arguments);
  return new Token<T>(name);
}

/** A value of the container: call it to read, `override` to set. */
export interface Provider<T> {
  (): T;
  override(value: T): void;
}

const experimentConfig = createToken<ExperimentConfig>('experimentConfig');
const mlflowRunId = createToken<string | null>('mlflowRunId');

const defaults = new Map<Token<unknown>, Factory<unknown>>();

/**
 * The parts of one run, each made when it is first asked for and then kept. Containers share nothing: make one a run.
 * Overriding a value forgets whatever was made from the values before.
 */
export class Container {
  /** The experiment to run. Reading it before it was overridden throws `CONFIG_INVALID`. */
  readonly experimentConfig: Provider<ExperimentConfig>;
  /** Id of the MLflow run to record in, 32 hexadecimal digits; null (the default) when there is none. */
  readonly mlflowRunId: Provider<string | null>;

  readonly #factories = new Map<Token<unknown>, Factory<unknown>>();
  readonly #pending = new Set<Token<unknown>>();
  // Not Container.of(id), which keeps every container in a static list for ever.
  #services = new ContainerInstance('aiforge');
  #disposed = false;

  constructor() {
    this.experimentConfig = this.#provider(experimentConfig);
    this.mlflowRunId = this.#provider(mlflowRunId);
    this.reset();
  }

  /** Registers a factory that every container made or reset afterwards starts with; a later one for the same token wins. */
  static register<T>(token: Token<T>, factory: Factory<T>): void {
    provideTakes.check('Container.register', arguments);
    defaults.set(token, factory);
  }

  /** Says how to make the value of a token in this container, in place of what was said or made before. */
  provide<T>(token: Token<T>, factory: Factory<T>): this {
    provideTakes.check('provide', arguments);
    this.#factories.set(token, factory);
    this.#forget();
    return this;
  }

  /** The value of a token, made by its factory at the first call. Throws `CONFIG_INVALID` when nothing provides it. */
  get<T>(token: Token<T>): T {
    getTakes.check('get', arguments);
    if (this.#disposed) {
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        `'${nameOf(token)}' was asked of a disposed container; make a new one.`,
      );
    }
    if (!this.#factories.has(token)) {
      throw new AiforgeError(
        'CONFIG_INVALID',
        `The container has no '${nameOf(token)}'; call provide() with a factory for it first.`,
      );
    }
    return this.#services.get(token);
  }

  /** Forgets every override, factory and value of this container; what `register` gave is there again. */
  reset(): void {
    nothing.check('reset', arguments);
    this.#factories.clear();
    for (const [token, factory] of defaults) this.#factories.set(token, factory);
    this.#factories.set(experimentConfig, missingConfig);
    this.#factories.set(mlflowRunId, () => null);
    this.#forget();
  }

  /** Lets go of everything; the container cannot be used afterwards. */
  dispose(): void {
    nothing.check('dispose', arguments);
    this.#disposed = true;
    this.#factories.clear();
    this.#forget();
  }

  #provider<T>(token: Token<T>): Provider<T> {
    const read = (): T => this.get(token);
    return Object.assign(read, { override: (value: T) => void this.provide(token, () => value) });
  }

  /** Drops the values made so far, since any of them may rest on what has just changed. */
  #forget(): void {
    this.#services = new ContainerInstance('aiforge');
    for (const token of this.#factories.keys()) {
      this.#services.set({ id: token, factory: () => this.#make(token) });
    }
  }

  #make(token: Token<unknown>): unknown {
    const factory = this.#factories.get(token)!;
    if (this.#pending.has(token)) {
      const chain = [...this.#pending, token].map(nameOf).join(' → ');
      throw new AiforgeError(
        'CONFIG_INVALID',
        `The factories of the container need each other: ${chain}. Break the circle.`,
      );
    }
    this.#pending.add(token);
    try {
      return factory(this);
    } finally {
      this.#pending.delete(token);
    }
  }
}

function nameOf(token: Token<unknown>): string {
  return token.name ?? 'a token without a name';
}

function missingConfig(): never {
  throw new AiforgeError(
    'CONFIG_INVALID',
    'The container has no experiment configuration; call container.experimentConfig.override(config) first.',
  );
}
