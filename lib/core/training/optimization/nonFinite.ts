import type { TrainingConfig } from '../../../config/trainingConfig.js';
import { noGrad } from '../../../autograd/index.js';
import { AiforgeError } from '../../../errors.js';
import { logger } from '../../../log.js';
import { scope, Tensor, type Device } from '../../../tensor/index.js';
import { tensorsIn } from '../../../tensor/memory/scope.js';
import type { BaseModel } from '../../baseModel.js';
import type { RunState } from '../../checkpoints/checkpoint.js';
import { randomState, restoreRandomState } from '../../randomState.js';
import { logging } from '../measuring/logbook.js';
import { markMetrics, setMetricsAside } from '../measuring/modelMetrics.js';
import type { Step } from '../measuring/stepOutput.js';

interface Parts {
  training: TrainingConfig;
  model: BaseModel;
  state: RunState;
  device: Device;
}

/** What becomes of a batch whose loss is NaN or infinite, by `training.nonFiniteLoss`. */
export class NonFinite {
  readonly #parts: Parts;
  #leftOut = 0;
  /** Takes back what the forward pass of a batch did to buffers and metrics. */
  #takeBack: () => void = () => undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Whether batches may be left out, for which the loss of each is read. */
  get skips(): boolean {
    return this.#parts.training.nonFiniteLoss === 'skip';
  }

  /** To be called in the scope of each step: what the forward pass of a batch that is left out does is taken back. */
  before(): void {
    if (!this.skips) return;
    const { model } = this.#parts;
    const buffers = [...model.buffers()].map((buffer) => [buffer, buffer.clone()] as const);
    const takeBackMetrics = markMetrics(model);
    this.#takeBack = () => {
      noGrad(() => buffers.forEach(([buffer, before]) => buffer.copy_(before)));
      takeBackMetrics();
    };
  }

  /** The step as it counts: as it is, or with the weight 0. Throws TRAINING_FAILED where the run is to stop. */
  look(step: Step, batch: unknown): Step {
    const { training, state } = this.#parts;
    if (step.weight === 0 || training.nonFiniteLoss === 'ignore') return step;
    // A GPU that is not asked goes on; the log of steps looks at its losses later.
    const value = Tensor.isTensor(step.value) && this.skips ? step.value.item<number>() : step.value;
    if (Tensor.isTensor(value) || Number.isFinite(value)) return step;
    if (!this.skips) throw this.problem(value, state.epoch, state.batch + 1, batch);
    if (this.#leftOut === 0) logger.warn(`${this.#where(value, state.epoch, state.batch + 1, batch)} The batch is left out.`); // prettier-ignore
    ++this.#leftOut;
    this.#takeBack();
    return { ...step, weight: 0, logged: {}, predictions: undefined };
  }

  /** Throws TRAINING_FAILED for a loss that was read when its batch was gone. */
  check(loss: number, epoch: number, batch: number): void {
    const isFine = Number.isFinite(loss) || this.#parts.training.nonFiniteLoss === 'ignore';
    if (!isFine) throw this.problem(loss, epoch, batch);
  }

  /** How many batches were left out since it was asked last. */
  takeLeftOut(): number {
    const leftOut = this.#leftOut;
    this.#leftOut = 0;
    return leftOut;
  }

  /** `batch` is that of the loss, or the last one of its step. */
  problem(loss: number, epoch: number, batch: number, given?: unknown): AiforgeError {
    return new AiforgeError(
      'TRAINING_FAILED',
      `${this.#where(loss, epoch, batch, given)} Training cannot go on from it: ` +
        'lower training.learningRate, set training.gradClipNorm, or look at the data; training.nonFiniteLoss=skip leaves such batches out, and ignore trains on.',
    );
  }

  #where(loss: number, epoch: number, batch: number, given: unknown): string {
    const { step } = this.#parts.state;
    const cause = given === undefined ? '' : ` ${this.#cause(given)}`;
    return `The loss is ${loss} in epoch ${epoch + 1}, batch ${batch} (step ${step}).${cause}`;
  }

  /** Runs the batch again, without a trace, to see where it goes wrong. */
  #cause(batch: unknown): string {
    const { model, device } = this.#parts;
    if (!tensorsIn(batch).every(isFinite)) return 'The batch itself is not finite.';
    const weight = [...model.namedParameters()].find(([, parameter]) => !isFinite(parameter));
    if (weight !== undefined) return `The parameter '${weight[0]}' is not finite.`;
    const drawn = randomState(device);
    const restoreMetrics = setMetricsAside(model);
    try {
      const name = scope(() =>
        firstNonFinite(model, () => logging(model, () => model.trainingStep(batch as never, this.#parts.state.batch))),
      );
      if (name === undefined) return 'The output of every module is finite: look at how the loss is computed.';
      return `The first module whose output is not finite is ${name}.`;
    } finally {
      restoreMetrics();
      restoreRandomState(drawn, device);
    }
  }
}

const isFinite = (value: Tensor): boolean =>
  !value.isFloatingPoint() || scope(() => value.detach().isfinite().all().item<boolean>());

/** The first module that ends its forward pass with something that is not finite, while `run` runs. */
function firstNonFinite(model: BaseModel, run: () => unknown): string | undefined {
  let found: string | undefined;
  const hooks = [...model.namedModules()].map(([name, module]) =>
    module.registerForwardHook((_module, _inputs, output) => {
      if (found !== undefined || tensorsIn(output).every(isFinite)) return;
      found = name === '' ? `the model itself (${module.constructor.name})` : `'${name}' (${module.constructor.name})`;
    }),
  );
  const buffers = [...model.buffers()].map((buffer) => [buffer, buffer.clone()] as const);
  try {
    run();
  } catch {
    // A step that cannot be run twice, as one that steps its optimizers itself, says no more.
  } finally {
    hooks.forEach((hook) => hook.remove());
    noGrad(() => buffers.forEach(([buffer, before]) => buffer.copy_(before)));
  }
  return found;
}
