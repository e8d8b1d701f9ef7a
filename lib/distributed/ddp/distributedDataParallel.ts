import { AiforgeError } from '../../errors.js';
import { listOf, number } from '../../kinds.js';
import { isPromise } from '../../realms.js';
import { signature } from '../../signature.js';
import { currentContext, enterContext } from '../../tensor/context/context.js';
import { tensorKind } from '../../tensor/kinds.js';
import { tensorsIn } from '../../tensor/memory/scope.js';
import { handlesOf, type Tensor } from '../../tensor/tensor.js';
import { defaultProcessGroup } from '../defaultGroup.js';
import { nativeDistributed, type NativeReducer } from '../native.js';
import type { ProcessGroup } from '../processGroup.js';
import { agree, agreeAsync, average, averageAsync } from './averages.js';
import {
  bucketBytes,
  checkedDevice,
  ddpTakes,
  onDevice,
  unusedAdvice,
  type DistributedDataParallelOptions,
  type TrainableModule,
  type UnusedAdvice,
} from './options.js';
import { throughSink } from './outputSink.js';
import { sparseParameters } from './sparseParameters.js';

const averageTakes = signature({ parameters: listOf(tensorKind) });
const agreeTakes = signature({ number });

/** What `then` makes of a result, or a promise of what it makes of what a promised one resolves to. */
function after<T>(result: T, then: (value: unknown) => unknown): T {
  return (isPromise(result) ? result.then(then) : then(result)) as T;
}

const key = Symbol('DistributedDataParallel');

