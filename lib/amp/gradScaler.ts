import { mapTree } from '../autograd/pytree.js';
import { isAvailable } from '../cuda/device.js';
import { AiforgeError } from '../errors.js';
import { anything, boolean, either, func, kind, oneOf, optional, positive, size } from '../kinds.js';
import { logger } from '../log.js';
import { takesAmpScaling, type Scaled } from '../optim/ampScaling.js';
import { optimizerKind } from '../optim/kinds.js';
import type { Optimizer } from '../optim/optimizer.js';
import { show } from '../show.js';
import { isOptions, nothing, signature } from '../signature.js';
import { full, ones } from '../tensor/generated/functions.js';
import { tensorKind } from '../tensor/kinds.js';
import { aten } from '../tensor/calls/aten.js';
import { keep, scope } from '../tensor/memory/scope.js';
import { Tensor } from '../tensor/tensor.js';
import { checkState, type GradScalerStateDict } from './gradScalerState.js';
import { unscaleGradients, type FoundInf } from './unscale.js';

export interface GradScalerOptions {
  /** Where the losses are. Default: `'cuda'`, and without a GPU no scaling, with a warning in the log (`LOG_LEVEL=warn`). */
  device?: 'cuda' | 'cpu';
  /** The first scale. Default: 65536. */
  initScale?: number;
  /** What the scale is multiplied by when it grows, above 1. Default: 2. */
  growthFactor?: number;
  /** What the scale is multiplied by after gradients that are not finite, below 1. Default: 0.5. */
  backoffFactor?: number;
  /** After how many steps in a row with finite gradients the scale grows; 0: never. Default: 2000. */
  growthInterval?: number;
  /** False makes every method do nothing but `step`, which steps the optimizer. Default: true. */
  enabled?: boolean;
}

/** A tensor, or arrays, objects and maps of tensors. */
export type Scalable =
  Tensor | readonly Scalable[] | { readonly [name: string]: Scalable } | ReadonlyMap<unknown, Scalable>;

// Since the last update: none, gradients unscaled, optimizer stepped.
interface OptimizerState {
  stage: 'ready' | 'unscaled' | 'stepped';
  foundInf: FoundInf;
}

// As float32, in which it is kept.
const scaleKind = kind<number>(
  'a finite number above 0 in float32',
  (value) => positive.accepts(value) && Math.fround(Number(value)) > 0 && Number.isFinite(Math.fround(Number(value))),
);
const growing = kind<number>('a finite number above 1', (value) => Number.isFinite(value) && Number(value) > 1);
const shrinking = kind<number>('a number above 0 and below 1', (value) => positive.accepts(value) && Number(value) < 1);

const takes = signature<GradScalerOptions>(
  {},
  {
    device: oneOf('cuda', 'cpu'),
    initScale: scaleKind,
    growthFactor: growing,
    backoffFactor: shrinking,
    growthInterval: size,
    enabled: boolean,
  },
);
const scaleTakes = signature({ outputs: anything });
const optimizerTakes = signature({ optimizer: optimizerKind });
const stepTakes = signature({ optimizer: optimizerKind, closure: optional(func()) });
const updateTakes = signature({ newScale: optional(either(scaleKind, tensorKind)) });
const growthTakes = signature({ newFactor: growing });
const backoffTakes = signature({ newFactor: shrinking });
const intervalTakes = signature({ newInterval: size });
const loadStateDictTakes = signature({ stateDict: kind('an object, as stateDict() gives', isOptions) });

const updateScale = aten('_amp_update_scale_');

function refuse(method: string, problem: string): never {
  throw new AiforgeError('INVALID_ARGUMENT', `GradScaler.${method}: ${problem}.`);
}

