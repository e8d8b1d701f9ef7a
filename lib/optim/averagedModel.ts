import { AiforgeError } from '../errors.js';
import { boolean, func, orNull, type Kinds } from '../kinds.js';
import { signature } from '../signature.js';
import { noGrad } from '../autograd/modes.js';
import { Buffer, Module } from '../nn/index.js';
import { tensor } from '../tensor/creation.js';
import type { Device } from '../tensor/dtype.js';
import { scope } from '../tensor/memory/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import {
  getSwaAvgFn,
  getSwaMultiAvgFn,
  type AverageFunction,
  type MultiAverageFunction,
} from './averagingFunctions.js';
import { deviceKind } from '../tensor/kinds.js';
import { moduleKind } from '../nn/moduleKinds.js';

export interface AveragedModelOptions {
  /** Where the averages are. Default: where the model is. */
  device?: Device | null;
  /** Averages one tensor. Default: all models count the same. */
  avgFn?: AverageFunction | null;
  /** Averages lists of tensors in place; not beside `avgFn`. Default: all models count the same. */
  multiAvgFn?: MultiAverageFunction | null;
  /** Averages the buffers as well, instead of copying them. Default: false. */
  useBuffers?: boolean;
}

const averagedModelOptions: Kinds<AveragedModelOptions> = {
  device: orNull(deviceKind),
  avgFn: orNull(func<AverageFunction>()),
  multiAvgFn: orNull(func<MultiAverageFunction>()),
  useBuffers: boolean,
};

/** Tensors of one device and dtype: those of the average, and the model's. */
interface Group {
  averaged: Tensor[];
  current: Tensor[];
}

const updateTakes = signature({ model: moduleKind });
const averagedModelTakes = signature({ model: moduleKind }, averagedModelOptions);

/**
 * A copy of a model whose parameters are averages of the model's over the training: of equal weight (SWA) or exponential (EMA).
 * The first `updateParameters` copies, every further one averages: `W ← W + (w − W) / (n + 1)` unless a function says
 * otherwise. It computes as the model does. Its state dict has `n_averaged` and the copy's entries under `module.`.
 *
 * Options: {@link AveragedModelOptions}. As `torch.optim.swa_utils.AveragedModel`. After averaging, the running statistics of
 * batch norms do not fit the weights: call `updateBn`, or give `useBuffers`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for `avgFn` together with `multiAvgFn`.
 *
 * @example
 * import { nn, optim, randn } from 'aiforge';
 * const model = new nn.Linear(3, 1);
 * const averaged = new optim.swaUtils.AveragedModel(model);
 * const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
 * for (let step = 0; step < 3; ++step) {
 *   optimizer.zeroGrad();
 *   model.forward(randn([8, 3])).square().mean().backward();
 *   optimizer.step();
 *   averaged.updateParameters(model);
 * }
 * Object.keys(averaged.stateDict()); // ['n_averaged', 'module.weight', 'module.bias']
 */
export class AveragedModel<M extends Module = Module> extends Module {
  readonly module: M;
  /** How many models were averaged. */
  readonly nAveraged: Buffer;
  readonly avgFn: AverageFunction | null;
  readonly multiAvgFn: MultiAverageFunction | null;
  readonly useBuffers: boolean;

  constructor(model: M, options: AveragedModelOptions = {}) {
    averagedModelTakes.check(new.target.name, arguments);
    const { device = null, avgFn = null, multiAvgFn = null, useBuffers = false } = options;
    super();
    if (avgFn !== null && multiAvgFn !== null) {
      throw new AiforgeError('INVALID_ARGUMENT', 'avgFn and multiAvgFn were both given: give one of them.');
    }
    this.module = model.deepCopy();
    if (device !== null) this.module.to(device);
    this.nAveraged = new Buffer(tensor(0, { dtype: 'int64', ...(device === null ? {} : { device }) }));
    this.avgFn = avgFn;
    this.multiAvgFn = multiAvgFn;
    this.useBuffers = useBuffers;
  }

  /** Computes as the model does, with the averages. */
  override forward(...args: Parameters<M['forward']>): ReturnType<M['forward']> {
    return this.module.forward(...args) as ReturnType<M['forward']>;
  }

  /** Takes the parameters that the model has now into the averages. */
  updateParameters(model: Module): void {
    updateTakes.check('updateParameters', arguments);
    scope(() => noGrad(() => this.update(model)));
  }

  private update(model: Module): void {
    const averaged = this.averagedTensors(this.module).map((own) => own.detach());
    const current = this.averagedTensors(model).map((value, i) =>
      value.detach().to(averaged[i]?.device ?? value.device),
    );
    const pairs = Math.min(averaged.length, current.length);
    averaged.length = current.length = pairs;
    if (this.nAveraged.item() === 0) averaged.forEach((own, i) => own.copy_(current[i]!));
    else if (this.avgFn === null) this.updateLists(averaged, current);
    else this.updateEach(this.avgFn, averaged, current);
    if (!this.useBuffers) this.copyBuffers(model);
    this.nAveraged.add_(1);
  }

  private averagedTensors(module: Module): Tensor[] {
    return this.useBuffers ? [...module.parameters(), ...module.buffers()] : [...module.parameters()];
  }

  private updateLists(averaged: readonly Tensor[], current: readonly Tensor[]): void {
    for (const group of byDeviceAndDType(averaged, current)) {
      const device = group.averaged[0]!.device;
      const counted = this.nAveraged.to(device);
      if (this.multiAvgFn !== null) this.multiAvgFn(group.averaged, group.current, counted);
      else if (device === 'cpu') this.updateEach(getSwaAvgFn(), group.averaged, group.current);
      else getSwaMultiAvgFn()(group.averaged, group.current, counted);
    }
  }

  private updateEach(average: AverageFunction, averaged: readonly Tensor[], current: readonly Tensor[]): void {
    averaged.forEach((own, i) => own.copy_(average(own, current[i]!, this.nAveraged.to(own.device))));
  }

  private copyBuffers(model: Module): void {
    const buffers = [...model.buffers()];
    const own = [...this.module.buffers()];
    if (buffers.length !== own.length) {
      throw new AiforgeError(
        'INVALID_ARGUMENT',
        `updateParameters: the model has ${buffers.length} buffers, the averaged one ${own.length}.`,
      );
    }
    own.forEach((buffer, i) => buffer.copy_(buffers[i]!.to(buffer.device)));
  }
}

function byDeviceAndDType(averaged: readonly Tensor[], current: readonly Tensor[]): Iterable<Group> {
  const groups = new Map<string, Group>();
  averaged.forEach((own, i) => {
    const kind = `${own.device} ${own.dtype}`;
    const group = groups.get(kind) ?? { averaged: [], current: [] };
    groups.set(kind, group);
    group.averaged.push(own);
    group.current.push(current[i]!);
  });
  return groups.values();
}
