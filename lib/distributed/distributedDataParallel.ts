import { noGrad } from '../autograd/modes.js';
import { flattenTree, unflattenTree } from '../autograd/pytree.js';
import { indexOf } from '../cuda/device.js';
import { AiforgeError } from '../errors.js';
import { boolean, listOf, number, kind, tuple } from '../kinds.js';
import { signature } from '../signature.js';
import { currentContext, enterContext } from '../tensor/context/context.js';
import { tensor } from '../tensor/creation.js';
import { zerosLike } from '../tensor/generated/functions.js';
import { tensorKind } from '../tensor/kinds.js';
import { keep, scope, tensorsIn } from '../tensor/memory/scope.js';
import { handlesOf, Tensor } from '../tensor/tensor.js';
import { nativeDistributed, type NativeReducer } from './native.js';
import { throughSink } from './outputSink.js';
import { deviceIdKind } from './rankDevice.js';
import { groupKind, type ProcessGroup } from './processGroup.js';
import { sparseParameters } from './sparseParameters.js';
import { defaultProcessGroup } from './world.js';

/** What a module must have to be trained on several ranks: every `nn.Module` has it. */
export interface TrainableModule {
  namedParameters(): Iterable<[string, Tensor]>;
  buffers(): Iterable<Tensor>;
  forward(...args: never[]): unknown;
}

export interface DistributedDataParallelOptions {
  /**
   * The one GPU that the module is on, such as `[1]` or `['cuda:1']`; `forward` then moves its tensors there. INVALID_ARGUMENT for a
   * module that is elsewhere. Default: the module's device, and arguments as they are.
   */
  deviceIds?: readonly [number | `cuda:${number}`];
  /** Default: the group of `initProcessGroup`. */
  group?: ProcessGroup;
  /** Gradients travel in buckets of about this size, in MiB. Default: 25, and 1 for the first. */
  bucketCapMb?: number;
  /**
   * Lets a step leave parameters out, and a loss leave outputs out that are tensors or lie in arrays, plain objects and maps;
   * `forward` then returns copies of these. Default: false.
   */
  findUnusedParameters?: boolean;
  /** Gives every rank the buffers of rank 0 before the first forward pass and the one after each averaged one. Default: true. */
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

const averageTakes = signature({ parameters: listOf(tensorKind) });
const agreeTakes = signature({ number });
const ddpTakes = signature<DistributedDataParallelOptions>(
  { module: trainableKind },
  {
    deviceIds: tuple(deviceIdKind),
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

/** What `then` makes of a result, or a promise of what it makes of what a promised one resolves to. */
function after<T>(result: T, then: (value: unknown) => unknown): T {
  return (isPromise(result) ? result.then(then) : then(result)) as T;
}

const mebibyte = 1024 * 1024;

/** The first bucket is small by default, so that averaging begins early; a cap that was asked for holds for all. */
function bucketBytes(capMb: number | undefined): [first: number, others: number] {
  if (capMb === undefined) return [mebibyte, 25 * mebibyte];
  const bytes = Math.trunc(capMb * mebibyte);
  return [bytes, bytes];
}

/** The GPU of `deviceIds`; throws unless all of the module is there. */
function checkedDevice(module: TrainableModule, deviceIds: readonly [number | `cuda:${number}`]): string {
  const device = `cuda:${indexOf(deviceIds[0])}`;
  for (const [name, parameter] of module.namedParameters()) {
    if (parameter.device === device) continue;
    throw new AiforgeError(
      'INVALID_ARGUMENT',
      `DistributedDataParallel: deviceIds names ${device}, but the parameter '${name}' is on ${parameter.device}: move the ` +
        'module there first, or leave deviceIds out, as a module on the CPU or on several devices must.',
    );
  }
  return device;
}

/** The same values with every tensor in them, and in arrays, plain objects and maps of them, on a device. */
function onDevice<T extends unknown[]>(values: T, device: string): T {
  const { leaves, spec } = flattenTree(values);
  const moved = leaves.map((leaf) => (Tensor.isTensor(leaf) ? leaf.to(device as 'cuda') : leaf));
  return unflattenTree(moved, spec) as T;
}

/** What an error about parameters without a gradient advises, by whether they are searched for. */
export interface UnusedAdvice {
  searched: string;
  otherwise: string;
}

const unusedAdvice: UnusedAdvice = {
  searched:
    'With findUnusedParameters, what forward returns must be tensors, arrays, plain objects and maps; a forward pass ' +
    'without a backward pass belongs in noGrad.',
  otherwise:
    'Pass { findUnusedParameters: true }, or take the unused parameters out of the module; a forward pass without a ' +
    'backward pass belongs in noGrad.',
};

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
    const placed = this.#device === null ? args : onDevice(args, this.#device);
    return this.run(() => this.module.forward(...placed) as ReturnType<M['forward']>);
  }

  /**
   * As `forward`, for a step of any form: `body` runs the module and returns what `backward` will start from, as in
   * `ddp.run(() => model.trainingStep(batch, batchIdx))`.
   */
  run<T>(body: () => T): T {
    const { gradEnabled, inference } = currentContext();
    const isRecorded = gradEnabled && !inference;
    const syncs = this.#isSyncing && isRecorded;
    enterContext();
    if (isRecorded) nativeDistributed.beforeForward(this.#reducer, syncs);
    if (this.#sharesBuffers && this.#sharesNext) this.shareBuffers();
    return after(body(), (outputs) => this.#afterForward(outputs, syncs));
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
    enterContext();
    const buffers = [...this.module.buffers()];
    if (buffers.length > 0) nativeDistributed.syncBuffers(this.#group.native, handlesOf(buffers));
  }

  /**
   * Averages gradients over the ranks that backward passes in `noSync` left on each; every rank must call it, for the same
   * parameters. Of a parameter that only some ranks used, the gradients of the others count as zeros.
   */
  averageGradients(parameters: readonly Tensor[]): void {
    averageTakes.check('DistributedDataParallel.averageGradients', arguments);
    scope(() => noGrad(() => this.#average(parameters)));
  }

  /** Whether every rank has come with the same number; every rank must ask. */
  agree(number: number): boolean {
    agreeTakes.check('DistributedDataParallel.agree', arguments);
    return scope(() => {
      const both = tensor([number, -number], { dtype: 'float64' });
      this.#group.allReduceSync(both, { op: 'max' });
      const [most, least] = both.tolist<[number, number]>();
      return most === -least;
    });
  }

  #average(parameters: readonly Tensor[]): void {
    const used = tensor(parameters.map(({ grad }) => Number(grad !== null)));
    this.#group.allReduceSync(used, { op: 'max' });
    const isUsed = used.tolist<number[]>();
    for (const parameter of parameters.filter((_, i) => isUsed[i] === 1)) {
      const gradient = parameter.grad ?? keep(zerosLike(parameter.detach()));
      this.#group.allReduceSync(gradient, { op: 'sum' });
      parameter.grad = gradient.div_(this.#group.worldSize);
    }
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
