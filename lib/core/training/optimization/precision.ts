import { autocast, GradScaler } from '../../../amp/index.js';
import type { TrainingConfig } from '../../../config/trainingConfig.js';
import { AiforgeError } from '../../../errors.js';
import { utils } from '../../../nn/index.js';
import type { Optimizer } from '../../../optim/index.js';
import { keep, scope, type Device, type Tensor } from '../../../tensor/index.js';

// Below it the inverse, by which gradients are unscaled, is infinite.
const smallestScale = 2 ** -126;

function vanished(): AiforgeError {
  return new AiforgeError(
    'TRAINING_FAILED',
    'In float16 no step had finite gradients, however small the scale of the loss became: the model overflows by itself. ' +
      'Set training.precision to bfloat16 or float32, or look at what it computes.',
  );
}

type Dtype = TrainingConfig['precision'];
type Clipping = Pick<TrainingConfig, 'gradClipNorm' | 'gradClipValue'>;

/** What the steps of a run compute in: float32, or a smaller dtype where autocast allows it, with a scaled loss for float16. */
export class Precision {
  readonly #deviceType: 'cuda' | 'cpu';
  /** Null where the loss is not scaled. */
  readonly scaler: GradScaler | null;
  // That of the last step: reading it waits for a GPU, so it is done once a step.
  #scale: number | undefined;
  #norm: Tensor | undefined;
  /** Of several optimizers those that have stepped since the scale was looked at. */
  readonly #stepped = new Set<Optimizer>();

  constructor(
    private readonly dtype: Dtype,
    device: Device,
    /** Whether the norm of the gradients is measured at each step. */
    private readonly measuresNorm = false,
  ) {
    this.#deviceType = device === 'cpu' ? 'cpu' : 'cuda';
    this.scaler = dtype === 'float16' ? new GradScaler({ device: this.#deviceType }) : null;
  }

  /** Runs a forward pass. */
  run<T>(forward: () => T): T {
    return this.dtype === 'float32'
      ? forward()
      : autocast({ deviceType: this.#deviceType, dtype: this.dtype }, forward);
  }

  backward(loss: Tensor): void {
    this.#scaled(loss).backward();
  }

  /** As `backward`, beside the event loop. */
  backwardAsync(loss: Tensor): Promise<void> {
    return this.#scaled(loss).backwardAsync();
  }

  #scaled(loss: Tensor): Tensor {
    return this.scaler?.scale(loss) ?? loss;
  }

  /**
   * Steps the optimizer with clipped gradients and clears them; false where gradients were not finite and it was skipped.
   * `parameters` gives the model's, which is a walk through its modules, where gradients are clipped or measured.
   */
  step(optimizer: Optimizer, parameters: () => Iterable<Tensor>, clipping: Clipping): boolean {
    const { scaler } = this;
    if (scaler === null) {
      if (this.#looks(clipping)) scope(() => this.clip(parameters, clipping));
      optimizer.step();
      optimizer.zeroGrad();
      return true;
    }
    this.#scale ??= scaler.getScale();
    return scope(() => {
      this.#clipUnscaled(optimizer, parameters, clipping);
      scaler.step(optimizer);
      scaler.update();
      optimizer.zeroGrad();
      return this.#wasStep(scaler);
    });
  }

  /** Steps one of several optimizers, whose gradients are the model's to clear; false where it was skipped. */
  stepOne(optimizer: Optimizer, parameters: () => Iterable<Tensor>, clipping: Clipping): boolean {
    const { scaler } = this;
    return scope(() => {
      if (scaler !== null && this.#stepped.has(optimizer)) this.endSteps();
      this.#clipUnscaled(optimizer, parameters, clipping);
      if (scaler === null) {
        optimizer.step();
        return true;
      }
      scaler.step(optimizer);
      this.#stepped.add(optimizer);
      return [...scaler.foundInfPerDevice(optimizer).values()].every((found) => found.item<number>() === 0);
    });
  }

  /** To be called after the steps of several optimizers: the scale of the loss changes for all of them at once. */
  endSteps(): void {
    if (this.scaler === null || this.#stepped.size === 0) return;
    this.#stepped.clear();
    this.scaler.update();
    if (this.scaler.getScale() < smallestScale) throw vanished();
  }

  /** Clips gradients, and measures their norm where that is asked for. */
  clip(parameters: () => Iterable<Tensor>, { gradClipNorm, gradClipValue }: Clipping): void {
    const all = gradClipNorm !== null || gradClipValue !== null || this.measuresNorm ? [...parameters()] : [];
    if (gradClipNorm !== null || this.measuresNorm) {
      const norm = utils.clipGradNorm_(all, gradClipNorm ?? Infinity);
      if (this.measuresNorm) this.#norm = keep(norm);
    }
    if (gradClipValue !== null) utils.clipGradValue_(all, gradClipValue);
  }

  /** What reads the norm of the last step's gradients, before they were clipped; undefined where it is not measured. */
  takeNorm(): (() => number) | undefined {
    const norm = this.#norm;
    this.#norm = undefined;
    return norm === undefined ? undefined : () => norm.item<number>();
  }

  #clipUnscaled(optimizer: Optimizer, parameters: () => Iterable<Tensor>, clipping: Clipping): void {
    if (!this.#looks(clipping)) return;
    this.scaler?.unscale_(optimizer);
    this.clip(parameters, clipping);
  }

  /** Whether gradients are clipped or measured. */
  #looks({ gradClipNorm, gradClipValue }: Clipping): boolean {
    return gradClipNorm !== null || gradClipValue !== null || this.measuresNorm;
  }

  /** Whether the step that was taken was not skipped, which shrinks the scale. */
  #wasStep(scaler: GradScaler): boolean {
    const scale = scaler.getScale();
    if (scale < smallestScale) throw vanished();
    const wasStep = scale >= this.#scale!;
    this.#scale = scale;
    return wasStep;
  }
}
