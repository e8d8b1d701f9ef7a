import type { TrainingConfig } from '../../../config/trainingConfig.js';
import * as cuda from '../../../cuda/index.js';
import { flopCounter } from '../../../profiler/index.js';
import { isRecording } from '../../../profiler/recording.js';
import type { Device } from '../../../tensor/index.js';
import type { Step } from './stepOutput.js';

/**
 * What is measured with each step of the optimizer where `training.logStepMetrics` asks for it: the norm of the gradients,
 * samples a second (and tokens, or whatever a step's weight counts), the model's FLOPs as its first batch takes them, and memory.
 */
export class StepMeasures {
  readonly #isOn: boolean;
  #samples = 0;
  #weight = 0;
  #isWeighted = false;
  #since = performance.now();
  /** Of the forward and backward pass of one sample; undefined before they were counted. */
  #flopsOfSample: number | undefined;

  constructor(
    training: Pick<TrainingConfig, 'logStepMetrics'>,
    private readonly worldSize: number,
    private readonly device: Device,
  ) {
    this.#isOn = training.logStepMetrics;
  }

  /** Runs the passes of a batch; counts their FLOPs once, as soon as no profile takes what is recorded. */
  counting<T>(samples: number, passes: () => T): T {
    if (!this.counts) return passes();
    let result!: T;
    this.#flopsOfSample = flopCounter(() => void (result = passes())).total / samples;
    return result;
  }

  /** Whether `counting` will count what passes compute, which it does once. */
  get counts(): boolean {
    return this.#isOn && this.#flopsOfSample === undefined && !isRecording();
  }

  addBatch({ weight, samples, isWeighted }: Step): void {
    this.#samples += samples;
    this.#weight += weight;
    this.#isWeighted ||= isWeighted;
  }

  /** The measures of a step that is recorded; `readNorm` gives the norm of its gradients. */
  ofStep(readNorm: (() => number) | undefined): Record<string, number> {
    if (!this.#isOn) return {};
    const now = performance.now();
    const seconds = (now - this.#since) / 1000;
    const perSecond = (count: number) => (count * this.worldSize) / seconds;
    const flops = (this.#flopsOfSample ?? 0) * this.#samples;
    const measures = {
      ...(readNorm === undefined ? {} : { grad_norm: readNorm() }),
      samples_per_second: perSecond(this.#samples),
      ...(this.#isWeighted ? { weight_per_second: perSecond(this.#weight) } : {}),
      ...(flops === 0 ? {} : { model_flops: flops * this.worldSize, flops_per_second: perSecond(flops) }),
      memory_mib: mebibytes(process.memoryUsage.rss()),
      ...(this.device === 'cpu' ? {} : { cuda_memory_mib: mebibytes(cuda.memoryAllocated(this.device as cuda.CudaDevice)) }), // prettier-ignore
    };
    this.#since = now;
    this.#samples = this.#weight = 0;
    return measures;
  }
}

const mebibytes = (bytes: number): number => bytes / 2 ** 20;
