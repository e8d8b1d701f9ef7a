import { autocast, GradScaler } from '../../amp/index.js';
import type { TrainingConfig } from '../../config/trainingConfig.js';
import { AiforgeError } from '../../errors.js';
import { utils } from '../../nn/index.js';
import type { Optimizer } from '../../optim/index.js';
import { scope, type Device, type Tensor } from '../../tensor/index.js';

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

  constructor(
    private readonly dtype: Dtype,
    device: Device,
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
    (this.scaler?.scale(loss) ?? loss).backward();
  }

  /** Steps an optimizer with clipped gradients; false where gradients were not finite and it was skipped. */
  step(optimizer: Optimizer, parameters: Iterable<Tensor>, { gradClipNorm, gradClipValue }: Clipping): boolean {
    this.#scale ??= this.scaler?.getScale();
    return scope(() => {
      if (gradClipNorm !== null || gradClipValue !== null) this.scaler?.unscale_(optimizer);
      if (gradClipNorm !== null) utils.clipGradNorm_([...parameters], gradClipNorm);
      if (gradClipValue !== null) utils.clipGradValue_([...parameters], gradClipValue);
      if (this.scaler === null) optimizer.step();
      else this.scaler.step(optimizer);
      this.scaler?.update();
      optimizer.zeroGrad();
      return this.scaler === null || this.#wasStep(this.scaler);
    });
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
