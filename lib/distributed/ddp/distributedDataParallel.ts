import { AiforgeError } from '../../errors.js';
import { func, listOf, number } from '../../kinds.js';
import { isPromise } from '../../realms.js';
import { signature } from '../../signature.js';
import { currentContext, enterContext } from '../../tensor/context/context.js';
import { tensorKind } from '../../tensor/kinds.js';
import { tensorsIn } from '../../tensor/memory/scope.js';
import { handlesOf, wrapHandle, type Tensor } from '../../tensor/tensor.js';
import { defaultProcessGroup } from '../world.js';
import { nativeDistributed, type NativeBeginning, type NativeReducer } from '../native.js';
import type { ProcessGroup } from '../processGroup.js';
import { agree, agreeAsync, average, averageAsync } from './averages.js';
import { commHookTakes, hookOptions, type CommHook, type PowerSGDOptions } from './commHooks.js';
import { earlyTermination, finishTogether, joinTakes, type JoinedRank, type UnevenInputsOptions } from './join.js';
import { loggingDataOf, type DdpLoggingData } from './loggingData.js';
import { openReducer, staticInNoSync, unusedAdvice, type Given, type GradientBuckets, type UnusedAdvice } from './openReducer.js'; // prettier-ignore
import { ddpTakes, type DistributedDataParallelOptions, type TrainableModule } from './options.js';
import { replaceRecorded } from './outputs.js';
import { ParameterWatch } from './parameterWatch.js';
import { onDevice } from './placement.js';
import type { SharedState } from './sharedState.js';
import { after, type Step } from './step.js';
import { WrappedModule } from './wrappedModule.js';

const averageTakes = signature({ parameters: listOf(tensorKind) });
const bodyTakes = signature({ body: func() });
const agreeTakes = signature({ number });

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
export class DistributedDataParallel<M extends TrainableModule> extends WrappedModule<M> {
  readonly #group: ProcessGroup;
  readonly #reducer: NativeReducer;
  readonly #state: SharedState;
  readonly #given: Given;
  readonly #watch: ParameterWatch;
  #isSyncing = true;
  /** Whether the next forward pass begins with rank 0's buffers: the first does, and any after one that was averaged. */
  #sharesNext = true;
  /** Whether a forward pass was one to be averaged. */
  #hasAveraged = false;
  /** The method that waits for the other ranks beside the event loop. */
  #waiting: string | null = null;
  /** Within `join`: what it was told. */
  #joining: Required<UnevenInputsOptions> | null = null;
  #hook: CommHook | null = null;

  private constructor(
    token: symbol,
    module: M,
    state: SharedState,
    reducer: NativeReducer,
    group: ProcessGroup,
    given: Given,
  ) {
    // In JavaScript nothing is private.
    if (token !== key) {
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        'DistributedDataParallel: the ranks are asked first; write await DistributedDataParallel.create(module, options).',
      );
    }
    super(module);
    this.#state = state;
    this.#reducer = reducer;
    this.#group = group;
    this.#given = given;
    this.#watch = new ParameterWatch(state, reducer);
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