/**
 * Scales losses, so that small gradients do not vanish in float16, and unscales the gradients before a step. A step with a
 * gradient that is inf or NaN is skipped, and the scale shrinks; after `growthInterval` steps without one it grows. As
 * `torch.amp.GradScaler`, with its numbers.
 *
 * @example
 * import { amp, nn, ones, optim } from 'aiforge';
 * const model = new nn.Linear(3, 1);
 * const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
 * const scaler = new amp.GradScaler({ device: 'cpu', initScale: 1024, growthInterval: 2 });
 * const x = ones([8, 3]);
 * for (let i = 0; i < 3; ++i) {
 *   optimizer.zeroGrad();
 *   const loss = amp.autocast({ deviceType: 'cpu', dtype: 'float16' }, () =>
 *     nn.functional.mseLoss(model.forward(x), ones([8, 1])),
 *   );
 *   scaler.scale(loss).backward();
 *   scaler.unscale_(optimizer); // only for what looks at the gradients before the step
 *   nn.utils.clipGradNorm_(model.parameters(), 1);
 *   scaler.step(optimizer);
 *   scaler.update();
 * }
 * scaler.getScale(); // 2048
 */
export class GradScaler {
  readonly #device: 'cuda' | 'cpu';
  readonly #isEnabled: boolean;
  #initScale: number;
  #growthFactor: number;
  #backoffFactor: number;
  #growthInterval: number;
  #initGrowthTracker = 0;
  // Both are made where the first output is.
  #scale: Tensor | undefined;
  #growthTracker: Tensor | undefined;
  #states = new Map<Optimizer, OptimizerState>();

  constructor(options: GradScalerOptions = {}) {
    takes.check(new.target.name, arguments);
    this.#device = options.device ?? 'cuda';
    this.#initScale = options.initScale ?? 65536;
    this.#growthFactor = options.growthFactor ?? 2;
    this.#backoffFactor = options.backoffFactor ?? 0.5;
    this.#growthInterval = options.growthInterval ?? 2000;
    const isWanted = options.enabled ?? true;
    this.#isEnabled = isWanted && (this.#device !== 'cuda' || isAvailable());
    if (isWanted && !this.#isEnabled) {
      logger.warn("GradScaler: there is no CUDA device, so it scales nothing; on the CPU, give { device: 'cpu' }.");
    }
  }