/**
 * Trains one module on several ranks: each takes its own part of the batch, and `backward` averages the gradients over
 * all ranks while it still computes. Keep using the optimizer on `module`'s parameters.
 *
 * `forward` and `backward` wait for the other ranks synchronously, like any operator. A forward pass that shares buffers
 * (see `broadcastBuffers`) is one for all ranks, in `noGrad` and `noSync` too; a rank alone calls the module itself.
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
  readonly #sharesBuffers: boolean;
  /** Where the arguments go. */
  readonly #device: string | null;
  #isSyncing = true;
  /** Whether the next forward pass begins with rank 0's buffers: the first does, and any after one that was averaged. */
  #sharesNext = true;
  /** The method that waits for the other ranks beside the event loop. */
  #waiting: string | null = null;

  private constructor(
    token: symbol,
    module: M,
    reducer: NativeReducer,
    group: ProcessGroup,
    given: { findUnusedParameters: boolean; sharesBuffers: boolean; device: string | null },
  ) {
    // In JavaScript nothing is private.
    if (token !== key) {
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        'DistributedDataParallel: the ranks are asked first; write await DistributedDataParallel.create(module, options).',
      );
    }
    this.module = module;
    this.#reducer = reducer;
    this.#group = group;
    this.#findUnusedParameters = given.findUnusedParameters;
    this.#sharesBuffers = given.sharesBuffers;
    this.#device = given.device;
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
    return DistributedDataParallel.open(module, options, unusedAdvice);
  }

  /** @internal As `create`, with other advice in its errors. */
  static async open<M extends TrainableModule>(
    module: M,
    options: DistributedDataParallelOptions,
    advice: UnusedAdvice,
  ): Promise<DistributedDataParallel<M>> {
    const {
      deviceIds,
      group = defaultProcessGroup(),
      bucketCapMb,
      findUnusedParameters = false,
      broadcastBuffers = true,
      gradientAsBucketView = false,
    } = options;
    const device = deviceIds === undefined ? null : checkedDevice(module, deviceIds);
    const parameters = [...module.namedParameters()];
    const buffers = [...module.buffers()];
    const reducer = await nativeDistributed.openReducer(
      group.native,
      handlesOf(parameters.map(([, parameter]) => parameter)),
      parameters.map(([name]) => name),
      handlesOf(sparseParameters(module)),
      handlesOf(buffers),
      module.constructor.name,
      ...bucketBytes(bucketCapMb),
      findUnusedParameters,
      gradientAsBucketView,
      broadcastBuffers,
      findUnusedParameters ? advice.searched : advice.otherwise,
    );
    const sharesBuffers = broadcastBuffers && buffers.length > 0;
    return new DistributedDataParallel(key, module, reducer, group, { findUnusedParameters, sharesBuffers, device });
  }

  /** The module's `forward`, between the preparations that the reducer needs. */
  forward(...args: Parameters<M['forward']>): ReturnType<M['forward']> {
    return this.run(() => this.#callModule(args));
  }

  /**
   * As `forward`, with what it waits for of the other ranks, such as their buffers, off the event loop; the module's own forward pass
   * runs on it. Takes `backwardAsync` to have the averaging beside the event loop too. Until it resolves, no other collective of the
   * group may begin, and other methods of this object throw `INVALID_ARGUMENT`.
   *
   * @example
   * import { distributed, nn, randn } from 'aiforge';
   * await distributed.initProcessGroup();
   * const ddp = await distributed.DistributedDataParallel.create(new nn.BatchNorm1d(4));
   * const output = await ddp.forwardAsync(randn([8, 4]));
   * await output.square().mean().backwardAsync(); // timers and requests go on while other ranks are late
   * await distributed.destroyProcessGroup();
   */
  forwardAsync(...args: Parameters<M['forward']>): Promise<Awaited<ReturnType<M['forward']>>> {
    return this.#runAsync('forwardAsync', () => this.#callModule(args));
  }

  /**
   * As `forward`, for a step of any form: `body` runs the module and returns what `backward` will start from, as in
   * `ddp.run(() => model.trainingStep(batch, batchIdx))`.
   */
  run<T>(body: () => T): T {
    this.#requireIdle('forward');
    const { isRecorded, syncs } = this.#step();
    if (isRecorded) nativeDistributed.beforeForward(this.#reducer, syncs);
    if (this.#sharesBuffers && this.#sharesNext) this.shareBuffers();
    return after(body(), (outputs) => this.#afterForward(outputs, syncs));
  }

  /** As `run`, with what it waits for of the other ranks off the event loop, as in `forwardAsync`. */
  runAsync<T>(body: () => T): Promise<Awaited<T>> {
    return this.#runAsync('runAsync', body);
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

  /** Gives every rank the buffers of rank 0, at any time; every rank must call it. */
  shareBuffers(): void {
    this.#requireIdle('shareBuffers');
    enterContext();
    const buffers = [...this.module.buffers()];
    if (buffers.length > 0) nativeDistributed.shareTensors(this.#group.native, handlesOf(buffers), 0);
  }

  /** As `shareBuffers`, off the event loop. */
  shareBuffersAsync(): Promise<void> {
    return this.#wait('shareBuffersAsync', () => this.#bufferExchange());
  }

  /**
   * Averages gradients over the ranks that backward passes in `noSync` left on each; every rank must call it, for the same
   * parameters. Of a parameter that only some ranks used, the gradients of the others count as zeros.
   */
  averageGradients(parameters: readonly Tensor[]): void {
    averageTakes.check('DistributedDataParallel.averageGradients', arguments);
    this.#requireIdle('averageGradients');
    average(this.#group, parameters);
  }

  /** As `averageGradients`, off the event loop. */
  async averageGradientsAsync(parameters: readonly Tensor[]): Promise<void> {
    averageTakes.check('DistributedDataParallel.averageGradientsAsync', arguments);
    await this.#wait('averageGradientsAsync', () => averageAsync(this.#group, parameters));
  }

  /** Whether every rank has come with the same number; every rank must ask. */
  agree(number: number): boolean {
    agreeTakes.check('DistributedDataParallel.agree', arguments);
    this.#requireIdle('agree');
    return agree(this.#group, number);
  }

  /** As `agree`, off the event loop. */
  async agreeAsync(number: number): Promise<boolean> {
    agreeTakes.check('DistributedDataParallel.agreeAsync', arguments);
    return this.#wait('agreeAsync', () => agreeAsync(this.#group, number));
  }

  #callModule(args: Parameters<M['forward']>): ReturnType<M['forward']> {
    const placed = this.#device === null ? args : onDevice(args, this.#device);
    return this.module.forward(...placed) as ReturnType<M['forward']>;
  }

  /** Whether the forward pass that begins is recorded, and whether its gradients will be averaged. */
  #step(): { isRecorded: boolean; syncs: boolean } {
    enterContext();
    const { gradEnabled, inference } = currentContext();
    const isRecorded = gradEnabled && !inference;
    return { isRecorded, syncs: this.#isSyncing && isRecorded };
  }

  async #runAsync<T>(name: string, body: () => T): Promise<Awaited<T>> {
    const { isRecorded, syncs } = this.#step();
    await this.#wait(name, async () => {
      if (isRecorded) await nativeDistributed.beforeForwardAsync(this.#reducer, syncs);
      if (this.#sharesBuffers && this.#sharesNext) await this.#bufferExchange();
    });
    return after<unknown>(body(), (outputs) => this.#afterForward(outputs, syncs)) as Promise<Awaited<T>>;
  }

  async #bufferExchange(): Promise<void> {
    enterContext();
    const buffers = [...this.module.buffers()];
    if (buffers.length > 0) await nativeDistributed.shareTensorsAsync(this.#group.native, handlesOf(buffers), 0);
  }

  /** Two exchanges at once would meet each other's messages on the other ranks. */
  async #wait<T>(name: string, body: () => Promise<T>): Promise<T> {
    this.#requireIdle(name);
    this.#waiting = name;
    try {
      return await body();
    } finally {
      this.#waiting = null;
    }
  }

  #requireIdle(name: string): void {
    if (this.#waiting === null) return;
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `DistributedDataParallel.${name}: ${this.#waiting}() still waits for the other ranks; await its promise first.`,
    );
  }

  #afterForward(outputs: unknown, syncs: boolean): unknown {
    this.#sharesNext = syncs;
    if (syncs) {
      enterContext();
      const isSearched = this.#findUnusedParameters;
      const searched = isSearched ? tensorsIn(outputs).filter((tensor) => tensor.requiresGrad) : [];
      nativeDistributed.afterForward(this.#reducer, handlesOf(searched));
    }
    return this.#findUnusedParameters ? throughSink(outputs) : outputs;
  }
}
