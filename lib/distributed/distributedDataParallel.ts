import { boolean, number, kind } from '../kinds.js';
import { signature } from '../signature.js';
import { currentContext, enterContext } from '../tensor/context.js';
import { tensorsIn } from '../tensor/scope.js';
import { handlesOf, type Tensor } from '../tensor/tensor.js';
import { defaultProcessGroup } from './defaultGroup.js';
import { nativeDistributed, type NativeReducer } from './native.js';
import { groupKind, type ProcessGroup } from './processGroup.js';

/** What a module must have to be trained on several ranks: every `nn.Module` has it. */
export interface TrainableModule {
  namedParameters(): Iterable<[string, Tensor]>;
  buffers(): Iterable<Tensor>;
  forward(...args: never[]): unknown;
}

export interface DistributedDataParallelOptions {
  /** Default: the group of `initProcessGroup`. */
  group?: ProcessGroup;
  /** Gradients travel in buckets of about this size, in MiB. Default: 25. */
  bucketCapMb?: number;
  /** Searches the graph for parameters that a step does not use; needed when there are any. Default: false. */
  findUnusedParameters?: boolean;
  /** Gives every rank the buffers of rank 0 before each forward pass. Default: true. */
  broadcastBuffers?: boolean;
  /** Lets gradients be views of the buckets, which saves their memory. Default: false. */
  gradientAsBucketView?: boolean;
}

const trainableKind = kind<TrainableModule>(
  'a module',
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    typeof (value as TrainableModule).namedParameters === 'function' &&
    typeof (value as TrainableModule).forward === 'function',
);

const ddpTakes = signature<DistributedDataParallelOptions>(
  { module: trainableKind },
  {
    group: groupKind,
    bucketCapMb: number,
    findUnusedParameters: boolean,
    broadcastBuffers: boolean,
    gradientAsBucketView: boolean,
  },
);

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

/** Calls `then` with a result, or with what a promised one resolves to, and returns the result itself. */
function after<T>(result: T, then: (value: unknown) => void): T {
  if (!isPromise(result)) {
    then(result);
    return result;
  }
  return result.then((value) => {
    then(value);
    return value;
  }) as T;
}

/**
 * Trains one module on several ranks: each takes its own part of the batch, and `backward` averages the gradients over
 * all ranks while it still computes. Keep using the optimizer on `module`'s parameters.
 *
 * `forward` and `backward` wait for the other ranks synchronously, like any operator.
 *
 * @example
 * import { distributed, nn, randn } from 'aiforge';
 * await distributed.initProcessGroup();
 * const ddp = await distributed.DistributedDataParallel.create(new nn.Linear(4, 2));
 * ddp.forward(randn([8, 4])).square().mean().backward(); // every rank has the same gradients now
 * await distributed.destroyProcessGroup();
 */
export class DistributedDataParallel<M extends TrainableModule> {
  readonly module: M;
  readonly #group: ProcessGroup;
  readonly #reducer: NativeReducer;
  readonly #findUnusedParameters: boolean;
  readonly #broadcastBuffers: boolean;
  #isSyncing = true;

  private constructor(
    module: M,
    reducer: NativeReducer,
    group: ProcessGroup,
    { findUnusedParameters, broadcastBuffers }: { findUnusedParameters: boolean; broadcastBuffers: boolean },
  ) {
    this.module = module;
    this.#reducer = reducer;
    this.#group = group;
    this.#findUnusedParameters = findUnusedParameters;
    this.#broadcastBuffers = broadcastBuffers;
  }

  /**
   * Checks that all ranks have the same parameters and gives them the values of rank 0. Every rank must call it, and
   * no other collective before it resolves. Rejects for a module without trainable parameters or on several devices.
   */
  static async create<M extends TrainableModule>(
    module: M,
    options: DistributedDataParallelOptions = {},
  ): Promise<DistributedDataParallel<M>> {
    ddpTakes.check('DistributedDataParallel.create', arguments);
    const {
      group = defaultProcessGroup(),
      bucketCapMb = 25,
      findUnusedParameters = false,
      broadcastBuffers = true,
      gradientAsBucketView = false,
    } = options;
    const parameters = [...module.namedParameters()];
    const reducer = await nativeDistributed.openReducer(
      group.native,
      handlesOf(parameters.map(([, parameter]) => parameter)),
      parameters.map(([name]) => name),
      handlesOf([...module.buffers()]),
      module.constructor.name,
      Math.round(bucketCapMb * 1024 * 1024),
      findUnusedParameters,
      gradientAsBucketView,
      broadcastBuffers,
    );
    return new DistributedDataParallel(module, reducer, group, { findUnusedParameters, broadcastBuffers });
  }

  /** The module's `forward`, between the preparations that the reducer needs. */
  forward(...args: Parameters<M['forward']>): ReturnType<M['forward']> {
    return this.run(() => this.module.forward(...args) as ReturnType<M['forward']>);
  }

  /**
   * As `forward`, for a step of any form: `body` runs the module and returns what `backward` will start from, as in
   * `ddp.run(() => model.trainingStep(batch, batchIdx))`.
   */
  run<T>(body: () => T): T {
    const { gradEnabled, inference } = currentContext();
    if (!this.#isSyncing || !gradEnabled || inference) return body();
    this.#beforeForward();
    return after(body(), (outputs) => this.#afterForward(outputs));
  }

  /** Lets gradients accumulate on each rank alone over the forward and backward passes in `body`. */
  noSync<T>(body: () => T): T {
    const before = this.#isSyncing;
    const restore = (): void => {
      this.#isSyncing = before;
    };
    this.#isSyncing = false;
    let result: T;
    try {
      result = body();
    } catch (error) {
      restore();
      throw error;
    }
    if (isPromise(result)) return result.finally(restore) as T;
    restore();
    return result;
  }

  #beforeForward(): void {
    enterContext();
    nativeDistributed.beforeForward(this.#reducer);
    if (this.#broadcastBuffers) this.shareBuffers();
  }

  /** Gives every rank the buffers of rank 0, as before each forward pass that is trained on; every rank must call it. */
  shareBuffers(): void {
    enterContext();
    const buffers = [...this.module.buffers()];
    if (buffers.length > 0) nativeDistributed.syncBuffers(this.#group.native, handlesOf(buffers));
  }

  #afterForward(outputs: unknown): void {
    enterContext();
    const searched = this.#findUnusedParameters ? [...tensorsIn(outputs)].filter((tensor) => tensor.requiresGrad) : [];
    nativeDistributed.afterForward(this.#reducer, handlesOf(searched));
  }
}