  /**
   * Multiplies a loss, or each tensor in arrays, objects and maps, by the scale. Gives back what it is given where the
   * scaler is not enabled.
   *
   * @throws AiforgeError INVALID_ARGUMENT for what is no tensor.
   */
  scale<T extends Scalable>(outputs: T): T {
    scaleTakes.check('GradScaler.scale', arguments);
    if (!this.#isEnabled) return outputs;
    return mapTree(outputs, (output) => {
      if (Tensor.isTensor(output)) return output.mul(this.#scaleFor(output).to(output.device));
      return refuse('scale', `outputs must be a Tensor, or arrays, objects or maps of Tensors, got ${show(output)}`);
    }) as T;
  }

  #scaleFor({ device }: Tensor): Tensor {
    this.#growthTracker ??= keep(full([], this.#initGrowthTracker, { dtype: 'int32', device }));
    return (this.#scale ??= keep(full([], this.#initScale, { dtype: 'float32', device })));
  }

  // The tensors, once there are any.
  #scaled(method: string): { scale: Tensor; growthTracker: Tensor } {
    const [scale, growthTracker] = [this.#scale, this.#growthTracker];
    if (scale !== undefined && growthTracker !== undefined) return { scale, growthTracker };
    return refuse(method, 'nothing was scaled yet: call scaler.scale(loss).backward() before it');
  }

  #stateOf(optimizer: Optimizer): OptimizerState {
    let state = this.#states.get(optimizer);
    if (state === undefined) {
      state = { stage: 'ready', foundInf: new Map() };
      this.#states.set(optimizer, state);
    }
    return state;
  }

  /**
   * Divides the gradients of an optimizer's parameters by the scale, in place, for what looks at them or clips them before
   * `step`; call it once a step, when all gradients are there. Sparse gradients are unscaled too.
   *
   * @throws AiforgeError INVALID_ARGUMENT before anything was scaled, a second time before `update`, after `step`, and for
   * gradients in float16.
   */
  unscale_(optimizer: Optimizer): void {
    optimizerTakes.check('GradScaler.unscale_', arguments);
    if (!this.#isEnabled) return;
    const { scale } = this.#scaled('unscale_');
    const state = this.#stateOf(optimizer);
    if (state.stage === 'unscaled') {
      refuse(
        'unscale_',
        'the gradients of this optimizer are unscaled already; call it once, then step() and update()',
      );
    }
    if (state.stage === 'stepped') refuse('unscale_', 'it comes before step() of the same optimizer, not after it');
    scope(() => {
      // As precise as it can be.
      const inverse = scale.to('float64').reciprocal().to('float32');
      state.foundInf = unscaleGradients(optimizer, inverse, false);
    });
    state.stage = 'unscaled';
  }

  /**
   * Unscales the gradients, unless `unscale_` did, and steps the optimizer where all of them are finite. Fused steps of SGD,
   * Adam, AdamW and Adagrad do both themselves, without waiting for a GPU to tell. Where the scaler is not enabled, it is
   * `optimizer.step(closure)`, and returns what that gives.
   *
   * @throws AiforgeError INVALID_ARGUMENT for a closure, before anything was scaled, a second time before `update`, and where
   * no parameter has a gradient.
   */
  step(optimizer: Optimizer): void;
  step<T>(optimizer: Optimizer, closure?: () => T): T | undefined;
  step<T>(optimizer: Optimizer, closure?: () => T): T | undefined {
    stepTakes.check('GradScaler.step', arguments);
    if (!this.#isEnabled) {
      if (closure !== undefined) return optimizer.step(closure);
      optimizer.step();
      return undefined;
    }
    if (closure !== undefined) {
      refuse(
        'step',
        'it takes no closure: a closure computes gradients that would not be unscaled. Compute them before',
      );
    }
    const { scale } = this.#scaled('step');
    const state = this.#stateOf(optimizer);
    if (state.stage === 'stepped')
      refuse('step', 'this optimizer has stepped already; call update() before the next step');
    if (takesAmpScaling(optimizer)) this.#stepScaled(optimizer, state, scale);
    else this.#stepUnscaled(optimizer, state, scale);
    state.stage = 'stepped';
    return undefined;
  }

  #stepUnscaled(optimizer: Optimizer, state: OptimizerState, scale: Tensor): void {
    if (state.stage === 'ready') this.unscale_(optimizer);
    // The one place that waits for a GPU.
    const found = scope(() => combined([state.foundInf], scale)?.item<number>());
    if (found === undefined) {
      refuse('step', 'no parameter of this optimizer has a gradient; call backward() of the scaled loss before it');
    }
    if (found === 0) optimizer.step();
  }

  // What hooks of the step make is the caller's: no scope is around it.
  #stepScaled(optimizer: Optimizer & Scaled, state: OptimizerState, scale: Tensor): void {
    const isUnscaled = state.stage === 'unscaled';
    const foundInf = scope(() => {
      if (!isUnscaled) state.foundInf = unscaleGradients(optimizer, ones([], { device: scale.device }), true);
      return combined([state.foundInf], scale);
    });
    optimizer.ampScaling = foundInf === undefined ? null : { gradScale: isUnscaled ? null : scale, foundInf };
    try {
      optimizer.step();
    } finally {
      optimizer.ampScaling = null;
    }
  }

