import path from 'node:path';

import { writeFileAtomic } from '../../atomicFile.js';
import type { TrainingConfig } from '../../config/trainingConfig.js';
import { logger } from '../../log.js';
import type { Module } from '../../nn/index.js';
import { Profiler, schedule, type ProfileResult } from '../../profiler/index.js';
import { saving } from '../runs/saving.js';

type Settings = NonNullable<TrainingConfig['profile']>;

interface ProfiledRun {
  training: Pick<TrainingConfig, 'profile'>;
  model: Module;
  ranks: { rank: number };
  /** Knows the run's folder. */
  writer: { directory: string };
}

/** Profiles some steps of the optimizer, once in a run and within one epoch, and writes what they took into the run's folder. */
export class StepProfiling {
  readonly #settings: Settings;
  readonly #model: Module;
  readonly #directory: string;
  #profiler: Profiler | null = null;
  /** Steps that are done: in all, and of this epoch. */
  #steps = 0;
  #stepsOfEpoch = 0;
  /** Of this epoch, those before the profile begins. */
  #before = 0;
  #isDone = false;

  private constructor(settings: Settings, model: Module, directory: string) {
    this.#settings = settings;
    this.#model = model;
    this.#directory = directory;
  }

  /** Null where nothing is to be profiled: one rank is enough. */
  static of({ training: { profile }, model, ranks, writer }: ProfiledRun): StepProfiling | null {
    if (profile === null || ranks.rank !== 0) return null;
    return new StepProfiling(profile, model, writer.directory);
  }

  beginEpoch(): void {
    if (this.#isDone) return;
    const { skip, warmup, steps, shapes } = this.#settings;
    const skipFirst = Math.max(0, skip - this.#steps);
    this.#stepsOfEpoch = 0;
    this.#before = skipFirst + warmup;
    this.#profiler = new Profiler({
      schedule: schedule({ wait: 0, warmup, active: steps, repeat: 1, skipFirst }),
      recordShapes: shapes,
      memory: true,
      modules: this.#model,
      onTraceReady: (result) => this.#write(result),
    });
    this.#profiler.start();
  }

  /** To be called after each step of the optimizer. */
  endStep(): void {
    ++this.#steps;
    ++this.#stepsOfEpoch;
    this.#profiler?.step();
    if (this.#isDone) this.endEpoch();
  }

  /** What was begun ends with the epoch; where no step was profiled yet, the next one begins anew. */
  endEpoch(): void {
    this.#profiler?.stop();
    this.#profiler = null;
  }

  #write(result: ProfileResult): void {
    const count = Math.min(this.#settings.steps, this.#stepsOfEpoch - this.#before);
    if (count < 1) return;
    this.#isDone = true;
    const [text, trace] = ['profile.txt', 'profile-trace.json'].map((name) => path.join(this.#directory, name));
    saving(text!, () => writeFileAtomic(text!, this.#report(result, count)));
    if (this.#settings.trace) saving(trace!, () => result.exportChromeTrace(trace!));
    logger.info({ file: text, steps: count }, 'Steps of the training were profiled');
  }

  #report(result: ProfileResult, count: number): string {
    const { flops } = result;
    const first = this.#steps - count + 1;
    return [
      `Steps ${first} to ${this.#steps} of the optimizer since the training began or was resumed, with the loading of their batches.`,
      'Times are those of the CPU: what a GPU does for an operator is not recorded.',
      '',
      result.table(),
      ...(flops === null
        ? []
        : ['', `FLOPs of a step: ${Math.round(flops.total / count)}, of all ${count}:`, String(flops)]),
      '',
    ].join('\n');
  }
}