  /** @internal As `create`, with other advice in its errors, and with the buckets of a run that goes on. */
  static async open<M extends TrainableModule>(
    module: M,
    options: DistributedDataParallelOptions & { gradientBuckets?: GradientBuckets },
    advice: UnusedAdvice,
  ): Promise<DistributedDataParallel<M>> {
    const { group = defaultProcessGroup() } = options;
    const { reducer, state, given } = await openReducer(module, group, options, advice);
    return new DistributedDataParallel(key, module, state, reducer, group, given);
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
    bodyTakes.check('DistributedDataParallel.run', arguments);
    this.#requireIdle('forward');
    const step = this.#step();
    if (step.waits && nativeDistributed.beforeForward(...this.#beginning(step))) throw earlyTermination();
    return after(body(), (outputs) => this.#afterForward(outputs, step.averages));
  }

  /** As `run`, with what it waits for of the other ranks off the event loop, as in `forwardAsync`. */
  async runAsync<T>(body: () => T): Promise<Awaited<T>> {
    bodyTakes.check('DistributedDataParallel.runAsync', arguments);
    return this.#runAsync('runAsync', body);
  }

  /** Lets gradients accumulate on each rank alone over the forward and backward passes in `body`. */
  noSync<T>(body: () => T): T {
    bodyTakes.check('DistributedDataParallel.noSync', arguments);
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

  /**
   * Runs a loop over inputs of which ranks may have different numbers: a rank that is through takes part in the steps of the others, and
   * in the end all have the values of the last. Resolves to what `body` does, on all ranks. The gradients are those of Python's `join`. A
   * layer with collectives of its own, such as SyncBatchNorm, needs `throwOnEarlyTermination`.
   *
   * @example
   * import { distributed, nn, optim, randn } from 'aiforge';
   * await distributed.initProcessGroup();
   * const ddp = await distributed.DistributedDataParallel.create(new nn.Linear(4, 2));
   * const optimizer = new optim.SGD([...ddp.parameters()], { lr: 0.1 });
   * await ddp.join(async () => {
   *   for (let left = 3 + distributed.getRank(); left > 0; --left) {
   *     optimizer.zeroGrad();
   *     const output = await ddp.forwardAsync(randn([8, 4]));
   *     await output.square().mean().backwardAsync();
   *     optimizer.step();
   *   }
   * });
   * await distributed.destroyProcessGroup();
   */
  async join<T>(body: () => T, options: UnevenInputsOptions = {}): Promise<Awaited<T>> {
    joinTakes.check('DistributedDataParallel.join', arguments);
    const { enable = true, divideByInitialWorldSize = true, throwOnEarlyTermination = false } = options;
    if (!enable) return await body();
    this.#requireIdle('join');
    if (this.#joining !== null) {
      throw new AiforgeError('INVALID_ARGUMENT', 'DistributedDataParallel.join: this runs within join() already.');
    }
    nativeDistributed.noteJoin(this.#reducer);
    this.#joining = { enable, divideByInitialWorldSize, throwOnEarlyTermination };
    try {
      const result = await body();
      await this.#wait('join', () => finishTogether(this.#joinedRank(throwOnEarlyTermination)));
      return result;
    } finally {
      this.#joining = null;
    }
  }

  /**
   * Chooses what gradients are to the other ranks, once and before the first step: `'allreduce'` sends them as they are, `'fp16'` and
   * `'bf16'` as numbers of 16 bits, `'powerSGD'` as products of two thin matrices. As `register_comm_hook` with the hooks of
   * `torch.distributed.algorithms.ddp_comm_hooks`.
   *
   * @example
   * import { distributed, nn } from 'aiforge';
   * await distributed.initProcessGroup();
   * const ddp = await distributed.DistributedDataParallel.create(new nn.Linear(64, 64));
   * ddp.registerCommHook('powerSGD', { matrixApproximationRank: 2, startPowerSGDIter: 100 });
   * await distributed.destroyProcessGroup();
   */
  registerCommHook(hook: CommHook, options: PowerSGDOptions = {}): void {
    commHookTakes.check('DistributedDataParallel.registerCommHook', arguments);
    if (this.#hook !== null) {
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        `DistributedDataParallel.registerCommHook: '${this.#hook}' is registered already, and a hook stays.`,
      );
    }
    nativeDistributed.registerCommHook(this.#reducer, this.#group.native, hook, hookOptions(hook, options));
    this.#hook = hook;
  }

  /**
   * What the engine knows of this object and measured in some of its steps. As Python's `_get_ddp_logging_data`.
   *
   * @example
   * import { distributed, nn } from 'aiforge';
   * await distributed.initProcessGroup();
   * const ddp = await distributed.DistributedDataParallel.create(new nn.Linear(4, 2));
   * console.log(ddp.getDdpLoggingData().bucketSizes); // '40', in bytes
   * await distributed.destroyProcessGroup();
   */
  getDdpLoggingData(): DdpLoggingData {
    return loggingDataOf(nativeDistributed.ddpLoggingData(this.#reducer));
  }

  /** @internal What a run that goes on must begin with to sum as this one does; null before the first step is over. */
  gradientBuckets(): GradientBuckets | null {
    return nativeDistributed.gradientBuckets(this.#reducer);
  }

  /** Gives every rank the buffers of rank 0, at any time; every rank must call it. */
  shareBuffers(): void {
    this.#requireIdle('shareBuffers');
    enterContext();
    const { buffers } = this.#state;
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
    const { device } = this.#given;
    const placed = device === null ? args : onDevice(args, device);
    return this.module.forward(...placed) as ReturnType<M['forward']>;
  }

  #step(): Step {
    enterContext();
    const { gradEnabled, inference } = currentContext();
    const isRecorded = gradEnabled && !inference;
    if (this.#given.staticGraph && isRecorded && !this.#isSyncing && !this.#hasAveraged) throw staticInNoSync();
    const averages = this.#isSyncing && isRecorded;
    if (averages) this.#watch.beforePass();
    const buffers = this.#given.syncsBuffers && this.#sharesNext ? this.#state.buffers : [];
    return {
      isRecorded,
      averages,
      buffers,
      waits: isRecorded || buffers.length > 0 || this.#joining !== null,
    };
  }

  #beginning({ isRecorded, buffers }: Step): NativeBeginning {
    const joining = this.#joining;
    return [
      this.#reducer,
      this.#group.native,
      isRecorded,
      this.#isSyncing,
      handlesOf(buffers),
      joining !== null,
      joining?.divideByInitialWorldSize ?? true,
      joining?.throwOnEarlyTermination ?? false,
    ];
  }

  async #runAsync<T>(name: string, body: () => T): Promise<Awaited<T>> {
    this.#requireIdle(name);
    const step = this.#step();
    if (step.waits) {
      const beginning = this.#beginning(step);
      if (await this.#wait(name, () => nativeDistributed.beforeForwardAsync(...beginning))) throw earlyTermination();
    }
    return after<unknown>(body(), (outputs) => this.#afterForward(outputs, step.averages)) as Promise<Awaited<T>>;
  }

  #afterForward(outputs: unknown, averages: boolean): unknown {
    this.#sharesNext = averages;
    this.#hasAveraged ||= averages;
    enterContext();
    const { findsUnused, staticGraph } = this.#given;
    const none = handlesOf([]);
    if (!findsUnused && !staticGraph) {
      if (averages) nativeDistributed.afterForward(this.#reducer, averages, none, none);
      return outputs;
    }
    const searched = findsUnused && averages ? tensorsIn(outputs).filter((tensor) => tensor.requiresGrad) : [];
    return replaceRecorded(outputs, (recorded) => {
      const handles = [handlesOf(searched), handlesOf(recorded)] as const;
      return nativeDistributed.afterForward(this.#reducer, averages, ...handles)?.map(wrapHandle) ?? recorded;
    });
  }

  /** What is exchanged when this rank has no inputs left. */
  #joinedRank(throwsOnEarlyTermination: boolean): JoinedRank {
    const { native } = this.#group;
    const { syncsBuffers } = this.#given;
    const parameters = (): Tensor[] => this.#state.parameters.map(([, parameter]) => parameter);
    return {
      group: this.#group,
      device: parameters()[0]!.device,
      throwsOnEarlyTermination,
      shadow: async () => {
        const buffers = syncsBuffers && this.#sharesNext ? this.#state.buffers : [];
        this.#sharesNext = await nativeDistributed.shadowStep(this.#reducer, native, handlesOf(buffers));
      },
      shareFrom: (source) => {
        const state = [...parameters(), ...(syncsBuffers ? this.#state.buffers : [])];
        return nativeDistributed.shareTensorsAsync(native, handlesOf(state), source);
      },
    };
  }

  async #bufferExchange(): Promise<void> {
    enterContext();
    const { buffers } = this.#state;
    if (buffers.length > 0) await nativeDistributed.shareTensorsAsync(this.#group.native, handlesOf(buffers), 0);
  }

  /** Two exchanges at once would meet each other's messages on the other ranks. */
  async #wait<T>(name: string, body: () => Promise<T> | T): Promise<T> {
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
}