  /**
   * Ends a step, after `step` of all its optimizers: the scale shrinks where one found a gradient that is not finite, or grows
   * when it is time, or becomes `newScale`, a number or a Tensor of one element on the scaler's device.
   *
   * @throws AiforgeError INVALID_ARGUMENT before anything was scaled, and where no gradients were looked at.
   */
  update(newScale?: number | Tensor): void {
    updateTakes.check('GradScaler.update', arguments);
    if (!this.#isEnabled) return;
    const { scale, growthTracker } = this.#scaled('update');
    scope(() => {
      if (newScale !== undefined) this.#setScale(scale, newScale);
      else this.#adaptScale(scale, growthTracker);
    });
    for (const { foundInf } of this.#states.values()) for (const found of foundInf.values()) found.dispose();
    this.#states.clear();
  }

  #setScale(scale: Tensor, newScale: number | Tensor): void {
    if (typeof newScale === 'number') {
      scale.fill_(newScale);
      return;
    }
    if (newScale.numel() !== 1 || newScale.requiresGrad || newScale.device.split(':')[0] !== this.#device) {
      const expected = `a number, or a Tensor of one element on '${this.#device}' that requires no gradient`;
      refuse('update', `newScale must be ${expected}, got ${show(newScale)}`);
    }
    scale.copy_(newScale.reshape([]));
  }

  #adaptScale(scale: Tensor, growthTracker: Tensor): void {
    const found = Array.from(this.#states.values(), ({ foundInf }) => foundInf);
    const foundInf = combined(found, scale);
    if (foundInf === undefined) refuse('update', 'no gradients were looked at: call step() or unscale_() before it');
    updateScale(scale, growthTracker, foundInf, this.#growthFactor, this.#backoffFactor, this.#growthInterval);
  }

  /**
   * By device of the gradients of `optimizer` that `unscale_` or `step` looked at since the last `update`, a Tensor without
   * dimensions: 1 where one was inf or NaN, else 0. `update` disposes it.
   */
  foundInfPerDevice(optimizer: Optimizer): FoundInf {
    optimizerTakes.check('GradScaler.foundInfPerDevice', arguments);
    return new Map(this.#states.get(optimizer)?.foundInf);
  }

  /** The scale, which waits for a GPU; 1 where the scaler is not enabled. */
  getScale(): number {
    nothing.check('GradScaler.getScale', arguments);
    if (!this.#isEnabled) return 1;
    return this.#scale?.item<number>() ?? this.#initScale;
  }

  getGrowthFactor(): number {
    nothing.check('GradScaler.getGrowthFactor', arguments);
    return this.#growthFactor;
  }

  setGrowthFactor(newFactor: number): void {
    growthTakes.check('GradScaler.setGrowthFactor', arguments);
    this.#growthFactor = newFactor;
  }

  getBackoffFactor(): number {
    nothing.check('GradScaler.getBackoffFactor', arguments);
    return this.#backoffFactor;
  }

  setBackoffFactor(newFactor: number): void {
    backoffTakes.check('GradScaler.setBackoffFactor', arguments);
    this.#backoffFactor = newFactor;
  }

  getGrowthInterval(): number {
    nothing.check('GradScaler.getGrowthInterval', arguments);
    return this.#growthInterval;
  }

  setGrowthInterval(newInterval: number): void {
    intervalTakes.check('GradScaler.setGrowthInterval', arguments);
    this.#growthInterval = newInterval;
  }

  isEnabled(): boolean {
    nothing.check('GradScaler.isEnabled', arguments);
    return this.#isEnabled;
  }

  /** The state in PyTorch's form, to be read after `update`; an empty object where the scaler is not enabled. */
  stateDict(): GradScalerStateDict | Record<string, never> {
    nothing.check('GradScaler.stateDict', arguments);
    if (!this.#isEnabled) return {};
    return {
      scale: this.getScale(),
      growth_factor: this.#growthFactor,
      backoff_factor: this.#backoffFactor,
      growth_interval: this.#growthInterval,
      _growth_tracker: this.#growthTracker?.item<number>() ?? this.#initGrowthTracker,
    };
  }

  /**
   * Takes over a state dict, from here or from Python; does nothing where the scaler is not enabled.
   *
   * @throws AiforgeError STATE_DICT_MISMATCH for one of a scaler that was not enabled, and of something else; nothing is
   * changed then.
   */
  loadStateDict(stateDict: GradScalerStateDict | Record<string, never>): void {
    loadStateDictTakes.check('GradScaler.loadStateDict', arguments);
    if (!this.#isEnabled) return;
    checkState(stateDict);
    this.#initScale = stateDict.scale;
    this.#growthFactor = stateDict.growth_factor;
    this.#backoffFactor = stateDict.backoff_factor;
    this.#growthInterval = stateDict.growth_interval;
    this.#initGrowthTracker = stateDict._growth_tracker;
    scope(() => {
      this.#scale?.fill_(this.#initScale);
      this.#growthTracker?.fill_(this.#initGrowthTracker);
    });
  }
}

// On the device of the scale; undefined where no gradients were looked at.
function combined(found: readonly FoundInf[], { device }: Tensor): Tensor | undefined {
  const all = found.flatMap((each) => [...each.values()]).map((each) => each.to(device));
  return all.length === 0 ? undefined : all.reduce((a, b) => a.maximum(b));
}
